//! Bytes → compressed bytes (RFC 7692 7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, mem};

use zlib_rs::{DeflateConfig, DeflateFlush};

use super::settings::LEAST;
use super::{Deflate, History};

/// What was agreed on for the messages that go out, and whether they are to be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outgoing {
    bits: u8,
    takeover: bool,
    pub(crate) on: bool,
}

impl Outgoing {
    /// The smallest window that there is a compressor for.
    pub(crate) const LEAST_BITS: u8 = LEAST;

    pub(crate) fn new(bits: u8, takeover: bool) -> Self {
        Self { bits, takeover, on: true }
    }

    pub(crate) fn bits(self) -> u8 {
        self.bits
    }

    /// Whether a message may refer to those before it.
    pub(crate) fn takeover(self) -> bool {
        self.takeover
    }

    /// Whether what was sent is kept, so that the stream can serve other connections in between: to seed it anew takes
    /// 7 µs for 4 KiB and 45 µs for 32, next to 12 µs for a message of 1 KiB.
    fn keeps_history(self) -> bool {
        self.takeover && self.bits <= 12
    }

    fn window(self) -> usize {
        1 << self.bits
    }

    /// Whether there is a compressor for such a window, and it is wanted.
    pub(crate) fn compresses(self) -> bool {
        self.on && self.bits >= LEAST
    }
}

/// What a stream of zlib-rs is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    bits: u8,
    level: u8,
    memory_level: u8,
}

/// A stream of zlib-rs.
struct Stream {
    inner: zlib_rs::Deflate,
    kind: Kind,
}

/// What compresses a connection's messages, and what the next of them may refer to.
#[derive(Debug, Default)]
pub(crate) struct Compressor {
    /// In step with the peer's window, unless it is behind.
    stream: Option<Stream>,
    /// The stream has to begin anew, with the history.
    behind: bool,
    /// What the peer's window has in it, where that is small enough to be kept instead of the stream.
    history: History,
    /// A message has begun that isn't complete.
    at_work: bool,
    /// Nothing of it has been taken in yet.
    empty: bool,
}

/// What is spare: streams, one for every kind that a thread's connections agreed on, and what holds them at work.
#[derive(Debug, Default)]
pub(crate) struct Compressors {
    streams: Vec<Stream>,
    shell: Option<Box<Compressor>>,
}

impl Compressor {
    /// Begins a message: with the stream that the one before was compressed with, a spare one, or a new one.
    pub(crate) fn begin(&mut self, outgoing: Outgoing, settings: &Deflate, spare: Option<&mut Compressors>) {
        let kind = Kind { bits: outgoing.bits, level: settings.level, memory_level: settings.memory_level };
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                let spare = spare.and_then(|spare| spare.take(kind));
                self.behind = spare.is_some() || !self.history.is_empty();
                self.stream.insert(spare.unwrap_or_else(|| Stream::new(kind)))
            }
        };
        if mem::take(&mut self.behind) {
            stream.inner.reset();
            for part in self.history.parts() {
                let seeded = stream.inner.set_dictionary(part);
                debug_assert!(seeded.is_ok(), "nothing of a message is in the stream");
            }
        }
        self.at_work = true;
        self.empty = true;
    }

    /// Compresses a piece of the message behind what `output` has, and completes the message with the last. All but the last
    /// come out when the stream has collected enough of them.
    pub(crate) fn compress(&mut self, mut input: &[u8], last: bool, outgoing: Outgoing, output: &mut Vec<u8>) {
        self.at_work = !last;
        self.empty &= input.is_empty();
        if self.empty {
            // RFC 7692 7.2.3.6: a message without bytes is one. The stream has nothing to flush.
            if last {
                output.push(0);
            }
            return;
        }
        if outgoing.keeps_history() {
            self.history.add(input, outgoing.window());
        }
        let Some(Stream { inner: stream, .. }) = &mut self.stream else { return };
        // A flush that finds no room for all of what it ends with is made again: the block before it ends on its own.
        let flush = if last { DeflateFlush::Block } else { DeflateFlush::NoFlush };
        // Most text shrinks to less than that; where it doesn't, more room is made.
        let mut room = (input.len() / 2).clamp(64, 64 << 10);
        while step(stream, &mut input, room, flush, output) == room {
            room = (2 * room).min(64 << 10);
        }
        if last {
            step(stream, &mut input, FLUSH_ROOM, DeflateFlush::SyncFlush, output);
            // What every flush ends with isn't sent.
            debug_assert!(output.ends_with(&super::TAIL));
            output.truncate(output.len() - super::TAIL.len());
        }
    }

    /// Whether a message has begun that isn't complete.
    pub(crate) fn is_at_work(&self) -> bool {
        self.at_work
    }

    /// A message was sent compressed, but not by this: the peer's window has it.
    pub(crate) fn miss(&mut self, message: &[u8], outgoing: Outgoing) {
        self.behind = true;
        if outgoing.keeps_history() {
            self.history.add(message, outgoing.window());
        }
    }

    /// Between messages, the stream can serve other connections where the history is kept.
    pub(crate) fn return_to(&mut self, spare: &mut Compressors, outgoing: Outgoing) {
        if !self.at_work && outgoing.keeps_history() {
            spare.put(self.stream.take());
        }
    }
}

impl Compressors {
    /// What holds a stream at work.
    pub(crate) fn shell(&mut self) -> Option<Box<Compressor>> {
        self.shell.take()
    }

    /// Takes back what is of no more use to its connection.
    pub(crate) fn put_away(&mut self, mut compressor: Box<Compressor>) {
        self.put(compressor.stream.take());
        self.shell = Some(compressor);
    }

    fn take(&mut self, kind: Kind) -> Option<Stream> {
        let at = self.streams.iter().position(|stream| stream.kind == kind)?;
        Some(self.streams.swap_remove(at))
    }

    fn put(&mut self, stream: Option<Stream>) {
        if let Some(stream) = stream
            && self.streams.iter().all(|other| other.kind != stream.kind)
        {
            self.streams.push(stream);
        }
    }
}

impl Stream {
    /// `bits` is at least [`LEAST`].
    fn new(kind: Kind) -> Self {
        let config = DeflateConfig {
            level: kind.level.into(),
            // Below zero: without the header of zlib.
            window_bits: -i32::from(kind.bits),
            mem_level: kind.memory_level.into(),
            ..DeflateConfig::default()
        };
        Self { inner: zlib_rs::Deflate::new_with_config(config), kind }
    }
}

/// More than an empty block and the bits in front of it.
const FLUSH_ROOM: usize = 16;

/// Compresses into that much room behind what `output` has, and says how much came out: all of it where there is room left.
fn step(
    stream: &mut zlib_rs::Deflate,
    input: &mut &[u8],
    room: usize,
    flush: DeflateFlush,
    output: &mut Vec<u8>,
) -> usize {
    let start = output.len();
    output.resize(start + room, 0);
    let (total_in, total_out) = (stream.total_in(), stream.total_out());
    let compressed = stream.compress(input, &mut output[start..], flush);
    debug_assert!(compressed.is_ok(), "the stream is in a state of its own making");
    // Both are parts of slices.
    *input = &input[(stream.total_in() - total_in) as usize..];
    let made = (stream.total_out() - total_out) as usize;
    output.truncate(start + made);
    made
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.kind).finish()
    }
}
