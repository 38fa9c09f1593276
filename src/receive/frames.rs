//! Any split of the input → pieces of frames: headers checked, payloads unmasked where they lie.

use core::mem;

use crate::config::{Config, Role};
use crate::error::ProtocolError;
use crate::frame::{self, Header, MAX_HEADER, OpCode, Rules, header};

/// A run of a frame's payload: all of it, when it lies whole in the input.
#[derive(Debug)]
pub(crate) struct Piece<'b> {
    pub(crate) opcode: OpCode,
    pub(crate) fin: bool,
    /// Nothing of this frame's payload came before.
    pub(crate) first: bool,
    /// How many bytes of this frame's payload are still to come.
    pub(crate) rest: u64,
    pub(crate) payload: &'b mut [u8],
}

impl Piece<'_> {
    /// Whether this is all of the frame.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.first && self.rest == 0
    }
}

/// Where in the stream of frames the peer is.
#[derive(Debug)]
pub(crate) struct Frames {
    from: Role,
    /// The first bytes of a header that the input cut.
    head: [u8; MAX_HEADER],
    head_length: u8,
    /// The frame whose payload is under way: its key is that of the next byte, its length what is still to come.
    current: Header,
    /// Nothing of the current frame's payload has come yet.
    first: bool,
    /// The message under way: how many frames it has so far (none: there is no message), and how many bytes.
    fragments: u32,
    message_size: u64,
}

impl Frames {
    pub(crate) fn new(from: Role) -> Self {
        Self {
            from,
            head: [0; MAX_HEADER],
            head_length: 0,
            current: Header { opcode: OpCode::Continuation, fin: false, key: [0; 4], length: 0 },
            first: false,
            fragments: 0,
            message_size: 0,
        }
    }

    /// The next frame, if a glance tells that it is the common one: a whole message of up to 64 KiB that lies in the
    /// input, between messages. `None` says nothing: [`next`](Self::next) looks at everything, and would come to the
    /// same for such a frame.
    #[inline]
    pub(crate) fn glance<'b>(&mut self, input: &mut &'b mut [u8], config: &Config) -> Option<(OpCode, &'b mut [u8])> {
        if self.current.length | u64::from(self.fragments) | u64::from(self.head_length) != 0 {
            return None;
        }
        let (&[first, second], rest) = input.split_first_chunk()?;
        let opcode = match first {
            header::WHOLE_TEXT => OpCode::Text,
            header::WHOLE_BINARY => OpCode::Binary,
            _ => return None,
        };
        // The mask bit is taken off where it has to be; where it is wrong, no length below 128 is left.
        let is_masked = self.from == Role::Client;
        let short = second ^ if is_masked { header::MASK } else { 0 };
        let (length, start) = match short {
            0..header::LENGTH_16 => (usize::from(short), 2),
            header::LENGTH_16 => {
                let length = u16::from_be_bytes(*rest.first_chunk()?);
                // Not in the shortest form.
                if length < u16::from(header::LENGTH_16) {
                    return None;
                }
                (usize::from(length), 4)
            }
            _ => return None,
        };
        if length as u64 > config.max_frame_size.min(config.max_message_size) {
            return None;
        }
        if !is_masked {
            if input.len() < start + length {
                return None;
            }
            let (frame, rest) = mem::take(input).split_at_mut(start + length);
            *input = rest;
            return Some((opcode, &mut frame[start..]));
        }
        let start = start + 4;
        if input.len() < start + length {
            return None;
        }
        let (frame, rest) = mem::take(input).split_at_mut(start + length);
        *input = rest;
        let (head, payload) = frame.split_at_mut(start);
        if let Some(&key) = head.last_chunk() {
            frame::mask(payload, key);
        }
        Some((opcode, payload))
    }

    /// The next piece of payload; `None` when the input is used up.
    pub(crate) fn next<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        config: &Config,
    ) -> Result<Option<Piece<'b>>, ProtocolError> {
        if self.current.length > 0 {
            return Ok(self.go_on(input));
        }
        let rules = self.rules(config);
        let header = if self.head_length == 0 {
            match Header::parse(input, &rules)? {
                Some((header, size)) => {
                    take(input, size);
                    header
                }
                None => {
                    self.keep(input);
                    return Ok(None);
                }
            }
        } else {
            match self.complete(input, &rules)? {
                Some(header) => header,
                None => return Ok(None),
            }
        };

        // The common case leaves no trace: a whole frame, which is a message or control frame of its own.
        let whole = header.length <= input.len() as u64;
        if whole && (header.opcode.is_control() || header.fin && header.opcode != OpCode::Continuation) {
            let payload = take(input, header.length as usize);
            self.unmask(payload, header.key);
            let Header { opcode, fin, .. } = header;
            return Ok(Some(Piece { opcode, fin, first: true, rest: 0, payload }));
        }

        if !header.opcode.is_control() {
            self.fragments += 1;
            self.message_size += header.length;
        }
        self.current = header;
        self.first = true;
        if header.length == 0 {
            return Ok(Some(self.piece(&mut [])));
        }
        Ok(self.go_on(input))
    }

    fn rules(&self, config: &Config) -> Rules {
        Rules {
            from: self.from,
            in_message: self.fragments > 0,
            may_continue: self.fragments < config.max_fragments,
            max_frame: config.max_frame_size,
            room: config.max_message_size.saturating_sub(self.message_size),
        }
    }

    /// The next piece of the frame under way.
    fn go_on<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Piece<'b>> {
        if input.is_empty() {
            return None;
        }
        let length = usize::try_from(self.current.length).map_or(input.len(), |rest| rest.min(input.len()));
        let payload = take(input, length);
        self.unmask(payload, self.current.key);
        self.current.key = frame::rotate(self.current.key, length);
        self.current.length -= length as u64;
        Some(self.piece(payload))
    }

    fn piece<'b>(&mut self, payload: &'b mut [u8]) -> Piece<'b> {
        let Header { opcode, fin, length: rest, .. } = self.current;
        if rest == 0 && fin && !opcode.is_control() {
            self.fragments = 0;
            self.message_size = 0;
        }
        Piece { opcode, fin, first: mem::take(&mut self.first), rest, payload }
    }

    #[inline]
    fn unmask(&self, payload: &mut [u8], key: [u8; 4]) {
        if self.from == Role::Client {
            frame::mask(payload, key);
        }
    }

    /// Keeps the start of a header.
    fn keep(&mut self, input: &mut &mut [u8]) {
        let start = take(input, input.len());
        self.head[..start.len()].copy_from_slice(start);
        // Less than a header, which is at most 14 bytes.
        self.head_length = start.len() as u8;
    }

    /// Completes a header that was cut, byte by byte, so that each is judged as soon as it is there.
    fn complete(&mut self, input: &mut &mut [u8], rules: &Rules) -> Result<Option<Header>, ProtocolError> {
        while let [byte, ..] = **input {
            take(input, 1);
            self.head[usize::from(self.head_length)] = byte;
            self.head_length += 1;
            let head = &self.head[..usize::from(self.head_length)];
            if let Some((header, _)) = Header::parse(head, rules)? {
                self.head_length = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }
}

/// Takes the first `count` bytes off the input.
#[inline]
fn take<'b>(input: &mut &'b mut [u8], count: usize) -> &'b mut [u8] {
    let (taken, rest) = mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}
