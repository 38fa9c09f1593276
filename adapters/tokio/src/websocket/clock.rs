//! The time since the start of the connection, and a single timer for all its deadlines.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Clock {
    pub(super) fn new(start: Instant) -> Self {
        Self { start, timer: Box::pin(sleep_until(start)) }
    }

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Waits until the deadline. If that is later than the timer, the timer is not moved. It is reset for the remaining
    /// time when it fires. So messages, each of which makes the deadline of the keepalive later, do not touch the
    /// timer.
    pub(super) fn poll_until(&mut self, then: Option<Duration>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(then) = then.and_then(|then| self.start.checked_add(then)) else { return Poll::Pending };
        while self.timer.deadline() != then || !self.timer.is_elapsed() {
            if then < self.timer.deadline() || self.timer.is_elapsed() {
                self.timer.as_mut().reset(then);
            }
            ready!(self.timer.as_mut().poll(cx));
        }
        Poll::Ready(())
    }
}
