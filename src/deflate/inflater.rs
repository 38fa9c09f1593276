//! Compressed bytes → bytes, whatever blocks they are in and wherever they are cut (RFC 7692 7.2.2).
//!
//! An [`Inflater`] has a window of 32 KiB whatever was agreed on, so connections share those that aren't at work, and keep
//! the [`History`](super::History) that the next message may refer to: exactly as much as the agreed window.

use core::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::TAIL;
use super::settings::LEAST;

/// What was agreed on for the messages that come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incoming {
    bits: u8,
    takeover: bool,
}

impl Incoming {
    pub(super) fn new(bits: u8, takeover: bool) -> Self {
        Self { bits, takeover }
    }

    pub(super) fn bits(self) -> u8 {
        self.bits
    }

    /// Whether a message may refer to those before it.
    pub(crate) fn takeover(self) -> bool {
        self.takeover
    }

    /// How far back: compressors that begin at 9 bits say 8 and mean that.
    pub(crate) fn window(self) -> usize {
        1 << self.bits.max(LEAST)
    }
}

/// The bytes aren't DEFLATE, or end inside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// What became of some input and some room for output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inflated {
    /// How many bytes of the input are used up.
    pub(crate) taken: usize,
    /// How many bytes came out.
    pub(crate) made: usize,
    /// What else is to be said, once these bytes are looked at.
    pub(crate) then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// More comes with more input or more room.
    GoOn,
    /// A final block has ended: another stream follows, which may refer to this one.
    Ended,
    Corrupt,
}

/// A decompressor.
pub(crate) struct Inflater {
    stream: Inflate,
}

impl Inflater {
    pub(crate) fn new() -> Self {
        Self { stream: Inflate::new(false, 15) }
    }

    /// Begins a stream behind bytes that it may refer to, in the order of their coming.
    pub(crate) fn begin<'a>(&mut self, past: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Corrupt> {
        self.stream.reset(false);
        for bytes in past {
            self.stream.set_dictionary(bytes).map_err(|_| Corrupt)?;
        }
        Ok(())
    }

    /// Inflates as much as there is input, and room for what comes out.
    pub(crate) fn inflate(&mut self, input: &[u8], room: &mut [u8]) -> Inflated {
        self.step(input, room, InflateFlush::SyncFlush)
    }

    /// Whether the stream is at the end of a message: all its bytes but the [`TAIL`] have been taken in, and lack nothing
    /// else to end with an empty block. Afterwards it is behind that.
    pub(crate) fn finish(&mut self) -> Result<(), Corrupt> {
        // It stops behind the block that the tail completes, and takes one byte more where that isn't one.
        let [a, b, c, d] = TAIL;
        let end = self.step(&[a, b, c, d, 0], &mut [0], InflateFlush::Block);
        if (Inflated { taken: TAIL.len(), made: 0, then: Then::GoOn }) == end { Ok(()) } else { Err(Corrupt) }
    }

    fn step(&mut self, input: &[u8], room: &mut [u8], flush: InflateFlush) -> Inflated {
        let (total_in, total_out) = (self.stream.total_in(), self.stream.total_out());
        let then = match self.stream.decompress(input, room, flush) {
            Ok(Status::Ok | Status::BufError) => Then::GoOn,
            Ok(Status::StreamEnd) => Then::Ended,
            Err(_) => Then::Corrupt,
        };
        // Both are parts of slices.
        let taken = (self.stream.total_in() - total_in) as usize;
        let made = (self.stream.total_out() - total_out) as usize;
        Inflated { taken, made, then }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inflater(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    fn inflate(inflater: &mut Inflater, input: &[u8]) -> (Vec<u8>, Then) {
        let mut room = vec![0; 1000];
        let out = inflater.inflate(input, &mut room);
        room.truncate(out.made);
        (room, out.then)
    }

    /// RFC 7692 7.2.3: the ends of the examples, and what is no end.
    #[test]
    fn ends_of_messages() {
        for (message, is_end) in [
            (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], true),
            (&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00], true),
            (&[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00], true),
            (&[0x00], true),
            (&[], false),
            (&[0xf2, 0x48], false),
            (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07], false),
            (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], false),
            (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff], false),
        ] {
            let mut inflater = Inflater::new();
            let mut then = inflate(&mut inflater, message).1;
            if then == Then::GoOn && inflater.finish().is_err() {
                then = Then::Corrupt;
            }
            assert_eq!(then == Then::GoOn, is_end, "{message:02x?}");
        }
    }

    #[test]
    fn a_stream_that_begins_anew_knows_the_past() {
        let mut inflater = Inflater::new();
        let hello = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&mut inflater, &hello), (b"Hello".to_vec(), Then::Ended));
        inflater.begin([&b"Hel"[..], b"lo"]).unwrap();
        assert_eq!(inflate(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]), (b"Hello".to_vec(), Then::GoOn));
        assert_eq!(inflater.finish(), Ok(()));
        inflater.begin([]).unwrap();
        assert_eq!(inflate(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]).1, Then::Corrupt);
    }
}
