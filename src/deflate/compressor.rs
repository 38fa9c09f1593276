//! Compressing messages (RFC 7692 section 7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{mem, slice};

use zlib_rs::DeflateFlush;

use super::config::{DeflateConfig, MIN_WINDOW_BITS};
use super::inflater::TAIL;
use super::params::SendCompression;
use super::stream::{Stream, StreamConfig, StreamPool};
use super::window::Window;
use crate::slices::{part, part_mut};

/// Compresses the messages of a connection, and keeps the data that the next message may refer to.
#[derive(Debug, Default)]
pub(crate) struct Compressor {
    /// The stream, in sync with the peer's window unless it needs to be reset.
    stream: Option<Stream>,
    /// The stream must begin again, with the window as its dictionary.
    needs_reset: bool,
    /// The peer's window, if it is small enough to be kept instead of the stream.
    window: Window,
    message: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    BetweenMessages,
    /// A message has begun, but none of it has been compressed yet.
    Begun,
    InMessage,
}

impl Compressor {
    /// Creates a compressor. Its stream is created for the first message, whatever was negotiated.
    pub(crate) fn new(_: SendCompression) -> Self {
        Self::default()
    }

    /// Begins a message, with the stream of the previous one, a spare one, or a new one.
    pub(crate) fn begin_message(
        &mut self,
        compression: SendCompression,
        settings: &[DeflateConfig],
        spare: Option<&mut CompressorPool>,
    ) {
        let config = StreamConfig::new(compression, DeflateConfig::first_of(settings));
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let spare = spare.and_then(|spare| spare.streams.get(config));
                self.needs_reset = spare.is_some() || !self.window.is_empty();
                self.stream.insert(spare.unwrap_or_else(|| Stream::new(config)))
            }
        };
        if mem::take(&mut self.needs_reset) {
            stream.inner.reset();
            for part in self.window.slices() {
                let seeded = stream.inner.set_dictionary(part);
                debug_assert!(seeded.is_ok(), "the stream was just reset");
            }
        }
        self.message = State::Begun;
    }

    /// Compresses a part of the message and appends the output to `output`. The stream buffers data until it has enough
    /// of it, or until the last part, which completes the message.
    pub(crate) fn compress(&mut self, input: &[u8], last: bool, compression: SendCompression, output: &mut Vec<u8>) {
        let nothing_yet = self.message == State::Begun && input.is_empty();
        if nothing_yet && last {
            // RFC 7692 section 7.2.3.6: an empty message. The stream has nothing to flush.
            output.push(0);
        } else if !nothing_yet {
            if compression.keeps_window() {
                self.window.add(input, compression.window_size());
            }
            match &mut self.stream {
                Some(stream) => compress_with(stream, input, last, output),
                None => debug_assert!(false, "a message begins with a stream"),
            }
            self.message = State::InMessage;
        }
        if last {
            self.message = State::BetweenMessages;
        }
    }

    /// Returns whether a message has begun but is not complete.
    pub(crate) fn is_in_message(&self) -> bool {
        self.message != State::BetweenMessages
    }

    /// Records a message that was compressed elsewhere, and which the peer's window therefore contains.
    pub(crate) fn skip_message(&mut self, message: &[u8], compression: SendCompression) {
        self.needs_reset = true;
        if compression.keeps_window() {
            self.window.add(message, compression.window_size());
        }
    }

    /// Returns the stream between messages, so that it can serve other connections, if the window is kept.
    pub(crate) fn return_stream(&mut self, spare: &mut CompressorPool, compression: SendCompression) {
        if !self.is_in_message() && compression.keeps_window() {
            self.recycle_stream(spare);
        }
    }

    fn recycle_stream(&mut self, spare: &mut CompressorPool) {
        if let Some(stream) = self.stream.take() {
            spare.streams.recycle(stream);
        }
    }
}

/// Streams and a spare box for a compressor, shared by the connections of a thread between messages.
#[derive(Debug, Default)]
pub(crate) struct CompressorPool {
    streams: StreamPool,
    spare_box: Option<Box<Compressor>>,
}

impl CompressorPool {
    /// Returns a compressor without a stream or a window.
    pub(crate) fn get(&mut self) -> Option<Box<Compressor>> {
        self.spare_box.take()
    }

    /// Takes back a compressor that its connection no longer needs. Without context takeover, its window is empty.
    pub(crate) fn recycle(&mut self, mut compressor: Box<Compressor>) {
        compressor.recycle_stream(self);
        self.spare_box = Some(compressor);
    }
}

/// Compresses a message without references to earlier ones. Returns the bytes, and the window size that they need.
pub(crate) fn compress_alone(message: &[u8], settings: &DeflateConfig) -> (Vec<u8>, u8) {
    // No reference goes back beyond the beginning of the message.
    let length_bits = (usize::BITS - message.len().saturating_sub(1).leading_zeros()) as u8;
    let window_bits = length_bits.max(MIN_WINDOW_BITS).min(settings.server_max_window_bits);
    let compression = SendCompression::new(window_bits, false);
    let (mut compressor, mut compressed) = (Compressor::new(compression), Vec::new());
    compressor.begin_message(compression, slice::from_ref(settings), None);
    compressor.compress(message, true, compression, &mut compressed);
    (compressed, window_bits)
}

fn compress_with(stream: &mut Stream, mut input: &[u8], last: bool, output: &mut Vec<u8>) {
    // If a flush has too little space for its final bytes, zlib repeats it. So the block before it is ended separately.
    let flush = if last { DeflateFlush::Block } else { DeflateFlush::NoFlush };
    // Most text shrinks to less than half. If it does not, more space is added.
    let mut space = (input.len() / 2).clamp(MIN_SPACE, MAX_SPACE);
    while step(stream, &mut input, space, flush, output) == space {
        space = (2 * space).min(MAX_SPACE);
    }
    if last {
        step(stream, &mut input, FLUSH_SPACE, DeflateFlush::SyncFlush, output);
        // The bytes at the end of every flush are not sent.
        debug_assert!(output.ends_with(&TAIL));
        output.truncate(output.len() - TAIL.len());
    }
}

/// The bounds of the space for the output of a step. The space is zeroed first, so it is small if little output is
/// expected.
const MIN_SPACE: usize = 64;
const MAX_SPACE: usize = 64 << 10;

/// More than an empty block and the bits before it need.
const FLUSH_SPACE: usize = 16;

/// Compresses into `space` bytes at the end of `output`. Returns how many bytes were written. If space is left, the
/// output is complete.
fn step(stream: &mut Stream, input: &mut &[u8], space: usize, flush: DeflateFlush, output: &mut Vec<u8>) -> usize {
    let stream = &mut stream.inner;
    let start = output.len();
    output.resize(start + space, 0);
    let (total_in, total_out) = (stream.total_in(), stream.total_out());
    let compressed = stream.compress(input, part_mut(output, start..), flush);
    debug_assert!(compressed.is_ok(), "the stream is in a state of its own making");
    // Both counts are bounded by the lengths of slices.
    *input = part(input, (stream.total_in() - total_in) as usize..);
    let written = (stream.total_out() - total_out) as usize;
    output.truncate(start + written);
    written
}
