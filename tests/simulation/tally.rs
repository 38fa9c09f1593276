//! The figures of a run.

use std::ops::AddAssign;

/// The figures of a run, and a number that its trace decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sessions: usize,
    pub(crate) turns: usize,
    pub(crate) messages: usize,
    pub(crate) clean: usize,
    pub(crate) unclean: usize,
    pub(crate) broadcasts: usize,
    pub(crate) compressed: usize,
    /// The ends whose connection a deadline ended.
    pub(crate) deadlines: usize,
    /// The most turns in which the deadline of a handshake had passed and did not take effect.
    pub(crate) most_late_turns: usize,
    pub(crate) most_connections: usize,
    pub(crate) most_held: usize,
    /// Decides what the trace was.
    pub(crate) trace: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.turns += other.turns;
        self.messages += other.messages;
        self.clean += other.clean;
        self.unclean += other.unclean;
        self.broadcasts += other.broadcasts;
        self.compressed += other.compressed;
        self.deadlines += other.deadlines;
        self.most_late_turns = self.most_late_turns.max(other.most_late_turns);
        self.most_connections = self.most_connections.max(other.most_connections);
        self.most_held = self.most_held.max(other.most_held);
        self.trace ^= other.trace;
    }
}

impl Tally {
    pub(crate) fn has_connections(&self, count: usize) -> bool {
        self.most_connections >= count
    }

    /// Nothing that a run is for was missing.
    pub(crate) fn has_everything(&self) -> bool {
        [self.messages, self.clean, self.unclean, self.broadcasts, self.compressed, self.deadlines]
            .into_iter()
            .all(|count| count > 0)
    }
}
