//! The implementation of [`Buf`] for an output.

use bytes::Buf;

use super::Output;
use crate::slices::part;

impl Buf for Output {
    #[inline]
    fn remaining(&self) -> usize {
        let chained = self.chain.as_ref().map_or(0, |chain| chain.remaining());
        self.buffer.len() - self.sent + chained
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match self.chain.as_ref().and_then(|chain| chain.front()) {
            None => part(&self.buffer, self.sent..),
            Some((offset, payload)) if offset == self.sent => payload,
            Some((offset, _)) => part(&self.buffer, self.sent..offset),
        }
    }

    /// Marks the next `count` bytes as sent, or all of them if fewer are pending.
    #[inline]
    fn advance(&mut self, count: usize) {
        if self.is_chained() {
            let rest = self.advance_chained(count);
            self.sent += rest.min(self.buffer.len() - self.sent);
        } else {
            self.sent += count.min(self.buffer.len() - self.sent);
        }
        self.on_sent(count);
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let total = slices.len();
        let mut free = slices.iter_mut();
        let mut fill = |chunk: &'a [u8]| {
            if !chunk.is_empty()
                && let Some(slice) = free.next()
            {
                *slice = std::io::IoSlice::new(chunk);
            }
        };
        let mut start = self.sent;
        if let Some(chain) = &self.chain {
            // Each payload fills a slice, so no more payloads than slices are needed.
            for (offset, payload) in chain.iter().take(total) {
                fill(part(&self.buffer, start..offset));
                fill(payload);
                start = offset;
            }
        }
        fill(part(&self.buffer, start..));
        total - free.len()
    }
}
