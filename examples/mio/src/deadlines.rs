//! When each peer wants to be called again: one heap, in which a peer stands once.
//!
//! A deadline that has become later isn't moved: when the old one comes, the peer says what it wants now.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

#[derive(Default)]
pub struct Deadlines(BinaryHeap<Reverse<(Duration, usize)>>);

impl Deadlines {
    /// Notes when a peer is to be called, unless it will be by then; `scheduled` remembers that for it.
    pub fn schedule(&mut self, peer: usize, at: Option<Duration>, scheduled: &mut Option<Duration>) {
        if let Some(at) = at
            && scheduled.is_none_or(|scheduled| at < scheduled)
        {
            *scheduled = Some(at);
            self.0.push(Reverse((at, peer)));
        }
    }

    /// How long nobody has to be called.
    pub fn next(&self) -> Option<Duration> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// How many bytes of heap they take.
    #[cfg(feature = "memory")]
    pub fn size(&self) -> usize {
        self.0.capacity() * size_of::<Reverse<(Duration, usize)>>()
    }

    /// A peer whose time has come, and what that was.
    pub fn due(&mut self, now: Duration) -> Option<(Duration, usize)> {
        let Reverse((at, _)) = self.0.peek()?;
        if *at > now { None } else { self.0.pop().map(|Reverse(due)| due) }
    }
}
