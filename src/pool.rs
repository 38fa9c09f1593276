//! The spare buffers of a thread, and the policy for retaining them.
//!
//! A pool hands out its largest buffer first, because that fits most messages. Bytes that stay with a connection, or go to
//! the caller as a message, move into a small buffer, so that a few bytes never occupy much memory. They move back into a
//! large one when more arrives. In a steady state, neither allocates.

use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

use crate::slices::part;

/// The maximum number of buffers in a pool: one for the output, one for a message, and some for payloads that the
/// caller still holds.
const MAX_BUFFERS: usize = 8;

/// The maximum total capacity of the buffers in a pool, unless the caller sets another.
pub(crate) const MAX_POOLED: usize = 4 << 20;

/// Buffers of up to this capacity may stay with a connection, or in a message, however few bytes they hold.
const MIN_SHRINK: usize = 4 << 10;

/// The spare buffers of a thread, for the connection that it is serving.
pub(crate) struct BufferPool {
    /// The largest at the end. While one connection is served, each keeps the bytes that were last in it: that saves setting
    /// bytes to zero that are overwritten anyway.
    buffers: Vec<Vec<u8>>,
    /// Some buffer keeps bytes.
    keeps_bytes: bool,
    total: usize,
    max_total: usize,
}

impl BufferPool {
    /// Sets the maximum total capacity of the buffers.
    pub(crate) fn set_max_total(&mut self, bytes: usize) {
        self.max_total = bytes;
    }

    /// Returns an empty buffer: the largest one, or a new one without capacity.
    #[inline]
    pub(crate) fn get(&mut self) -> Vec<u8> {
        let mut buffer = self.get_used();
        buffer.clear();
        buffer
    }

    /// Returns what [`get`](Self::get) does, but with the bytes that were last in it, to be overwritten.
    #[inline]
    pub(crate) fn get_used(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.total -= buffer.capacity();
        buffer
    }

    /// Forgets the bytes that the buffers keep, since they will serve another connection, which must not show them.
    #[inline]
    pub(crate) fn forget_bytes(&mut self) {
        if mem::take(&mut self.keeps_bytes) {
            self.buffers.iter_mut().for_each(Vec::clear);
        }
    }

    /// Puts a buffer that is no longer needed into the pool, or frees it if the pool is full.
    pub(crate) fn recycle(&mut self, buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        if capacity > 0 && self.total + capacity <= self.max_total && self.buffers.len() < MAX_BUFFERS {
            self.total += capacity;
            self.keeps_bytes |= !buffer.is_empty();
            self.buffers.push(buffer);
            // Nearly always it is the largest.
            let mut unsorted = &mut self.buffers[..];
            while let [shorter @ .., last] = unsorted
                && let Some(before) = shorter.last_mut()
                && before.capacity() > capacity
            {
                mem::swap(before, last);
                unsorted = shorter;
            }
        }
    }

    /// Moves the bytes of a buffer to the largest one, if that has at least the given capacity.
    pub(crate) fn grow(&mut self, data: &mut Vec<u8>, capacity: usize) {
        if self.has(capacity) {
            let mut larger = self.get();
            larger.extend_from_slice(data);
            self.recycle(mem::replace(data, larger));
        }
    }

    /// Moves the bytes from `start` on to a buffer of fitting size, if this one is much larger or there are no such
    /// bytes. Returns whether it did.
    pub(crate) fn shrink(&mut self, data: &mut Vec<u8>, start: usize) -> bool {
        let length = data.len() - start;
        if length > 0 && !is_much_larger(data.capacity(), length) {
            return false;
        }
        let mut fitting = self.get_fitting(length);
        fitting.extend_from_slice(part(data, start..));
        self.recycle(mem::replace(data, fitting));
        true
    }

    /// Does what [`grow`](Self::grow) does, for text.
    pub(crate) fn grow_text(&mut self, text: &mut String, capacity: usize) {
        if self.has(capacity) {
            let larger = self.get();
            self.replace_text(text, larger);
        }
    }

    /// Does what [`shrink`](Self::shrink) does, for a whole text.
    pub(crate) fn shrink_text(&mut self, text: &mut String) {
        if text.is_empty() || is_much_larger(text.capacity(), text.len()) {
            let fitting = self.get_fitting(text.len());
            self.replace_text(text, fitting);
        }
    }

    fn has(&self, capacity: usize) -> bool {
        self.buffers.last().is_some_and(|largest| largest.capacity() >= capacity)
    }

    fn replace_text(&mut self, text: &mut String, other: Vec<u8>) {
        let mut other = empty_text(other);
        other.push_str(text);
        self.recycle(mem::replace(text, other).into_bytes());
    }

    /// Returns a buffer for `length` bytes that may stay with a connection.
    fn get_fitting(&mut self, length: usize) -> Vec<u8> {
        if length == 0 {
            return Vec::new();
        }
        let fits = |buffer: &mut Vec<u8>| (length..=max_retained(length)).contains(&buffer.capacity());
        match self.buffers.extract_if(.., fits).next() {
            Some(mut buffer) => {
                self.total -= buffer.capacity();
                buffer.clear();
                buffer
            }
            None => Vec::with_capacity(length),
        }
    }
}

impl Default for BufferPool {
    fn default() -> Self {
        Self { buffers: Vec::new(), keeps_bytes: false, total: 0, max_total: MAX_POOLED }
    }
}

/// Returns the emptied buffer as text.
pub(crate) fn empty_text(mut buffer: Vec<u8>) -> String {
    buffer.clear();
    // An empty buffer is always valid UTF-8.
    String::from_utf8(buffer).unwrap_or_default()
}

/// Returns whether a buffer of that capacity is too large to stay with a connection, or in a message, for `length` bytes.
#[inline]
pub(crate) fn is_much_larger(capacity: usize, length: usize) -> bool {
    capacity > max_retained(length)
}

/// Returns the largest capacity that may stay with a connection, or in a message, for `length` bytes.
#[inline]
fn max_retained(length: usize) -> usize {
    length.saturating_mul(4).max(MIN_SHRINK)
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferPool")
            .field("buffers", &self.buffers.len())
            .field("total", &self.total)
            .field("max_total", &self.max_total)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn capacities(pool: &BufferPool) -> Vec<usize> {
        pool.buffers.iter().map(Vec::capacity).collect()
    }

    #[test]
    fn the_largest_buffer_is_given_first() {
        let mut pool = BufferPool::default();
        for capacity in [300, 100, 200] {
            pool.recycle(Vec::with_capacity(capacity));
        }
        assert_eq!(capacities(&pool), [100, 200, 300]);
        assert_eq!(pool.get().capacity(), 300);
        assert_eq!(pool.total, 300);
    }

    /// A pool is bounded in bytes and in buffers, and holds none without memory.
    #[test]
    fn what_a_pool_retains_is_bounded() {
        let mut pool = BufferPool::default();
        pool.set_max_total(1000);
        pool.recycle(Vec::new());
        pool.recycle(Vec::with_capacity(1001));
        assert!(capacities(&pool).is_empty());
        pool.recycle(Vec::with_capacity(1000));
        pool.recycle(Vec::with_capacity(1));
        assert_eq!(capacities(&pool), [1000]);
        assert_eq!(pool.get().capacity(), 1000);
        for _ in 0..20 {
            pool.recycle(Vec::with_capacity(10));
        }
        assert_eq!(pool.buffers.len(), MAX_BUFFERS);
        assert_eq!(pool.total, 10 * MAX_BUFFERS);
    }

    /// Bytes that stay with a connection are in a buffer of at most four times their number, or 4 KiB.
    #[test]
    fn few_bytes_stay_in_a_small_buffer() {
        for (capacity, length, is_moved) in [
            (MIN_SHRINK, 1, false),
            (MIN_SHRINK + 1, 1, true),
            (MIN_SHRINK + 1, 0, true),
            (4 * MIN_SHRINK, MIN_SHRINK, false),
            (4 * MIN_SHRINK + 1, MIN_SHRINK, true),
        ] {
            let mut pool = BufferPool::default();
            pool.set_max_total(usize::MAX);
            let mut data = Vec::with_capacity(capacity);
            data.extend(vec![b'x'; length]);
            let mut text = empty_text(Vec::with_capacity(capacity));
            text.extend(vec!['x'; length]);
            pool.shrink(&mut data, 0);
            pool.shrink_text(&mut text);
            let expected = if is_moved { length } else { capacity };
            assert_eq!((data.capacity(), data.len()), (expected, length), "{capacity}, {length}");
            assert_eq!((text.capacity(), text.len()), (expected, length), "{capacity}, {length}");
            assert_eq!(pool.buffers.len(), if is_moved { 2 } else { 0 });
        }
    }

    /// Bytes move between a large buffer and a small one without an allocation, once both are there.
    #[test]
    fn shrinking_and_growing_exchange_buffers() {
        let mut pool = BufferPool::default();
        pool.recycle(Vec::with_capacity(100));
        let mut data = Vec::with_capacity(2 * MIN_SHRINK);
        data.extend(b"..seven..");
        pool.shrink(&mut data, 2);
        assert_eq!((data.capacity(), &data[..]), (100, &b"seven.."[..]));
        pool.grow(&mut data, 101);
        assert_eq!((data.capacity(), &data[..]), (2 * MIN_SHRINK, &b"seven.."[..]));
        assert_eq!(capacities(&pool), [100]);
        pool.grow(&mut data, 2 * MIN_SHRINK + 1);
        assert_eq!((data.capacity(), &data[..]), (2 * MIN_SHRINK, &b"seven.."[..]));
        assert_eq!(pool.total, 100);
        let mut text = String::from("seven..");
        pool.grow_text(&mut text, 100);
        assert_eq!((text.capacity(), &text[..]), (100, "seven.."));
        pool.grow_text(&mut text, 101);
        assert_eq!((text.capacity(), &text[..]), (100, "seven.."));
        assert_eq!(capacities(&pool), [7]);
    }

    /// Its bytes are still in the cache of the processor.
    #[test]
    fn of_equal_buffers_the_last_is_given_first() {
        let mut pool = BufferPool::default();
        for byte in 0..3 {
            pool.recycle(vec![byte; 100]);
        }
        assert_eq!(pool.get_used(), [2; 100]);
        assert_eq!(pool.get_used(), [1; 100]);
    }
}
