//! The server's loop: it handles completions, acts on deadlines, and returns operations.

use std::sync::Arc;
use std::time::Duration;

use websocket_proto::{Config, Connection, DeflateConfig, PreparedMessage, Scratch};

use crate::acceptor::Acceptor;
use crate::deadlines::Deadlines;
use crate::horizon::Horizon;
use crate::ops::{Done, Op};
use crate::peer::{Peer, Shared};
use crate::socket::Socket;

/// The time that peers have to leave when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// The number of buffers to send from that are kept for the next sends.
const MAX_IDLE_BUFFERS: usize = 64;

pub struct Server {
    /// By slot.
    sockets: Vec<Option<Socket>>,
    count: usize,
    acceptor: Acceptor,
    shared: Shared,
    config: Arc<Config>,
    deadlines: Deadlines,
    horizon: Horizon,
    /// Slots that may need an operation.
    touched: Vec<usize>,
    buffers: Vec<Vec<u8>>,
    ops: Vec<Op>,
    /// The time at which a stopped server drops the last peers.
    stops_at: Option<Duration>,
}

impl Server {
    pub fn new(slots: usize) -> Self {
        let config = Config::new()
            .keepalive(Duration::from_secs(30), Duration::from_secs(20))
            .deflate(DeflateConfig::new().min_size(1024));
        Self {
            sockets: (0..slots).map(|_| None).collect(),
            count: 0,
            acceptor: Acceptor::new(slots),
            shared: Shared { now: Duration::ZERO, scratch: Some(Scratch::new()), said: Vec::new() },
            config: Arc::new(config),
            deadlines: Deadlines::default(),
            horizon: Horizon::default(),
            touched: Vec::new(),
            buffers: Vec::new(),
            ops: Vec::new(),
            stops_at: None,
        }
    }

    /// Begins a turn. Read the clock before you collect completions.
    pub fn advance_time(&mut self, now: Duration) {
        self.shared.now = now;
    }

    /// Handles a completion.
    pub fn handle(&mut self, done: Done<'_>) {
        match done {
            Done::Accepted(slot, result) => {
                if self.acceptor.completed(slot, result, self.shared.now) {
                    self.welcome(slot);
                }
            }
            Done::Received { slot, input, more } => {
                self.touch(slot, |socket, shared| socket.received(input, more, shared));
            }
            Done::ReceiveCanceled(slot) => self.touch(slot, |socket, _| socket.receive_canceled()),
            Done::Discarded(slot, result) => {
                self.touch(slot, |socket, shared| socket.discarded(result, shared));
            }
            Done::Sent(slot, buffer, result) => {
                self.keep(buffer);
                self.touch(slot, |socket, _| socket.sent(result));
            }
            Done::ShutDown(slot) => self.touch(slot, |socket, _| socket.shut_down()),
            Done::Closed(slot) => {
                self.sockets[slot] = None;
                self.count -= 1;
                self.acceptor.freed(slot, self.shared.now);
            }
            Done::ToldToStop => self.stop(),
        }
    }

    /// Ends a turn: acts on deadlines and returns the operations that come next. `caught_up`: no completion waits that
    /// was due when the clock was read.
    pub fn next_ops(&mut self, caught_up: bool) -> impl Iterator<Item = Op> {
        let now = self.shared.now;
        self.act_on_deadlines(caught_up);
        self.say();
        self.acceptor.next_ops(now, &mut self.ops);
        for slot in self.touched.drain(..) {
            if let Some(socket) = &mut self.sockets[slot] {
                socket.is_touched = false;
                socket.next_ops(slot, now, &mut self.buffers, &mut self.ops);
                self.deadlines.schedule(slot, socket.next_timeout(), &mut socket.scheduled);
            }
        }
        self.ops.drain(..)
    }

    /// The time of the next turn, at the latest.
    pub fn next_timeout(&self) -> Option<Duration> {
        [self.deadlines.next(), self.acceptor.next_timeout(), self.stops_at].into_iter().flatten().min()
    }

    /// The number of peers that are left when a stopped server is done.
    pub fn stopped(&self) -> Option<usize> {
        let stops_at = self.stops_at?;
        let all_left = self.count == 0 && self.acceptor.is_idle();
        (all_left || self.shared.now >= stops_at).then_some(self.count)
    }

    fn welcome(&mut self, slot: usize) {
        self.count += 1;
        let peer = Peer::new(Connection::server(Arc::clone(&self.config)), self.shared.now);
        self.sockets[slot] = Some(Socket::new(peer));
        let is_stopping = self.stops_at.is_some();
        self.touch(slot, |socket, shared| {
            if is_stopping {
                socket.peer.say_goodbye(shared.now);
            }
        });
    }

    fn stop(&mut self) {
        if self.stops_at.is_some() {
            return;
        }
        self.stops_at = Some(self.shared.now + FAREWELL);
        self.acceptor.stop();
        self.ops.push(Op::StopListening);
        for slot in 0..self.sockets.len() {
            self.touch(slot, |socket, shared| socket.peer.say_goodbye(shared.now));
        }
    }

    fn touch(&mut self, slot: usize, work: impl FnOnce(&mut Socket, &mut Shared)) {
        if let Some(socket) = &mut self.sockets[slot] {
            work(socket, &mut self.shared);
            if !socket.is_touched {
                socket.is_touched = true;
                self.touched.push(slot);
            }
        }
    }

    fn act_on_deadlines(&mut self, caught_up: bool) {
        let now = self.shared.now;
        let is_due = self.deadlines.next().is_some_and(|at| at <= now);
        let Some(until) = self.horizon.advance(now, caught_up, is_due) else { return };
        while let Some((at, slot)) = self.deadlines.due(until) {
            // The entry may be an old one, of this socket or of one that had the slot before.
            if let Some(socket) = &mut self.sockets[slot]
                && socket.scheduled == Some(at)
            {
                socket.scheduled = None;
                self.touch(slot, |socket, shared| socket.act_on_deadline(shared));
            }
        }
    }

    /// Sends the messages that peers sent in this turn to everyone in the chat.
    fn say(&mut self) {
        let said = std::mem::take(&mut self.shared.said);
        let messages: Vec<_> =
            said.into_iter().map(|message| PreparedMessage::compressed(message, &DeflateConfig::new())).collect();
        if messages.is_empty() {
            return;
        }
        for slot in 0..self.sockets.len() {
            if self.sockets[slot].as_ref().is_some_and(|socket| socket.peer.is_in_chat) {
                self.touch(slot, |socket, shared| {
                    messages.iter().for_each(|message| socket.peer.push(message, shared.now));
                });
            }
        }
    }

    fn keep(&mut self, mut buffer: Vec<u8>) {
        if self.buffers.len() < MAX_IDLE_BUFFERS {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}
