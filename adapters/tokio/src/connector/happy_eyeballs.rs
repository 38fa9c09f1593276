//! Connecting to one of several addresses as RFC 8305 describes: attempts are staggered and alternate between address
//! families, and the first connection wins.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// RFC 8305 section 5: the recommended Connection Attempt Delay.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Orders addresses so that the families alternate (RFC 8305 section 4), starting with the first address, which the
/// resolver prefers (RFC 6724). The order within a family is kept.
pub(super) fn interleave(addresses: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let addresses: Vec<SocketAddr> = addresses.into_iter().collect();
    let first_is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_ipv6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = VecDeque::new();
    loop {
        let (one, other) = (first.next(), second.next());
        if one.is_none() && other.is_none() {
            return ordered;
        }
        ordered.extend(one.into_iter().chain(other));
    }
}

/// Connects to the addresses, each [`ATTEMPT_DELAY`] after the previous one or as soon as that has failed. Returns the
/// first connection, or the error of each address.
pub(super) async fn connect<T, F>(
    addresses: VecDeque<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    F: Future<Output = io::Result<T>>,
{
    let mut race = Race { waiting: addresses, running: Vec::new(), failures: Vec::new(), delay: None };
    poll_fn(|cx| race.poll(cx, &connect)).await
}

/// A race between addresses.
struct Race<F> {
    waiting: VecDeque<SocketAddr>,
    running: Vec<(SocketAddr, Pin<Box<F>>)>,
    failures: Vec<(SocketAddr, io::Error)>,
    /// The delay until the next attempt.
    delay: Option<Pin<Box<Sleep>>>,
}

impl<F> Race<F> {
    fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        connect: &impl Fn(SocketAddr) -> F,
    ) -> Poll<Result<T, Vec<(SocketAddr, io::Error)>>>
    where
        F: Future<Output = io::Result<T>>,
    {
        loop {
            let failed_before = self.failures.len();
            if let Some(connected) = self.poll_running(cx) {
                return Poll::Ready(Ok(connected));
            }
            let has_failed = self.failures.len() > failed_before;
            let is_time = self.delay.as_mut().is_none_or(|delay| delay.as_mut().poll(cx).is_ready());
            if !has_failed && !is_time {
                return Poll::Pending;
            }
            match self.waiting.pop_front() {
                Some(address) => {
                    self.running.push((address, Box::pin(connect(address))));
                    self.delay = Some(Box::pin(sleep(ATTEMPT_DELAY)));
                }
                None if self.running.is_empty() => return Poll::Ready(Err(std::mem::take(&mut self.failures))),
                None => return Poll::Pending,
            }
        }
    }

    /// Polls the running attempts. Returns a connection, and moves failed attempts to the failures.
    fn poll_running<T>(&mut self, cx: &mut Context<'_>) -> Option<T>
    where
        F: Future<Output = io::Result<T>>,
    {
        let mut index = 0;
        while let Some((address, attempt)) = self.running.get_mut(index) {
            match attempt.as_mut().poll(cx) {
                Poll::Ready(Ok(connected)) => return Some(connected),
                Poll::Ready(Err(error)) => {
                    self.failures.push((*address, error));
                    drop(self.running.remove(index));
                }
                Poll::Pending => index += 1,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
