//! What the connections take: the bytes of the heap are counted, and one line on SIGUSR1 says whose they are.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use signal_hook::consts::SIGUSR1;
use slab::Slab;
use websocket_proto::{Connection, Scratch};

use crate::deadlines::Deadlines;
use crate::peer::Peer;

pub struct Account {
    /// The signal has come. It also ends the wait for readiness, so that the loop looks at this.
    asked: Arc<AtomicBool>,
    /// What was on the heap on the first turn of the loop, before the first connection.
    before: Option<usize>,
}

impl Account {
    pub fn open() -> io::Result<Self> {
        let asked = Arc::default();
        signal_hook::flag::register(SIGUSR1, Arc::clone(&asked))?;
        Ok(Self { asked, before: None })
    }

    /// What is on the heap is the server's lists, what the scratch holds, or else what the connections own.
    pub fn show_if_asked(&mut self, peers: &Slab<Peer>, deadlines: &Deadlines, scratch: &mut Option<Box<Scratch>>) {
        let before = *self.before.get_or_insert_with(heap);
        if !self.asked.swap(false, Relaxed) {
            return;
        }
        let held = heap();
        // An empty scratch again, as in the beginning: what that frees is what it held.
        *scratch = Some(Box::new(Scratch::new()));
        let scratch = held - heap();
        let lists = list_of_peers(peers.capacity()) + deadlines.size();
        let owned = heap() - before - lists;
        println!(
            "mio: {} connections of {} bytes own {owned} bytes of heap; the scratch held {scratch}, the lists {lists} \
             (a peer, its connection included: {})",
            peers.len(),
            size_of::<Connection>(),
            list_of_peers(1),
        );
    }
}

/// The heap that a list with room for so many takes.
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

// SAFETY: every call is handed to the system's allocator as it is.
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
