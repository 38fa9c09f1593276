//! Any split of the input → payloads of frames, with their headers checked.

use core::mem;

use super::payload::{FrameType, Payload};
use crate::config::Config;
use crate::deflate::ReceiveCompression;
use crate::error::ProtocolError;
use crate::frame::{self, FrameContext, Header, MAX_HEADER, MessageKind, OpCode};
use crate::role::Role;

/// The position in the stream of frames that a peer sends.
#[derive(Debug)]
pub(super) struct FrameDecoder {
    stage: Stage,
    /// The message of which the last frame hasn't ended.
    message: Option<CurrentMessage>,
}

/// The properties of the peer that its frames are held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) role: Role,
    /// The negotiated compression, if there is any.
    pub(super) compression: Option<ReceiveCompression>,
}

#[derive(Debug)]
enum Stage {
    /// A header comes next, of which these bytes have come.
    Header { start: [u8; MAX_HEADER], length: u8 },
    /// Payload comes next: `key` is that of its next byte, and `rest` says how much is still to come.
    Payload { opcode: OpCode, fin: bool, key: [u8; 4], rest: u64 },
}

#[derive(Clone, Copy, Debug)]
struct CurrentMessage {
    kind: MessageKind,
    compression: Option<ReceiveCompression>,
    frames: u32,
    /// The number of bytes that its frames have declared.
    size: u64,
}

impl Stage {
    const START: Self = Self::Header { start: [0; MAX_HEADER], length: 0 };
}

/// The rest of a frame of which nothing but payload can come next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// It is the last of its message.
    pub(super) fin: bool,
    pub(super) length: u64,
    /// The number of bytes that the message has declared.
    pub(super) declared: u64,
}

impl FrameDecoder {
    pub(super) fn new() -> Self {
        Self { stage: Stage::START, message: None }
    }

    /// Returns whether the next byte is the first of a frame.
    #[inline]
    pub(super) fn is_between_frames(&self) -> bool {
        matches!(self.stage, Stage::Header { length: 0, .. })
    }

    /// The rest of the data frame in progress, if one is that isn't compressed.
    pub(super) fn plain_frame(&self) -> Option<Rest> {
        match (&self.stage, &self.message) {
            (Stage::Payload { opcode, fin, rest, .. }, Some(message @ CurrentMessage { compression: None, .. }))
                if !opcode.is_control() =>
            {
                Some(Rest { fin: *fin, length: *rest, declared: message.size })
            }
            _ => None,
        }
    }

    /// Consumes the next bytes of the frame in progress where they already lie, in its message. It ends with the next
    /// payload, which may be empty.
    pub(super) fn consume_in_place(&mut self, payload: &mut [u8], from: Role) {
        let Stage::Payload { key, rest, .. } = &mut self.stage else {
            debug_assert!(false, "payload comes next");
            return;
        };
        if from == Role::Client {
            frame::mask(payload, *key);
            *key = frame::rotate(*key, payload.len());
        }
        *rest -= payload.len() as u64;
    }

    /// Returns the next payload; `None` when the input is consumed.
    #[inline(always)]
    pub(super) fn next<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        peer: Peer,
        config: &Config,
    ) -> Result<Option<Payload<'b>>, ProtocolError> {
        let (start, length) = match &mut self.stage {
            Stage::Payload { .. } => return Ok(self.next_of_frame(input, peer.role)),
            Stage::Header { start, length } => (start, length),
        };
        let context = frame_context(self.message.as_ref(), peer, config);
        let header = if *length == 0 {
            match Header::parse(input, &context)? {
                Some((header, size)) => {
                    split_front(input, size);
                    header
                }
                None => {
                    let cut = split_front(input, input.len());
                    start[..cut.len()].copy_from_slice(cut);
                    // Less than a header, which is at most 14 bytes.
                    *length = cut.len() as u8;
                    return Ok(None);
                }
            }
        } else {
            match complete_header(start, length, input, &context)? {
                Some(header) => {
                    self.stage = Stage::START;
                    header
                }
                None => return Ok(None),
            }
        };

        let Header { opcode, fin, compressed, key, length } = header;
        // The common case leaves no trace: a whole frame, which is a message or a control frame of its own.
        if length <= input.len() as u64 && (opcode.is_control() || fin && opcode != OpCode::Continuation) {
            let frame = FrameType::new(opcode, peer.compression.filter(|_| compressed));
            let bytes = split_front(input, length as usize);
            return Ok(Some(Payload {
                frame,
                fin,
                rest: 0,
                declared: length,
                bytes,
                key: masking_key(key, peer.role),
            }));
        }
        if !opcode.is_control() {
            debug_assert!(opcode != OpCode::Continuation || self.message.is_some(), "the header was checked");
            let message = self.message.get_or_insert(CurrentMessage {
                kind: if opcode == OpCode::Text { MessageKind::Text } else { MessageKind::Binary },
                compression: peer.compression.filter(|_| compressed),
                frames: 0,
                size: 0,
            });
            // A message in chunks may have any number of fragments.
            message.frames = message.frames.saturating_add(1);
            message.size += length;
        }
        self.stage = Stage::Payload { opcode, fin, key, rest: length };
        Ok(self.next_of_frame(input, peer.role))
    }

    /// Returns the next payload of the frame in progress. The last may be empty.
    #[inline(always)]
    fn next_of_frame<'b>(&mut self, input: &mut &'b mut [u8], from: Role) -> Option<Payload<'b>> {
        let Stage::Payload { opcode, fin, ref mut key, ref mut rest } = self.stage else {
            debug_assert!(false, "payload comes next");
            return None;
        };
        if input.is_empty() && *rest > 0 {
            return None;
        }
        let length = usize::try_from(*rest).map_or(input.len(), |rest| rest.min(input.len()));
        let bytes = split_front(input, length);
        let this_key = masking_key(*key, from);
        *key = frame::rotate(*key, length);
        *rest -= length as u64;
        let rest = *rest;
        if rest == 0 {
            self.stage = Stage::START;
        }
        let (frame, declared) = match self.message {
            Some(CurrentMessage { kind, compression, size, .. }) if !opcode.is_control() => {
                if rest == 0 && fin {
                    self.message = None;
                }
                (FrameType::Data(kind, compression), size)
            }
            // A control frame is whole only if no payload of it came before, which its assembly knows.
            _ => (FrameType::Control(opcode), length as u64 + rest),
        };
        Some(Payload { frame, fin, rest, declared, bytes, key: this_key })
    }
}

impl FrameType {
    /// The type of a frame that isn't a continuation.
    #[inline(always)]
    fn new(opcode: OpCode, compression: Option<ReceiveCompression>) -> Self {
        match opcode {
            OpCode::Text => Self::Data(MessageKind::Text, compression),
            OpCode::Binary => Self::Data(MessageKind::Binary, compression),
            control => Self::Control(control),
        }
    }
}

/// The key of a frame: only a client's has one.
#[inline]
fn masking_key(key: [u8; 4], from: Role) -> Option<[u8; 4]> {
    (from == Role::Client).then_some(key)
}

#[inline(always)]
fn frame_context(message: Option<&CurrentMessage>, peer: Peer, config: &Config) -> FrameContext {
    let (max_frame, max_message) = config.size_limits();
    // DEFLATE lets what doesn't shrink grow a little, and blocks may be empty. The message that comes out is held to a limit
    // of its own.
    let max_compressed = (max_message / 8).saturating_add(max_message).saturating_add(8 << 10);
    let (limit, frames, size) = match message {
        None => (max_message, 0, 0),
        Some(message) => {
            let limit = if message.compression.is_some() { max_compressed } else { max_message };
            (limit, message.frames, message.size)
        }
    };
    FrameContext {
        from: peer.role,
        deflate: peer.compression.is_some(),
        in_message: message.is_some(),
        may_continue: frames < config.max_fragments || config.is_chunked(size),
        max_frame,
        max_growth: limit.saturating_sub(size),
        max_compressed,
    }
}

/// Completes a header that was cut, byte by byte, so that each is checked as soon as it is there.
fn complete_header(
    start: &mut [u8; MAX_HEADER],
    length: &mut u8,
    input: &mut &mut [u8],
    context: &FrameContext,
) -> Result<Option<Header>, ProtocolError> {
    while let [byte, ..] = **input {
        split_front(input, 1);
        start[usize::from(*length)] = byte;
        *length += 1;
        if let Some((header, _)) = Header::parse(&start[..usize::from(*length)], context)? {
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// Takes the first `count` bytes off the input.
#[inline]
fn split_front<'b>(input: &mut &'b mut [u8], count: usize) -> &'b mut [u8] {
    let (taken, rest) = mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}
