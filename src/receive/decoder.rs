//! The frame decoder: from input that is split anywhere to payloads of frames with valid headers.

use super::payload::{FrameType, Payload};
use crate::config::Config;
use crate::deflate::ReceiveCompression;
use crate::error::ProtocolError;
use crate::frame::{self, FrameContext, Header, MAX_HEADER, MessageKind, OpCode};
use crate::role::Role;
use crate::slices::{copy_to, part};

/// The decoder's position in the stream of frames from the peer.
#[derive(Debug)]
pub(super) struct FrameDecoder {
    stage: Stage,
    /// The message whose last frame has not ended yet.
    message: Option<CurrentMessage>,
}

/// The properties of the peer that its frames are checked against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) role: Role,
    /// The negotiated compression, if any.
    pub(super) compression: Option<ReceiveCompression>,
}

#[derive(Debug)]
enum Stage {
    /// A header is next, of which these bytes have been received.
    Header { start: [u8; MAX_HEADER], length: u8 },
    /// Payload is next. `key` starts at its next byte, and `rest` is the number of missing bytes.
    Payload { opcode: OpCode, fin: bool, key: [u8; 4], rest: u64 },
}

#[derive(Clone, Copy, Debug)]
struct CurrentMessage {
    kind: MessageKind,
    compression: Option<ReceiveCompression>,
    frames: u32,
    /// Set if it is compressed and delivered in chunks, which its inflated size decides.
    inflates_to_chunks: bool,
    /// The total size that its frames have declared.
    size: u64,
}

impl Stage {
    const START: Self = Self::Header { start: [0; MAX_HEADER], length: 0 };
}

/// The missing payload of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// Set if the frame is the last of its message.
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

    /// Records that the current message, which is compressed, is delivered in chunks.
    pub(super) fn set_inflates_to_chunks(&mut self) {
        if let Some(message) = &mut self.message {
            message.inflates_to_chunks = true;
        }
    }

    /// Returns the missing payload of the current data frame, if there is one and it is not compressed.
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

    /// Consumes the next bytes of the current frame, which are already in place in its message. The frame ends with the
    /// next payload, which may be empty.
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

    /// Returns the next payload, or `None` once the input is consumed.
    #[inline(always)]
    pub(super) fn next<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        peer: Peer,
        config: &Config,
    ) -> Result<Option<Payload<'b>>, ProtocolError> {
        let (start, length) = match &mut self.stage {
            Stage::Payload { .. } => return Ok(self.next_of_frame(input, peer.role)),
            // Each turn of a caller ends with this.
            Stage::Header { .. } if input.is_empty() => return Ok(None),
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
                    copy_to(start, 0, cut);
                    // It is shorter than a header, which has at most 14 bytes.
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
        // The common case changes no state: a complete frame that is a whole message or a control frame.
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
                inflates_to_chunks: false,
                size: 0,
            });
            // The count saturates, since a message in chunks may have any number of fragments.
            message.frames = message.frames.saturating_add(1);
            message.size += length;
        }
        self.stage = Stage::Payload { opcode, fin, key, rest: length };
        Ok(self.next_of_frame(input, peer.role))
    }

    /// Returns the next payload of the current frame. The last one may be empty.
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
            // Whether a control frame is whole depends on its earlier payloads, which its assembly knows.
            _ => (FrameType::Control(opcode), length as u64 + rest),
        };
        Some(Payload { frame, fin, rest, declared, bytes, key: this_key })
    }
}

impl FrameType {
    /// Returns the type of a frame that is not a continuation.
    #[inline(always)]
    fn new(opcode: OpCode, compression: Option<ReceiveCompression>) -> Self {
        match opcode {
            OpCode::Text => Self::Data(MessageKind::Text, compression),
            OpCode::Binary => Self::Data(MessageKind::Binary, compression),
            control => Self::Control(control),
        }
    }
}

/// Returns the key of a frame, which only frames from a client have.
#[inline]
fn masking_key(key: [u8; 4], from: Role) -> Option<[u8; 4]> {
    (from == Role::Client).then_some(key)
}

#[inline(always)]
fn frame_context(message: Option<&CurrentMessage>, peer: Peer, config: &Config) -> FrameContext {
    let (max_frame, max_message) = config.size_limits();
    // DEFLATE can make incompressible data slightly larger, and blocks may be empty. The inflated message has its own
    // limit.
    let max_compressed = (max_message / 8).saturating_add(max_message).saturating_add(8 << 10);
    let (limit, is_chunked, frames, size) = match message {
        None => (max_message, false, 0, 0),
        Some(message) => {
            let (limit, is_chunked) = match message.compression {
                Some(_) => (max_compressed, message.inflates_to_chunks),
                None => (max_message, config.is_chunked(message.size)),
            };
            (limit, is_chunked, message.frames, message.size)
        }
    };
    FrameContext {
        from: peer.role,
        deflate: peer.compression.is_some(),
        in_message: message.is_some(),
        may_continue: frames < config.max_fragments || is_chunked,
        max_frame,
        max_growth: limit.saturating_sub(size),
        max_compressed,
    }
}

/// Completes a header that was cut, byte by byte, so that each byte is checked as soon as it is available.
fn complete_header(
    start: &mut [u8; MAX_HEADER],
    length: &mut u8,
    input: &mut &mut [u8],
    context: &FrameContext,
) -> Result<Option<Header>, ProtocolError> {
    while let [byte, ..] = **input {
        split_front(input, 1);
        copy_to(start, usize::from(*length), &[byte]);
        *length += 1;
        if let Some((header, _)) = Header::parse(part(start, ..usize::from(*length)), context)? {
            return Ok(Some(header));
        }
    }
    Ok(None)
}

/// Splits the first `count` bytes off the input.
#[inline]
fn split_front<'b>(input: &mut &'b mut [u8], count: usize) -> &'b mut [u8] {
    input.split_off_mut(..count).unwrap_or_else(|| {
        debug_assert!(false, "the input has that many bytes");
        &mut []
    })
}
