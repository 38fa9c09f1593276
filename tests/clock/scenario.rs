//! A scenario as data: a loop and the order of its steps, its peer, and what happens when.

use std::time::Duration;

/// What a loop does in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Read,
    Advance,
    Receive,
    Write,
}

/// Where a loop waits: for readiness between two turns, or in a blocking read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Between,
    InRead,
}

/// A loop: its steps in their order, each with a number, at which whatever happens at a time happens.
#[derive(Clone, Debug)]
pub(crate) struct Loop {
    pub(crate) steps: Vec<Step>,
    pub(crate) wait: Wait,
}

/// What happens to the loop at a time, before the step of that number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T> {
    pub(crate) time: Duration,
    pub(crate) step: usize,
    pub(crate) what: T,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// A request that waits is accepted.
    Accept,
    Close,
    Ping,
    /// The process is stopped, or busy with something else.
    Delay(Duration),
    /// The caller doesn't read for that time, and reports it once a turn, at that step, if it reports it.
    Pause {
        length: Duration,
        reported: bool,
    },
}

/// What the peer does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// From one side to the other.
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
