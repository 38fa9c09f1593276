//! Measurement of the time from a ping to its pong.

use core::time::Duration;

/// Nanoseconds since the caller's epoch. Saturates after 584 years.
pub(crate) type Instant = u64;

/// The time from a ping to its pong. Its start and its end are each the first time set after the event. The measurement
/// is therefore accurate to within one iteration, in whatever order a loop waits, receives and sets the time.
///
/// The ping that is measured is the newest one. Of several pings with equal payloads it is the first: a pong for the
/// first must not count as one for the second.
#[derive(Debug)]
pub(crate) struct RoundTrip {
    /// When the ping was sent.
    start: Instant,
    /// In microseconds, `u32::MAX` before the first.
    last: u32,
    /// The hash of the ping's payload.
    ping: u16,
    ping_state: PingState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PingState {
    /// Every ping was answered.
    None,
    /// The round trip starts with the time that is set next.
    Starts,
    Runs,
    /// The pong was received: the round trip ends with the time that is set next.
    Ends,
    /// The round trip ends with the time that is set next, and that of a newer ping starts.
    EndsAndStarts,
}

impl RoundTrip {
    pub(crate) const fn new() -> Self {
        Self { start: 0, last: u32::MAX, ping: 0, ping_state: PingState::None }
    }

    /// Returns whether a round trip starts or ends with the time that is set next.
    pub(crate) fn awaits_time(&self) -> bool {
        matches!(self.ping_state, PingState::Starts | PingState::Ends | PingState::EndsAndStarts)
    }

    pub(crate) fn advance(&mut self, now: Instant) {
        if matches!(self.ping_state, PingState::Ends | PingState::EndsAndStarts) {
            let micros = now.saturating_sub(self.start) / 1000;
            self.last = u32::try_from(micros).unwrap_or(u32::MAX - 1);
        }
        match self.ping_state {
            PingState::None | PingState::Runs => {}
            PingState::Ends => self.ping_state = PingState::None,
            PingState::Starts | PingState::EndsAndStarts => self.run(now),
        }
    }

    /// Starts the measurement of the ping that was sent last.
    pub(crate) fn run(&mut self, now: Instant) {
        self.start = now;
        self.ping_state = PingState::Runs;
    }

    /// Records that a ping was sent. Returns whether it is the one that is measured.
    pub(crate) fn ping_sent(&mut self, payload: &[u8]) -> bool {
        let ping = hash(payload);
        self.ping_state = match self.ping_state {
            PingState::Starts | PingState::Runs | PingState::EndsAndStarts if self.ping == ping => return false,
            PingState::None | PingState::Starts | PingState::Runs => PingState::Starts,
            PingState::Ends | PingState::EndsAndStarts => PingState::EndsAndStarts,
        };
        self.ping = ping;
        true
    }

    pub(crate) fn pong_received(&mut self, payload: &[u8]) {
        if self.ping != hash(payload) {
            return;
        }
        self.ping_state = match self.ping_state {
            // Before its start is known, a pong measures nothing.
            PingState::None | PingState::Starts => PingState::None,
            PingState::Runs | PingState::Ends | PingState::EndsAndStarts => PingState::Ends,
        };
    }

    pub(crate) fn last(&self) -> Option<Duration> {
        (self.last != u32::MAX).then(|| Duration::from_micros(self.last.into()))
    }
}

/// FNV-1a: enough to distinguish the pongs of different pings.
fn hash(payload: &[u8]) -> u16 {
    payload.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    /// `u32::MAX` microseconds stand for no measurement.
    #[test]
    fn the_longest_round_trip_is_one() {
        let mut round_trip = RoundTrip::new();
        assert!(round_trip.ping_sent(b""));
        round_trip.run(0);
        round_trip.pong_received(b"");
        round_trip.advance(Instant::MAX);
        assert_eq!(round_trip.last(), Some(Duration::from_micros(u64::from(u32::MAX) - 1)));
    }

    /// Pings that differ in one byte have different hashes.
    #[test]
    fn payloads_of_one_byte_have_hashes_of_their_own() {
        let hashes: BTreeSet<_> = (0..=u8::MAX).map(|byte| hash(&[byte])).collect();
        assert_eq!(hashes.len(), 256);
    }
}
