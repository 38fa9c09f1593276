//! The receiving half: from bytes to events. It knows the wire format, and nothing about what is sent.
//!
//! ```text
//!          ┌─ fast_path.rs: a whole message ──────────────────────────────────────────────┐
//! input ───┤                                                                              ├──► Received
//!          └─ decoder.rs: headers ──► payload.rs ─┬─────────────────► assembly.rs ────────┤
//!                                                 ├─► inflate.rs ───────┘    ▲            │
//!                                                 └─► control.rs ──────────────────────── ┘
//! transport ──────────────────────────────────────────── direct_read.rs ─────┘
//! ```
//!
//! The effect of `#[inline]` in `receive/` and `connection/`, in instructions counted by `tests/work/growth`: as it is,
//! with `inline` instead of `inline(always)`, and without any.
//!
//! | | as it is | `inline` | none |
//! |---|--:|--:|--:|
//! | binary message of 64 bytes, whole in the input | 133 | 157 | 203 |
//! | binary fragment of 16 bytes | 400 | 395 | 468 |
//! | an input of one byte | 389 | 400 | 552 |

mod assembly;
mod control;
mod decoder;
mod direct_read;
mod fast_path;
mod inflate;
mod payload;
mod received;

use alloc::borrow::Cow;
use alloc::boxed::Box;

use crate::config::Config;
use crate::deflate::ReceiveCompression;
use crate::error::ProtocolError;
use crate::frame::MessageKind;
use crate::pool::BufferPool;
use crate::role::Role;
use assembly::Assembly;
use control::{CutControl, receive_control};
use decoder::{FrameDecoder, Peer};
pub(crate) use inflate::Inflation;
use inflate::Progress;
use payload::{FrameType, Payload};
pub(crate) use received::{Received, WholeMessage};

/// The values that a receiver needs but does not own.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) lent: Option<Lent<'a>>,
}

/// The buffers of a thread that a receiver may use.
#[derive(Debug)]
pub(crate) struct Lent<'a> {
    pub(crate) pool: &'a mut BufferPool,
    /// A spare inflater with its buffers.
    pub(crate) inflation: &'a mut Option<Box<Inflation>>,
}

/// The receiving half of a connection.
// In this order, the fields that a whole message needs are next to each other: see `Connection`.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Receiver {
    /// A whole message of fewer bytes is within all limits, and not delivered in chunks.
    whole_below: u32,
    /// The role of the peer.
    from: Role,
    at_eof: bool,
    /// The negotiated compression, if there is any.
    compression: Option<ReceiveCompression>,
    decoder: FrameDecoder,
    /// The data message in progress.
    message: Option<Assembly>,
    inflation: Option<Box<Inflation>>,
    control: Option<Box<CutControl>>,
}

impl Receiver {
    /// Creates a receiver for the frames of an endpoint with the role `from`.
    pub(crate) fn new(from: Role, config: &Config) -> Self {
        Self {
            from,
            at_eof: false,
            whole_below: fast_path::whole_below(config),
            compression: None,
            decoder: FrameDecoder::new(),
            message: None,
            control: None,
            inflation: None,
        }
    }

    /// Records that the transport has ended. That takes effect once the input is consumed, because bytes received
    /// before it count.
    pub(crate) fn receive_eof(&mut self) {
        self.at_eof = true;
    }

    /// Sets the negotiated compression.
    pub(crate) fn set_compression(&mut self, compression: ReceiveCompression) {
        self.compression = Some(compression);
    }

    /// Frees all buffers, since nothing more is received. The negotiated parameters remain available.
    pub(crate) fn stop(&mut self) {
        self.decoder = FrameDecoder::new();
        self.message = None;
        self.control = None;
        self.inflation = None;
    }

    /// Consumes bytes up to the end of the next message, chunk or control frame. Returns `None` once the input is
    /// consumed.
    #[inline(always)]
    pub(crate) fn receive<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        mut context: Context<'_>,
    ) -> Result<Option<Received<'b>>, ProtocolError> {
        loop {
            let received = if self.inflation.as_ref().is_some_and(|inflation| inflation.has_unread_input()) {
                self.resume_inflation(&mut context)?
            } else {
                let peer = Peer { role: self.from, compression: self.compression };
                let Some(payload) = self.decoder.next(input, peer, context.config)? else {
                    return Ok(None);
                };
                match payload.frame {
                    FrameType::Control(opcode) => receive_control(&mut self.control, opcode, payload)?,
                    FrameType::Data(kind, None) => self.receive_plain(payload, kind, &mut context)?,
                    FrameType::Data(kind, Some(compression)) => {
                        self.receive_compressed(payload, kind, compression, &mut context)?
                    }
                }
            };
            if received.is_some() {
                return Ok(received);
            }
        }
    }

    /// Returns whether the next byte is the first of a message or of a control frame, so that nothing is received without
    /// input. The message in progress is `Some` until it is completely inflated.
    #[inline]
    pub(crate) fn is_between_messages(&self) -> bool {
        self.message.is_none() && self.decoder.is_between_frames()
    }

    /// Receives a payload of an uncompressed message: delivers it in place, or assembles the message.
    #[inline(always)]
    fn receive_plain<'b>(
        &mut self,
        payload: Payload<'b>,
        kind: MessageKind,
        context: &mut Context<'_>,
    ) -> Result<Option<Received<'b>>, ProtocolError> {
        let is_chunked = context.config.is_chunked(payload.declared);
        if payload.is_whole() && !is_chunked && self.message.is_none() {
            return Ok(Some(match WholeMessage::new(kind, payload.unmasked())? {
                WholeMessage::Text(text) => Received::Text(Cow::Borrowed(text)),
                WholeMessage::Binary(data) => Received::Binary(Cow::Borrowed(data)),
            }));
        }
        let ends = payload.ends_message();
        let message = Assembly::in_progress(&mut self.message, kind, context.pool());
        if is_chunked {
            message.set_chunked();
        }
        let received = if is_chunked && message.bytes().is_empty() {
            message.lend(payload)?
        } else {
            message.append(payload, context.config, context.pool())?;
            if ends || is_chunked { message.deliver(ends, context.pool())? } else { None }
        };
        if ends && let Some(message) = self.message.take() {
            message.recycle(context.pool());
        }
        Ok(received)
    }

    /// Receives a payload of a compressed message.
    fn receive_compressed(
        &mut self,
        payload: Payload<'_>,
        kind: MessageKind,
        compression: ReceiveCompression,
        context: &mut Context<'_>,
    ) -> Result<Option<Received<'static>>, ProtocolError> {
        let inflation = match &mut self.inflation {
            Some(inflation) => inflation,
            none => {
                // With context takeover the inflater stays with the connection, so it must not be the thread's.
                let spare = context.lent.as_mut().filter(|_| !compression.context_takeover());
                none.insert(spare.and_then(|lent| lent.inflation.take()).unwrap_or_default())
            }
        };
        inflation.begin_message(compression, context.lent.as_mut().and_then(|lent| lent.inflation.as_deref_mut()));
        let message = Assembly::in_progress(&mut self.message, kind, context.pool());
        let progress = inflation.receive(payload, compression, message, context.config, context.pool())?;
        Ok(self.after_inflating(progress, compression, context))
    }

    /// Inflates the input that was received before.
    fn resume_inflation(&mut self, context: &mut Context<'_>) -> Result<Option<Received<'static>>, ProtocolError> {
        let (Some(inflation), Some(message), Some(compression)) =
            (&mut self.inflation, &mut self.message, self.compression)
        else {
            debug_assert!(false, "unread input is that of a compressed message in progress");
            return Err(ProtocolError::Deflate);
        };
        let progress = inflation.resume(compression, message, context.config, context.pool())?;
        Ok(self.after_inflating(progress, compression, context))
    }

    /// Leaves the inflater to other connections, if this one does not need it any more.
    fn after_inflating(
        &mut self,
        progress: Progress,
        compression: ReceiveCompression,
        context: &mut Context<'_>,
    ) -> Option<Received<'static>> {
        if self.message.as_ref().is_some_and(Assembly::is_chunked) {
            self.decoder.set_inflates_to_chunks();
        }
        let received = match progress {
            Progress::NeedsInput => return None,
            Progress::Chunk(received) => return Some(received),
            Progress::End(received) => received,
        };
        self.message = None;
        if let Some(unneeded) = self.inflation.take_if(|inflation| !inflation.is_needed(compression))
            && let Some(lent) = &mut context.lent
        {
            *lent.inflation = Some(unneeded);
        }
        Some(received)
    }

    /// Returns the buffers that the message in progress does not need.
    #[inline]
    pub(crate) fn return_to(&mut self, lent: Lent<'_>) {
        if let Some(message) = &mut self.message {
            message.shrink(Some(lent.pool));
        }
        if let Some(inflation) = &mut self.inflation {
            inflation.return_inflater(lent.inflation);
        }
    }

    pub(crate) fn from(&self) -> Role {
        self.from
    }

    pub(crate) fn is_at_eof(&self) -> bool {
        self.at_eof
    }

    /// Returns the negotiated compression.
    #[cfg(feature = "deflate")]
    pub(crate) fn compression(&self) -> Option<ReceiveCompression> {
        self.compression
    }
}

impl Context<'_> {
    #[inline]
    fn pool(&mut self) -> Option<&mut BufferPool> {
        self.lent.as_mut().map(|lent| &mut *lent.pool)
    }
}
