//! Pieces of frames → whole messages and control frames: UTF-8, assembly, the order of both.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::frames::{Piece, UnderWay};
#[cfg(feature = "deflate")]
use super::inflation::Inflation;
use super::{Lent, Received};
use crate::chunk::Chunk;
use crate::config::Config;
#[cfg(feature = "deflate")]
use crate::deflate::Incoming;
use crate::error::ProtocolError;
use crate::frame::CloseFrame;
use crate::frame::{Kind, MAX_CONTROL_PAYLOAD, OpCode};
use crate::utf8::{self, Utf8};

/// What waits for its other pieces.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    message: Assembly,
    /// The text's last character, if a piece ended inside it.
    utf8: Utf8,
    /// A control frame's payload that the input cut; a message may be under way around it.
    control: Option<Box<Control>>,
    #[cfg(feature = "deflate")]
    inflation: Option<Box<Inflation>>,
    /// What was agreed on for compressed messages; without that there are none.
    #[cfg(feature = "deflate")]
    incoming: Option<Incoming>,
}

#[derive(Debug)]
struct Control {
    payload: [u8; MAX_CONTROL_PAYLOAD],
    length: usize,
}

/// Less than this is copied sooner than it is read by itself.
const WORTH_WHILE: usize = 8 << 10;

/// How many bytes at most are set to zero so that they may be read into.
const AHEAD: usize = 64 << 10;

/// The message under way, always one buffer. Text is `str` because it was checked. Binary may have bytes behind what has
/// arrived, which will be overwritten.
#[derive(Debug, Default)]
enum Assembly {
    #[default]
    None,
    Text(String),
    Binary(Vec<u8>),
    /// It is delivered in pieces: whether one was, and of which kind.
    Pieces {
        begun: bool,
        kind: Kind,
    },
}

impl Messages {
    /// Whether compressed messages were agreed on.
    #[cfg(feature = "deflate")]
    #[inline]
    pub(crate) fn may_be_compressed(&self) -> bool {
        self.incoming.is_some()
    }

    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "with the feature, it depends on the handshake")]
    pub(crate) fn may_be_compressed(&self) -> bool {
        false
    }

    /// Takes in a piece; what it completes comes out.
    ///
    /// What lies whole in the input is lent from it; anything else is assembled and handed over.
    #[inline(always)]
    pub(crate) fn take_in<'b>(
        &mut self,
        piece: Piece<'b>,
        config: &Config,
        lent: &mut Option<Lent<'_>>,
    ) -> Result<Option<Received<'b>>, ProtocolError> {
        #[cfg(feature = "deflate")]
        if let (true, Some(incoming)) = (piece.compressed, self.incoming) {
            return self.inflate(piece, incoming, config, lent);
        }
        let is_message = piece.is_whole() && piece.fin && piece.opcode != OpCode::Continuation;
        let in_pieces = !piece.opcode.is_control() && config.in_pieces(piece.announced);
        if !is_message || in_pieces {
            return self.assemble(piece, in_pieces, config, lent);
        }
        lend(piece.opcode, piece.unmasked()).map(Some)
    }

    /// Room for the next bytes of the frame under way behind what has arrived of its message, if that is worth while.
    pub(crate) fn space(&mut self, frame: UnderWay, config: &Config) -> Option<&mut [u8]> {
        let Assembly::Binary(data) = &mut self.message else { return None };
        // What is assembled has a limit that memory has.
        let arrived = frame.arrived as usize;
        let rest = usize::try_from(frame.rest).unwrap_or(usize::MAX);
        if rest < WORTH_WHILE || config.in_pieces(frame.arrived + frame.rest) {
            return None;
        }
        if data.capacity() - arrived < WORTH_WHILE {
            let capacity = most(arrived, frame.rest, frame.fin, config);
            data.reserve_exact(capacity.saturating_sub(data.len()));
        }
        // No more is set to zero than stays in a cache until it is overwritten.
        let end = data.capacity().min(arrived.saturating_add(rest)).min(data.len().max(arrived + AHEAD));
        if end - arrived < WORTH_WHILE {
            return None;
        }
        if data.len() < end {
            data.resize(end, 0);
        }
        Some(&mut data[arrived..end])
    }

    pub(crate) fn return_to(&mut self, lent: Lent<'_>, arrived: u64) {
        match &mut self.message {
            Assembly::Text(text) => lent.pool.shrink_text(text),
            Assembly::Binary(data) => {
                data.truncate(arrived as usize);
                lent.pool.shrink(data, 0);
            }
            Assembly::Pieces { .. } | Assembly::None => {}
        }
        #[cfg(feature = "deflate")]
        if let Some(inflation) = &mut self.inflation {
            inflation.return_to(lent);
        }
    }

    /// Messages may be compressed from now on.
    #[cfg(feature = "deflate")]
    pub(crate) fn agree(&mut self, incoming: Incoming) {
        self.incoming = Some(incoming);
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn incoming(&self) -> Option<Incoming> {
        self.incoming
    }

    #[cfg(feature = "deflate")]
    fn inflate(
        &mut self,
        piece: Piece<'_>,
        incoming: Incoming,
        config: &Config,
        lent: &mut Option<Lent<'_>>,
    ) -> Result<Option<Received<'static>>, ProtocolError> {
        let inflation = self.inflation.get_or_insert_with(|| {
            let spare = lent.as_mut().filter(|_| !incoming.takeover()).and_then(|lent| lent.inflation.take());
            spare.unwrap_or_default()
        });
        let received = inflation.take_in(piece, incoming, config, lent)?;
        self.put_away(incoming, lent);
        Ok(received)
    }

    /// Whether there is more to come out of what was taken in.
    #[cfg(feature = "deflate")]
    pub(crate) fn is_held(&self) -> bool {
        self.inflation.as_ref().is_some_and(|inflation| inflation.is_held())
    }

    /// What comes out of what was taken in before.
    #[cfg(feature = "deflate")]
    pub(crate) fn resume(
        &mut self,
        config: &Config,
        lent: &mut Option<Lent<'_>>,
    ) -> Result<Option<Received<'static>>, ProtocolError> {
        let (Some(inflation), Some(incoming)) = (&mut self.inflation, self.incoming) else {
            return Ok(None);
        };
        let received = inflation.resume(incoming, config)?;
        self.put_away(incoming, lent);
        Ok(received)
    }

    /// What is of no more use to this connection may be to others.
    #[cfg(feature = "deflate")]
    fn put_away(&mut self, incoming: Incoming, lent: &mut Option<Lent<'_>>) {
        if let Some(unneeded) = self.inflation.take_if(|inflation| !inflation.is_needed(incoming))
            && let Some(lent) = lent
        {
            *lent.inflation = Some(unneeded);
        }
    }

    #[inline(always)]
    fn assemble<'b>(
        &mut self,
        piece: Piece<'b>,
        in_pieces: bool,
        config: &Config,
        lent: &mut Option<Lent<'_>>,
    ) -> Result<Option<Received<'b>>, ProtocolError> {
        let kind = match piece.opcode {
            OpCode::Text => Some(Kind::Text),
            OpCode::Binary => Some(Kind::Binary),
            OpCode::Continuation => None,
            control => return self.assemble_control(control, piece),
        };
        if let Some(kind) = kind.filter(|_| piece.first) {
            self.message = match kind {
                _ if in_pieces => Assembly::Pieces { begun: false, kind },
                // A buffer that is empty is text.
                Kind::Text => {
                    let buffer = lent.as_mut().map(|lent| lent.pool.get()).unwrap_or_default();
                    Assembly::Text(String::from_utf8(buffer).unwrap_or_default())
                }
                Kind::Binary => Assembly::Binary(lent.as_mut().map(|lent| lent.pool.get()).unwrap_or_default()),
            };
        }
        let ends = piece.fin && piece.rest == 0;
        match &mut self.message {
            Assembly::Text(text) => {
                let arrived = text.len() + self.utf8.cut().len() + piece.length();
                let capacity = grown(text.capacity(), arrived, &piece, config);
                if let Some(lent) = lent.as_mut().filter(|_| capacity > text.capacity()) {
                    lent.pool.grow_text(text, arrived);
                }
                text.reserve_exact(capacity.saturating_sub(text.len()));
                for block in piece.blocks() {
                    let (completed, more) = self.utf8.next(block).map_err(|_| ProtocolError::InvalidUtf8)?;
                    text.extend(completed);
                    text.push_str(more);
                }
            }
            Assembly::Binary(data) => {
                let arrived = piece.arrived();
                let capacity = grown(data.capacity(), arrived, &piece, config);
                if let Some(lent) = lent.as_mut().filter(|_| capacity > data.capacity()) {
                    lent.pool.grow(data, arrived);
                }
                data.reserve_exact(capacity.saturating_sub(data.len()));
                piece.put_into(data);
                if ends || in_pieces {
                    data.truncate(arrived);
                }
            }
            Assembly::Pieces { .. } => return self.pass_on(piece, ends),
            Assembly::None => {}
        }
        if ends && !self.utf8.cut().is_empty() {
            return Err(ProtocolError::InvalidUtf8);
        }
        if !ends && !in_pieces {
            return Ok(None);
        }
        // It is whole, or what was assembled is the first piece of what turned out to be too large for that.
        let next = match &self.message {
            // Where nothing but a part of a character came, nothing can be told yet.
            Assembly::Text(text) if !ends => Assembly::Pieces { begun: !text.is_empty(), kind: Kind::Text },
            Assembly::Binary(_) if !ends => Assembly::Pieces { begun: true, kind: Kind::Binary },
            _ => Assembly::None,
        };
        Ok(match mem::replace(&mut self.message, next) {
            Assembly::Text(text) if !ends && text.is_empty() => None,
            Assembly::Text(text) if in_pieces => Some(Received::Chunk(Chunk::owned_text(true, ends, text))),
            Assembly::Binary(data) if in_pieces => Some(Received::Chunk(Chunk::owned_binary(true, ends, data))),
            Assembly::Text(text) => Some(Received::Text(Cow::Owned(text))),
            Assembly::Binary(data) => Some(Received::Binary(Cow::Owned(data))),
            Assembly::Pieces { .. } | Assembly::None => None,
        })
    }

    /// Passes on a piece of a message that is delivered in pieces; nothing where nothing can be told yet.
    fn pass_on<'b>(&mut self, piece: Piece<'b>, ends: bool) -> Result<Option<Received<'b>>, ProtocolError> {
        let Assembly::Pieces { begun, kind } = &mut self.message else {
            return Ok(None);
        };
        let first = !*begun;
        let chunk = match kind {
            Kind::Text => {
                let (completed, text) = self.utf8.next(piece.unmasked()).map_err(|_| ProtocolError::InvalidUtf8)?;
                if ends && !self.utf8.cut().is_empty() {
                    return Err(ProtocolError::InvalidUtf8);
                }
                Chunk::text_piece(first, ends, completed, text)
            }
            Kind::Binary => Chunk::binary_piece(first, ends, piece.unmasked()),
        };
        if chunk.is_empty() && !ends {
            return Ok(None);
        }
        *begun = true;
        if ends {
            self.message = Assembly::None;
        }
        Ok(Some(Received::Chunk(chunk)))
    }

    fn assemble_control<'b>(
        &mut self,
        opcode: OpCode,
        piece: Piece<'_>,
    ) -> Result<Option<Received<'b>>, ProtocolError> {
        let rest = piece.rest;
        let payload = piece.unmasked();
        let control =
            self.control.get_or_insert_with(|| Box::new(Control { payload: [0; MAX_CONTROL_PAYLOAD], length: 0 }));
        // The header was held to the length.
        let end = control.length + payload.len();
        control.payload[control.length..end].copy_from_slice(payload);
        control.length = end;
        if rest > 0 {
            return Ok(None);
        }
        let payload = control.payload[..end].to_vec();
        self.control = None;
        Ok(Some(match opcode {
            OpCode::Close => Received::Close(CloseFrame::parse(&payload)?),
            OpCode::Pong => Received::Pong(Cow::Owned(payload)),
            _ => Received::Ping(Cow::Owned(payload)),
        }))
    }
}

/// What lies whole in the input, lent from it.
fn lend(opcode: OpCode, payload: &mut [u8]) -> Result<Received<'_>, ProtocolError> {
    Ok(match opcode {
        OpCode::Text => match utf8::check(payload) {
            Ok(text) => Received::Text(Cow::Borrowed(text)),
            Err(_) => return Err(ProtocolError::InvalidUtf8),
        },
        OpCode::Binary | OpCode::Continuation => Received::Binary(Cow::Borrowed(payload)),
        OpCode::Ping => Received::Ping(Cow::Borrowed(payload)),
        OpCode::Pong => Received::Pong(Cow::Borrowed(payload)),
        OpCode::Close => Received::Close(CloseFrame::parse(payload)?),
    })
}

/// The capacity that an assembly of `arrived` bytes should have, the piece included.
///
/// It follows what arrived, at most four times that, so that a header which announces much costs nothing; it is no
/// more than the message needs, once its last frame has announced that.
fn grown(capacity: usize, arrived: usize, piece: &Piece<'_>, config: &Config) -> usize {
    if arrived <= capacity { capacity } else { most(arrived, piece.rest, piece.fin, config) }
}

/// The capacity that it may have at most, while `rest` is still to come of the frame.
fn most(arrived: usize, rest: u64, fin: bool, config: &Config) -> usize {
    let announced = (arrived as u64).saturating_add(rest);
    let most = if fin { announced } else { announced.max(2 * arrived as u64).min(config.max_message_size) };
    usize::try_from(most).unwrap_or(usize::MAX).min(arrived.saturating_mul(4))
}
