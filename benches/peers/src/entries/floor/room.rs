//! A buffer that grows, is never cleared, and begins at a cache line.

use super::mask::CACHE_LINE;

#[derive(Default)]
pub(super) struct Room {
    bytes: Vec<u8>,
    start: usize,
}

impl Room {
    /// At least so many bytes, with what has been written to them.
    #[inline(always)]
    pub(super) fn at_least(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < self.start + length {
            self.grow(length);
        }
        &mut self.bytes[self.start..]
    }

    #[inline(always)]
    pub(super) fn get(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    #[cold]
    fn grow(&mut self, length: usize) {
        let mut bytes = vec![0; length.next_power_of_two() + CACHE_LINE];
        let start = bytes.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
        let old = self.get();
        bytes[start..start + old.len()].copy_from_slice(old);
        *self = Self { bytes, start };
    }
}
