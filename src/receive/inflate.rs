//! Compressed messages: payloads → bytes of the message in progress, as they come (RFC 7692 section 7.2.2).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::Received;
use super::assembly::Assembly;
use super::payload::Payload;
use crate::config::Config;
use crate::deflate::{Inflater, ReceiveCompression, Status, Window};
use crate::error::ProtocolError;
use crate::pool::BufferPool;

/// What a connection needs for the compressed messages that it receives.
#[derive(Debug, Default)]
pub(crate) struct Inflation {
    /// In step with the peer's compressor, unless it needs to be reset. Between messages it may serve other connections.
    inflater: Option<Inflater>,
    /// The inflater has to begin a stream, after what is in the window.
    needs_reset: bool,
    window: Window,
    message: Option<CompressedMessage>,
}

/// How far a message has come.
#[derive(Debug)]
struct CompressedMessage {
    received: Input,
    /// How many bytes the inflater has consumed and written.
    consumed: u64,
    inflated: u64,
    /// A final block has ended. What follows, if anything does, is another stream.
    stream_ended: bool,
    /// How many bytes of dictionaries were copied for such streams.
    seeded: u64,
    /// A chunk was full before this input was consumed.
    unread: Option<Unread>,
}

/// What has been received of a message's compressed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    None,
    Partial,
    Complete,
}

/// Compressed bytes from the position `start` on.
#[derive(Debug)]
struct Unread {
    bytes: Vec<u8>,
    start: usize,
}

/// What some input came to.
#[derive(Debug)]
pub(super) enum Progress {
    NeedsInput,
    /// A chunk; the message goes on.
    Chunk(Received<'static>),
    /// The message, or its last chunk.
    End(Received<'static>),
}

/// The longest chunk of a compressed message.
const MAX_CHUNK: usize = 64 << 10;

/// After a final block, a stream begins with the window as its dictionary. That copies up to 32 KiB, even for a stream of
/// two bytes. So no more is copied than this much for each message, and this much for each of its bytes, compressed and
/// inflated ones together; beyond that, a stream may refer to itself only. Compressors that end streams refer to nothing
/// before them: they have begun again as well. `tests/work` counts what hostile ones cost ("streams-that-end").
const FREE_SEEDS: u64 = 16 * (32 << 10);
const SEED_PER_BYTE: u64 = 64;

impl Inflation {
    /// Whether this is of any use to its connection between messages.
    pub(super) fn is_needed(&self, compression: ReceiveCompression) -> bool {
        self.message.is_some() || compression.context_takeover()
    }

    /// Whether more can be inflated without further input.
    pub(super) fn has_unread_input(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.unread.is_some())
    }

    /// Begins a message where none is in progress: with this connection's inflater, a spare one, or a new one.
    pub(super) fn begin_message(&mut self, compression: ReceiveCompression, spare: Option<&mut Self>) {
        if self.message.is_some() {
            return;
        }
        let inflater = match &mut self.inflater {
            Some(inflater) => inflater,
            None => {
                self.needs_reset = true;
                let spare = spare.and_then(|spare| spare.inflater.take());
                self.inflater.insert(spare.unwrap_or_else(|| Inflater::new(compression)))
            }
        };
        if mem::take(&mut self.needs_reset) {
            inflater.begin_stream(self.window.slices());
        }
        self.message = Some(CompressedMessage {
            received: Input::None,
            consumed: 0,
            inflated: 0,
            stream_ended: false,
            seeded: 0,
            unread: None,
        });
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
        if let Some(message) = &mut self.message {
            message.on_payload(payload.len(), payload.ends_message());
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
            let spare = spare.get_or_insert_default();
            spare.inflater = Some(inflater);
            // Its window is this connection's.
            spare.needs_reset = true;
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
            if message.stream_ended {
                if input.is_empty() {
                    break false;
                }
                message.begin_stream(inflater, &self.window, into);
            }
            let expected = input.len();
            let mut status = Status::Continues;
            let (written, is_full) = into.append_with(expected, most, pool.as_deref_mut(), |space| {
                let step = inflater.inflate(input, space);
                *input = &input[step.consumed..];
                status = step.status;
                step.written
            })?;
            message.consumed += (expected - input.len()) as u64;
            message.inflated += written as u64;
            if message.inflated > max_message {
                return Err(ProtocolError::MessageTooLarge);
            }
            match status {
                Status::Corrupt => return Err(ProtocolError::Deflate),
                Status::StreamEnd => message.stream_ended = true,
                Status::Continues if input.is_empty() && !is_full => break false,
                Status::Continues => {}
            }
        };
        let ends = message.received == Input::Complete && !is_full;
        if ends {
            // RFC 7692 section 7.2.2 completes the message with what wasn't sent. A stream that has ended lacks nothing.
            if message.stream_ended {
                self.needs_reset = true;
            } else {
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
                self.needs_reset = true;
            }
        }
        Ok((progress, is_full))
    }
}

impl CompressedMessage {
    fn on_payload(&mut self, length: usize, is_last: bool) {
        self.received = match self.received {
            // RFC 7692 section 7.2.3.6 has a byte for an empty message. Without it, the message is empty all the same, as
            // browsers and the common libraries have it, and nothing of it is for the inflater.
            Input::None if length == 0 && is_last => {
                self.stream_ended = true;
                Input::Complete
            }
            Input::None if length == 0 => Input::None,
            _ if is_last => Input::Complete,
            _ => Input::Partial,
        };
    }

    /// How many bytes may come out now: to the limit and one more, which shows that it is exceeded, but not beyond the size
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

    /// Begins another stream, which may refer to what came before it as long as that is bounded.
    fn begin_stream(&mut self, inflater: &mut Inflater, window: &Window, into: &Assembly) {
        self.stream_ended = false;
        let dictionary = window.slices().into_iter().chain(into.all_bytes());
        let length: u64 = dictionary.clone().map(|part| part.len().min(32 << 10) as u64).sum();
        let allowed = FREE_SEEDS + SEED_PER_BYTE.saturating_mul(self.consumed + self.inflated);
        if self.seeded + length <= allowed {
            self.seeded += length;
            inflater.begin_stream(dictionary);
        } else {
            inflater.begin_stream([]);
        }
    }
}
