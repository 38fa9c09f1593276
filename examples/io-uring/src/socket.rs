//! A socket in its slot: which operations are in flight, and which one is next.
//!
//! ```text
//!                      ┌──────┐  Accept   ┌───────────┐
//!   ┌─────────────────►│ free │──────────►│ accepting │
//!   │                  └──────┘◄──────────└───────────┘
//!   │                           it failed       │ Accepted
//!   │                                           ▼
//!   │                                      ┌─────────┐  Graceful: all is sent ┌───────────┐
//!   │                                      │ Serving │───────────────────────►│ Lingering │
//!   │ Closed                               └─────────┘  shut down writing     └───────────┘
//!   │                                     Abort │                                   │ the peer's end,
//!   │                     shut down both halves,│ if anything is in flight          │ or 2 s have passed
//!   │                                           ▼                                   │
//!   │   ┌─────────┐  nothing is in flight  ┌────────┐                               │
//!   └───│ Closing │◄───────────────────────│ Ending │◄──────────────────────────────┘
//!       └─────────┘  Close                 └────────┘
//! ```
//!
//! The kernel looks a slot up when it performs an operation, not when that is submitted. It performs a shutdown in a
//! thread of its own, some time later. If the slot belonged to another connection by then, that one would be shut down.
//! So `Close` waits for the last completion of every other operation, and a slot is free only when its `Close` has
//! completed. A completion therefore always belongs to the current owner of its slot.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::time::Duration;

use bytes::Buf;
use websocket_proto::{State, TransportShutdown};

use crate::ops::{Input, MAX_SEND, Op};
use crate::peer::{HIGH_WATER, Peer, Shared};

/// With so little output left, receiving continues.
const LOW_WATER: usize = HIGH_WATER / 4;

/// The time that a peer has to end its side after we have ended ours. Closing a socket with unread bytes would reset
/// it, and the peer might lose the last ones that we sent.
const LINGER: Duration = Duration::from_secs(2);

pub struct Socket {
    pub peer: Peer,
    /// The earliest deadline that is in the heap.
    pub scheduled: Option<Duration>,
    /// True if the server is about to ask for the next operations.
    pub is_touched: bool,
    stage: Stage,
    in_flight: InFlight,
    /// The peer sends no more, or the connection is lost.
    has_ended: bool,
    /// Bytes came after the end of the connection. The rest is dropped in the kernel, some of it in each turn, so that
    /// a peer that floods costs neither buffers nor much time.
    discards: bool,
    /// No deadline is acted on in this turn: more may have arrived than the last `Receive` found a buffer for, or the
    /// peer has just taken some output, or it hasn't been sent the last bytes yet.
    deadline_waits: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    Lingering(Duration),
    Ending,
    Closing,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct InFlight {
    receive: bool,
    cancel: bool,
    discard: bool,
    send: bool,
    shutdowns: u8,
}

#[derive(PartialEq, Eq)]
enum Reading {
    Receive,
    Discard,
    /// The peer has to read first. `reading_paused` is not called, since the keepalive should drop a peer that never
    /// reads. A peer that reads some output now and then is kept.
    Pause,
}

/// Handles a completion.
impl Socket {
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            scheduled: None,
            is_touched: false,
            stage: Stage::Serving,
            in_flight: InFlight::default(),
            has_ended: false,
            discards: false,
            deadline_waits: false,
        }
    }

    pub fn received(&mut self, input: Input<'_>, more: bool, shared: &mut Shared) {
        self.in_flight.receive = more;
        self.deadline_waits |= !more;
        match input {
            Input::Bytes(_) if self.is_over() => self.discards = true,
            Input::Bytes(bytes) => {
                self.peer.receive(bytes, shared);
                self.deadline_waits |= self.is_over();
            }
            Input::Nothing => {}
            Input::End => self.ended(shared),
            Input::Lost => self.lost(),
        }
    }

    pub fn receive_canceled(&mut self) {
        self.in_flight.cancel = false;
    }

    pub fn discarded(&mut self, result: io::Result<usize>, shared: &mut Shared) {
        self.in_flight.discard = false;
        match unless_interrupted(result) {
            Ok(Some(0)) => self.ended(shared),
            Ok(_) => {}
            Err(_) => self.lost(),
        }
    }

    pub fn sent(&mut self, result: io::Result<usize>) {
        self.in_flight.send = false;
        match unless_interrupted(result) {
            Ok(Some(count)) => {
                self.peer.conn.output().advance(count);
                self.deadline_waits = true;
            }
            Ok(None) => {}
            Err(_) => self.lost(),
        }
    }

    pub fn shut_down(&mut self) {
        self.in_flight.shutdowns -= 1;
    }

    fn ended(&mut self, shared: &mut Shared) {
        self.has_ended = true;
        self.peer.receive_eof(shared);
    }

    fn lost(&mut self) {
        self.has_ended = true;
        self.peer.conn.abort();
    }

    /// Returns whether bytes that arrive are ignored from now on.
    fn is_over(&self) -> bool {
        self.stage != Stage::Serving || self.peer.conn.state() == State::Closed
    }
}

/// Returns the next operations.
impl Socket {
    /// Submits what the state asks for and isn't in flight.
    pub fn next_ops(&mut self, slot: usize, now: Duration, buffers: &mut Vec<Vec<u8>>, ops: &mut Vec<Op>) {
        if self.stage == Stage::Serving {
            match self.peer.conn.wants_shutdown() {
                None => self.send(slot, buffers, ops),
                Some(TransportShutdown::Graceful) if !self.has_ended => {
                    self.stage = Stage::Lingering(now + LINGER);
                    self.shut_down_half(slot, Shutdown::Write, ops);
                }
                Some(TransportShutdown::Graceful | TransportShutdown::Abort) => self.end(slot, ops),
            }
        }
        if let Stage::Lingering(until) = self.stage
            && (self.has_ended || now >= until)
        {
            self.end(slot, ops);
        }
        if self.stage == Stage::Ending && self.in_flight == InFlight::default() {
            self.stage = Stage::Closing;
            ops.push(Op::Close(slot));
        }
        self.read(slot, ops);
        self.deadline_waits = false;
    }

    pub fn next_timeout(&self) -> Option<Duration> {
        match self.stage {
            Stage::Serving => self.peer.next_timeout(),
            Stage::Lingering(until) => Some(until),
            Stage::Ending | Stage::Closing => None,
        }
    }

    pub fn act_on_deadline(&mut self, shared: &mut Shared) {
        if self.stage == Stage::Serving && !self.deadline_waits {
            self.peer.act_on_deadline(shared);
        }
    }

    /// Sends a bounded part of what is pending. It stays in the output until it is sent, where the keepalive sees the
    /// progress and `wants_shutdown` knows that it isn't over yet.
    fn send(&mut self, slot: usize, buffers: &mut Vec<Vec<u8>>, ops: &mut Vec<Op>) {
        if self.in_flight.send || self.peer.conn.pending_output() == 0 {
            return;
        }
        let mut buffer = buffers.pop().unwrap_or_default();
        let output = &*self.peer.conn.output();
        let mut slices = [IoSlice::new(&[]); 16];
        let filled = output.chunks_vectored(&mut slices);
        for slice in &slices[..filled] {
            let rest = MAX_SEND - buffer.len();
            buffer.extend_from_slice(&slice[..slice.len().min(rest)]);
        }
        self.in_flight.send = true;
        ops.push(Op::Send(slot, buffer));
    }

    fn read(&mut self, slot: usize, ops: &mut Vec<Op>) {
        let reading = self.reading();
        if self.in_flight.receive {
            if reading != Reading::Receive && !self.in_flight.cancel {
                self.in_flight.cancel = true;
                ops.push(Op::CancelReceive(slot));
            }
        } else if !self.has_ended && !self.in_flight.discard {
            match reading {
                Reading::Receive => {
                    self.in_flight.receive = true;
                    ops.push(Op::Receive(slot));
                }
                Reading::Discard => {
                    self.in_flight.discard = true;
                    ops.push(Op::Discard(slot));
                }
                Reading::Pause => {}
            }
        }
    }

    fn reading(&self) -> Reading {
        match self.stage {
            // What is in flight is ended by the shutdown.
            Stage::Ending | Stage::Closing if self.in_flight.receive => Reading::Receive,
            Stage::Ending | Stage::Closing => Reading::Pause,
            // Most peers send nothing but their end, for which `Receive` does as well.
            _ if self.is_over() && self.in_flight.receive && !self.discards => Reading::Receive,
            _ if self.is_over() => Reading::Discard,
            _ => {
                let limit = if self.in_flight.receive { HIGH_WATER } else { LOW_WATER };
                if self.peer.conn.pending_output() < limit { Reading::Receive } else { Reading::Pause }
            }
        }
    }

    /// Ends what is in flight, if anything is. The socket can be closed when that has completed.
    fn end(&mut self, slot: usize, ops: &mut Vec<Op>) {
        self.stage = Stage::Ending;
        if self.in_flight.receive || self.in_flight.discard || self.in_flight.send {
            self.shut_down_half(slot, Shutdown::Both, ops);
        }
    }

    fn shut_down_half(&mut self, slot: usize, half: Shutdown, ops: &mut Vec<Op>) {
        self.in_flight.shutdowns += 1;
        ops.push(Op::ShutDown(slot, half));
    }
}

/// An operation that a signal has interrupted is simply submitted again.
fn unless_interrupted(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
        result => result.map(Some),
    }
}
