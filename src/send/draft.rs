//! Frames whose payload is written into the output before its length is known.

use alloc::vec::Vec;

use bytes::Buf;

use super::Output;
use crate::frame::{Header, mask};
use crate::rng::MaskKeys;
use crate::slices::{copy_to, part, part_mut};

/// An incomplete frame at the end of the output. Unless it is [sent](Self::send), it is removed on drop.
///
/// Space for the header is reserved before the payload. In an empty output that is space for the longest header, and
/// the unused part is skipped. After other bytes it is space for the header of the expected length, and the payload is
/// moved if that was wrong.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    output: &'a mut Output,
    /// The position of the frame in the output's buffer.
    start: usize,
    /// The number of bytes reserved for the header.
    gap: usize,
    is_first: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(output: &'a mut Output, expected_length: usize, is_masked: bool) -> Self {
        let is_first = !output.has_remaining();
        let expected_length = if is_first { usize::MAX } else { expected_length };
        let gap = Header::size(expected_length, is_masked);
        output.reserve(gap);
        let buffer = output.buffer();
        let start = buffer.len();
        buffer.resize(start + gap, 0);
        Self { output, start, gap, is_first }
    }

    /// Returns the output's buffer, to append the payload to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        self.output.buffer()
    }

    /// Returns the payload that was appended.
    pub(super) fn payload(&mut self) -> &[u8] {
        let from = self.start + self.gap;
        part(self.output.buffer(), from..)
    }

    /// Completes the frame: writes the header and, on a client, masks the payload.
    pub(super) fn send(mut self, first_byte: u8, keys: Option<&mut MaskKeys>) {
        let length = self.payload().len();
        let key = keys.map(MaskKeys::next);
        let size = Header::size(length, key.is_some());
        if self.is_first {
            self.output.skip(self.gap - size);
            self.start += self.gap - size;
        } else {
            self.move_payload(size);
        }
        let frame = part_mut(self.output.buffer(), self.start..);
        let mut at = 0;
        Header::put(first_byte, length, key, |piece| {
            copy_to(frame, at, piece);
            at += piece.len();
        });
        if let Some(key) = key {
            mask(part_mut(frame, size..), key);
        }
        // Nothing is left for `drop` to remove.
        self.start = self.output.buffer().len();
    }

    /// Moves the payload to the end of a header of that size.
    fn move_payload(&mut self, size: usize) {
        let Self { start, gap, .. } = *self;
        let buffer = self.output.buffer();
        let length = buffer.len();
        // Neither distance is above the length of what is rotated, which contains it.
        if size > gap {
            buffer.resize(length + (size - gap), 0);
            let place = part_mut(buffer, start + gap..);
            place.rotate_right((size - gap).min(place.len()));
        } else if size < gap {
            let place = part_mut(buffer, start + size..);
            place.rotate_left((gap - size).min(place.len()));
            buffer.truncate(length - (gap - size));
        }
    }
}

impl Drop for Draft<'_> {
    /// Removes an unsent frame, even if a panic interrupted its writing.
    fn drop(&mut self) {
        self.output.truncate(self.start);
    }
}
