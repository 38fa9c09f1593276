//! Attempts whose outcomes are scripted, with a clock that advances when nothing else is to be done.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout};

use super::{Attempt, Backoff, DEFAULT_STABLE_AFTER, Retries};
use crate::connector::test_response::response;
use crate::{ConnectError, ConnectStage};

type Outcome = Result<u32, ConnectError>;

/// The times of the attempts, and the delays that were reported.
#[derive(Clone, Default)]
struct Log {
    attempts: Arc<Mutex<Vec<Instant>>>,
    delays: Arc<Mutex<Vec<Duration>>>,
}

impl Log {
    /// The times between attempts.
    fn intervals(&self) -> Vec<Duration> {
        self.attempts.lock().unwrap().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn count(&self) -> usize {
        self.attempts.lock().unwrap().len()
    }
}

fn scripted(outcomes: impl IntoIterator<Item = Outcome>) -> (Retries<u32>, Log) {
    let log = Log::default();
    let (attempts, delays) = (Arc::clone(&log.attempts), Arc::clone(&log.delays));
    let mut outcomes: VecDeque<Outcome> = outcomes.into_iter().collect();
    let mut retries = Retries::new(move || -> Attempt<u32> {
        attempts.lock().unwrap().push(Instant::now());
        let outcome = outcomes.pop_front().expect("no further attempt");
        Box::pin(async { outcome })
    });
    retries.on_retry = Box::new(move |_, delay| delays.lock().unwrap().push(delay));
    (retries, log)
}

async fn next(retries: &mut Retries<u32>) -> Option<Outcome> {
    poll_fn(|cx| retries.poll_next(cx)).await
}

fn temporary() -> Outcome {
    Err(ConnectError::Timeout(ConnectStage::Tcp))
}

fn rejected(status: u16, headers: &str) -> Outcome {
    Err(ConnectError::Rejected(response(status, headers).into()))
}

/// Whole milliseconds that the clock has, rounded up.
fn at_most(interval: Duration, bound: Duration) -> bool {
    interval <= bound + Duration::from_millis(1)
}

#[tokio::test(start_paused = true)]
async fn the_first_attempt_is_made_at_once_and_failures_are_retried_ever_more_slowly() {
    let mut outcomes: Vec<Outcome> = (0..40).map(|_| temporary()).collect();
    outcomes.push(Ok(7));
    let (mut retries, log) = scripted(outcomes);
    let begun = Instant::now();
    assert_eq!(next(&mut retries).await.unwrap().unwrap(), 7);
    assert_eq!(log.attempts.lock().unwrap()[0], begun);
    let (intervals, delays) = (log.intervals(), log.delays.lock().unwrap().clone());
    assert_eq!((intervals.len(), delays.len()), (40, 40));
    for (index, (interval, delay)) in intervals.into_iter().zip(delays).enumerate() {
        let bound = Duration::from_secs(1 << index.min(6)).min(Duration::from_secs(60));
        assert!(at_most(interval, bound), "{index}: {interval:?}");
        assert!(interval >= delay && at_most(interval, delay), "{index}: {interval:?} {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_time_gets_it() {
    let (mut retries, log) =
        scripted([rejected(503, "Retry-After: 120\r\n"), rejected(429, "Retry-After: soon\r\n"), Ok(1)]);
    assert_eq!(next(&mut retries).await.unwrap().unwrap(), 1);
    let [first, second] = log.intervals()[..] else { panic!() };
    assert!(first >= Duration::from_secs(120) && at_most(first, Duration::from_secs(121)), "{first:?}");
    assert!(at_most(second, Duration::from_secs(2)), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_is_the_end() {
    for status in [401, 403, 404] {
        let (mut retries, log) = scripted([temporary(), Ok(1), rejected(status, "Retry-After: 1\r\n")]);
        assert_eq!(next(&mut retries).await.unwrap().unwrap(), 1);
        let Some(Err(ConnectError::Rejected(response))) = next(&mut retries).await else { panic!() };
        assert_eq!(response.status(), status);
        assert!(next(&mut retries).await.is_none());
        assert!(next(&mut retries).await.is_none());
        assert_eq!((log.count(), log.delays.lock().unwrap().len()), (3, 1));
    }
}

/// The longest of many delays after a connection that lasted for that time, after ten failures.
async fn longest_delay_after(lasted: Duration) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let outcomes = (0..10).map(|_| temporary()).chain([Ok(1), Ok(2)]);
        let (mut retries, log) = scripted(outcomes);
        next(&mut retries).await.unwrap().unwrap();
        advance(lasted).await;
        next(&mut retries).await.unwrap().unwrap();
        longest = longest.max(log.intervals().last().unwrap().saturating_sub(lasted));
    }
    longest
}

#[tokio::test(start_paused = true)]
async fn a_stable_connection_resets_the_delays_and_a_short_one_does_not() {
    assert!(at_most(longest_delay_after(DEFAULT_STABLE_AFTER).await, Duration::from_secs(1)));
    let short = longest_delay_after(DEFAULT_STABLE_AFTER.saturating_sub(Duration::from_secs(1))).await;
    // All 50 are below 5 of 60 seconds once in 10^54 runs.
    assert!(short > Duration::from_secs(5), "{short:?}");
}

#[tokio::test(start_paused = true)]
async fn connections_that_do_not_last_are_retried_ever_more_slowly() {
    let (mut retries, log) = scripted((0..1000).map(Ok));
    retries.backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(8));
    for index in 0..1000 {
        assert_eq!(next(&mut retries).await.unwrap().unwrap(), index);
    }
    let intervals = log.intervals();
    assert!(intervals.iter().all(|interval| at_most(*interval, Duration::from_secs(8))));
    assert!(intervals.iter().any(|interval| *interval > Duration::from_secs(4)));
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_dropped_loses_neither_delay_nor_attempt() {
    let delay = Duration::from_secs(1000);
    let mut attempts = 0;
    let mut retries = Retries::new(move || -> Attempt<u32> {
        attempts += 1;
        let attempt = attempts;
        Box::pin(async move {
            sleep(Duration::from_secs(10)).await;
            if attempt == 1 { rejected(503, "Retry-After: 1000\r\n") } else { Ok(attempt) }
        })
    });
    let begun = Instant::now();
    let connected = loop {
        if let Ok(next) = timeout(Duration::from_secs(3), next(&mut retries)).await {
            break next.unwrap().unwrap();
        }
    };
    assert_eq!(connected, 2);
    let took = begun.elapsed();
    assert!(took >= delay + Duration::from_secs(20) && took < delay + Duration::from_secs(22), "{took:?}");
}
