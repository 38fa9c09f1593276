//! Compressed messages: payloads → bytes of the message in progress, as they come (RFC 7692 section 7.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::assembly::Assembly;
use super::payload::Payload;
use super::received::Received;
use crate::config::Config;
use crate::deflate::{Inflater, ReceiveCompression, Status, Window};
use crate::error::ProtocolError;
use crate::pool::BufferPool;

/// The state of the compressed messages that a connection receives.
#[derive(Debug)]
pub(crate) struct Inflation {
    /// In step with the peer's compressor. Between messages it may serve other connections.
    inflater: Option<Inflater>,
    window: Window,
    message: Option<CompressedMessage>,
    /// A final block has ended. What follows, if anything does, is another stream.
    stream_ended: bool,
    /// The number of bytes that may be copied into the inflater for streams that follow one.
    seed_credit: u64,
}

/// How far a message has come.
#[derive(Debug)]
struct CompressedMessage {
    received: Input,
    /// The number of bytes that came out.
    inflated: u64,
    /// A chunk was full before this input was consumed.
    unread: Option<Unread>,
}

/// How much of a message's compressed bytes has been received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    None,
    Partial,
    Complete,
    /// RFC 7692 section 7.2.3.6 has a byte for an empty message. Without it, the message is empty all the same, as browsers
    /// and the common libraries have it, and nothing of it is for the inflater.
    CompleteWithoutBytes,
}

/// Compressed bytes from the position `start` on.
#[derive(Debug)]
struct Unread {
    bytes: Vec<u8>,
    start: usize,
}

/// The result of some input.
#[derive(Debug)]
pub(super) enum Progress {
    NeedsInput,
    /// A chunk; the message continues.
    Chunk(Received<'static>),
    /// The message, or its last chunk.
    End(Received<'static>),
}

/// The longest chunk of a compressed message.
const MAX_CHUNK: usize = 64 << 10;

/// After a final block, a stream begins with the window as its dictionary. That copies up to 32 KiB, even for a stream of
/// two bytes. So no more is copied than a few windows, and so many bytes for each byte, compressed or inflated, that has
/// come: a window for each half KiB. Beyond that, a stream may refer to itself only, as zlib's do: after a final block, it
/// begins with an empty window. `tests/work` counts what hostile streams cost.
const FREE_SEEDS: u64 = 16 * (32 << 10);
const SEED_PER_BYTE: u64 = 64;

impl Default for Inflation {
    fn default() -> Self {
        Self { inflater: None, window: Window::default(), message: None, stream_ended: false, seed_credit: FREE_SEEDS }
    }
}

impl Inflation {
    /// Returns whether this is of any use to its connection between messages.
    pub(super) fn is_needed(&self, compression: ReceiveCompression) -> bool {
        self.message.is_some() || compression.context_takeover()
    }

    /// Returns whether more can be inflated without further input.
    pub(super) fn has_unread_input(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.unread.is_some())
    }

    /// Begins a message where none is in progress: with this connection's inflater, a spare one, or a new one.
    pub(super) fn begin_message(&mut self, compression: ReceiveCompression, spare: Option<&mut Self>) {
        if self.message.is_some() {
            return;
        }
        let is_in_step = self.inflater.is_some() && compression.context_takeover();
        let inflater = self.inflater.get_or_insert_with(|| {
            let spare = spare.and_then(|spare| spare.inflater.take());
            spare.unwrap_or_else(|| Inflater::new(compression))
        });
        if !is_in_step {
            self.stream_ended = false;
            inflater.begin_stream(self.window.slices());
        }
        self.message = Some(CompressedMessage { received: Input::None, inflated: 0, unread: None });
    }

    /// Inflates a payload into the message.
    pub(super) fn receive(
        &mut self,
        payload: Payload<'_>,
        compression: ReceiveCompression,
        into: &mut Assembly,
        config: &Config,
        pool: Option<&mut BufferPool>,
    ) -> Result<Progress, ProtocolError> {
        debug_assert!(self.message.is_some(), "it was begun");
        if let Some(message) = &mut self.message {
            message.received = message.received.and(payload.len(), payload.ends_message());
        }
        let mut input = &*payload.unmasked();
        let (progress, is_full) = self.inflate(&mut input, compression, into, config, pool)?;
        if let Some(message) = self.message.as_mut().filter(|_| is_full) {
            message.unread = Some(Unread { bytes: input.to_vec(), start: 0 });
        }
        Ok(progress)
    }

    /// Inflates what was received before into the message.
    pub(super) fn resume(
        &mut self,
        compression: ReceiveCompression,
        into: &mut Assembly,
        config: &Config,
        pool: Option<&mut BufferPool>,
    ) -> Result<Progress, ProtocolError> {
        let Some(Unread { bytes, start }) = self.message.as_mut().and_then(|message| message.unread.take()) else {
            return Ok(Progress::NeedsInput);
        };
        let mut input = &bytes[start..];
        let (progress, is_full) = self.inflate(&mut input, compression, into, config, pool)?;
        let start = bytes.len() - input.len();
        if let Some(message) = self.message.as_mut().filter(|_| is_full) {
            message.unread = Some(Unread { bytes, start });
        }
        Ok(progress)
    }

    /// Between messages, the inflater can serve other connections. The window stays.
    pub(super) fn return_inflater(&mut self, spare: &mut Option<Box<Self>>) {
        if self.message.is_none()
            && let Some(inflater) = self.inflater.take()
        {
            spare.get_or_insert_default().inflater = Some(inflater);
        }
    }

    /// Inflates until the input is consumed or a chunk is full. Returns whether a chunk is full.
    fn inflate(
        &mut self,
        input: &mut &[u8],
        compression: ReceiveCompression,
        into: &mut Assembly,
        config: &Config,
        mut pool: Option<&mut BufferPool>,
    ) -> Result<(Progress, bool), ProtocolError> {
        let (Some(message), Some(inflater)) = (&mut self.message, &mut self.inflater) else {
            debug_assert!(false, "a message begins with an inflater");
            return Err(ProtocolError::Deflate);
        };
        let (_, max_message) = config.size_limits();
        let is_full = loop {
            if config.is_chunked(message.inflated) {
                into.set_chunked();
            }
            let most = message.space(into, config);
            if most == 0 {
                break true;
            }
            if input.is_empty() && (self.stream_ended || message.received == Input::CompleteWithoutBytes) {
                break false;
            }
            if mem::take(&mut self.stream_ended) {
                // It may refer to what came before it, as far as there is credit for that.
                let before = self.window.slices().into_iter().chain(into.all_bytes());
                let length = before.clone().map(|part| part.len().min(32 << 10) as u64).sum();
                match self.seed_credit.checked_sub(length) {
                    Some(left) => {
                        self.seed_credit = left;
                        inflater.begin_stream(before);
                    }
                    None => inflater.begin_stream([]),
                }
            }
            let expected = input.len();
            let mut status = Status::Continues;
            let (written, is_full) = into.append_with(expected, most, pool.as_deref_mut(), |space| {
                let step = inflater.inflate(input, space);
                *input = &input[step.consumed..];
                status = step.status;
                step.written
            })?;
            message.inflated += written as u64;
            let bytes = (expected - input.len() + written) as u64;
            self.seed_credit = self.seed_credit.saturating_add(SEED_PER_BYTE.saturating_mul(bytes));
            if message.inflated > max_message {
                return Err(ProtocolError::MessageTooLarge);
            }
            match status {
                Status::Corrupt => return Err(ProtocolError::Deflate),
                Status::StreamEnd => self.stream_ended = true,
                Status::Continues if input.is_empty() && !is_full => break false,
                Status::Continues => {}
            }
        };
        let ends = matches!(message.received, Input::Complete | Input::CompleteWithoutBytes) && !is_full;
        if ends {
            // RFC 7692 section 7.2.2 completes the message with what wasn't sent. A stream that has ended lacks nothing.
            if !self.stream_ended && message.received == Input::Complete {
                inflater.finish_message().map_err(|_| ProtocolError::Deflate)?;
            }
        } else if !into.is_chunked() {
            return Ok((Progress::NeedsInput, is_full));
        }
        // What is delivered can still be referred to: by the rest of this message, and by others with context takeover.
        if !ends || compression.context_takeover() {
            self.window.add(into.bytes(), compression.window_size());
        }
        let progress = match into.deliver(ends)? {
            None => Progress::NeedsInput,
            Some(received) if ends => Progress::End(received),
            Some(received) => Progress::Chunk(received),
        };
        if ends {
            self.message = None;
            if !compression.context_takeover() {
                self.window.clear();
            }
        }
        Ok((progress, is_full))
    }
}

impl CompressedMessage {
    /// Returns how many bytes may come out now: to the limit and one more, which shows that it is exceeded, but not beyond the size
    /// from which on a message is delivered in chunks, or the end of a chunk.
    fn space(&self, into: &Assembly, config: &Config) -> usize {
        let to_limit = config.size_limits().1.saturating_sub(self.inflated).saturating_add(1);
        let here = if into.is_chunked() {
            // A character that is cut may still become part of the chunk.
            into.all_bytes().iter().fold(MAX_CHUNK, |space, part| space.saturating_sub(part.len())) as u64
        } else {
            config.chunked_from().saturating_sub(self.inflated)
        };
        usize::try_from(to_limit.min(here)).unwrap_or(usize::MAX)
    }
}

impl Input {
    fn and(self, length: usize, is_last: bool) -> Self {
        match (self, is_last) {
            (Self::None, false) if length == 0 => Self::None,
            (Self::None, true) if length == 0 => Self::CompleteWithoutBytes,
            (_, false) => Self::Partial,
            (_, true) => Self::Complete,
        }
    }
}
