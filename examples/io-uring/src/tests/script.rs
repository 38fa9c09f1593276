//! A kernel that completes what a test says, one operation per turn.

use std::io;
use std::time::Duration;

use websocket_proto::Event;

use super::client::Client;
use crate::ops::{Done, Input, Op};
use crate::server::Server;

pub const A: usize = 0;
pub const B: usize = 1;
pub const C: usize = 2;

/// The number of slots, fewer than the server would wait for at a time.
pub const SLOTS: usize = 3;

pub struct Kernel {
    pub server: Server,
    pub now: Duration,
}

impl Kernel {
    /// One whose clients haven't come yet.
    pub fn new() -> Self {
        let mut this = Self { server: Server::new(SLOTS), now: Duration::ZERO };
        assert_eq!(this.turn(), [A, B, C].map(Op::Accept));
        this
    }

    /// A turn in which nothing completes.
    pub fn turn(&mut self) -> Vec<Op> {
        self.server.advance_time(self.now);
        self.server.next_ops(true).collect()
    }

    pub fn done(&mut self, done: Done<'_>) -> Vec<Op> {
        self.server.advance_time(self.now);
        self.server.handle(done);
        self.server.next_ops(true).collect()
    }

    /// As many turns as the server wants now, and again after that time.
    pub fn after(&mut self, time: Duration) -> Vec<Op> {
        let mut ops = self.turns();
        self.now += time;
        ops.extend(self.turns());
        ops
    }

    fn turns(&mut self) -> Vec<Op> {
        let mut ops = self.turn();
        for _ in 0..10 {
            if self.server.next_timeout().is_some_and(|at| at <= self.now) {
                ops.extend(self.turn());
            }
        }
        ops
    }

    pub fn after_seconds(&mut self, seconds: u64) -> Vec<Op> {
        self.after(Duration::from_secs(seconds))
    }

    pub fn accepted(&mut self, slot: usize) {
        assert_eq!(self.done(Done::Accepted(slot, Ok(()))), [Op::Receive(slot)]);
    }

    /// Bytes have arrived, and the `Receive` continues.
    pub fn received(&mut self, slot: usize, bytes: &[u8]) -> Vec<Op> {
        self.done(Done::Received { slot, input: Input::Bytes(&mut bytes.to_vec()), more: true })
    }

    /// The last completion of a `Receive`.
    pub fn receive_ends(&mut self, slot: usize, input: Input<'_>) -> Vec<Op> {
        self.done(Done::Received { slot, input, more: false })
    }

    pub fn sent(&mut self, slot: usize, bytes: Vec<u8>) -> Vec<Op> {
        let result = Ok(bytes.len());
        self.done(Done::Sent(slot, bytes, result))
    }

    pub fn sending_fails(&mut self, slot: usize, bytes: Vec<u8>) -> Vec<Op> {
        self.done(Done::Sent(slot, bytes, Err(io::ErrorKind::BrokenPipe.into())))
    }

    /// A peer whose opening handshake is done.
    pub fn open(&mut self, slot: usize, path: &str) -> Client {
        self.accepted(slot);
        let mut client = Client::new(path);
        let response = the_send(slot, self.received(slot, &client.output()));
        assert!(matches!(client.receive(&response)[..], [Event::Open(_)]));
        assert_eq!(self.sent(slot, response), []);
        client
    }
}

/// The bytes of the only operation, which is a `Send`.
pub fn the_send(slot: usize, ops: Vec<Op>) -> Vec<u8> {
    match <[Op; 1]>::try_from(ops) {
        Ok([Op::Send(to, bytes)]) if to == slot => bytes,
        other => panic!("{other:?}"),
    }
}
