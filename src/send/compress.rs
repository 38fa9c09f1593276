//! Sending compressed messages (RFC 7692 section 7.2.1): directly into the output, with the header added afterwards.

use alloc::boxed::Box;
use core::ops::Range;

use super::draft::Draft;
use super::{Output, Sender};
use crate::deflate::{Compressor, CompressorPool, DeflateConfig, SendCompression};
use crate::error::SendError;
use crate::frame::header::RSV1;
use crate::frame::{self, MessageKind, OpCode};

/// The settings and the spare compressors for compressing messages.
#[derive(Debug)]
pub(crate) struct CompressContext<'a> {
    pub(crate) settings: &'a [DeflateConfig],
    /// Spare compressors, if a scratch is attached.
    pub(crate) spare: Option<&'a mut CompressorPool>,
}

impl Sender {
    /// Sets the negotiated compression.
    pub(crate) fn set_compression(&mut self, compression: SendCompression) {
        self.compression = Some(compression);
    }

    /// Returns the negotiated compression.
    #[cfg(feature = "deflate")]
    pub(crate) fn compression(&self) -> Option<SendCompression> {
        self.compression
    }

    /// Sets whether messages that begin from now on are compressed, if compression was negotiated.
    #[cfg(feature = "deflate")]
    pub(crate) fn set_compression_enabled(&mut self, enabled: bool) {
        if let Some(compression) = &mut self.compression {
            compression.set_enabled(enabled);
        }
    }

    /// Returns whether messages may be compressed.
    #[inline]
    pub(crate) fn compresses(&self) -> bool {
        self.compression.is_some()
    }

    /// Returns the compression of a message of `length` bytes, or `None` if it is sent uncompressed.
    pub(crate) fn compression_of_message(&self, length: usize, settings: &[DeflateConfig]) -> Option<SendCompression> {
        self.compression.filter(|compression| compression.is_worth_while(length, settings))
    }

    /// Returns the compression of a fragment, which is that of the first fragment of its message, or `None` if it is
    /// sent uncompressed.
    pub(crate) fn compression_of_fragment(&self, opcode: OpCode) -> Option<SendCompression> {
        self.compression.filter(|compression| match opcode {
            OpCode::Continuation => self.compressor.as_ref().is_some_and(|compressor| compressor.is_in_message()),
            _ => compression.is_enabled(),
        })
    }

    /// Returns the compressor's stream between messages, so that it can serve other connections, if the window is kept
    /// instead.
    #[inline]
    pub(crate) fn return_to(&mut self, spare: &mut CompressorPool) {
        if let (Some(compressor), Some(compression)) = (&mut self.compressor, self.compression) {
            compressor.return_stream(spare, compression);
        }
    }

    /// Sends a whole message compressed. Returns `false` and sends nothing if compression would not make it smaller.
    pub(crate) fn compressed_message(
        &mut self,
        output: &mut Output,
        kind: MessageKind,
        payload: &[u8],
        compression: SendCompression,
        mut context: CompressContext<'_>,
    ) -> Result<bool, SendError> {
        self.check_between_messages()?;
        let mut compressor = self.begin_compressed(compression, &mut context);
        let frame = CompressedFrame { opcode: kind.opcode(), fin: true, compression };
        // With context takeover, everything that the compressor has consumed must be sent: the next message may refer
        // to it.
        let most = if compression.context_takeover() { usize::MAX } else { payload.len() };
        let is_sent = self.compressed_frame(output, &mut compressor, frame, payload, 0..most);
        self.end_compressed(compressor, compression, context);
        Ok(is_sent)
    }

    /// Sends a fragment of a compressed message, which [`begin_fragment`](Self::begin_fragment) has accepted. Nothing
    /// is sent while the compressor buffers all of it, except for the first fragment, whose header marks the message as
    /// compressed.
    pub(crate) fn compressed_fragment(
        &mut self,
        output: &mut Output,
        opcode: OpCode,
        payload: &[u8],
        fin: bool,
        compression: SendCompression,
        mut context: CompressContext<'_>,
    ) {
        let is_first = opcode != OpCode::Continuation;
        let mut compressor = match self.compressor.take_if(|_| !is_first) {
            Some(compressor) => compressor,
            None => self.begin_compressed(compression, &mut context),
        };
        let least = usize::from(!is_first && !fin);
        let frame = CompressedFrame { opcode, fin, compression };
        self.compressed_frame(output, &mut compressor, frame, payload, least..usize::MAX);
        if fin {
            self.end_compressed(compressor, compression, context);
        } else {
            self.compressor = Some(compressor);
        }
    }

    /// Returns a compressor that begins a message: this connection's, a spare one, or a new one.
    fn begin_compressed(&mut self, compression: SendCompression, context: &mut CompressContext<'_>) -> Box<Compressor> {
        let mut spare = context.spare.as_deref_mut();
        let own = self.compressor.take();
        let mut compressor = own
            // With context takeover the compressor stays with the connection, so it must not come from the pool.
            .or_else(|| if compression.context_takeover() { None } else { spare.as_mut()?.get() })
            .unwrap_or_else(|| Box::new(Compressor::new(compression)));
        compressor.begin_message(compression, context.settings, spare);
        compressor
    }

    /// Ends a message. The compressor stays with the connection if the next message may refer to this one, and
    /// otherwise serves other connections.
    fn end_compressed(
        &mut self,
        compressor: Box<Compressor>,
        compression: SendCompression,
        context: CompressContext<'_>,
    ) {
        if compression.context_takeover() {
            self.compressor = Some(compressor);
        } else if let Some(spare) = context.spare {
            spare.recycle(compressor);
        }
    }

    /// Sends a frame if the length of its compressed payload is within `expected`.
    fn compressed_frame(
        &mut self,
        output: &mut Output,
        compressor: &mut Compressor,
        frame: CompressedFrame,
        payload: &[u8],
        expected: Range<usize>,
    ) -> bool {
        let mut draft = Draft::new(output, payload.len(), self.keys.is_some());
        compressor.compress(payload, frame.fin, frame.compression, draft.buffer());
        if !expected.contains(&draft.payload().len()) {
            return false;
        }
        draft.send(frame.first_byte(), self.keys.as_mut());
        true
    }
}

/// A frame of a compressed message.
#[derive(Clone, Copy, Debug)]
struct CompressedFrame {
    opcode: OpCode,
    fin: bool,
    compression: SendCompression,
}

impl CompressedFrame {
    /// RFC 7692 section 6: the first frame of a message marks it as compressed.
    fn first_byte(self) -> u8 {
        let reserved = if self.opcode == OpCode::Continuation { 0 } else { RSV1 };
        frame::first_byte(self.opcode, self.fin) | reserved
    }
}
