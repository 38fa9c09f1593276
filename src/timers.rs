//! Deadlines, without a clock: the owner says what time it is.
//!
//! One deadline is armed at a time, which one depends on where the connection stands:
//!
//! ```text
//! Opening ──open──► Idle ◄──heard──┐            Closing (from our Close frame, or the end, to the shutdown)
//!                     └─silence─► Pinged ─silence─► the peer is lost
//! ```
//!
//! Received bytes move no timer: `Idle` finds out when it fires how long the silence has really been.

use core::time::Duration;

use crate::config::{Config, Keepalive};

/// Nanoseconds since the owner's epoch; 584 years, and then the end of time.
type Instant = u64;

const NEVER: Instant = u64::MAX;

#[derive(Debug)]
pub(crate) struct Timers {
    /// The latest time that the owner told; `NEVER` until the first.
    now: Instant,
    armed: Timer,
    deadline: Instant,
    /// When bytes last came in.
    heard: Instant,
    /// When the last ping was sent that isn't answered yet, and what its payload hashes to.
    pinged: Instant,
    ping: u16,
    /// The last round trip in microseconds, `u32::MAX` before the first.
    round_trip: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    Off,
    Opening,
    Idle,
    Pinged,
    Closing,
}

/// What a passed deadline asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    Opening,
    /// Send a ping with this payload.
    Idle([u8; 8]),
    Keepalive,
    Closing,
}

impl Timers {
    pub(crate) fn new(armed: Timer) -> Self {
        Self { now: NEVER, armed, deadline: NEVER, heard: 0, pinged: NEVER, ping: 0, round_trip: u32::MAX }
    }

    /// Tells the time, which never runs backwards; a deadline that has passed is reported once.
    pub(crate) fn advance(&mut self, now: Duration, config: &Config) -> Option<Expired> {
        let now = nanos(now);
        if self.now == NEVER {
            self.now = now;
            self.heard = now;
            self.arm(self.armed, config);
        }
        self.now = self.now.max(now);
        if self.now < self.deadline {
            return None;
        }
        match self.armed {
            Timer::Off => None,
            Timer::Opening => Some(self.expire(Expired::Opening)),
            Timer::Closing => Some(self.expire(Expired::Closing)),
            Timer::Idle => self.idle(config),
            Timer::Pinged if self.heard_since_ping(config) => self.idle(config),
            Timer::Pinged => Some(self.expire(Expired::Keepalive)),
        }
    }

    /// Arms the deadline of what begins now, instead of the one before. Before the owner has told the time, it is
    /// armed when they do.
    pub(crate) fn arm(&mut self, timer: Timer, config: &Config) {
        self.armed = timer;
        let after = match timer {
            Timer::Off => None,
            Timer::Opening => config.handshake_timeout,
            Timer::Idle => config.keepalive.map(|Keepalive { idle, .. }| idle),
            Timer::Pinged => config.keepalive.map(|Keepalive { timeout, .. }| timeout),
            Timer::Closing => config.close_timeout,
        };
        self.deadline = match after {
            // Where the time hasn't been told, this is never, too.
            Some(after) => self.now.saturating_add(nanos(after)),
            None => NEVER,
        };
    }

    pub(crate) fn next(&self) -> Option<Duration> {
        (self.deadline != NEVER).then(|| Duration::from_nanos(self.deadline))
    }

    /// The latest time that the owner told.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.now)
    }

    /// Tells the time and nothing else; it has been told before.
    pub(crate) fn tell(&mut self, now: Duration) {
        self.now = self.now.max(nanos(now));
    }

    /// Bytes came in.
    #[inline]
    pub(crate) fn heard(&mut self) {
        self.heard = self.now;
    }

    /// Whether bytes came in since the owner last told the time.
    pub(crate) fn heard_now(&self) -> bool {
        self.heard == self.now
    }

    /// A ping was sent. The round trip is measured for the newest, or the first of several that look the same.
    pub(crate) fn ping_sent(&mut self, payload: &[u8]) {
        let ping = hash(payload);
        // An answer to the first of two that look the same must not pass for one to the second.
        if self.pinged == NEVER || self.ping != ping {
            self.pinged = self.now;
            self.ping = ping;
        }
    }

    pub(crate) fn pong_received(&mut self, payload: &[u8]) {
        if self.pinged != NEVER && self.ping == hash(payload) {
            let micros = self.now.saturating_sub(self.pinged) / 1000;
            self.round_trip = u32::try_from(micros).unwrap_or(u32::MAX - 1);
            self.pinged = NEVER;
        }
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        (self.round_trip != u32::MAX).then(|| Duration::from_micros(self.round_trip.into()))
    }

    fn expire(&mut self, expired: Expired) -> Expired {
        self.armed = Timer::Off;
        self.deadline = NEVER;
        expired
    }

    /// Whether bytes came in after the keepalive's ping, which was sent `timeout` before the deadline.
    fn heard_since_ping(&self, config: &Config) -> bool {
        config.keepalive.is_some_and(|keepalive| self.heard.saturating_add(nanos(keepalive.timeout)) >= self.deadline)
    }

    /// The idle time may have passed: since the timer was armed, or since bytes came in?
    fn idle(&mut self, config: &Config) -> Option<Expired> {
        let Keepalive { idle, .. } = config.keepalive?;
        self.armed = Timer::Idle;
        self.deadline = self.heard.saturating_add(nanos(idle).max(1));
        if self.now < self.deadline {
            return None;
        }
        self.arm(Timer::Pinged, config);
        // The time makes the payload differ from that of the ping before.
        Some(Expired::Idle(self.now.to_be_bytes()))
    }
}

fn nanos(duration: Duration) -> Instant {
    u64::try_from(duration.as_nanos()).unwrap_or(NEVER).min(NEVER - 1)
}

/// FNV-1a: enough to tell the answer to one ping from that to another.
fn hash(payload: &[u8]) -> u16 {
    payload.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    /// Pings that differ in a byte are told apart.
    #[test]
    fn payloads_of_one_byte_have_hashes_of_their_own() {
        let hashes: BTreeSet<_> = (0..=u8::MAX).map(|byte| hash(&[byte])).collect();
        assert_eq!(hashes.len(), 256);
    }
}
