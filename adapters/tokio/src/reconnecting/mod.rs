//! Clients that connect again.
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

/// Connections with one server: a new one whenever you ask for the next.
///
/// The first attempt is made at once. Before every further one there is a random delay (RFC 6455 section 7.2.3): anything
/// from 0 to a bound that begins at one second and doubles up to a minute, whether the attempt before failed or its
/// connection was lost. A connection that you kept for 30 seconds or longer begins with short delays again. A server that
/// rejects the request with `Retry-After` in seconds is not tried again before; more than an hour counts as one hour.
///
/// It ends with the first [permanent](ConnectError::is_permanent) error, such as status 401 or 403, a certificate that is not
/// trusted, or a response that is not a valid handshake. After that there is `None`. It does not see how a connection ends:
/// if the peer's close code says not to come again, stop asking.
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
/// It is a `Stream` as well.
pub struct Reconnecting {
    retries: Retries<WebSocket<ClientStream>>,
}

impl Reconnecting {
    /// Connections with the host of a URI. Nothing happens before you ask for the first.
    ///
    /// A URI that is malformed is the error that [`next`](Self::next) returns first.
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
    /// Every delay is chosen at random from 0 to its bound, so that clients that lost their server together do not come back
    /// together. Zero for both is no delay.
    pub fn backoff(mut self, first: Duration, max: Duration) -> Self {
        self.retries.backoff = Backoff::new(first, max);
        self
    }

    /// Sets the time after which a connection counts as stable: the delay after its loss is a first one again. 30 seconds by
    /// default. It counts from when you get the connection until you ask for the next.
    pub fn stable_after(mut self, time: Duration) -> Self {
        self.retries.stable_after = time;
        self
    }

    /// Sets a function that is called with each failure that is not returned, and the delay before the next attempt. There
    /// is none by default.
    pub fn on_retry(mut self, report: impl FnMut(&ConnectError, Duration) + Send + 'static) -> Self {
        self.retries.on_retry = Box::new(report);
        self
    }

    /// Waits for the next connection. Drop the one before first: two may be open otherwise.
    ///
    /// # Errors
    ///
    /// An error that is [permanent](ConnectError::is_permanent). After it, `None` is returned.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: the attempt and the delay are kept, and the next call continues them.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or in one whose I/O or time driver is not enabled.
    pub async fn next(&mut self) -> Option<Result<WebSocket<ClientStream>, ConnectError>> {
        poll_fn(|cx| self.retries.poll_next(cx)).await
    }
}

/// Yields the results of [`next`](Reconnecting::next). You may poll it again after its end.
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
