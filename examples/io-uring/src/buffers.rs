//! Buffers for the kernel to receive into. It picks one that is free, and returns it with a completion.

use std::io;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

/// The number of buffers, a power of two, and the size of each.
const BUFFERS: u16 = 256;
const BUFFER: usize = 16 << 10;

/// Their only group.
pub const GROUP: u16 = 0;

/// The buffers, and the ring of those that are free. They live as long as the process does.
pub struct Buffers {
    free: *mut BufRingEntry,
    memory: *mut u8,
    /// The number that were ever provided, which the kernel reads from the ring.
    provided: u16,
}

/// The alignment that the kernel wants for the ring of free buffers.
#[repr(C, align(4096))]
struct Page([u8; 4096]);

const _: () = assert!(size_of::<Page>() == BUFFERS as usize * size_of::<BufRingEntry>());

impl Buffers {
    pub fn register(uring: &IoUring) -> io::Result<Self> {
        let free = (&raw mut *Box::leak(Box::new(Page([0; 4096])))).cast();
        let memory = vec![0; usize::from(BUFFERS) * BUFFER].leak().as_mut_ptr();
        // SAFETY: a page, as large as that many entries, which is never freed, nor used but by this type.
        unsafe { uring.submitter().register_buf_ring_with_flags(free as u64, BUFFERS, GROUP, 0)? };
        let mut this = Self { free, memory, provided: 0 };
        (0..BUFFERS).for_each(|buffer| this.provide(buffer));
        Ok(this)
    }

    /// The part of a buffer that the kernel has filled. It belongs to nobody else until it is provided again, for which
    /// the borrow of this type has to end.
    pub fn filled(&mut self, buffer: u16, filled: usize) -> &mut [u8] {
        assert!(buffer < BUFFERS && filled <= BUFFER);
        // SAFETY: inside the memory, which is initialized; the kernel doesn't write to a buffer that it has completed.
        unsafe { slice::from_raw_parts_mut(self.memory.add(usize::from(buffer) * BUFFER), filled) }
    }

    /// Gives a buffer to the kernel.
    pub fn provide(&mut self, buffer: u16) {
        // SAFETY: one of as many entries as the page has, and the kernel doesn't read it until the count is updated
        // below. The buffer lies in the memory.
        unsafe {
            let entry = &mut *self.free.add(usize::from(self.provided % BUFFERS));
            entry.set_addr(self.memory.add(usize::from(buffer) * BUFFER) as u64);
            entry.set_len(BUFFER as u32);
            entry.set_bid(buffer);
        }
        self.provided = self.provided.wrapping_add(1);
        // SAFETY: the place that the kernel reads the count from lies in the first entry, and is aligned.
        let told = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.free).cast_mut()) };
        told.store(self.provided, Ordering::Release);
    }
}
