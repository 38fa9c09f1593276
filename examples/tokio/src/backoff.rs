//! When to try again after a loss (RFC 6455 7.2.3): after a random delay that grows, so that the clients of a server which
//! comes back don't all come back at once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first delay is at most this,
const FIRST: Duration = Duration::from_secs(1);

/// and no delay is longer than this.
const LONGEST: Duration = Duration::from_secs(60);

/// The delays between attempts.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// A connection has lasted: what comes next is a new loss.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// How long to wait before the next attempt: anything up to a bound that doubles each time.
    pub fn delay(&mut self) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.attempts.min(16)).min(LONGEST);
        self.attempts += 1;
        bound.mul_f64(random())
    }
}

/// A number from 0 to 1: the keys of the standard library's hashers are random.
fn random() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::{Backoff, FIRST, LONGEST};

    #[test]
    fn delays_are_random_and_bounded() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..100).map(|_| backoff.delay()).collect();
        assert!(delays[0] <= FIRST && delays[1] <= 2 * FIRST && delays[2] <= 4 * FIRST);
        assert!(delays.iter().all(|delay| *delay <= LONGEST));
        assert!(
            delays.iter().any(|delay| *delay > LONGEST / 2) && delays[10..].iter().any(|delay| *delay < LONGEST / 2)
        );
        backoff.reset();
        assert!(backoff.delay() <= FIRST);
    }
}
