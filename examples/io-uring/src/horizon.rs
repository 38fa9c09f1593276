//! Decides when the server may act on a deadline that has passed: not before it has handled everything that had
//! arrived by then.
//!
//! When a process continues after it was stopped for a minute, it finds deadlines that have passed, and also the
//! bytes that would have kept the peers connected. The kernel reports those bytes a few at a time. So deadlines wait
//! for a turn after which no completion is left.
//!
//! While some peers flood the server, there may be no such turn for a long time. But the kernel handles input in
//! the order in which it arrived. After enough turns, it has reported everything that was waiting in the first of
//! them.

use std::time::Duration;

/// From Linux 6.13 on, the kernel does 20 pieces of work in a turn; before that, it does all. A slot has two at most that
/// wait, a receive and a send. So this is enough for 1,280 slots.
const ENOUGH_TURNS: u32 = 128;

#[derive(Debug, Default)]
pub struct Horizon {
    /// The time of the first of the last `turns` turns, none of which caught up.
    mark: Duration,
    turns: u32,
}

impl Horizon {
    /// Ends a turn whose clock was read as `now`. Returns the time up to which deadlines may be acted on in this turn.
    /// `is_due`: one has passed, and so it matters.
    pub fn advance(&mut self, now: Duration, caught_up: bool, is_due: bool) -> Option<Duration> {
        if caught_up || !is_due {
            self.turns = 0;
            return caught_up.then_some(now);
        }
        if self.turns == 0 {
            self.mark = now;
        }
        self.turns += 1;
        if self.turns <= ENOUGH_TURNS {
            return None;
        }
        self.turns = 0;
        Some(self.mark)
    }
}
