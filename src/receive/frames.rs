//! Any split of the input → pieces of frames, their headers checked.

use alloc::vec::Vec;
use core::mem;

use crate::config::Config;
use crate::error::ProtocolError;
use crate::frame::{self, Header, Kind, MAX_HEADER, OpCode, Rules, header};
use crate::role::Role;

/// A run of a frame's payload: all of it, when it lies whole in the input.
#[derive(Debug)]
pub(crate) struct Piece<'b> {
    pub(crate) opcode: OpCode,
    pub(crate) fin: bool,
    /// The message is compressed; it said so in its first frame.
    #[cfg_attr(not(feature = "deflate"), expect(dead_code, reason = "none is"))]
    pub(crate) compressed: bool,
    /// Nothing of this frame's payload came before.
    pub(crate) first: bool,
    /// How many bytes of this frame's payload are still to come.
    pub(crate) rest: u64,
    /// How many bytes the message has announced so far, all its frames together.
    pub(crate) announced: u64,
    /// As it lies in the input: [`unmasked`](Self::unmasked) there, or on the way to where it goes.
    payload: &'b mut [u8],
    /// The masking key for its first byte, unless the frame isn't masked.
    key: Option<[u8; 4]>,
}

impl<'b> Piece<'b> {
    /// How many bytes of payload it has.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.payload.len()
    }

    /// The payload, unmasked where it lies.
    #[inline]
    pub(crate) fn unmasked(self) -> &'b mut [u8] {
        if let Some(key) = self.key {
            frame::mask(self.payload, key);
        }
        self.payload
    }

    /// The payload, unmasked where it lies, in blocks that stay in the first-level cache for what else is done with them.
    #[inline]
    pub(crate) fn blocks(self) -> impl Iterator<Item = &'b [u8]> {
        self.payload.chunks_mut(BLOCK).map(move |block| {
            // A block is whole keys long: each begins as the first does.
            if let Some(key) = self.key {
                frame::mask(block, key);
            }
            &*block
        })
    }

    /// Puts the payload, which is unmasked on the way, at the end of what has arrived of its message. `data` has room for
    /// it, and may have bytes there that are to be overwritten.
    #[inline]
    pub(crate) fn put_into(self, data: &mut Vec<u8>) {
        let start = self.arrived() - self.payload.len();
        if let Some(place) = data.get_mut(start..start + self.payload.len()) {
            match self.key {
                Some(key) => frame::copy(place, self.payload, key),
                None => place.copy_from_slice(self.payload),
            }
            return;
        }
        data.truncate(start);
        match self.key {
            Some(key) => frame::append(data, self.payload, key),
            None => data.extend_from_slice(self.payload),
        }
    }

    /// How much of the message has arrived, this piece included; assembled messages have a limit that memory has.
    #[inline]
    pub(crate) fn arrived(&self) -> usize {
        (self.announced - self.rest) as usize
    }

    /// Whether this is all of the frame.
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.first && self.rest == 0
    }
}

/// How much is unmasked before it is looked at.
const BLOCK: usize = 8 << 10;

/// Where in the stream of frames the peer is.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) from: Role,
    /// The transport has ended: no more bytes will come.
    pub(crate) at_eof: bool,
    stage: Stage,
    /// The message under way: how many frames it has so far (none: there is no message), how many bytes, and whether
    /// it is compressed.
    fragments: u32,
    message_size: u64,
    compressed: bool,
    /// The caller was shown the room for what comes next of the frame under way, and it is still there.
    room_is_shown: bool,
}

#[derive(Debug)]
enum Stage {
    /// A header comes next; the input has cut its first bytes off.
    Header { start: [u8; MAX_HEADER], length: u8 },
    /// A frame is under way: `key` is that of its next byte, `rest` how much is still to come, and `first` whether
    /// nothing has come yet.
    Payload { opcode: OpCode, fin: bool, first: bool, key: [u8; 4], rest: u64 },
    /// A header comes next, once all has come out of what was taken in.
    #[cfg(feature = "deflate")]
    Held,
}

/// A data frame of which nothing but payload can come next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnderWay {
    /// It is the last of its message.
    pub(crate) fin: bool,
    /// How much of the message has arrived, and how much of the frame is still to come.
    pub(crate) arrived: u64,
    pub(crate) rest: u64,
}

const BETWEEN: Stage = Stage::Header { start: [0; MAX_HEADER], length: 0 };

impl Frames {
    pub(crate) fn new(from: Role) -> Self {
        Self {
            from,
            at_eof: false,
            stage: BETWEEN,
            fragments: 0,
            message_size: 0,
            compressed: false,
            room_is_shown: false,
        }
    }

    /// Between frames, the next one waits; or does no longer.
    #[cfg(feature = "deflate")]
    pub(crate) fn hold(&mut self, on: bool) {
        match self.stage {
            Stage::Header { length: 0, .. } if on => self.stage = Stage::Held,
            Stage::Held if !on => self.stage = BETWEEN,
            _ => {}
        }
    }

    /// The next frame, if a glance tells that it is the common one: a whole message of up to 64 KiB that lies in the
    /// input, between messages. `None` says nothing: [`next`](Self::next) looks at everything, and would come to the
    /// same for such a frame.
    #[inline]
    pub(crate) fn glance<'b>(&mut self, input: &mut &'b mut [u8], config: &Config) -> Option<(Kind, &'b mut [u8])> {
        let Stage::Header { length: 0, .. } = self.stage else { return None };
        if self.fragments > 0 {
            return None;
        }
        let (&[first, second], rest) = input.split_first_chunk()?;
        let kind = match first {
            header::WHOLE_TEXT => Kind::Text,
            header::WHOLE_BINARY => Kind::Binary,
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
        if length as u64 > config.max_frame_size.min(config.max_message_size) || length as u64 >= config.pieces_from {
            return None;
        }
        if !is_masked {
            if input.len() < start + length {
                return None;
            }
            let (frame, rest) = mem::take(input).split_at_mut(start + length);
            *input = rest;
            return Some((kind, &mut frame[start..]));
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
        Some((kind, payload))
    }

    /// The data frame under way, if one is.
    pub(crate) fn under_way(&self) -> Option<UnderWay> {
        match self.stage {
            Stage::Payload { opcode, fin, rest, .. } if !opcode.is_control() => {
                Some(UnderWay { fin, arrived: self.message_size - rest, rest })
            }
            _ => None,
        }
    }

    /// The room is shown to the caller; or it is another one by now.
    pub(crate) fn show_room(&mut self, on: bool) {
        self.room_is_shown = on;
    }

    pub(crate) fn room_is_shown(&self) -> bool {
        self.room_is_shown
    }

    /// How much of the message under way has arrived.
    pub(crate) fn arrived(&self) -> u64 {
        self.under_way().map_or(self.message_size, |frame| frame.arrived)
    }

    /// Takes in the next bytes of the frame under way where they already lie, in the message. It ends with the next
    /// piece, be that empty.
    pub(crate) fn fill(&mut self, payload: &mut [u8]) {
        let Stage::Payload { first, key, rest, .. } = &mut self.stage else { return };
        if self.from == Role::Client {
            frame::mask(payload, *key);
            *key = frame::rotate(*key, payload.len());
        }
        *first = false;
        *rest -= payload.len() as u64;
    }

    /// The next piece of payload; `None` when the input is used up. `deflate` says whether messages may be compressed.
    #[inline(always)]
    pub(crate) fn next<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        config: &Config,
        deflate: bool,
    ) -> Result<Option<Piece<'b>>, ProtocolError> {
        let rules = self.rules(config, deflate);
        let header = match &mut self.stage {
            Stage::Payload { .. } => return Ok(self.go_on(input)),
            #[cfg(feature = "deflate")]
            Stage::Held => return Ok(None),
            Stage::Header { start, length: length @ 0 } => match Header::parse(input, &rules)? {
                Some((header, size)) => {
                    take(input, size);
                    header
                }
                None => {
                    let cut = take(input, input.len());
                    start[..cut.len()].copy_from_slice(cut);
                    // Less than a header, which is at most 14 bytes.
                    *length = cut.len() as u8;
                    return Ok(None);
                }
            },
            Stage::Header { start, length } => match complete(start, length, input, &rules)? {
                Some(header) => {
                    self.stage = BETWEEN;
                    header
                }
                None => return Ok(None),
            },
        };

        // The common case leaves no trace: a whole frame, which is a message or control frame of its own.
        let whole = header.length <= input.len() as u64;
        if whole && (header.opcode.is_control() || header.fin && header.opcode != OpCode::Continuation) {
            let Header { opcode, fin, compressed, key, length } = header;
            let payload = take(input, length as usize);
            let key = self.key(key);
            return Ok(Some(Piece { opcode, fin, compressed, first: true, rest: 0, announced: length, payload, key }));
        }

        if !header.opcode.is_control() {
            // What is delivered in pieces may have any number of fragments.
            self.fragments = self.fragments.saturating_add(1);
            self.message_size += header.length;
            self.compressed |= header.compressed;
        }
        let Header { opcode, fin, key, length: rest, .. } = header;
        if rest == 0 {
            return Ok(Some(self.piece(opcode, fin, true, 0, &mut [], key)));
        }
        self.stage = Stage::Payload { opcode, fin, first: true, key, rest };
        Ok(self.go_on(input))
    }

    /// The key of a frame, which only a client's has.
    #[inline]
    fn key(&self, key: [u8; 4]) -> Option<[u8; 4]> {
        (self.from == Role::Client).then_some(key)
    }

    fn rules(&self, config: &Config, deflate: bool) -> Rules {
        let (max_frame, max_message) = config.size_limits();
        // What doesn't shrink grows a little, and empty blocks are blocks. The message that comes out has a limit of its own.
        let max_compressed = (max_message / 8).saturating_add(max_message).saturating_add(8 << 10);
        let limit = if self.compressed { max_compressed } else { max_message };
        Rules {
            from: self.from,
            deflate,
            in_message: self.fragments > 0,
            may_continue: self.fragments < config.max_fragments || config.in_pieces(self.message_size),
            max_frame,
            room: limit.saturating_sub(self.message_size),
            max_compressed,
        }
    }

    /// The next piece of the frame under way.
    #[inline(always)]
    fn go_on<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Piece<'b>> {
        let Stage::Payload { opcode, fin, ref mut first, ref mut key, ref mut rest } = self.stage else {
            return None;
        };
        if input.is_empty() && *rest > 0 {
            return None;
        }
        let length = usize::try_from(*rest).map_or(input.len(), |rest| rest.min(input.len()));
        let payload = take(input, length);
        let this_key = *key;
        *key = frame::rotate(*key, length);
        *rest -= length as u64;
        let (first, rest) = (mem::take(first), *rest);
        if rest == 0 {
            self.stage = BETWEEN;
        }
        Some(self.piece(opcode, fin, first, rest, payload, this_key))
    }

    #[inline(always)]
    fn piece<'b>(
        &mut self,
        opcode: OpCode,
        fin: bool,
        first: bool,
        rest: u64,
        payload: &'b mut [u8],
        key: [u8; 4],
    ) -> Piece<'b> {
        let announced = self.message_size;
        let compressed = self.compressed && !opcode.is_control();
        if rest == 0 && fin && !opcode.is_control() {
            self.fragments = 0;
            self.message_size = 0;
            self.compressed = false;
        }
        let key = self.key(key);
        Piece { opcode, fin, compressed, first, rest, announced, payload, key }
    }
}

/// Completes a header that was cut, byte by byte, so that each is judged as soon as it is there.
fn complete(
    start: &mut [u8; MAX_HEADER],
    length: &mut u8,
    input: &mut &mut [u8],
    rules: &Rules,
) -> Result<Option<Header>, ProtocolError> {
    while let [byte, ..] = **input {
        take(input, 1);
        start[usize::from(*length)] = byte;
        *length += 1;
        if let Some((header, _)) = Header::parse(&start[..usize::from(*length)], rules)? {
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// Takes the first `count` bytes off the input.
#[inline]
fn take<'b>(input: &mut &'b mut [u8], count: usize) -> &'b mut [u8] {
    let (taken, rest) = mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}
