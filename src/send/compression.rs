//! Messages that go out compressed (RFC 7692 7.2.1): straight into the output, in front of which a header is fitted.

use alloc::boxed::Box;

use super::{Output, Sender};
use crate::deflate::{Compressor, Compressors, Deflate, Outgoing};
use crate::error::SendError;
use crate::frame::header::RSV1;
use crate::frame::{self, Header, Kind, OpCode};

/// What a message is compressed with.
#[derive(Debug)]
pub(crate) struct Tools<'a> {
    pub(crate) settings: &'a Deflate,
    /// Spare ones, where a thread lends them.
    pub(crate) spare: Option<&'a mut Compressors>,
}

impl Sender {
    /// Messages may be compressed from now on.
    pub(crate) fn agree(&mut self, outgoing: Outgoing) {
        self.outgoing = Some(outgoing);
    }

    /// What was agreed on for compressed messages.
    pub(crate) fn outgoing(&self) -> Option<Outgoing> {
        self.outgoing
    }

    /// Whether messages that begin from now on are compressed, as far as that was agreed on.
    pub(crate) fn set_compression(&mut self, on: bool) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.on = on;
        }
    }

    /// Whether there is a window to compress in, and it is wanted.
    #[inline]
    pub(crate) fn compresses(&self) -> bool {
        self.outgoing.is_some_and(Outgoing::compresses)
    }

    /// Between messages, what compresses them can serve other connections, where what was sent is kept instead.
    pub(crate) fn return_to(&mut self, spare: &mut Compressors) {
        if let (Some(compressor), Some(outgoing)) = (&mut self.compressor, self.outgoing) {
            compressor.return_to(spare, outgoing);
        }
    }

    /// Whether the fragmented message under way is compressed.
    pub(crate) fn is_compressing(&self) -> bool {
        self.compressor.as_ref().is_some_and(|compressor| compressor.is_at_work())
    }

    /// Sends a whole message compressed, or doesn't where it would only grow.
    pub(crate) fn compressed_message(
        &mut self,
        output: &mut Output,
        kind: Kind,
        payload: &[u8],
        mut tools: Tools<'_>,
    ) -> Result<bool, SendError> {
        if self.message.is_some() {
            return Err(SendError::UnfinishedMessage);
        }
        let Some(outgoing) = self.outgoing else {
            return Ok(false);
        };
        let mut compressor = self.compressor(outgoing, &mut tools);
        let frame = Frame { opcode: kind.opcode(), first: true, fin: true, outgoing };
        // With takeover, what the compressor has taken in must be sent: the next message may refer to it.
        let most = if outgoing.takeover() { usize::MAX } else { payload.len() };
        let sent = self.compressed_frame(output, &mut compressor, frame, payload, 0..most);
        self.put_away(compressor, outgoing, tools.spare);
        Ok(sent)
    }

    /// Sends a fragment of a compressed message, of which note was taken. What the compressor keeps for the time
    /// being needs no frame, unless it is the first, which says how the message is sent.
    pub(crate) fn compressed_fragment(
        &mut self,
        output: &mut Output,
        opcode: OpCode,
        payload: &[u8],
        last: bool,
        mut tools: Tools<'_>,
    ) {
        let Some(outgoing) = self.outgoing else { return };
        let first = opcode != OpCode::Continuation;
        let mut compressor = match self.compressor.take() {
            Some(compressor) if !first => compressor,
            kept => {
                self.compressor = kept;
                self.compressor(outgoing, &mut tools)
            }
        };
        let needed = usize::from(!first && !last);
        self.compressed_frame(
            output,
            &mut compressor,
            Frame { opcode, first, fin: last, outgoing },
            payload,
            needed..usize::MAX,
        );
        if last {
            self.put_away(compressor, outgoing, tools.spare);
        } else {
            self.compressor = Some(compressor);
        }
    }

    /// A compressor that begins a message: this connection's, a spare one, or a new one.
    fn compressor(&mut self, outgoing: Outgoing, tools: &mut Tools<'_>) -> Box<Compressor> {
        let mut spare = tools.spare.as_deref_mut();
        let shell = || if outgoing.takeover() { None } else { spare.as_mut()?.shell() };
        let mut compressor = self.compressor.take().or_else(shell).unwrap_or_default();
        compressor.begin(outgoing, tools.settings, spare);
        compressor
    }

    /// Behind a message, the compressor stays where the next one may refer to it, and serves others where not.
    fn put_away(&mut self, compressor: Box<Compressor>, outgoing: Outgoing, spare: Option<&mut Compressors>) {
        if outgoing.takeover() {
            self.compressor = Some(compressor);
        } else if let Some(spare) = spare {
            spare.put_away(compressor);
        }
    }

    /// Sends a frame if its payload comes to as many bytes as it should.
    fn compressed_frame(
        &mut self,
        output: &mut Output,
        compressor: &mut Compressor,
        frame: Frame,
        payload: &[u8],
        expected: core::ops::Range<usize>,
    ) -> bool {
        let Frame { opcode, first, fin, outgoing } = frame;
        // How long the header will be isn't known, but likely: the payload is moved where it isn't so.
        let byte = frame::first_byte(opcode, fin) | if first { RSV1 } else { 0 };
        let (_, gap) = Header::encode(byte, payload.len(), self.keys.is_some().then_some([0; 4]));
        output.reserve(gap);
        let tail = output.tail();
        let start = tail.len();
        tail.resize(start + gap, 0);
        compressor.compress(payload, fin, outgoing, tail);
        let length = tail.len() - start - gap;
        if !expected.contains(&length) {
            tail.truncate(start);
            return false;
        }
        let key = self.keys.as_mut().map(crate::rng::MaskKeys::next);
        let (header, size) = Header::encode(byte, length, key);
        if size > gap {
            tail.resize(start + size + length, 0);
        }
        if size != gap {
            tail.copy_within(start + gap..start + gap + length, start + size);
            tail.truncate(start + size + length);
        }
        tail[start..start + size].copy_from_slice(&header[..size]);
        if let Some(key) = key {
            frame::mask(&mut tail[start + size..], key);
        }
        true
    }
}

/// Which frame of a message it is.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: OpCode,
    first: bool,
    fin: bool,
    outgoing: Outgoing,
}
