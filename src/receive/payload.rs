//! The payload of a frame, or the part of it that is in the input.

use alloc::vec::Vec;

use crate::deflate::ReceiveCompression;
use crate::frame::{self, MessageKind, OpCode};

/// A contiguous part of one frame's payload. It is the whole payload if the input contains all of it.
#[derive(Debug)]
pub(super) struct Payload<'b> {
    pub(super) frame: FrameType,
    pub(super) fin: bool,
    /// The number of missing bytes of the frame.
    pub(super) rest: u64,
    /// The total size that the frames of the message have declared so far, or the size of a control frame.
    pub(super) declared: u64,
    /// The bytes in the input, still masked. They are unmasked in place or while they are copied.
    pub(super) bytes: &'b mut [u8],
    /// The masking key, starting at the first byte, if the frame is masked.
    pub(super) key: Option<[u8; 4]>,
}

/// The type of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) enum FrameType {
    /// A data frame of a message of this kind, with its compression, if any.
    Data(MessageKind, Option<ReceiveCompression>),
    Control(OpCode),
}

/// The number of bytes that are unmasked before they are validated and copied, which should fit into a first-level
/// cache. For 1 MiB of Chinese text in inputs of 64 KiB, blocks of 1, 8, 16 and 64 KiB cost 1.62, 1.13, 1.10 and 1.07
/// million instructions, and 16, 17, 18 and 50 thousand misses of a cache of 32 KiB (callgrind `--cache-sim=yes`,
/// `tests/work/growth`).
const UNMASK_BLOCK: usize = 8 << 10;

impl<'b> Payload<'b> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether it ends its message.
    #[inline]
    pub(super) fn ends_message(&self) -> bool {
        self.fin && self.rest == 0
    }

    /// Returns whether it is all of its message or control frame.
    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.ends_message() && self.declared == self.bytes.len() as u64
    }

    /// Returns the payload, unmasked in place.
    #[inline]
    pub(super) fn unmasked(self) -> &'b mut [u8] {
        if let Some(key) = self.key {
            frame::mask(self.bytes, key);
        }
        self.bytes
    }

    /// Returns the payload in blocks, each unmasked in place.
    #[inline]
    pub(super) fn unmasked_blocks(self) -> impl Iterator<Item = &'b [u8]> {
        self.bytes.chunks_mut(UNMASK_BLOCK).map(move |block| {
            // The length of a block is a multiple of the key's, so every block starts with the same key.
            if let Some(key) = self.key {
                frame::mask(block, key);
            }
            &*block
        })
    }

    /// Appends the payload to `data`, which has capacity for it, unmasking it while it is copied. The payload replaces
    /// the last `ahead` bytes of `data`: if it is shorter than them, it overwrites the first ones, otherwise all of
    /// them are removed.
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
