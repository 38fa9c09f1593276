//! Clients that reconnect.
//!
//! ```text
//! mod.rs       Reconnecting: the connector, the URI, and the settings
//! retries.rs   attempts, and the delays between them
//! backoff.rs   how long a delay is
//! ```

mod backoff;
mod retries;

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use crate::{ClientStream, ConnectError, Connector, IntoUri, WebSocket};
use backoff::Backoff;
use retries::{Attempt, Retries};

/// Connections to one server. Each call of [`next`](Self::next) makes a new one.
///
/// The first attempt is made immediately. There is a random delay before each further one (RFC 6455 section 7.2.3),
/// whether the previous attempt failed or its connection was lost. The delay is between 0 and a bound, which starts at
/// one second and doubles up to a minute. After a connection that you kept for 30 seconds or longer, the delays start
/// short again. If the server rejects the request with a `Retry-After` in seconds, it is not tried again before that
/// time, which is limited to one hour.
///
/// It ends with the first [permanent](ConnectError::is_permanent) error, such as status 401 or 403, a certificate that
/// is not trusted, or a response that is not a valid handshake. After that it returns `None`. It does not know how a
/// connection ended: if the peer's close code means that you should not reconnect, stop calling `next`.
///
/// ```no_run
/// use websocket_proto_tokio::{Connector, Reconnecting};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = Connector::new().subprotocol("feed");
/// let mut connections = Reconnecting::new(connector, "wss://example.com/feed")
///     .on_retry(|error, delay| eprintln!("{error}; next attempt in {delay:?}"));
/// while let Some(connected) = connections.next().await {
///     let mut ws = connected?;
///     while let Ok(Some(message)) = ws.recv().await {
///         println!("{message:?}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// It also implements `Stream`.
pub struct Reconnecting {
    retries: Retries<WebSocket<ClientStream>>,
}

impl Reconnecting {
    /// Creates the connections to the host of a URI. No attempt is made before the first call of [`next`](Self::next).
    ///
    /// If the URI is malformed, the first call of [`next`](Self::next) returns the error.
    pub fn new(connector: Connector, uri: impl IntoUri) -> Self {
        let (connector, uri) = (Arc::new(connector), uri.into_uri());
        let attempt = move || -> Attempt<_> {
            let (connector, uri) = (Arc::clone(&connector), uri.clone());
            Box::pin(async move { connector.connect(uri?).await })
        };
        Self { retries: Retries::new(attempt) }
    }

    /// Sets the bound of the first delay, and the bound that no delay exceeds (apart from `Retry-After`). One second and
    /// 60 seconds by default.
    ///
    /// Each delay is a random time from 0 to its bound, so that clients that lost their server at the same time do not
    /// reconnect at the same time. Zero for both means no delay.
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.retries.backoff = Backoff::new(first, max);
        self
    }

    /// Sets the time after which a connection counts as stable, so that the delays start short again after its loss. 30
    /// seconds by default. It is measured from the return of the connection until the next call of
    /// [`next`](Self::next).
    pub fn stable_after(mut self, time: Duration) -> Self {
        self.retries.stable_after = time;
        self
    }

    /// Sets a function that is called with each error that is not returned, and the delay before the next attempt.
    /// There is none by default.
    pub fn on_retry(mut self, report: impl FnMut(&ConnectError, Duration) + Send + 'static) -> Self {
        self.retries.on_retry = Box::new(report);
        self
    }

    /// Waits for the next connection. Drop the previous one first, otherwise both may be open.
    ///
    /// # Errors
    ///
    /// Returns the first [permanent](ConnectError::is_permanent) error. After it, `None` is returned.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the attempt and the delay are kept, and the next call continues them.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime, or in one whose I/O or time driver is not enabled.
    pub async fn next(&mut self) -> Option<Result<WebSocket<ClientStream>, ConnectError>> {
        poll_fn(|cx| self.retries.poll_next(cx)).await
    }
}

/// A stream of the results of [`next`](Reconnecting::next). It may be polled again after its end.
impl Stream for Reconnecting {
    type Item = Result<WebSocket<ClientStream>, ConnectError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().retries.poll_next(cx)
    }
}

impl fmt::Debug for Reconnecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reconnecting").field(&self.retries).finish()
    }
}
