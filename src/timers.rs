//! Deadlines without a clock: the caller sets the time.
//!
//! One deadline runs at a time. It depends on the state of the connection:
//!
//! ```text
//! Opening ──open──► Idle ◄─────bytes───────┐      Closing (from our Close frame, and again from the end
//!                     └─silence─► Ping ─► Pinged           to the shutdown of the transport)
//! ```
//!
//! A deadline goes through four stages. Each transition is labelled with the call that makes it:
//!
//! ```text
//! Starts ─advance─► Runs ─advance, late enough─► Passed ─receive─► Turned ─advance─► Ripe ─receive─► takes effect
//! ```
//!
//! - `Starts`: the call that starts a deadline (`close`, `accept`, a ping) does not know the time, which may have been
//!   set an hour ago.
//! - `Passed` to `Ripe`: the caller's loop gets a whole iteration between the detection and the effect, in whatever
//!   order it reads, receives and sets the time. `receive` means a call that had nothing left to consume. Between two
//!   of those, with the time set in between, there is a read. By then, everything that the transport held when the
//!   deadline passed has been received.
//!
//! Received bytes do not move a deadline. Only when `Idle` passes is the time of the last received bytes taken into
//! account.

use core::time::Duration;

use crate::config::{Config, Keepalive};
use crate::event::Deadline;
use crate::round_trip::{Instant, RoundTrip};

const NEVER: Instant = u64::MAX;

/// The longest time between two wake-ups for a deadline that has passed but cannot take effect because the caller does
/// not call `receive`. Also how long a closed connection waits for such a call. Long enough to cost nothing, and short
/// enough to go unnoticed.
const RETRY: Instant = 1_000_000_000;

#[derive(Debug)]
pub(crate) struct Timers {
    /// The latest time that was set, or `NEVER` before the first.
    now: Instant,
    /// In the stage `Runs`: when the deadline passes, or `NEVER`. In any other stage: the time when the stage began.
    at: Instant,
    timer: Timer,
    stage: Stage,
    /// The payload of the newest ping of the keepalive, as a number.
    ping: u32,
    /// How many of the newest pings are unanswered. Their payloads are consecutive, so that each is recognised.
    unanswered: u8,
    /// Set if something can be received without input, so that the loop is woken for an iteration.
    wakes: bool,
    /// The time when bytes were last received.
    last_received: Instant,
    round_trip: RoundTrip,
}

/// The running deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    Off,
    Opening,
    /// The time before a silent peer is sent a ping.
    Idle,
    /// A ping was appended to the output. The loop has a whole iteration to write it.
    Ping,
    /// The peer must answer. `unwritten`: the ping may still be in the output, because the transport accepts nothing.
    Pinged {
        unwritten: bool,
    },
    Closing,
    /// The transport must be aborted. The loop is woken for one more iteration, in case it is about to wait.
    Over,
}

/// The stage of the deadline. The diagram is in the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Starts,
    Runs,
    Passed,
    Turned,
    Ripe,
    /// The loop has had its last iteration.
    Final,
}

/// The payload of a ping of the keepalive.
pub(crate) type Ping = [u8; 4];

impl Timers {
    pub(crate) fn new(timer: Timer, config: &Config) -> Self {
        let mut this = Self {
            now: NEVER,
            at: NEVER,
            timer: Timer::Off,
            stage: Stage::Runs,
            ping: 0,
            unanswered: 0,
            wakes: false,
            last_received: 0,
            round_trip: RoundTrip::new(),
        };
        this.start(timer, config);
        this
    }

    /// Starts a deadline in place of the previous one. It runs from the time that is set next.
    pub(crate) fn start(&mut self, timer: Timer, config: &Config) {
        match (timer.timeout(config), timer) {
            (Some(_), _) => (self.timer, self.stage, self.at) = (timer, Stage::Starts, self.now),
            // If closing has no deadline of its own, that of the keepalive applies.
            (None, Timer::Closing) if config.keepalive.is_some() => {
                if !matches!(self.timer, Timer::Idle | Timer::Ping | Timer::Pinged { .. }) {
                    self.start(Timer::Idle, config);
                }
            }
            (None, _) => self.stop(),
        }
    }

    /// Stops the running deadline.
    fn stop(&mut self) {
        (self.timer, self.stage, self.at) = (Timer::Off, Stage::Runs, NEVER);
    }

    /// Sets the time, which never runs backwards. `is_written` says whether the keepalive's ping, if there is one, has
    /// left the output. Returns the ping to send if the peer is silent.
    pub(crate) fn advance(&mut self, now: Duration, is_written: bool, config: &Config) -> Option<Ping> {
        let now = nanos(now);
        if self.now == NEVER {
            self.now = now;
            self.last_received = now;
            // A stage that began before there was a time begins now.
            if self.stage != Stage::Runs {
                self.at = now;
            }
        }
        self.now = self.now.max(now);
        self.wakes = false;
        self.round_trip.advance(self.now);
        if self.is_answered() {
            return self.idle(config);
        }
        match self.stage {
            _ if self.timer == Timer::Ping && is_written => self.wait_for_pong(false, config),
            Stage::Starts if self.is_pinged() => self.wait_for_pong(!is_written, config),
            Stage::Starts => self.run(config),
            Stage::Turned => self.enter(Stage::Ripe),
            Stage::Runs | Stage::Passed | Stage::Ripe | Stage::Final => {}
        }
        if self.stage != Stage::Runs || self.now < self.at {
            return None;
        }
        // It has passed, unless bytes were received in time.
        let is_answered = self.is_pinged() && self.is_answered_in_time(config);
        if self.timer == Timer::Idle || is_answered {
            return self.idle(config);
        }
        self.enter(Stage::Passed);
        None
    }

    /// Records that `receive` had nothing left to consume. Returns the deadline that takes effect now.
    #[inline]
    pub(crate) fn input_consumed(&mut self) -> Option<Deadline> {
        if matches!(self.stage, Stage::Starts | Stage::Runs) { None } else { self.turn() }
    }

    /// Returns when the time should be set next. A time in the past means immediately.
    pub(crate) fn next(&self) -> Option<Duration> {
        let now = if self.now == NEVER { 0 } else { self.now };
        if self.wakes || self.round_trip.awaits_time() {
            return Some(Duration::from_nanos(now));
        }
        let at = match self.stage {
            Stage::Starts | Stage::Turned => now,
            Stage::Runs if self.at == NEVER => return None,
            Stage::Runs => self.at,
            // Due immediately. A caller that keeps setting the time without receiving is woken less and less often.
            Stage::Passed | Stage::Ripe => now.saturating_add(self.overdue().min(RETRY)),
            Stage::Final => return None,
        };
        Some(Duration::from_nanos(at))
    }

    /// Records that bytes were received.
    #[inline]
    pub(crate) fn on_receive(&mut self) {
        self.last_received = self.now;
    }

    /// Starts or restarts the time for the answer to the keepalive's ping. `unwritten` says whether the ping may still
    /// be in the output.
    pub(crate) fn wait_for_pong(&mut self, unwritten: bool, config: &Config) {
        self.timer = Timer::Pinged { unwritten };
        self.run(config);
    }

    /// Returns whether the keepalive's ping was still in the output when the time for its answer began.
    pub(crate) fn ping_was_unwritten(&self) -> bool {
        matches!(self.timer, Timer::Pinged { unwritten: true })
    }

    /// Makes the loop have another iteration, in case it is about to wait.
    pub(crate) fn wake(&mut self) {
        self.wakes = true;
    }

    /// Records that the transport must be aborted.
    pub(crate) fn abort(&mut self) {
        self.timer = Timer::Over;
        self.enter(Stage::Passed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.timer == Timer::Over
    }

    /// Returns whether the deadline passed a while ago and the caller no longer calls `receive`.
    pub(crate) fn is_neglected(&self, config: &Config) -> bool {
        // The wait for an answer follows, which begins in `receive`.
        let wait = if self.timer == Timer::Ping { self.timer.timeout(config).map_or(0, nanos) } else { 0 };
        let is_passed = matches!(self.stage, Stage::Passed | Stage::Ripe) && !self.is_over();
        is_passed && self.overdue() >= RETRY.saturating_add(wait)
    }

    /// Records that the caller sent a ping.
    pub(crate) fn ping_sent(&mut self, payload: &[u8]) {
        self.round_trip.ping_sent(payload);
    }

    /// Records that a pong was received. Returns whether it answers a ping of the keepalive, and is therefore not
    /// reported to the caller.
    pub(crate) fn pong_received(&mut self, payload: &[u8]) -> bool {
        self.round_trip.pong_received(payload);
        let Ok(payload) = Ping::try_from(payload) else { return false };
        let newer = self.ping.wrapping_sub(u32::from_be_bytes(payload));
        let is_own = newer < self.unanswered.into();
        if is_own {
            // RFC 6455 section 5.5.3: the peer may answer only the newest of several pings.
            self.unanswered = newer as u8;
        }
        is_own
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.last()
    }

    fn run(&mut self, config: &Config) {
        self.stage = Stage::Runs;
        self.at = self.timer.timeout(config).map_or(NEVER, |timeout| self.now.saturating_add(nanos(timeout)));
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.at = self.now;
    }

    /// Moves a passed deadline to its next stage, as another part of the caller's iteration is over.
    #[cold]
    fn turn(&mut self) -> Option<Deadline> {
        let deadline = match self.timer {
            Timer::Opening => Deadline::Opening,
            Timer::Ping | Timer::Pinged { .. } => Deadline::Keepalive,
            Timer::Closing | Timer::Over => Deadline::Closing,
            Timer::Off | Timer::Idle => {
                debug_assert!(false, "these never pass");
                return None;
            }
        };
        match self.stage {
            // Bytes were received, so the peer is not silent: `advance` restarts the deadline.
            _ if self.is_answered() => None,
            Stage::Passed => {
                self.stage = Stage::Turned;
                self.is_over().then_some(deadline)
            }
            // The transport accepts nothing.
            Stage::Ripe if self.timer == Timer::Ping => {
                self.timer = Timer::Pinged { unwritten: true };
                self.enter(Stage::Starts);
                None
            }
            Stage::Ripe if self.is_over() => {
                self.stage = Stage::Final;
                Some(deadline)
            }
            Stage::Ripe | Stage::Final => Some(deadline),
            Stage::Starts | Stage::Runs | Stage::Turned => None,
        }
    }

    /// The idle time has passed since the deadline was started, but perhaps not since bytes were last received.
    fn idle(&mut self, config: &Config) -> Option<Ping> {
        let Some(Keepalive { idle, .. }) = config.keepalive else {
            debug_assert!(false, "these deadlines are a keepalive's");
            return None;
        };
        // At least a nanosecond, so that a peer that sent bytes at this very time is not sent a ping.
        let deadline = self.last_received.saturating_add(nanos(idle).max(1));
        (self.timer, self.stage, self.at) = (Timer::Idle, Stage::Runs, deadline);
        if self.now < deadline {
            return None;
        }
        self.timer = Timer::Ping;
        self.enter(Stage::Passed);
        // The time makes the payload differ from that of the previous ping, and from a ping of another connection that
        // a proxy forwards.
        self.ping = if self.unanswered == 0 { self.now as u32 } else { self.ping.wrapping_add(1) };
        self.unanswered = self.unanswered.saturating_add(1);
        let payload = self.ping.to_be_bytes();
        if self.round_trip.ping_sent(&payload) {
            self.round_trip.run(self.now);
        }
        Some(payload)
    }

    /// Returns whether bytes were received between the start of the wait for a pong and its deadline, which has passed.
    fn is_answered_in_time(&self, config: &Config) -> bool {
        let timeout = config.keepalive.map_or(0, |keepalive| nanos(keepalive.timeout));
        self.last_received.saturating_add(timeout) >= self.at
    }

    /// Returns whether bytes were received after the ping was sent (if the wait for its answer has not begun), or after
    /// the end of that wait was detected.
    fn is_answered(&self) -> bool {
        (self.is_pinged() || self.timer == Timer::Ping) && self.stage != Stage::Runs && self.last_received >= self.at
    }

    fn is_pinged(&self) -> bool {
        matches!(self.timer, Timer::Pinged { .. })
    }

    fn overdue(&self) -> Instant {
        self.now.saturating_sub(self.at)
    }
}

impl Timer {
    fn timeout(self, config: &Config) -> Option<Duration> {
        match self {
            Self::Off | Self::Over => None,
            Self::Opening => config.handshake_timeout,
            Self::Idle => config.keepalive.map(|Keepalive { idle, .. }| idle),
            Self::Ping | Self::Pinged { .. } => config.keepalive.map(|Keepalive { timeout, .. }| timeout),
            Self::Closing => config.close_timeout,
        }
    }
}

fn nanos(duration: Duration) -> Instant {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER).min(NEVER - 1)
}
