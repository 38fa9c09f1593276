//! Compressed messages: from payloads to the bytes of the current message (RFC 7692 section 7.2.2).

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
use crate::slices::part;

/// The state of the compressed messages that a connection receives.
#[derive(Debug)]
pub(crate) struct Inflation {
    /// The inflater, in sync with the peer's compressor. Between messages it may serve other connections.
    inflater: Option<Inflater>,
    window: Window,
    message: Option<CompressedMessage>,
    /// Set after a final block. Any bytes after it are another stream.
    stream_ended: bool,
    /// The number of bytes that may still be copied into the inflater as dictionaries of further streams.
    seed_credit: u64,
}

/// The progress of a message.
#[derive(Debug)]
struct CompressedMessage {
    received: Input,
    /// The number of inflated bytes.
    inflated: u64,
    /// The input that is left because a chunk was full.
    unread: Option<Unread>,
}

/// The received part of a message's compressed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    None,
    Partial,
    Complete,
    /// All of it, which is no bytes. RFC 7692 section 7.2.3.6 encodes an empty message as one byte. Browsers and common
    /// libraries also accept no bytes as an empty message, and there is nothing to inflate.
    CompleteWithoutBytes,
}

/// The compressed bytes from the position `start` on.
#[derive(Debug)]
struct Unread {
    bytes: Vec<u8>,
    start: usize,
}

/// The result of some input.
#[derive(Debug)]
pub(super) enum Progress {
    NeedsInput,
    /// A chunk of a message that continues.
    Chunk(Received<'static>),
    /// The message, or its last chunk.
    End(Received<'static>),
}

/// The maximum size of a chunk of a compressed message.
const MAX_CHUNK: usize = 64 << 10;

/// The number of bytes that may be copied as dictionaries before any credit is earned. After a final block, a new
/// stream begins with the window as its dictionary. That copies up to 32 KiB, even for a stream of two bytes, so the
/// total is limited: to a few windows, plus one window for each half KiB of compressed or inflated bytes. Beyond that,
/// a stream can only refer to itself, like the streams of zlib, which begin with an empty window after a final block.
/// Without context takeover, each message has a credit of its own. `tests/work` counts the cost of hostile streams.
const FREE_SEEDS: u64 = 16 * (32 << 10);
const SEED_PER_BYTE: u64 = 64;

impl Default for Inflation {
    fn default() -> Self {
        Self { inflater: None, window: Window::default(), message: None, stream_ended: false, seed_credit: FREE_SEEDS }
    }
}

impl Inflation {
    /// Returns whether the connection needs this between messages.
    pub(super) fn is_needed(&self, compression: ReceiveCompression) -> bool {
        self.message.is_some() || compression.context_takeover()
    }

    /// Returns whether more can be inflated without more input.
    pub(super) fn has_unread_input(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.unread.is_some())
    }

    /// Begins a message if none is in progress, with this connection's inflater, a spare one, or a new one.
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
        if !compression.context_takeover() {
            // The last message may have been that of another connection.
            self.seed_credit = FREE_SEEDS;
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

    /// Inflates the input that was received before into the message.
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
        let mut input = part(&bytes, start..);
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
                // The new stream may refer to earlier bytes, as far as there is credit for copying them.
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
                *input = part(input, step.consumed..);
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
            // RFC 7692 section 7.2.2: the message is completed with the tail that was not sent. A stream that has ended
            // needs none.
            if !self.stream_ended && message.received == Input::Complete {
                inflater.finish_message().map_err(|_| ProtocolError::Deflate)?;
            }
        } else if !into.is_chunked() {
            return Ok((Progress::NeedsInput, is_full));
        }
        // The rest of this message, and with context takeover the next ones, may refer to the delivered bytes.
        if !ends || compression.context_takeover() {
            self.window.add(into.bytes(), compression.window_size());
        }
        let progress = match into.deliver(ends, pool)? {
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
    /// Returns how many bytes may be inflated now: up to the limit and one more, which shows that the limit is
    /// exceeded. It is at most the number up to the size from which a message is delivered in chunks, or up to the end
    /// of a chunk.
    fn space(&self, into: &Assembly, config: &Config) -> usize {
        let to_limit = config.size_limits().1.saturating_sub(self.inflated).saturating_add(1);
        let here = if into.is_chunked() {
            // A cut character may still become part of the chunk.
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
