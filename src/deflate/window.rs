//! The sliding window (RFC 1951 section 2): the last bytes of the messages so far, up to the negotiated size.

use alloc::vec::Vec;

use crate::slices::{copy_to, part};

/// The last bytes of the messages so far, to which the next message may refer.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    /// The position of the oldest byte, once the window is full.
    start: usize,
}

impl Window {
    /// Returns the bytes in the order in which they were added.
    pub(crate) fn slices(&self) -> [&[u8]; 2] {
        [part(&self.bytes, self.start..), part(&self.bytes, ..self.start)]
    }

    /// Adds bytes. Only the last `size` bytes of the window are kept.
    pub(crate) fn add(&mut self, bytes: &[u8], size: usize) {
        if bytes.len() >= size {
            self.clear();
            self.bytes.reserve_exact(size);
            self.bytes.extend_from_slice(&bytes[bytes.len() - size..]);
            return;
        }
        let free = size - self.bytes.len();
        let (new, over) = bytes.split_at(free.min(bytes.len()));
        self.reserve(new.len(), size);
        self.bytes.extend_from_slice(new);
        // The oldest bytes are replaced in place, so there is no gap at the end.
        let (to_end, around) = over.split_at(over.len().min(size - self.start));
        copy_to(&mut self.bytes, self.start, to_end);
        copy_to(&mut self.bytes, 0, around);
        if !over.is_empty() {
            self.start = (self.start + over.len()) % size;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
    }

    /// Grows with the bytes added, up to the size of the window.
    fn reserve(&mut self, additional: usize, size: usize) {
        let needed = self.bytes.len() + additional;
        if needed > self.bytes.capacity() {
            let capacity = needed.max(2 * self.bytes.capacity()).min(size);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_last_bytes() {
        for window in [1, 5, 8] {
            for size in 0..20 {
                let mut kept = Window::default();
                let mut all = Vec::new();
                for round in 0..10u8 {
                    let bytes: Vec<u8> = (0..size).map(|i| round * 20 + i).collect();
                    kept.add(&bytes, window);
                    all.extend(bytes);
                    assert_eq!(kept.slices().concat(), all[all.len().saturating_sub(window)..]);
                    assert!(kept.bytes.capacity() <= window);
                }
            }
        }
    }

    /// Otherwise many small messages would each copy all bytes.
    #[test]
    fn it_doubles() {
        let mut kept = Window::default();
        let mut capacities = Vec::new();
        for _ in 0..5000 {
            kept.add(b"x", 4096);
            capacities.push(kept.bytes.capacity());
        }
        capacities.dedup();
        assert!(capacities.len() <= 14, "{capacities:?}");
        assert_eq!(capacities.last(), Some(&4096));
    }
}
