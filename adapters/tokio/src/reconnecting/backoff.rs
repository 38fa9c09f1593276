//! The delay before a retry (RFC 6455 section 7.2.3). It is random with a growing bound, so that the clients of a
//! restarted server do not all reconnect at once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The default bound of the first delay.
const DEFAULT_FIRST: Duration = Duration::from_secs(1);

/// The default bound of all delays.
const DEFAULT_MAX: Duration = Duration::from_secs(60);

/// The longest time that a server can request with `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// The delays between attempts: exponential backoff with full jitter.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    max: Duration,
    /// The bound of the next delay.
    bound: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, bound: first.min(max) }
    }

    /// Starts with short delays again.
    pub(super) fn reset(&mut self) {
        self.bound = self.first.min(self.max);
    }

    /// Returns the delay before the next attempt: the time that the server requests, plus a random time from 0 to a
    /// bound that doubles with each call.
    pub(super) fn next_delay(&mut self, retry_after: Option<Duration>) -> Duration {
        let delay = self.bound.mul_f64(random());
        self.bound = self.bound.saturating_mul(2).min(self.max);
        // Other clients of the server wait for the same time. Without the jitter they would all reconnect at once.
        delay.saturating_add(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(DEFAULT_FIRST, DEFAULT_MAX)
    }
}

/// Returns a number from 0 to less than 1. The keys of the standard library's hashers are random.
fn random() -> f64 {
    let hash = RandomState::new().hash_one(());
    f64::from((hash >> 32) as u32) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::{Backoff, DEFAULT_FIRST, DEFAULT_MAX, Duration, MAX_RETRY_AFTER, random};

    #[test]
    fn bounds_double_up_to_the_longest() {
        let mut backoff = Backoff::default();
        let mut bound = DEFAULT_FIRST;
        for _ in 0..50 {
            assert_eq!(backoff.bound, bound);
            assert!(backoff.next_delay(None) < bound);
            bound = (2 * bound).min(DEFAULT_MAX);
        }
        assert_eq!(bound, DEFAULT_MAX);
        backoff.reset();
        assert!(backoff.next_delay(None) < DEFAULT_FIRST);
    }

    #[test]
    fn extreme_settings_are_no_trap() {
        let mut backoff = Backoff::new(Duration::from_secs(9), Duration::from_secs(2));
        assert!(backoff.next_delay(None) < Duration::from_secs(2));
        backoff.reset();
        assert!(backoff.next_delay(None) < Duration::from_secs(2));
        assert_eq!(Backoff::new(Duration::ZERO, Duration::ZERO).next_delay(None), Duration::ZERO);
        let mut backoff = Backoff::new(Duration::MAX / 2, Duration::MAX);
        for _ in 0..3 {
            backoff.next_delay(Some(Duration::MAX));
        }
    }

    #[test]
    fn a_server_sets_the_least_delay_up_to_an_hour() {
        for (asked, waits) in [(Duration::from_secs(7), Duration::from_secs(7)), (Duration::MAX, MAX_RETRY_AFTER)] {
            let delay = Backoff::default().next_delay(Some(asked));
            assert!(delay >= waits && delay < waits + DEFAULT_FIRST, "{delay:?}");
        }
    }

    #[test]
    fn jitter_is_spread_over_the_whole_range() {
        let numbers: Vec<f64> = (0..10_000).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        for tenth in 0..10 {
            let from = f64::from(tenth) / 10.0;
            let count = numbers.iter().filter(|number| (from..from + 0.1).contains(number)).count();
            // 1,000 at a standard deviation of 30.
            assert!((700..1300).contains(&count), "{count} from {from}");
        }
    }
}
