//! Bytes → compressed bytes (RFC 7692 7.2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{DeflateConfig, DeflateFlush};

use super::Deflate;
use super::settings::LEAST;

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

    pub(super) fn new(bits: u8, takeover: bool) -> Self {
        Self { bits, takeover, on: true }
    }

    pub(crate) fn bits(self) -> u8 {
        self.bits
    }

    /// Whether a message may refer to those before it.
    pub(crate) fn takeover(self) -> bool {
        self.takeover
    }

    /// Whether there is a compressor for such a window, and it is wanted.
    pub(crate) fn compresses(self) -> bool {
        self.on && self.bits >= LEAST
    }
}

/// What a compressor is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    bits: u8,
    level: u8,
    memory_level: u8,
}

/// A compressor, and the window that it keeps.
pub(crate) struct Compressor {
    stream: zlib_rs::Deflate,
    kind: Kind,
    /// It isn't in step with the peer's window: it forgets its own before the next message.
    behind: bool,
    at_work: bool,
    /// Nothing of the message under way has been taken in yet.
    empty: bool,
}

impl Compressor {
    /// `bits` is at least [`LEAST`].
    pub(crate) fn new(bits: u8, settings: &Deflate) -> Box<Self> {
        let kind = Kind { bits, level: settings.level, memory_level: settings.memory_level };
        Box::new(Self::of(kind))
    }

    fn of(kind: Kind) -> Self {
        let config = DeflateConfig {
            level: kind.level.into(),
            // Below zero: without the header of zlib.
            window_bits: -i32::from(kind.bits),
            mem_level: kind.memory_level.into(),
            ..DeflateConfig::default()
        };
        Self { stream: zlib_rs::Deflate::new_with_config(config), kind, behind: false, at_work: false, empty: true }
    }

    /// The next message refers to none before it.
    pub(crate) fn fall_behind(&mut self) {
        self.behind = true;
    }

    /// Begins a message.
    pub(crate) fn begin(&mut self) {
        if self.behind {
            self.stream.reset();
            self.behind = false;
        }
        self.at_work = true;
        self.empty = true;
    }

    /// Whether a message has begun that isn't complete.
    pub(crate) fn is_at_work(&self) -> bool {
        self.at_work
    }

    /// Compresses a piece of the message behind what `output` has, and completes the message with the last. All but the last
    /// come out when the compressor has collected enough of them.
    pub(crate) fn compress(&mut self, mut input: &[u8], last: bool, output: &mut Vec<u8>) {
        self.at_work = !last;
        self.empty &= input.is_empty();
        if self.empty {
            // RFC 7692 7.2.3.6: a message without bytes is one. The compressor has nothing to flush.
            if last {
                output.push(0);
            }
            return;
        }
        let flush = if last { DeflateFlush::SyncFlush } else { DeflateFlush::NoFlush };
        // Most text shrinks to less than that; where it doesn't, more room is made.
        let mut room = (input.len() / 2).clamp(64, 64 << 10);
        loop {
            let start = output.len();
            output.resize(start + room, 0);
            let (total_in, total_out) = (self.stream.total_in(), self.stream.total_out());
            let compressed = self.stream.compress(input, &mut output[start..], flush);
            debug_assert!(compressed.is_ok(), "the compressor is in a state of its own making");
            // Both are parts of slices.
            input = &input[(self.stream.total_in() - total_in) as usize..];
            let made = (self.stream.total_out() - total_out) as usize;
            output.truncate(start + made);
            // It stops where there is no room, and nowhere else.
            if made < room {
                break;
            }
            room = (2 * room).min(64 << 10);
        }
        if last {
            // What every flush ends with isn't sent.
            debug_assert!(output.ends_with(&super::TAIL));
            output.truncate(output.len() - super::TAIL.len());
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Compressors of connections that keep no context: one for every kind that a thread's connections agreed on.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "they are handed out and come back, and what is at work is in a box")]
pub(crate) struct Compressors(Vec<Box<Compressor>>);

impl Compressors {
    pub(crate) fn take(&mut self, bits: u8, settings: &Deflate) -> Option<Box<Compressor>> {
        let kind = Kind { bits, level: settings.level, memory_level: settings.memory_level };
        let at = self.0.iter().position(|compressor| compressor.kind == kind)?;
        Some(self.0.swap_remove(at))
    }

    pub(crate) fn put(&mut self, mut compressor: Box<Compressor>) {
        if self.0.iter().all(|other| other.kind != compressor.kind) {
            compressor.fall_behind();
            self.0.push(compressor);
        }
    }
}
