//! The memory of the connections: the bytes of the heap are counted, and SIGUSR1 prints one line that says what they
//! belong to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use slab::Slab;
use websocket_proto::{Connection, Scratch};

use crate::deadlines::Deadlines;
use crate::peer::Peer;

#[derive(Default)]
pub struct Account {
    /// The heap before the first connection.
    before: usize,
}

impl Account {
    pub fn begin(&mut self) {
        self.before = heap();
    }

    /// Prints how many bytes of the heap belong to the server's lists, to the scratch, and to the connections.
    pub fn print(
        &self,
        peers: &Slab<Peer>,
        deadlines: &Deadlines,
        queue: &VecDeque<usize>,
        scratch: &mut Option<Scratch>,
    ) {
        let held = heap();
        // An empty scratch again, as in the beginning: the bytes that this frees are those it held.
        *scratch = Some(Scratch::new());
        let scratch = held - heap();
        let lists = list_of_peers(peers.capacity()) + deadlines.size() + queue.capacity() * size_of::<usize>();
        let owned = heap().cast_signed() - self.before.cast_signed() - lists.cast_signed();
        println!(
            "mio: {} connections of {} bytes own {owned} bytes of heap; the scratch held {scratch}, the lists {lists} \
             (a peer, its connection included: {})",
            peers.len(),
            size_of::<Connection>(),
            list_of_peers(1),
        );
    }
}

/// The heap that a list with capacity for so many takes.
fn list_of_peers(capacity: usize) -> usize {
    let before = heap();
    let list = Slab::<Peer>::with_capacity(capacity);
    let size = heap() - before;
    drop(list);
    size
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static HEAP: AtomicUsize = AtomicUsize::new(0);

fn heap() -> usize {
    HEAP.load(Relaxed)
}

// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HEAP.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        HEAP.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HEAP.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        HEAP.fetch_add(size, Relaxed);
        HEAP.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}
