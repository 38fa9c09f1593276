//! The payload of a frame, as far as it lies in the input.

use alloc::vec::Vec;

use crate::deflate::ReceiveCompression;
use crate::frame::{self, MessageKind, OpCode};

/// A contiguous part of one frame's payload: all of it, when it lies whole in the input.
#[derive(Debug)]
pub(super) struct Payload<'b> {
    pub(super) frame: FrameType,
    pub(super) fin: bool,
    /// The number of bytes of the frame that are still to come.
    pub(super) rest: u64,
    /// The number of bytes that the message has declared so far, all its frames together; or those of a control frame.
    pub(super) declared: u64,
    /// As it lies in the input: it is unmasked there, or on the way to where it goes.
    pub(super) bytes: &'b mut [u8],
    /// The masking key for its first byte, unless the frame isn't masked.
    pub(super) key: Option<[u8; 4]>,
}

/// What a frame belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum FrameType {
    /// To a message, which is of that kind; and how it is compressed, if it is.
    Data(MessageKind, Option<ReceiveCompression>),
    Control(OpCode),
}

/// How much is unmasked before it is checked and copied: what stays in a first-level cache for that. For 1 MiB of Chinese text
/// in inputs of 64 KiB, blocks of 1, 8, 16 and 64 KiB cost 1.62, 1.13, 1.10 and 1.07 million instructions, and 16, 17, 18 and
/// 50 thousand misses of a cache of 32 KiB (callgrind `--cache-sim=yes`, `tests/work/growth`).
const UNMASK_BLOCK: usize = 8 << 10;

impl<'b> Payload<'b> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it ends its message.
    #[inline]
    pub(super) fn ends_message(&self) -> bool {
        self.fin && self.rest == 0
    }

    /// Whether it is all of its message, or of its control frame.
    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.ends_message() && self.declared == self.bytes.len() as u64
    }

    /// The payload, unmasked where it lies.
    #[inline]
    pub(super) fn unmasked(self) -> &'b mut [u8] {
        if let Some(key) = self.key {
            frame::mask(self.bytes, key);
        }
        self.bytes
    }

    /// The payload, unmasked where it lies, block by block.
    #[inline]
    pub(super) fn unmasked_blocks(self) -> impl Iterator<Item = &'b [u8]> {
        self.bytes.chunks_mut(UNMASK_BLOCK).map(move |block| {
            // A block is whole keys long: each begins as the first does.
            if let Some(key) = self.key {
                frame::mask(block, key);
            }
            &*block
        })
    }

    /// Appends the payload to `data`, which has capacity for it, and unmasks it on the way. Of the last `ahead` bytes of
    /// `data`, those that the payload takes the place of are overwritten; if it needs more, all of them are removed.
    #[inline]
    pub(super) fn append_to(self, data: &mut Vec<u8>, ahead: usize) {
        let start = data.len() - ahead;
        if let Some(place) = data.get_mut(start..start + self.bytes.len()) {
            match self.key {
                Some(key) => frame::copy_masked(place, self.bytes, key),
                None => place.copy_from_slice(self.bytes),
            }
            return;
        }
        data.truncate(start);
        match self.key {
            Some(key) => frame::append_masked(data, self.bytes, key),
            None => data.extend_from_slice(self.bytes),
        }
    }
}
