//! The ring, and all that is `unsafe` about it: the kernel reads and writes memory behind the compiler's back, so that
//! nobody may free it or look at it meanwhile.
//!
//! - Bytes to send are moved in, and kept until their completion hands them back.
//! - Buffers to receive into are the kernel's, but for one that a completion lends while it is handled.
//!
//! So nothing that a caller does with a [`Ring`] is unsafe.

use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener};
use std::os::fd::AsRawFd;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bytes::Bytes;
use io_uring::types::{BufRingEntry, Fd, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::ops::{Done, Input, Op, PLACES};

/// How many operations are collected before the kernel is told.
const QUEUE: u32 = 1024;

/// How many buffers there are to receive into, a power of two, and how large each is.
const BUFFERS: u16 = 256;
const BUFFER: usize = 16 << 10;

/// Their only group.
const GROUP: u16 = 0;

pub struct Ring {
    uring: IoUring,
    listener: TcpListener,
    /// By peer: what the kernel sends from.
    sending: Vec<Option<Bytes>>,
    buffers: Buffers,
}

/// What an operation was, as its completion tells: the peer stands in the bits above.
const IGNORED: u64 = 0;
const ACCEPT: u64 = 1;
const RECEIVE: u64 = 2;
const SEND: u64 = 3;
const CLOSE: u64 = 4;

const KIND_BITS: u32 = 8;

impl Ring {
    /// Fails where the kernel has no `io_uring`, an old one, or forbids it.
    pub fn new(listener: TcpListener) -> io::Result<Self> {
        let uring =
            IoUring::builder().setup_single_issuer().setup_defer_taskrun().setup_cqsize(4 * QUEUE).build(QUEUE)?;
        uring.submitter().register_files_sparse(PLACES as u32)?;
        let buffers = Buffers::register(&uring)?;
        Ok(Self { uring, listener, sending: vec![None; PLACES], buffers })
    }

    pub fn submit(&mut self, op: Op) -> io::Result<()> {
        let entry = match op {
            Op::Accept => {
                let listener = Fd(self.listener.as_raw_fd());
                opcode::AcceptMulti::new(listener).allocate_file_index(true).build().user_data(ACCEPT)
            }
            Op::Receive(peer) => opcode::RecvMulti::new(place(peer), GROUP).build().user_data(tag(RECEIVE, peer)),
            Op::StopReceiving(peer) => {
                opcode::AsyncCancel::new(tag(RECEIVE, peer)).build().user_data(tag(IGNORED, peer))
            }
            Op::Send(peer, bytes) => {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let entry = opcode::Send::new(place(peer), bytes.as_ptr(), length).build();
                // Where the bytes lie doesn't change with who holds them; nothing may take their place before they are sent.
                assert!(self.sending[peer].is_none(), "a peer sends one thing at a time");
                self.sending[peer] = Some(bytes);
                entry.user_data(tag(SEND, peer))
            }
            Op::ShutDown(peer, half) => {
                let how = match half {
                    Shutdown::Read => libc::SHUT_RD,
                    Shutdown::Write => libc::SHUT_WR,
                    Shutdown::Both => libc::SHUT_RDWR,
                };
                opcode::Shutdown::new(place(peer), how).build().user_data(tag(IGNORED, peer))
            }
            Op::Close(peer) => opcode::Close::new(place(peer)).build().user_data(tag(CLOSE, peer)),
        };
        self.push(&entry)
    }

    /// Tells the kernel what was submitted, and waits until something is done or that time has passed: the wait takes the
    /// time itself, so that no timeout operation has to be moved when another deadline is the next.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.map(Timespec::from);
        let args = timeout.as_ref().map_or(SubmitArgs::new(), |timeout| SubmitArgs::new().timespec(timeout));
        match self.uring.submitter().submit_with_args(1, &args) {
            Ok(_) => Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::ETIME) => Ok(()),
            // So many completions wait that there is no place for more.
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ResourceBusy) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Tells of all that is done by now.
    pub fn complete(&mut self, mut handle: impl FnMut(Done<'_>)) {
        for entry in self.uring.completion() {
            let (kind, peer) = untag(entry.user_data());
            let more = cqueue::more(entry.flags());
            match kind {
                ACCEPT => handle(Done::Accepted { peer: result(&entry), more }),
                RECEIVE => {
                    let buffer = cqueue::buffer_select(entry.flags());
                    let input = match (entry.result(), buffer) {
                        (filled @ 1.., Some(buffer)) => Input::Bytes(self.buffers.lend(buffer, filled as usize)),
                        (0, _) => Input::End,
                        (error, _) if [libc::ENOBUFS, libc::ECANCELED, libc::EINTR].contains(&-error) => Input::Nothing,
                        _ => Input::Lost,
                    };
                    handle(Done::Received { peer, input, more });
                    if let Some(buffer) = buffer {
                        self.buffers.provide(buffer);
                    }
                }
                SEND => {
                    if let Some(bytes) = self.sending[peer].take() {
                        handle(Done::Sent { peer, bytes, sent: result(&entry) });
                    }
                }
                CLOSE => handle(Done::Closed { peer }),
                _ => {}
            }
        }
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        loop {
            // SAFETY: the only memory that an operation refers to is bytes in `sending`, which stay there until it is
            // completed, and buffers that are never freed; its sockets are the kernel's own, or the listener's, which
            // lives as long as the ring.
            if unsafe { self.uring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.uring.submit()?;
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // The kernel may come to an end with them only after the ring has gone.
        std::mem::forget(std::mem::take(&mut self.sending));
    }
}

fn place(peer: usize) -> Fixed {
    Fixed(peer as u32)
}

fn tag(kind: u64, peer: usize) -> u64 {
    (peer as u64) << KIND_BITS | kind
}

fn untag(tag: u64) -> (u64, usize) {
    (tag & ((1 << KIND_BITS) - 1), (tag >> KIND_BITS) as usize)
}

fn result(entry: &cqueue::Entry) -> io::Result<usize> {
    usize::try_from(entry.result()).map_err(|_| io::Error::from_raw_os_error(-entry.result()))
}

/// The buffers that the kernel receives into, and the ring of those that are free. They live as long as the process does.
struct Buffers {
    free: *mut BufRingEntry,
    memory: *mut u8,
    /// How many have been provided, ever; the kernel reads it from the ring.
    provided: u16,
}

/// As the kernel wants the ring of free buffers to lie.
#[repr(C, align(4096))]
struct Page([u8; 4096]);

const _: () = assert!(size_of::<Page>() == BUFFERS as usize * size_of::<BufRingEntry>());

impl Buffers {
    fn register(uring: &IoUring) -> io::Result<Self> {
        let free = (&raw mut *Box::leak(Box::new(Page([0; 4096])))).cast();
        let memory = vec![0; usize::from(BUFFERS) * BUFFER].leak().as_mut_ptr();
        // SAFETY: a page, as large as that many entries, which is never freed, nor used but by this type.
        unsafe { uring.submitter().register_buf_ring_with_flags(free as u64, BUFFERS, GROUP, 0)? };
        let mut this = Self { free, memory, provided: 0 };
        (0..BUFFERS).for_each(|buffer| this.provide(buffer));
        Ok(this)
    }

    /// What the kernel has filled of a buffer. It belongs to nobody else until it is provided again: what is lent borrows
    /// this type, and `provide` needs all of that.
    fn lend(&mut self, buffer: u16, filled: usize) -> &mut [u8] {
        assert!(buffer < BUFFERS && filled <= BUFFER);
        // SAFETY: inside the memory, which is initialized; the kernel doesn't write to a buffer that it has completed.
        unsafe { slice::from_raw_parts_mut(self.memory.add(usize::from(buffer) * BUFFER), filled) }
    }

    fn provide(&mut self, buffer: u16) {
        // SAFETY: one of as many entries as the page has, and the kernel doesn't read it before it is told of it below.
        // The buffer lies in the memory.
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
