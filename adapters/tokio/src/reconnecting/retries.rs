//! Attempts and the delays between them.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::backoff::Backoff;
use crate::ConnectError;

/// The default time after which a connection counts as stable.
const DEFAULT_STABLE_AFTER: Duration = Duration::from_secs(30);

/// An attempt to connect.
pub(super) type Attempt<T> = Pin<Box<dyn Future<Output = Result<T, ConnectError>> + Send>>;

/// A report of a failure and of the delay before the next attempt.
type OnRetry = dyn FnMut(&ConnectError, Duration) + Send;

/// Successive connections.
///
/// ```text
///                        ┌───────────────────────── delay is over ────────────────────────┐
///                        ▼                                                                 │
/// Begin ──────────► Connecting ──── connected ───► Connected ──── asked for the next ──► Waiting
///                        ├──────────────────────── failed, but that passes ───────────────►┘
///                        └──────────────────────── permanent error ──────────────────────► Stopped
/// ```
pub(super) struct Retries<T> {
    connect: Box<dyn FnMut() -> Attempt<T> + Send>,
    pub(super) on_retry: Box<OnRetry>,
    pub(super) backoff: Backoff,
    pub(super) stable_after: Duration,
    state: State<T>,
}

enum State<T> {
    Begin,
    Connecting(Attempt<T>),
    /// The caller has had the connection since this time.
    Connected(Instant),
    Waiting(Pin<Box<Sleep>>),
    Stopped,
}

impl<T> Retries<T> {
    pub(super) fn new(connect: impl FnMut() -> Attempt<T> + Send + 'static) -> Self {
        Self {
            connect: Box::new(connect),
            on_retry: Box::new(|_, _| {}),
            backoff: Backoff::default(),
            stable_after: DEFAULT_STABLE_AFTER,
            state: State::Begin,
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, ConnectError>>> {
        loop {
            self.state = match &mut self.state {
                State::Begin => State::Connecting((self.connect)()),
                State::Connecting(attempt) => match ready!(attempt.as_mut().poll(cx)) {
                    Ok(connected) => {
                        self.state = State::Connected(Instant::now());
                        return Poll::Ready(Some(Ok(connected)));
                    }
                    Err(error) if error.is_permanent() => {
                        self.state = State::Stopped;
                        return Poll::Ready(Some(Err(error)));
                    }
                    Err(error) => {
                        let delay = self.backoff.next_delay(retry_after(&error));
                        (self.on_retry)(&error, delay);
                        State::Waiting(Box::pin(sleep(delay)))
                    }
                },
                State::Connected(since) => {
                    if since.elapsed() >= self.stable_after {
                        self.backoff.reset();
                    }
                    State::Waiting(Box::pin(sleep(self.backoff.next_delay(None))))
                }
                State::Waiting(delay) => {
                    ready!(delay.as_mut().poll(cx));
                    State::Connecting((self.connect)())
                }
                State::Stopped => return Poll::Ready(None),
            };
        }
    }
}

/// Returns the time that the server requests.
fn retry_after(error: &ConnectError) -> Option<Duration> {
    match error {
        ConnectError::Rejected(response) => response.retry_after(),
        _ => None,
    }
}

impl<T> fmt::Debug for Retries<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Begin => "Begin",
            State::Connecting(_) => "Connecting",
            State::Connected(_) => "Connected",
            State::Waiting(_) => "Waiting",
            State::Stopped => "Stopped",
        })
    }
}

#[cfg(test)]
mod tests;
