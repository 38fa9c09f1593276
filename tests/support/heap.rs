//! An allocator that counts, for each thread separately.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

pub(crate) struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The effect of some work on the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heap {
    /// The number of allocations, including reallocations.
    pub(crate) allocations: usize,
    /// Bytes held now that weren't held before.
    pub(crate) kept: isize,
    /// The most bytes held beyond those held before.
    pub(crate) peak: usize,
}

/// Runs the function, and returns its effect on the heap.
pub(crate) fn heap_of<T>(work: impl FnOnce() -> T) -> (T, Heap) {
    let (allocations, live) = (ALLOCATIONS.get(), LIVE.get());
    PEAK.set(live);
    let result = work();
    let heap = Heap {
        allocations: ALLOCATIONS.get() - allocations,
        kept: LIVE.get() - live,
        peak: (PEAK.get() - live).unsigned_abs(),
    };
    (result, heap)
}

fn count(allocations: usize, bytes: isize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + allocations);
    LIVE.set(LIVE.get() + bytes);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

#[allow(clippy::cast_possible_wrap)]
// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}
