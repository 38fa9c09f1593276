//! What a peer does next: the operations that its state asks for, and that aren't under way yet.
//!
//! ```text
//! Serving ──Finish, all is sent──► Leaving ──the peer has ended, or had time enough──► Gone ──► closed
//!    └───────────────────────────────Abort─────────────────────────────────────────────┘
//! ```

use std::net::Shutdown as Half;
use std::time::Duration;

use websocket_proto::Shutdown;

use crate::ops::Op;
use crate::peer::{Peer, Receiving};

/// From this much pending output on, nothing more is received: let the peer take what it asked for first.
pub const HIGH_WATER: usize = 256 << 10;

/// When so little is left, receiving goes on.
const LOW_WATER: usize = HIGH_WATER / 4;

/// How long a peer may take to close its side.
const GOODBYE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Serving,
    /// Over, and our side is shut down: until then the peer may shut down its own.
    Leaving(Duration),
    /// Nothing is of interest but the end of what is under way.
    Gone,
    /// The socket is being closed.
    Closing,
}

impl Peer {
    /// Asks for what is to be done next.
    pub fn next_ops(&mut self, peer: usize, now: Duration, ops: &mut Vec<Op>) {
        if self.stage == Stage::Serving {
            self.serve(peer, now, ops);
        }
        if let Stage::Leaving(until) = self.stage
            && (self.has_ended || now >= until)
        {
            self.hang_up(peer, ops);
        }
        if self.stage == Stage::Gone && self.receiving == Receiving::No && self.in_flight == 0 {
            self.stage = Stage::Closing;
            ops.push(Op::Close(peer));
        }
        self.receive_or_stop(peer, ops);
    }

    /// When it wants to be called, at the latest.
    pub fn next_timeout(&self) -> Option<Duration> {
        match self.stage {
            Stage::Serving => self.conn.next_timeout(),
            Stage::Leaving(until) => Some(until),
            Stage::Gone | Stage::Closing => None,
        }
    }

    fn serve(&mut self, peer: usize, now: Duration, ops: &mut Vec<Op>) {
        let shutdown = self.conn.wants_shutdown();
        if shutdown == Some(Shutdown::Abort) {
            return self.hang_up(peer, ops);
        }
        self.send(peer, ops);
        // What was taken from the output is sent only when a completion says so.
        if shutdown == Some(Shutdown::Finish) && self.in_flight == 0 {
            // Closing a socket with unread bytes would reset it, and the peer might lose our last ones.
            self.stage = Stage::Leaving(now + GOODBYE);
            ops.push(Op::ShutDown(peer, Half::Write));
        }
    }

    /// One thing at a time, since what is under way may be cut short.
    fn send(&mut self, peer: usize, ops: &mut Vec<Op>) {
        if self.in_flight == 0
            && let Some(bytes) = self.unsent.take().or_else(|| self.conn.output().take())
        {
            self.in_flight = bytes.len();
            ops.push(Op::Send(peer, bytes));
        }
    }

    /// Ends what is under way, if anything is; the socket can be closed when it has ended.
    fn hang_up(&mut self, peer: usize, ops: &mut Vec<Op>) {
        self.stage = Stage::Gone;
        if self.receiving != Receiving::No || self.in_flight > 0 {
            ops.push(Op::ShutDown(peer, Half::Both));
        }
    }

    fn receive_or_stop(&mut self, peer: usize, ops: &mut Vec<Op>) {
        let limit = if self.receiving == Receiving::Yes { HIGH_WATER } else { LOW_WATER };
        let wants = match self.stage {
            Stage::Serving => self.pending() < limit,
            Stage::Leaving(_) => true,
            Stage::Gone | Stage::Closing => false,
        };
        match self.receiving {
            Receiving::No if wants && !self.has_ended => {
                self.receiving = Receiving::Yes;
                ops.push(Op::Receive(peer));
            }
            Receiving::Yes if !wants && self.stage == Stage::Serving => {
                self.receiving = Receiving::Stopping;
                ops.push(Op::StopReceiving(peer));
            }
            _ => {}
        }
    }
}
