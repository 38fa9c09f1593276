//! A kernel that completes operations in random order, and in random parts.
//!
//! It behaves like Linux where that matters: an operation acts on the connection that its slot has when the operation
//! is performed, bytes wait in the socket until they are received, and a cancellation may not find its target.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::time::Duration;

use super::random::{Guest, Random};
use crate::ops::{Done, Input, Op};
use crate::server::Server;

pub struct Kernel {
    server: Server,
    pub now: Duration,
    pub random: Random,
    /// By slot, an index into `sockets`.
    table: Vec<Option<usize>>,
    sockets: Vec<Socket>,
    backlog: VecDeque<usize>,
    /// In flight, in no order.
    ops: Vec<Op>,
    /// Canceled, but not reported yet.
    canceled: Vec<usize>,
}

/// A connection, and the client at its other end.
pub struct Socket {
    pub guest: Guest,
    /// Bytes that wait for the server.
    to_server: VecDeque<u8>,
    reading_is_shut: bool,
    writing_is_shut: bool,
    is_closed: bool,
}

impl Kernel {
    pub fn new(seed: u64, slots: usize) -> Self {
        Self {
            server: Server::new(slots),
            now: Duration::ZERO,
            random: Random(seed),
            table: vec![None; slots],
            sockets: Vec::new(),
            backlog: VecDeque::new(),
            ops: Vec::new(),
            canceled: Vec::new(),
        }
    }

    /// A client comes. Its first bytes wait in its socket.
    pub fn connect(&mut self, guest: Guest) {
        let mut socket = Socket {
            guest,
            to_server: VecDeque::new(),
            reading_is_shut: false,
            writing_is_shut: false,
            is_closed: false,
        };
        socket.to_server.extend(socket.guest.output());
        self.backlog.push_back(self.sockets.len());
        self.sockets.push(socket);
    }

    pub fn guests(&self) -> impl Iterator<Item = &Guest> {
        self.sockets.iter().map(|socket| &socket.guest)
    }

    /// Returns whether all clients that came have disconnected, and nothing more happens.
    pub fn is_over(&self) -> bool {
        self.backlog.is_empty() && self.sockets.iter().all(|socket| socket.is_closed)
    }

    /// A turn: some of the operations that can complete do. If none can, time passes.
    pub fn turn(&mut self) {
        let mut can_complete = self.can_complete();
        if can_complete.is_empty()
            && let Some(until) = self.server.next_timeout()
        {
            self.now = self.now.max(until);
        }
        self.server.advance_time(self.now);
        for _ in 0..self.random.below(4) + 1 {
            if can_complete.is_empty() {
                break;
            }
            let which = can_complete[self.random.below(can_complete.len())];
            if self.is_late(which) && self.random.below(8) > 0 {
                continue;
            }
            self.complete(which);
            can_complete = self.can_complete();
        }
        let caught_up = can_complete.iter().all(|&op| self.is_late(op));
        self.ops.extend(self.server.next_ops(caught_up));
    }

    fn can_complete(&self) -> Vec<usize> {
        (0..self.ops.len()).filter(|&op| self.can(&self.ops[op])).collect()
    }

    /// A thread of the kernel performs it later.
    fn is_late(&self, op: usize) -> bool {
        matches!(self.ops[op], Op::ShutDown(..))
    }

    fn can(&self, op: &Op) -> bool {
        match op {
            Op::Accept(_) => !self.backlog.is_empty(),
            Op::Receive(slot) | Op::Discard(slot) => {
                self.canceled.contains(slot)
                    || self.socket(*slot).is_none_or(|socket| {
                        !socket.to_server.is_empty() || socket.reading_is_shut || socket.guest.has_ended()
                    })
            }
            Op::Send(slot, _) => self
                .socket(*slot)
                .is_none_or(|socket| socket.guest.reads() || socket.guest.is_gone() || socket.writing_is_shut),
            _ => true,
        }
    }

    fn socket(&self, slot: usize) -> Option<&Socket> {
        self.table[slot].map(|socket| &self.sockets[socket])
    }

    fn complete(&mut self, which: usize) {
        match self.ops.swap_remove(which) {
            Op::Accept(slot) => self.accept(slot),
            Op::Receive(slot) => self.receive(slot),
            Op::Discard(slot) => {
                let taken = self.take(slot).map(|bytes| bytes.len());
                self.server.handle(Done::Discarded(slot, taken));
            }
            Op::CancelReceive(slot) => {
                // Not while a thread is performing it.
                if self.random.below(3) > 0 && self.ops.contains(&Op::Receive(slot)) {
                    self.canceled.push(slot);
                }
                self.server.handle(Done::ReceiveCanceled(slot));
            }
            Op::Send(slot, bytes) => {
                let result = self.send(slot, &bytes);
                self.server.handle(Done::Sent(slot, bytes, result));
            }
            Op::ShutDown(slot, half) => {
                if let Some(socket) = self.table[slot] {
                    let socket = &mut self.sockets[socket];
                    socket.writing_is_shut = true;
                    socket.reading_is_shut |= half == Shutdown::Both;
                    socket.guest.receive_eof();
                }
                self.server.handle(Done::ShutDown(slot));
            }
            Op::Close(slot) => {
                let socket = self.table[slot].take().expect("it is open");
                self.sockets[socket].is_closed = true;
                self.sockets[socket].guest.receive_eof();
                self.server.handle(Done::Closed(slot));
            }
            Op::StopListening => unreachable!("nobody tells it to stop"),
        }
    }

    fn accept(&mut self, slot: usize) {
        if self.random.below(20) == 0 {
            let error = io::Error::from_raw_os_error(libc::ENFILE);
            return self.server.handle(Done::Accepted(slot, Err(error)));
        }
        let replaced = self.table[slot].replace(self.backlog.pop_front().expect("somebody waits"));
        assert_eq!(replaced, None, "the slot is taken");
        self.server.handle(Done::Accepted(slot, Ok(())));
    }

    fn receive(&mut self, slot: usize) {
        let canceled = self.canceled.iter().position(|&canceled| canceled == slot);
        if let Some(at) = canceled {
            self.canceled.swap_remove(at);
        }
        if canceled.is_some() || self.random.below(8) == 0 {
            // Or no buffer is free.
            return self.server.handle(Done::Received { slot, input: Input::Nothing, more: false });
        }
        let more = self.random.below(8) > 0;
        match self.take(slot) {
            Ok(bytes) if bytes.is_empty() => {
                self.server.handle(Done::Received { slot, input: Input::End, more: false })
            }
            Ok(mut bytes) => {
                self.server.handle(Done::Received { slot, input: Input::Bytes(&mut bytes), more });
                if more {
                    self.ops.push(Op::Receive(slot));
                }
            }
            Err(_) => self.server.handle(Done::Received { slot, input: Input::Lost, more: false }),
        }
    }

    /// Some of the bytes that wait, or none at the end.
    fn take(&mut self, slot: usize) -> io::Result<Vec<u8>> {
        let Some(socket) = self.table[slot] else { return Err(io::ErrorKind::NotConnected.into()) };
        let socket = &mut self.sockets[socket];
        if socket.guest.is_gone() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let count = self.random.part_of(socket.to_server.len());
        Ok(socket.to_server.drain(..count).collect())
    }

    /// The client's answer is in its socket immediately.
    fn send(&mut self, slot: usize, bytes: &[u8]) -> io::Result<usize> {
        let Some(socket) = self.table[slot] else { return Err(io::ErrorKind::NotConnected.into()) };
        let socket = &mut self.sockets[socket];
        if socket.guest.is_gone() || socket.writing_is_shut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let count = self.random.part_of(bytes.len());
        socket.guest.receive(&bytes[..count]);
        socket.to_server.extend(socket.guest.output());
        Ok(count)
    }
}
