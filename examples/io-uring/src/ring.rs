//! The ring. The kernel reads and writes memory without the compiler knowing. So nobody may free that memory or look at
//! it in the meantime:
//!
//! - Bytes to send are moved in, and kept until their completion returns them.
//! - Buffers to receive into belong to the kernel. The exception is a buffer whose completion is being
//!   handled.
//!
//! So callers can't do anything unsafe with a [`Ring`].

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{Shutdown, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use io_uring::types::{DestinationSlot, Fd, Fixed, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use socket2::SockRef;

use crate::buffers::{Buffers, GROUP};
use crate::ops::{Done, Input, Op};

/// The number of slots. Linux allows as many as the process may open files, often 1,024.
const SLOTS: usize = 1000;

/// The number of operations that are collected before the kernel is called.
const QUEUE: u32 = 1024;

/// The most bytes that one `Discard` drops.
const MAX_DISCARD: u32 = 256 << 10;

pub struct Ring {
    uring: IoUring,
    listener: TcpListener,
    signals: OwnedFd,
    /// By slot: the bytes that the kernel sends, or none.
    sending: Vec<Vec<u8>>,
    buffers: Buffers,
}

/// The kind of an operation, which its completion repeats. The slot is in the bits above.
const SIGNAL: u64 = 0;
const ACCEPT: u64 = 1;
const RECEIVE: u64 = 2;
const CANCEL: u64 = 3;
const DISCARD: u64 = 4;
const SEND: u64 = 5;
const SHUT_DOWN: u64 = 6;
const CLOSE: u64 = 7;

const KIND_BITS: u32 = 8;

impl Ring {
    /// Fails where the kernel has no `io_uring`, an old one, or forbids it.
    pub fn new(listener: TcpListener, signals: OwnedFd) -> io::Result<Self> {
        let uring = IoUring::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_cqsize(4 * QUEUE)
            .build(QUEUE)?;
        let slots = max_open_files()?.min(SLOTS);
        uring.submitter().register_files_sparse(slots as u32)?;
        let buffers = Buffers::register(&uring)?;
        let mut this = Self { uring, listener, signals, sending: vec![Vec::new(); slots], buffers };
        let readable = libc::POLLIN as u32;
        let wait = opcode::PollAdd::new(Fd(this.signals.as_raw_fd()), readable).build();
        this.push(&wait.user_data(SIGNAL))?;
        Ok(this)
    }

    pub fn slots(&self) -> usize {
        self.sending.len()
    }

    pub fn submit(&mut self, op: Op) -> io::Result<()> {
        let entry = match op {
            Op::Accept(slot) => {
                let into = DestinationSlot::try_from_slot_target(slot as u32).ok();
                let listener = Fd(self.listener.as_raw_fd());
                let accept = opcode::Accept::new(listener, ptr::null_mut(), ptr::null_mut()).file_index(into);
                accept.build().user_data(tag(ACCEPT, slot))
            }
            Op::Receive(slot) => opcode::RecvMulti::new(socket(slot), GROUP).build().user_data(tag(RECEIVE, slot)),
            Op::CancelReceive(slot) => {
                opcode::AsyncCancel::new(tag(RECEIVE, slot)).build().user_data(tag(CANCEL, slot))
            }
            Op::Discard(slot) => {
                // tcp(7): with this flag, the bytes are dropped instead of copied. So there is no need for a buffer.
                let drop = opcode::Recv::new(socket(slot), ptr::null_mut(), MAX_DISCARD).flags(libc::MSG_TRUNC);
                drop.build().user_data(tag(DISCARD, slot))
            }
            Op::Send(slot, bytes) => {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                let entry = opcode::Send::new(socket(slot), bytes.as_ptr(), length).build();
                // Moving a vector moves no bytes. Nothing may take its place before it is sent.
                assert!(self.sending[slot].is_empty(), "there is one send at a time");
                self.sending[slot] = bytes;
                entry.user_data(tag(SEND, slot))
            }
            Op::ShutDown(slot, half) => {
                let how = match half {
                    Shutdown::Read => libc::SHUT_RD,
                    Shutdown::Write => libc::SHUT_WR,
                    Shutdown::Both => libc::SHUT_RDWR,
                };
                opcode::Shutdown::new(socket(slot), how).build().user_data(tag(SHUT_DOWN, slot))
            }
            Op::Close(slot) => opcode::Close::new(socket(slot)).build().user_data(tag(CLOSE, slot)),
            Op::StopListening => return SockRef::from(&self.listener).shutdown(Shutdown::Both),
        };
        self.push(&entry)
    }

    /// Submits the operations, and waits until something has completed or the time has passed.
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

    /// Reports everything that has completed. Returns whether nothing was left that the kernel has yet to complete,
    /// though it could.
    pub fn complete(&mut self, mut handle: impl FnMut(Done<'_>)) -> bool {
        for entry in self.uring.completion() {
            let (kind, slot) = untag(entry.user_data());
            match kind {
                SIGNAL => handle(Done::ToldToStop),
                ACCEPT => handle(Done::Accepted(slot, result(&entry).map(drop))),
                RECEIVE => {
                    let buffer = cqueue::buffer_select(entry.flags());
                    let input = match (entry.result(), buffer) {
                        (filled @ 1.., Some(buffer)) => Input::Bytes(self.buffers.filled(buffer, filled as usize)),
                        (0, _) => Input::End,
                        (error, _) if [libc::ENOBUFS, libc::ECANCELED, libc::EINTR].contains(&-error) => Input::Nothing,
                        _ => Input::Lost,
                    };
                    handle(Done::Received { slot, input, more: cqueue::more(entry.flags()) });
                    if let Some(buffer) = buffer {
                        self.buffers.provide(buffer);
                    }
                }
                CANCEL => handle(Done::ReceiveCanceled(slot)),
                DISCARD => handle(Done::Discarded(slot, result(&entry))),
                SEND => {
                    let buffer = mem::take(&mut self.sending[slot]);
                    handle(Done::Sent(slot, buffer, result(&entry)));
                }
                SHUT_DOWN => handle(Done::ShutDown(slot)),
                CLOSE => handle(Done::Closed(slot)),
                _ => debug_assert!(false, "there is no such kind"),
            }
        }
        let submission = self.uring.submission();
        !submission.taskrun() && !submission.cq_overflow()
    }

    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        loop {
            // SAFETY: the memory that an operation refers to is bytes in `sending`, which stay there until it has
            // completed, or buffers that are never freed, or none at all. Its descriptors are the kernel's own, or they
            // live as long as the ring.
            if unsafe { self.uring.submission().push(entry) }.is_ok() {
                return Ok(());
            }
            self.uring.submit()?;
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // The kernel may still use them after the ring has gone.
        mem::forget(mem::take(&mut self.sending));
    }
}

fn socket(slot: usize) -> Fixed {
    Fixed(slot as u32)
}

fn tag(kind: u64, slot: usize) -> u64 {
    (slot as u64) << KIND_BITS | kind
}

fn untag(tag: u64) -> (u64, usize) {
    (tag & ((1 << KIND_BITS) - 1), (tag >> KIND_BITS) as usize)
}

fn result(entry: &cqueue::Entry) -> io::Result<usize> {
    usize::try_from(entry.result()).map_err(|_| io::Error::from_raw_os_error(-entry.result()))
}

fn max_open_files() -> io::Result<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes to `limit` and keeps no pointer to it.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => Ok(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)),
        _ => Err(io::Error::last_os_error()),
    }
}
