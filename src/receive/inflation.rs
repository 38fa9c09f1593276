//! Compressed messages: pieces of frames → bytes, as they come (RFC 7692 7.2.2).
//!
//! Limits and UTF-8 are looked at while the bytes come out, and nothing but these is collected.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::frames::Piece;
use super::{Lent, Received};
use crate::chunk::Chunk;
use crate::config::Config;
use crate::deflate::{History, Incoming, Inflater, Then};
use crate::error::ProtocolError;
use crate::frame::OpCode;
use crate::pool::BufferPool;
use crate::utf8::Utf8;

/// The longest chunk of a message that is delivered in pieces.
const CHUNK: usize = 64 << 10;

/// How much text is inflated before it is checked and appended: little where little has come, since the block must be
/// made, and much otherwise, since each costs a call.
const SMALL_BLOCK: usize = 2 << 10;
const BLOCK: usize = 16 << 10;

/// What this direction keeps between messages, and while one is under way.
#[derive(Debug, Default)]
pub(crate) struct Inflation {
    /// In step with the peer's compressor, unless it is stale.
    inflater: Option<Inflater>,
    /// The inflater has to begin anew, behind the history.
    stale: bool,
    history: History,
    message: Option<Inflating>,
}

/// A message under way.
#[derive(Debug)]
struct Inflating {
    body: Body,
    /// How many bytes came out so far.
    total: u64,
    in_pieces: bool,
    /// What has arrived of the compressed bytes.
    arrived: Arrived,
    /// A final block has ended; what follows, if anything does, is another stream.
    ended: bool,
    /// A chunk was full before these compressed bytes were used up, from the position on.
    left: Option<(Vec<u8>, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrived {
    Nothing,
    Some,
    All,
}

/// What came out and wasn't delivered yet.
#[derive(Debug)]
enum Body {
    Text {
        text: String,
        utf8: Utf8,
    },
    /// Behind those that are filled, the bytes are zeros.
    Binary {
        data: Vec<u8>,
        filled: usize,
    },
}

impl Inflation {
    /// Whether it is of use: without takeover it isn't, between messages.
    pub(super) fn is_needed(&self, agreed: Incoming) -> bool {
        self.message.is_some() || agreed.takeover()
    }

    /// Whether there is more to come out of what was taken in.
    pub(super) fn is_held(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.left.is_some())
    }

    /// Takes in a piece of a compressed message; what it completes comes out.
    pub(super) fn take_in(
        &mut self,
        piece: Piece<'_>,
        agreed: Incoming,
        config: &Config,
        lent: &mut Option<Lent<'_>>,
    ) -> Result<Option<Received<'static>>, ProtocolError> {
        if self.message.is_none() {
            self.begin(piece.opcode, lent)?;
        }
        if let Some(message) = &mut self.message {
            let is_last = piece.fin && piece.rest == 0;
            message.arrived = match message.arrived {
                // RFC 7692 section 7.2.3.6 has a byte for an empty message. Without it, the message is empty all the same,
                // as browsers and the common libraries have it, and nothing of it is for the inflater.
                Arrived::Nothing if piece.length() == 0 && is_last => {
                    message.ended = true;
                    Arrived::All
                }
                Arrived::Nothing if piece.length() == 0 => Arrived::Nothing,
                _ if is_last => Arrived::All,
                _ => Arrived::Some,
            };
        }
        let mut input = &*piece.unmasked();
        let (received, held) = self.go_on(&mut input, agreed, config)?;
        if let Some(message) = self.message.as_mut().filter(|_| held) {
            message.left = Some((input.to_vec(), 0));
        }
        Ok(received)
    }

    /// What comes out of what was taken in before.
    pub(super) fn resume(
        &mut self,
        agreed: Incoming,
        config: &Config,
    ) -> Result<Option<Received<'static>>, ProtocolError> {
        let Some((left, at)) = self.message.as_mut().and_then(|message| message.left.take()) else {
            return Ok(None);
        };
        let mut input = &left[at..];
        let (received, held) = self.go_on(&mut input, agreed, config)?;
        let at = left.len() - input.len();
        if let Some(message) = self.message.as_mut().filter(|_| held) {
            message.left = Some((left, at));
        }
        Ok(received)
    }

    /// Between messages the inflater can serve other connections. The history stays, and so does what came out of a message
    /// under way, but not in a buffer that is much larger.
    pub(super) fn return_to(&mut self, lent: Lent<'_>) {
        if let Some(message) = &mut self.message {
            message.body.return_to(lent.pool);
        } else if let Some(inflater) = self.inflater.take() {
            let spare = lent.inflation.get_or_insert_default();
            spare.inflater = Some(inflater);
            // Its window is this connection's.
            spare.stale = true;
        }
    }

    fn begin(&mut self, opcode: OpCode, lent: &mut Option<Lent<'_>>) -> Result<(), ProtocolError> {
        let buffer = lent.as_mut().map(|lent| lent.pool.get()).unwrap_or_default();
        let body = match opcode {
            // A buffer that is empty is text.
            OpCode::Text => Body::Text { text: String::from_utf8(buffer).unwrap_or_default(), utf8: Utf8::default() },
            _ => Body::Binary { data: buffer, filled: 0 },
        };
        if self.inflater.is_none() {
            let spare = lent.as_mut().and_then(|lent| lent.inflation.as_mut()?.inflater.take());
            self.inflater = Some(spare.unwrap_or_else(Inflater::new));
            self.stale = true;
        }
        if mem::take(&mut self.stale)
            && let Some(inflater) = &mut self.inflater
        {
            inflater.begin(self.history.parts()).map_err(|_| ProtocolError::Deflate)?;
        }
        self.message =
            Some(Inflating { body, total: 0, in_pieces: false, arrived: Arrived::Nothing, ended: false, left: None });
        Ok(())
    }

    /// Inflates until the input is used up or a chunk is full, and says whether that is it.
    fn go_on(
        &mut self,
        input: &mut &[u8],
        agreed: Incoming,
        config: &Config,
    ) -> Result<(Option<Received<'static>>, bool), ProtocolError> {
        let (Some(message), Some(inflater)) = (&mut self.message, &mut self.inflater) else {
            return Ok((None, false));
        };
        let mut held = false;
        loop {
            message.in_pieces |= config.in_pieces(message.total);
            let room = message.room(config);
            if room == 0 {
                held = true;
                break;
            }
            if message.ended && !input.is_empty() {
                message.ended = false;
                // No further back than the window, which the message may fill alone.
                let before =
                    if message.body.bytes().len() < agreed.window() { self.history.parts() } else { [&[][..]; 2] };
                let past = before.into_iter().chain(message.body.past());
                inflater.begin(past).map_err(|_| ProtocolError::Deflate)?;
            }
            if message.ended {
                break;
            }
            let (then, full) = message.inflate(inflater, input, room)?;
            if message.total > config.size_limits().1 {
                return Err(ProtocolError::MessageTooLarge);
            }
            match then {
                Then::Corrupt => return Err(ProtocolError::Deflate),
                Then::Ended => message.ended = true,
                Then::GoOn if input.is_empty() && !full => break,
                Then::GoOn => {}
            }
        }
        let ends = message.arrived == Arrived::All && !held;
        if ends {
            // RFC 7692 7.2.2 completes the message with what wasn't sent. A stream that has ended lacks nothing.
            if message.ended {
                self.stale = true;
            } else {
                inflater.finish().map_err(|_| ProtocolError::Deflate)?;
            }
            message.body.finish()?;
        } else if !message.in_pieces || message.body.bytes().is_empty() {
            return Ok((None, held));
        }
        // What is delivered can still be referred to: by the rest of this message, and by others with takeover.
        if !ends || agreed.takeover() {
            self.history.add(message.body.bytes(), agreed.window());
        }
        let received = message.deliver(ends);
        if ends {
            self.message = None;
            if !agreed.takeover() {
                self.history.clear();
                self.stale = true;
            }
        }
        Ok((Some(received), held))
    }
}

impl Inflating {
    /// How many bytes may come out now: to the limit and one more, which shows that it is exceeded, but not beyond the
    /// size from which on a message is delivered in pieces, or the end of a chunk.
    fn room(&self, config: &Config) -> usize {
        let to_limit = config.size_limits().1.saturating_sub(self.total).saturating_add(1);
        let here = if self.in_pieces {
            // A character that is cut may still become part of the chunk.
            self.body.past().iter().fold(CHUNK, |room, part| room.saturating_sub(part.len())) as u64
        } else {
            config.pieces_at().saturating_sub(self.total)
        };
        usize::try_from(to_limit.min(here)).unwrap_or(usize::MAX)
    }

    /// Inflates once; and whether there was no room for more.
    fn inflate(
        &mut self,
        inflater: &mut Inflater,
        input: &mut &[u8],
        room: usize,
    ) -> Result<(Then, bool), ProtocolError> {
        let (then, made, full) = match &mut self.body {
            Body::Text { text, utf8 } if input.len() < SMALL_BLOCK / 2 => {
                inflate_text::<SMALL_BLOCK>(inflater, input, room, text, utf8)?
            }
            Body::Text { text, utf8 } => inflate_text::<BLOCK>(inflater, input, room, text, utf8)?,
            Body::Binary { data, filled } => {
                if *filled == data.len() {
                    let guess = input.len().saturating_mul(4).clamp(SMALL_BLOCK, CHUNK);
                    let more = guess.max(*filled).min(room);
                    data.reserve_exact(more);
                    data.resize(*filled + more, 0);
                }
                let end = data.len().min(filled.saturating_add(room));
                let room = &mut data[*filled..end];
                let out = inflater.inflate(input, room);
                let full = out.made == room.len();
                *filled += out.made;
                *input = &input[out.taken..];
                (out.then, out.made, full)
            }
        };
        self.total += made as u64;
        Ok((then, full))
    }

    /// What came out so far, or all of it.
    fn deliver(&mut self, ends: bool) -> Received<'static> {
        let [text, cut] = self.body.past();
        let first = self.total == (text.len() + cut.len()) as u64;
        match &mut self.body {
            Body::Text { text, .. } => match mem::take(text) {
                text if self.in_pieces => Received::Chunk(Chunk::owned_text(first, ends, text)),
                text => Received::Text(Cow::Owned(text)),
            },
            Body::Binary { data, filled } => {
                let mut data = mem::take(data);
                data.truncate(mem::take(filled));
                if self.in_pieces {
                    Received::Chunk(Chunk::owned_binary(first, ends, data))
                } else {
                    Received::Binary(Cow::Owned(data))
                }
            }
        }
    }
}

impl Body {
    /// What can be delivered.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text { text, .. } => text.as_bytes(),
            Self::Binary { data, filled } => &data[..*filled],
        }
    }

    /// What came out since the last delivery: the bytes, and those of a character that is cut.
    fn past(&self) -> [&[u8]; 2] {
        match self {
            Self::Text { text, utf8 } => [text.as_bytes(), utf8.cut()],
            Self::Binary { .. } => [self.bytes(), &[]],
        }
    }

    fn return_to(&mut self, pool: &mut BufferPool) {
        match self {
            Self::Text { text, .. } => pool.shrink_text(text),
            Self::Binary { data, filled } => {
                data.truncate(*filled);
                pool.shrink(data, 0);
            }
        }
    }

    /// Nothing may lack at the end.
    fn finish(&self) -> Result<(), ProtocolError> {
        match self {
            Self::Text { utf8, .. } if !utf8.cut().is_empty() => Err(ProtocolError::InvalidUtf8),
            _ => Ok(()),
        }
    }
}

/// Inflates a block of text, checks it and appends it: what came out, and whether there was no room for more.
fn inflate_text<const SIZE: usize>(
    inflater: &mut Inflater,
    input: &mut &[u8],
    room: usize,
    text: &mut String,
    utf8: &mut Utf8,
) -> Result<(Then, usize, bool), ProtocolError> {
    let mut block = [0; SIZE];
    let here = room.min(SIZE);
    let out = inflater.inflate(input, &mut block[..here]);
    *input = &input[out.taken..];
    let carried = utf8.cut().len();
    let (completed, more) = utf8.next(&block[..out.made]).map_err(|_| ProtocolError::InvalidUtf8)?;
    let needed = carried + out.made;
    if needed > text.capacity() - text.len() {
        text.reserve_exact(needed.max(text.len().min(room)));
    }
    text.extend(completed);
    text.push_str(more);
    Ok((out.then, out.made, out.made == here))
}
