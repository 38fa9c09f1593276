//! The activity that keeps an HTTP connection open: a request does so for some time, and a WebSocket for as long as
//! it exists.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::Request;
use tokio::time::{Instant, sleep_until};

/// The activity of one connection.
///
/// It counts requests, not bytes: a client that sends a byte a second, or answers pings and asks for nothing, is idle.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// The last request, or the end of the last WebSocket.
    last: Instant,
    websockets: usize,
}

/// Keeps a connection of HTTP from being idle until it is dropped: for as long as a WebSocket lasts that came out of it.
#[derive(Debug)]
pub struct Hold(Activity);

/// Returns a hold on the connection that a request came by, if it is one that [`serve`](crate::serve) serves.
pub fn hold<B>(request: &Request<B>) -> Option<Hold> {
    request.extensions().get().map(Activity::hold)
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { last: Instant::now(), websockets: 0 })))
    }

    /// Records an activity: the idle time starts again.
    pub(crate) fn note(&self) {
        self.lock().last = Instant::now();
    }

    fn hold(&self) -> Hold {
        self.lock().websockets += 1;
        Hold(self.clone())
    }

    /// Waits until the connection has been idle for that long.
    pub(crate) async fn idle_for(&self, time: Duration) {
        loop {
            let until = self.idle_since() + time;
            if until <= Instant::now() {
                return;
            }
            // Whatever happens until then only makes it later.
            sleep_until(until).await;
        }
    }

    fn idle_since(&self) -> Instant {
        let state = self.lock();
        if state.websockets > 0 { Instant::now() } else { state.last }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.websockets -= 1;
        state.last = Instant::now();
    }
}
