//! A scenario as data: a loop and the order of its steps, its peer, and events at certain times.

use std::time::Duration;

/// A step of a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Read,
    Advance,
    Receive,
    Write,
}

/// How a loop waits: for readiness between two iterations, or in a blocking read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Between,
    InRead,
}

/// A loop: its steps in their order. Each has a number, at which the events of a time happen.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    pub(crate) steps: Vec<Step>,
    pub(crate) wait: Wait,
}

/// An event at a time, before the step of that number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T> {
    pub(crate) time: Duration,
    pub(crate) step: usize,
    pub(crate) what: T,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// A waiting request is accepted.
    Accept,
    Close,
    Ping,
    /// The process is stopped, or busy with something else.
    Delay(Duration),
    /// The caller doesn't read for that time, and reports it once per iteration, at that step, if it reports it.
    Pause {
        length: Duration,
        reported: bool,
    },
}

/// The behaviour of the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// The time from one side to the other.
    pub(crate) latency: Duration,
    pub(crate) answers_pings: bool,
    /// How long it takes to answer a Close frame, if it does.
    pub(crate) answers_close: Option<Duration>,
    /// How often it sends a message, if it does, and how many.
    pub(crate) talks: Option<(Duration, usize)>,
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) const IDLE: Duration = Duration::from_secs(30);

pub(crate) const SILENCE: Duration = Duration::from_secs(10);

pub(crate) const CLOSING: Duration = Duration::from_secs(5);
