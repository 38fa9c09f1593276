//! Clients: from a URI to an open connection.
//!
//! ```text
//! mod.rs        Connector: what to ask for
//! dial.rs       URI → stream: resolve, TCP, TLS
//! tls/          with the feature rustls; without it, a twin that says so
//! deadline.rs   one for all of this
//! stream.rs     ClientStream: TCP, or TLS over it
//! handshake.rs  stream → WebSocket
//! error.rs      ConnectError: what went wrong, and with whom
//! ```

mod deadline;
mod dial;
mod error;
mod handshake;
mod stream;
#[cfg(feature = "rustls")]
mod tls;
#[cfg(not(feature = "rustls"))]
#[path = "tls/off.rs"]
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use websocket_proto::client::{IntoUri, Redirects, Request};
use websocket_proto::{Config, UriError};

use crate::{Transport, WebSocket, default_config};
use deadline::Deadline;
pub use error::{ConnectError, ConnectStage};
pub use stream::ClientStream;

/// Connects to a WebSocket server with the [defaults](default_config). For any other settings, use [`Connector`].
///
/// # Errors
///
/// Returns the reason why there is no connection; see [`ConnectError`].
///
/// ```no_run
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let mut ws = websocket_proto_blocking::connect("wss://example.com/chat")?;
/// ws.send("hello")?;
/// println!("{:?}", ws.read()?);
/// # Ok(())
/// # }
/// ```
pub fn connect(uri: impl IntoUri) -> Result<WebSocket<ClientStream>, ConnectError> {
    Connector::new().connect(uri)
}

/// The default timeout of [`Connector::connect`].
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to WebSocket servers. A connector can be used any number of times.
///
/// ```no_run
/// use std::time::Duration;
/// use websocket_proto_blocking::Connector;
///
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = Connector::new()
///     .subprotocol("chat")
///     .header("Authorization", "Bearer secret")
///     .timeout(Duration::from_secs(5));
/// let ws = connector.connect("wss://example.com/chat")?;
/// assert_eq!(ws.subprotocol(), Some("chat"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Connector {
    config: Arc<Config>,
    headers: Vec<(String, String)>,
    subprotocols: Vec<String>,
    origin: Option<String>,
    redirects: usize,
    timeout: Option<Duration>,
    tls: tls::Settings,
}

impl Connector {
    /// Creates a connector with the [defaults](default_config) and a [timeout](Self::timeout) of 10 seconds.
    pub fn new() -> Self {
        Self {
            config: Arc::new(default_config()),
            headers: Vec::new(),
            subprotocols: Vec::new(),
            origin: None,
            redirects: 0,
            timeout: Some(DEFAULT_TIMEOUT),
            tls: tls::Settings::new_default(),
        }
    }

    /// Replaces the configuration: limits, deadlines, keepalive and compression. Start from [`default_config`] to keep
    /// the keepalive.
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// Changes the configuration: limits, deadlines, keepalive and compression.
    ///
    /// ```
    /// use websocket_proto_blocking::Connector;
    ///
    /// let connector = Connector::new().configure(|config| config.max_message_size(1 << 20));
    /// ```
    pub fn configure(mut self, change: impl FnOnce(Config) -> Config) -> Self {
        self.config = Arc::new(change(Arc::unwrap_or_clone(self.config)));
        self
    }

    /// Adds a header to the request after those that the handshake writes itself.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Offers a subprotocol. The order of the calls is your order of preference. If the server selects none of them, the
    /// connection opens, and [`WebSocket::subprotocol`] returns `None`.
    pub fn subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Sets the `Origin` header, which browsers send and some servers require.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Sets how many redirects [`connect`](Self::connect) follows: responses with status 301, 302, 303, 307 or 308 and a
    /// `Location`. 0 by default: a redirect is a [rejection](ConnectError::Rejected).
    ///
    /// The rules are those of [`client::Redirects`](crate::client::Redirects): credentials stay with the origin that you
    /// connect to, and nothing leads from `wss` to `ws`. What is not followed is a [`ConnectError::Redirect`]. The
    /// [`timeout`](Self::timeout) covers all of them. [`handshake`](Self::handshake) follows none.
    pub fn redirects(mut self, max: usize) -> Self {
        self.redirects = max;
        self
    }

    /// Sets the total timeout of [`connect`](Self::connect) and [`handshake`](Self::handshake): for name resolution,
    /// TCP, TLS, the opening handshake and redirects. 10 seconds by default. `None` means no timeout.
    ///
    /// The [`handshake_timeout`](Config::handshake_timeout) of the configuration applies to the opening handshake in
    /// any case.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Sets the TLS configuration for `wss`, such as the certificates to trust or a client certificate.
    ///
    /// The default trusts Mozilla's certificate authorities. If `config` has no ALPN protocols, `http/1.1` is offered.
    #[cfg(feature = "rustls")]
    pub fn tls(mut self, config: impl Into<Arc<rustls::ClientConfig>>) -> Self {
        self.tls = tls::Settings::new(config.into());
        self
    }

    /// Connects to the host of a `ws` or `wss` URI and opens a WebSocket connection.
    ///
    /// The addresses of the host are tried one after the other, each for its share of the remaining time.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no connection; see [`ConnectError`].
    pub fn connect(&self, uri: impl IntoUri) -> Result<WebSocket<ClientStream>, ConnectError> {
        let deadline = Deadline::after(self.timeout);
        let mut redirects = Redirects::new(self.request(uri)?, self.redirects);
        loop {
            let request = redirects.request().clone();
            let stream = dial::dial(request.uri(), &self.tls, deadline)?;
            match handshake::handshake(request, Arc::clone(&self.config), stream, deadline) {
                Err(ConnectError::Rejected(response)) => match redirects.follow(&response) {
                    Ok(true) => {}
                    Ok(false) => return Err(ConnectError::Rejected(response)),
                    Err(error) => return Err(ConnectError::Redirect { error, response }),
                },
                connected => return connected,
            }
        }
    }

    /// Opens a WebSocket connection over an existing stream, such as a TLS stream of another library or a Unix socket.
    ///
    /// The stream must be connected to the host of `uri`. If the scheme is `wss`, TLS must already be established.
    ///
    /// # Errors
    ///
    /// Fails as [`connect`](Self::connect) does.
    ///
    /// ```no_run
    /// # #[cfg(unix)]
    /// # fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let stream = std::os::unix::net::UnixStream::connect("/run/chat.sock")?;
    /// let ws = websocket_proto_blocking::Connector::new().handshake("ws://localhost/chat", stream)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn handshake<S: Transport>(&self, uri: impl IntoUri, stream: S) -> Result<WebSocket<S>, ConnectError> {
        let deadline = Deadline::after(self.timeout);
        handshake::handshake(self.request(uri)?, Arc::clone(&self.config), stream, deadline)
    }

    fn request(&self, uri: impl IntoUri) -> Result<Request, UriError> {
        let mut request = Request::new(uri.into_uri()?);
        for subprotocol in &self.subprotocols {
            request = request.subprotocol(subprotocol);
        }
        if let Some(origin) = &self.origin {
            request = request.origin(origin);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        Ok(request)
    }
}

impl fmt::Debug for Connector {
    /// Shows the names of headers only, since values such as that of `Authorization` are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Connector")
            .field("headers", &headers)
            .field("subprotocols", &self.subprotocols)
            .field("origin", &self.origin)
            .field("redirects", &self.redirects)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Default for Connector {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value_of_a_header() {
        let shown = format!("{:?}", Connector::new().header("Authorization", "Bearer secret").subprotocol("chat"));
        assert!(shown.contains("Authorization") && shown.contains("chat") && !shown.contains("secret"), "{shown}");
    }
}
