//! Which deadlines an end has to meet, from what it did and received alone, and that it meets them.

use std::time::Duration;

use websocket_proto::{Cause, Closed, Deadline, State};

use crate::plan::{CLOSING, HANDSHAKE, IDLE, SILENCE};

/// The most turns without progress at one time: a deadline starts, is noticed, leaves a turn, and takes effect.
const MOST_IDLE: usize = 5;
/// The turns of a deadline that has passed: one that notices it, one in which it takes effect.
const MOST_LATE: usize = 2;
/// The same for a keepalive, which sends its ping before.
const MOST_SILENT: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// The state that has a deadline, since the first turn that began in it.
    since: Option<(State, Duration)>,
    late_turns: usize,
    last_received: Option<Duration>,
    /// The first turn in which the keepalive was late, and how many there were.
    silent: Option<(Duration, usize)>,
    last_turn: Option<Duration>,
    idle_turns: usize,
    /// Whether a deadline ended the connection.
    pub(crate) has_ended_it: bool,
    /// The most turns in which the deadline of a handshake had passed and did not take effect.
    pub(crate) most_late_turns: usize,
}

/// The outcome of a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) now: Duration,
    pub(crate) before: State,
    pub(crate) after: State,
    /// The transport is to be shut down, or is already.
    pub(crate) is_over: bool,
    pub(crate) has_bytes: bool,
    pub(crate) is_paused: bool,
    pub(crate) has_written: bool,
    pub(crate) has_acted: bool,
    /// The connection asks for another turn at once.
    pub(crate) asks_again: bool,
}

impl Deadlines {
    /// Before a turn: the deadline of a state begins with the first turn in it.
    pub(crate) fn begin(&mut self, now: Duration, state: State) {
        if self.since.is_none_or(|(running, _)| running != state) {
            (self.since, self.late_turns) = (Some((state, now)), 0);
        }
        self.last_received.get_or_insert(now);
    }

    /// After it.
    pub(crate) fn check(&mut self, turn: Turn) {
        let Turn { now, before, after, is_over, .. } = turn;
        if turn.has_bytes || turn.is_paused {
            self.last_received = Some(now);
        }
        if is_over {
            return;
        }
        let limit = match before {
            State::Connecting => Some(HANDSHAKE),
            State::Closing | State::Closed => Some(CLOSING),
            State::Open => None,
        };
        if let (Some(limit), Some((_, since))) = (limit, self.since)
            && now >= since + limit
            && before == after
        {
            self.late_turns += 1;
            self.most_late_turns = self.most_late_turns.max(self.late_turns);
            assert!(self.late_turns < MOST_LATE, "{before:?} since {since:?}, and it is {now:?}");
        }
        self.check_silence(turn);
        let is_idle =
            turn.asks_again && !turn.has_bytes && !turn.has_written && !turn.has_acted && self.last_turn == Some(now);
        self.idle_turns = if is_idle && before == after { self.idle_turns + 1 } else { 0 };
        assert!(self.idle_turns <= MOST_IDLE, "the loop spins at {now:?}");
        self.last_turn = Some(now);
    }

    fn check_silence(&mut self, turn: Turn) {
        let late = self.last_received.expect("a turn has begun") + IDLE + SILENCE;
        if turn.after != State::Open || turn.now < late || turn.has_bytes || turn.has_written || turn.is_paused {
            self.silent = None;
            return;
        }
        let (since, turns) = self.silent.unwrap_or((turn.now, 0));
        assert!(turns < MOST_SILENT || turn.now <= since + 2 * SILENCE, "silent for long, and kept");
        self.silent = Some((since, turns + 1));
    }

    /// A deadline that took effect had passed.
    pub(crate) fn check_closed(&mut self, closed: &Closed, now: Duration) {
        let (Cause::Timeout(deadline), Some(received)) = (closed.cause, self.last_received) else { return };
        let since = self.since.expect("a turn has begun").1;
        let due = match deadline {
            Deadline::Opening => since + HANDSHAKE,
            Deadline::Keepalive => received + IDLE + SILENCE,
            Deadline::Closing => since + CLOSING,
            other => panic!("{other:?} is none of these"),
        };
        assert!(now >= due, "{deadline:?} took effect at {now:?}, before {due:?}");
        self.has_ended_it = true;
    }
}
