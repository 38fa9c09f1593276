//! A connection on a wire: one iteration reads a little, handles it, and writes what the wire accepts.

use core::time::Duration;

use bytes::Buf;
use websocket_proto::{Connection, Event, Role, Scratch};

use crate::wire::{MTU, Wire};

pub struct Endpoint {
    pub conn: Connection,
    /// Returns whether more may arrive.
    listens: bool,
    /// Keeps no buffer for the next message: it takes back what the connection would keep.
    scratch: Option<Scratch>,
}

impl Endpoint {
    pub fn new(conn: Connection) -> Self {
        Self { conn, listens: true, scratch: Some(Scratch::new().keep(0)) }
    }

    /// Does everything that is possible now, without waiting.
    pub fn turn(&mut self, now: Duration, wire: &mut impl Wire, mut handle: impl FnMut(&mut Connection, Event<'_>)) {
        if let Some(scratch) = self.scratch.take() {
            self.conn.attach_scratch(scratch);
        }
        self.conn.advance_time(now);
        let mut buffer = [0; MTU];
        let count = if self.wants_input() { self.read(&mut buffer, wire) } else { 0 };
        let mut input = &mut buffer[..count];
        while let Some(event) = self.conn.receive(&mut input) {
            handle(&mut self.conn, event);
        }
        while self.conn.output().has_remaining() {
            let sent = wire.send(self.conn.output().chunk());
            if sent == 0 {
                break;
            }
            self.conn.output().advance(sent);
        }
        self.scratch = self.conn.detach_scratch();
    }

    /// Returns whether there is space for an answer. A peer that reads nothing isn't read from either, so it fills its
    /// own memory. A client, which answers nothing, always reads: if both waited for the other to read first, they
    /// would deadlock.
    pub fn wants_input(&self) -> bool {
        self.listens && (self.conn.role() == Role::Client || self.conn.pending_output() < MTU)
    }

    /// Reads and discards. Returns whether the end has been reached.
    pub fn discard(&mut self, wire: &mut impl Wire) -> bool {
        self.read(&mut [0; MTU], wire);
        !self.listens
    }

    fn read(&mut self, buffer: &mut [u8], wire: &mut impl Wire) -> usize {
        if !self.listens {
            return 0;
        }
        wire.receive(buffer).unwrap_or_else(|| {
            self.listens = false;
            self.conn.receive_eof();
            0
        })
    }
}
