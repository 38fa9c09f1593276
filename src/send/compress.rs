//! Messages that are sent compressed (RFC 7692 section 7.2.1): straight into the output, with a header fitted before them.

use alloc::boxed::Box;
use core::ops::Range;

use super::draft::Draft;
use super::{Output, Sender};
use crate::deflate::{Compressor, CompressorPool, DeflateConfig, SendCompression};
use crate::error::SendError;
use crate::frame::header::RSV1;
use crate::frame::{self, MessageKind, OpCode};

/// What messages are compressed with.
#[derive(Debug)]
pub(crate) struct CompressContext<'a> {
    pub(crate) settings: &'a [DeflateConfig],
    /// Spare compressors, where a thread lends them.
    pub(crate) spare: Option<&'a mut CompressorPool>,
}

impl Sender {
    /// Messages may be compressed from now on.
    pub(crate) fn set_compression(&mut self, compression: SendCompression) {
        self.compression = Some(compression);
    }

    /// The negotiated compression.
    #[cfg(feature = "deflate")]
    pub(crate) fn compression(&self) -> Option<SendCompression> {
        self.compression
    }

    /// Sets whether messages that begin from now on are compressed, where compression was negotiated.
    #[cfg(feature = "deflate")]
    pub(crate) fn set_compression_enabled(&mut self, enabled: bool) {
        if let Some(compression) = &mut self.compression {
            compression.set_enabled(enabled);
        }
    }

    /// Whether messages may be compressed.
    #[inline]
    pub(crate) fn compresses(&self) -> bool {
        self.compression.is_some()
    }

    /// Returns how a message of that many bytes is compressed, if it is.
    pub(crate) fn compression_of_message(&self, length: usize, settings: &[DeflateConfig]) -> Option<SendCompression> {
        self.compression.filter(|compression| compression.is_worth_while(length, settings))
    }

    /// Returns how a fragment is compressed, if it is: as the first fragment of its message.
    pub(crate) fn compression_of_fragment(&self, opcode: OpCode) -> Option<SendCompression> {
        self.compression.filter(|compression| match opcode {
            OpCode::Continuation => self.compressor.as_ref().is_some_and(|compressor| compressor.is_in_message()),
            _ => compression.is_enabled(),
        })
    }

    /// Between messages, the stream of the compressor can serve other connections, where the window is kept instead.
    pub(crate) fn return_to(&mut self, spare: &mut CompressorPool) {
        if let (Some(compressor), Some(compression)) = (&mut self.compressor, self.compression) {
            compressor.return_stream(spare, compression);
        }
    }

    /// Sends a whole message compressed. Returns `false`, and sends nothing, where it would only grow.
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
        // With context takeover, what the compressor has consumed must be sent: the next message may refer to it.
        let most = if compression.context_takeover() { usize::MAX } else { payload.len() };
        let is_sent = self.compressed_frame(output, &mut compressor, frame, payload, 0..most);
        self.end_compressed(compressor, compression, context);
        Ok(is_sent)
    }

    /// Sends a fragment of a compressed message, which [`begin_fragment`](Self::begin_fragment) has accepted. While the
    /// compressor keeps all of it, nothing is sent, except for the first fragment, which says that the message is
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
            // With context takeover it stays with the connection, so that it needs one of its own.
            .or_else(|| if compression.context_takeover() { None } else { spare.as_mut()?.get() })
            .unwrap_or_else(|| Box::new(Compressor::new(compression)));
        compressor.begin_message(compression, context.settings, spare);
        compressor
    }

    /// After a message, the compressor stays where the next one may refer to it, and serves other connections where not.
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

    /// Sends a frame if its compressed payload has an expected length.
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
    /// RFC 7692 section 6: the first frame of a message says that it is compressed.
    fn first_byte(self) -> u8 {
        let reserved = if self.opcode == OpCode::Continuation { 0 } else { RSV1 };
        frame::first_byte(self.opcode, self.fin) | reserved
    }
}
