//! All the memory there is: an array, in which `linked_list_allocator` takes the first place that fits, and how full it
//! has been.
//!
//! A program that allocates in interrupts takes `embedded-alloc` instead: the same list in a critical section.

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

// SAFETY: only the heap touches it, which is locked.
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

    /// How many bytes are in use.
    pub fn used(&self) -> usize {
        self.heap.lock().used()
    }

    /// The most bytes that were in use since this was last asked.
    pub fn most(&self) -> usize {
        self.most.swap(self.used(), Relaxed)
    }

    /// Up to where the arena was ever used, gaps included: one of that size would have done.
    pub fn reach(&self) -> usize {
        self.reach.load(Relaxed)
    }

    fn start(&self) -> *mut u8 {
        self.memory.0.get().cast()
    }

    fn allocate(&self, heap: &mut Heap, layout: Layout) -> Option<NonNull<u8>> {
        if heap.size() == 0 {
            // SAFETY: the memory belongs to nobody else, and lives as long as the heap. This happens once.
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

// SAFETY: the heap's own allocations, whose rules are the same; what is counted beside changes none.
unsafe impl<const SIZE: usize> GlobalAlloc for Arena<SIZE> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.allocate(&mut self.heap.lock(), layout).map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that it was allocated here, with that layout.
        unsafe { GlobalAlloc::dealloc(&self.heap, place, layout) }
    }
}
