//! Parts of slices whose bounds are right by construction, without a branch that can panic.
//!
//! A wrong bound is a defect of this crate. The tests then fail. A release goes on with nothing instead, because a
//! panic would end a thread that serves other connections as well. `tests/panics/run` counts the panics that are left.

use core::slice::SliceIndex;

/// Returns a part of a slice that has it.
#[inline(always)]
pub(crate) fn part<T, I: SliceIndex<[T], Output = [T]>>(slice: &[T], range: I) -> &[T] {
    slice.get(range).unwrap_or_else(|| {
        debug_assert!(false, "the range is within the slice");
        &[]
    })
}

/// Returns a part of a slice that has it.
#[inline(always)]
pub(crate) fn part_mut<T, I: SliceIndex<[T], Output = [T]>>(slice: &mut [T], range: I) -> &mut [T] {
    slice.get_mut(range).unwrap_or_else(|| {
        debug_assert!(false, "the range is within the slice");
        &mut []
    })
}

/// Returns a part of a text that has it, between two characters.
#[inline]
pub(crate) fn part_of_text<I: SliceIndex<str, Output = str>>(text: &str, range: I) -> &str {
    text.get(range).unwrap_or_else(|| {
        debug_assert!(false, "the range is within the text");
        ""
    })
}

/// Copies bytes to a position where there is space for them.
#[inline(always)]
pub(crate) fn copy_to(space: &mut [u8], position: usize, bytes: &[u8]) {
    match space.get_mut(position..position + bytes.len()) {
        Some(space) => space.copy_from_slice(bytes),
        None => debug_assert!(false, "the bytes fit"),
    }
}
