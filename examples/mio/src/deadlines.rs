//! The time at which each peer wants its next turn: one heap, which contains each peer once.
//!
//! When a deadline becomes later, its entry isn't moved. When the old time has passed, the peer is asked for
//! the new one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

#[derive(Default)]
pub struct Deadlines(BinaryHeap<Reverse<(Duration, usize)>>);

impl Deadlines {
    /// Schedules a call of a peer, unless there is one before that time; `scheduled` remembers that for it.
    pub fn schedule(&mut self, peer: usize, at: Option<Duration>, scheduled: &mut Option<Duration>) {
        if let Some(at) = at
            && scheduled.is_none_or(|scheduled| at < scheduled)
        {
            *scheduled = Some(at);
            self.0.push(Reverse((at, peer)));
        }
    }

    /// The time until the first call.
    pub fn next(&self) -> Option<Duration> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// The number of bytes of heap that they take.
    #[cfg(feature = "memory")]
    pub fn size(&self) -> usize {
        self.0.capacity() * size_of::<Reverse<(Duration, usize)>>()
    }

    /// A peer whose time has come, and that time.
    pub fn due(&mut self, now: Duration) -> Option<(Duration, usize)> {
        let Reverse((at, _)) = self.0.peek()?;
        if *at > now { None } else { self.0.pop().map(|Reverse(due)| due) }
    }
}
