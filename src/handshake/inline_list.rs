//! A list of known length that needs no allocation if it is short.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// The maximum number of elements without an allocation: more than most heads have lines.
const INLINE_ELEMENTS: usize = 26;

/// A list whose length is known when it is created.
pub(crate) struct InlineList<T> {
    inline: [T; INLINE_ELEMENTS],
    /// The elements if the list is longer than `inline`, otherwise empty.
    heap: Vec<T>,
    length: usize,
}

impl<T: Copy> InlineList<T> {
    /// Creates a list of `length` copies of an element.
    #[inline]
    pub(crate) fn new(element: T, length: usize) -> Self {
        let mut heap = Vec::new();
        if length > INLINE_ELEMENTS {
            heap.resize(length, element);
        }
        Self { inline: [element; INLINE_ELEMENTS], heap, length }
    }
}

impl<T> Deref for InlineList<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        if self.length > INLINE_ELEMENTS { &self.heap } else { &self.inline[..self.length] }
    }
}

impl<T> DerefMut for InlineList<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        if self.length > INLINE_ELEMENTS { &mut self.heap } else { &mut self.inline[..self.length] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_their_length_and_elements() {
        for length in [0, 1, INLINE_ELEMENTS - 1, INLINE_ELEMENTS, INLINE_ELEMENTS + 1, 1000] {
            let mut list = InlineList::new(7, length);
            assert_eq!(*list, *alloc::vec![7; length]);
            if let Some(last) = list.last_mut() {
                *last = 8;
                assert_eq!(list[length - 1], 8);
            }
        }
    }
}
