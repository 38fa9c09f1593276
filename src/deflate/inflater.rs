//! Decompressing messages, whatever their blocks and however they are split (RFC 7692 section 7.2.2).
//!
//! An [`Inflater`] has a window of 32 KiB, whatever was negotiated. Between messages, connections therefore share
//! inflaters. Each keeps only a [`Window`](super::Window) of the negotiated size, to which the next message may refer.

use core::fmt;

use zlib_rs::{Inflate, InflateFlush};

use super::params::ReceiveCompression;

/// The error for bytes that are not valid DEFLATE data or end inside a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inflated {
    /// The number of bytes of the input that were consumed.
    pub(crate) consumed: usize,
    /// The number of bytes that were written.
    pub(crate) written: usize,
    /// The state of the stream after these bytes.
    pub(crate) status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The stream continues with more input or more space.
    Continues,
    /// A final block has ended. Another stream follows, which may refer to this one.
    StreamEnd,
    Corrupt,
}

/// The end of every flushed part of a DEFLATE stream, which is not sent (RFC 7692 section 7.2.1).
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// A decompressor.
pub(crate) struct Inflater {
    stream: Inflate,
}

impl Inflater {
    /// Creates an inflater, which is the same whatever was negotiated.
    pub(crate) fn new(_: ReceiveCompression) -> Self {
        Self { stream: Inflate::new(false, 15) }
    }

    /// Begins a stream after the bytes that it may refer to, in the order in which they were received.
    pub(crate) fn begin_stream<'a>(&mut self, dictionary: impl IntoIterator<Item = &'a [u8]>) {
        self.stream.reset(false);
        for bytes in dictionary {
            let seeded = self.stream.set_dictionary(bytes);
            debug_assert!(seeded.is_ok(), "a raw stream takes any dictionary");
        }
    }

    /// Inflates until the input is consumed or the space is full.
    pub(crate) fn inflate(&mut self, input: &[u8], space: &mut [u8]) -> Inflated {
        self.step(input, space, InflateFlush::SyncFlush)
    }

    /// Completes a message with the [`TAIL`]. Fails if the stream is not at the end of a message, which is at the
    /// header of an empty stored block. Afterwards the stream is after that block.
    pub(crate) fn finish_message(&mut self) -> Result<(), Corrupt> {
        let [a, b, c, d] = TAIL;
        // It stops after the block that the tail completes. If the tail completes none, it consumes one byte more.
        let end = self.step(&[a, b, c, d, 0], &mut [0], InflateFlush::Block);
        if end != (Inflated { consumed: TAIL.len(), written: 0, status: Status::Continues }) {
            return Err(Corrupt);
        }
        // Other blocks can end in the tail as well. They leave bits of its last byte over, which are ones. After such
        // bits, the next block is final or invalid. Without such bits, it is an empty stored block that is not final.
        match self.inflate(&[0, a, b, c, d], &mut [0]) {
            Inflated { consumed: 5, written: 0, status: Status::Continues } => Ok(()),
            // The block itself was final. The next message starts at the end of the stream.
            Inflated { consumed: 0, written: 0, status: Status::StreamEnd } => Ok(()),
            _ => Err(Corrupt),
        }
    }

    fn step(&mut self, input: &[u8], space: &mut [u8], flush: InflateFlush) -> Inflated {
        let (total_in, total_out) = (self.stream.total_in(), self.stream.total_out());
        let status = match self.stream.decompress(input, space, flush) {
            Ok(zlib_rs::Status::Ok | zlib_rs::Status::BufError) => Status::Continues,
            Ok(zlib_rs::Status::StreamEnd) => Status::StreamEnd,
            Err(_) => Status::Corrupt,
        };
        // Both counts are bounded by the lengths of slices.
        let consumed = (self.stream.total_in() - total_in) as usize;
        let written = (self.stream.total_out() - total_out) as usize;
        Inflated { consumed, written, status }
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

    fn inflate(inflater: &mut Inflater, input: &[u8]) -> (Vec<u8>, Status) {
        let mut space = vec![0; 1000];
        let out = inflater.inflate(input, &mut space);
        space.truncate(out.written);
        (space, out.status)
    }

    fn inflater() -> Inflater {
        let settings = crate::deflate::DeflateConfig::new();
        let (_, params) = settings.answer([&b"permessage-deflate"[..]]).unwrap();
        Inflater::new(params.directions(crate::role::Role::Server).0)
    }

    const INSIDE_A_HEADER: [u8; 17] =
        [0x04, 0xc0, 0x81, 0x1c, 0x80, 0x51, 0x10, 0x83, 0x70, 0xd6, 0xbf, 0xfb, 0xef, 0xf7, 0xfb, 0xfd, 0x7e];

    /// RFC 7692 section 7.2.3: the ends of the examples, and bytes that are not an end.
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
            // Inside the header of a dynamic block that ends within the last byte of the tail.
            (&INSIDE_A_HEADER, false),
            // The empty block is final.
            (&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x04], true),
        ] {
            let mut inflater = inflater();
            let mut status = inflate(&mut inflater, message).1;
            if status == Status::Continues && inflater.finish_message().is_err() {
                status = Status::Corrupt;
            }
            assert_eq!(status == Status::Continues, is_end, "{message:02x?}");
        }
    }

    #[test]
    fn a_stream_that_begins_anew_knows_the_past() {
        let mut inflater = inflater();
        let hello = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&mut inflater, &hello), (b"Hello".to_vec(), Status::StreamEnd));
        inflater.begin_stream([&b"Hel"[..], b"lo"]);
        assert_eq!(inflate(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]), (b"Hello".to_vec(), Status::Continues));
        assert_eq!(inflater.finish_message(), Ok(()));
        inflater.begin_stream([]);
        assert_eq!(inflate(&mut inflater, &[0xf2, 0x00, 0x11, 0x00, 0x00]).1, Status::Corrupt);
    }
}
