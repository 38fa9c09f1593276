//! Accepts only as many connections as there are slots. Clients beyond that wait in the kernel's backlog.
//!
//! Each `Accept` has a free slot set aside for it when it is submitted. So the server never accepts a connection that
//! it would have to drop, not even one that arrives just as the table becomes full. A full table simply has no `Accept`
//! in flight.

use std::io;
use std::time::Duration;

use crate::ops::Op;

/// The number of `Accept`s in flight, where so many slots are free. A burst of clients is accepted so many at a time.
const AT_A_TIME: usize = 16;

/// The time without an `Accept` after one has failed. There are too few descriptors or too little memory in the system,
/// and asking again at once would only spin.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Acceptor {
    free: Vec<usize>,
    in_flight: usize,
    /// Set after a failure, until the next success.
    retry_at: Option<Duration>,
    is_stopped: bool,
}

impl Acceptor {
    pub fn new(slots: usize) -> Self {
        Self { free: (0..slots).rev().collect(), in_flight: 0, retry_at: None, is_stopped: false }
    }

    /// Submits nothing more.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// An `Accept` has completed. Returns whether its slot has a connection now.
    pub fn completed(&mut self, slot: usize, result: io::Result<()>, now: Duration) -> bool {
        self.in_flight -= 1;
        let Err(error) = result else {
            self.retry_at = None;
            return true;
        };
        self.free.push(slot);
        if !self.is_stopped {
            // Logged once, not ten times a second.
            if self.retry_at.is_none() {
                eprintln!("io-uring: can't accept a connection: {error}");
            }
            self.retry_at = Some(now + PAUSE);
        }
        false
    }

    /// A connection was closed. What it returns to the system may be what an `Accept` lacked.
    pub fn freed(&mut self, slot: usize, now: Duration) {
        self.free.push(slot);
        self.retry_at = self.retry_at.map(|_| now);
    }

    pub fn next_ops(&mut self, now: Duration, ops: &mut Vec<Op>) {
        while self.may_accept()
            && self.retry_at.is_none_or(|at| at <= now)
            && let Some(slot) = self.free.pop()
        {
            self.in_flight += 1;
            ops.push(Op::Accept(slot));
        }
    }

    /// The time at which `next_ops` has something to submit that it hasn't now.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.retry_at.filter(|_| self.may_accept() && !self.free.is_empty())
    }

    pub fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    fn may_accept(&self) -> bool {
        !self.is_stopped && self.in_flight < AT_A_TIME
    }
}
