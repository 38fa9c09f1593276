//! All the memory of the program: an array in which `linked_list_allocator` uses the first gap that fits, and
//! counters of its use.
//!
//! If your program allocates in interrupts, use `embedded-alloc` instead: it is the same list, in a critical
//! section.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use linked_list_allocator::{Heap, LockedHeap};

pub struct Arena<const SIZE: usize> {
    heap: LockedHeap,
    memory: Memory<SIZE>,
    most: AtomicUsize,
    reach: AtomicUsize,
}

#[repr(align(16))]
struct Memory<const SIZE: usize>(UnsafeCell<[MaybeUninit<u8>; SIZE]>);

// SAFETY: only the heap accesses it, and the heap is locked.
unsafe impl<const SIZE: usize> Sync for Memory<SIZE> {}

impl<const SIZE: usize> Arena<SIZE> {
    pub const fn new() -> Self {
        Self {
            heap: LockedHeap::empty(),
            memory: Memory(UnsafeCell::new([MaybeUninit::uninit(); SIZE])),
            most: AtomicUsize::new(0),
            reach: AtomicUsize::new(0),
        }
    }

    /// The number of bytes in use.
    pub fn used(&self) -> usize {
        self.heap.lock().used()
    }

    /// The most bytes in use since this was last called.
    pub fn most(&self) -> usize {
        self.most.swap(self.used(), Relaxed)
    }

    /// The end of the highest block that was ever used, gaps included: an arena of that size would have been enough.
    pub fn reach(&self) -> usize {
        self.reach.load(Relaxed)
    }

    fn start(&self) -> *mut u8 {
        self.memory.0.get().cast()
    }

    fn allocate(&self, heap: &mut Heap, layout: Layout) -> Option<NonNull<u8>> {
        if heap.size() == 0 {
            // SAFETY: the memory is used by nothing else, and lives as long as the heap. This happens once.
            unsafe { heap.init(self.start(), SIZE) };
        }
        let place = heap.allocate_first_fit(layout).ok()?;
        self.most.fetch_max(heap.used(), Relaxed);
        self.reach.fetch_max(place.as_ptr() as usize + layout.size() - self.start() as usize, Relaxed);
        Some(place)
    }
}

impl<const SIZE: usize> Default for Arena<SIZE> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: the heap's own allocations, with the same rules; the counters change none of them.
unsafe impl<const SIZE: usize> GlobalAlloc for Arena<SIZE> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocate(&mut self.heap.lock(), layout).map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that it was allocated here, with that layout.
        unsafe { GlobalAlloc::dealloc(&self.heap, place, layout) }
    }
}
