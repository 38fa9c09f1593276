//! Clients: from a URI to an open connection.
//!
//! ```text
//! mod.rs             Connector: what to ask for
//! dial.rs            URI → stream: proxy, resolve, TCP, TLS
//!   proxy/             with the feature proxy; without it, a twin that takes none
//!   proxy_error.rs     ProxyError: what a proxy answered
//!   happy_eyeballs.rs  several addresses, the first connection wins (RFC 8305)
//!   tls/               with the feature rustls; without it, a twin that says so
//! deadline.rs        one for all of this
//! tunnel.rs          the stream to the server's port: TCP, or TLS with a proxy
//! stream.rs          ClientStream: that, or TLS in it
//! handshake.rs       stream → WebSocket
//! error.rs           ConnectError: what went wrong, and with whom
//! permanent.rs       which of that passes by itself
//! ```

mod deadline;
mod dial;
mod error;
mod handshake;
mod happy_eyeballs;
mod permanent;
#[cfg(feature = "proxy")]
mod proxy;
#[cfg(not(feature = "proxy"))]
#[path = "proxy/off.rs"]
mod proxy;
mod proxy_error;
mod stream;
#[cfg(test)]
pub(crate) mod test_response;
#[cfg(feature = "rustls")]
mod tls;
#[cfg(not(feature = "rustls"))]
#[path = "tls/off.rs"]
mod tls;
mod tunnel;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::client::{IntoUri, Redirects, Request};
use websocket_proto::{Config, UriError};

use crate::{WebSocket, default_config};
use deadline::Deadline;
pub use error::{ConnectError, ConnectStage};
pub use proxy_error::{ProxyError, ProxyUriError};
pub use stream::ClientStream;

/// Connects to a WebSocket server with the [defaults](default_config). For any other settings, use [`Connector`].
///
/// # Errors
///
/// Returns the reason why there is no connection; see [`ConnectError`].
///
/// # Cancel safety
///
/// Not cancel-safe: dropping the future cancels the attempt and releases its resources.
///
/// # Panics
///
/// Panics outside of a tokio runtime, or in one whose I/O or time driver is not enabled.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let mut ws = websocket_proto_tokio::connect("wss://example.com/chat").await?;
/// ws.send("hello").await?;
/// println!("{:?}", ws.recv().await?);
/// # Ok(())
/// # }
/// ```
pub async fn connect(uri: impl IntoUri) -> Result<WebSocket<ClientStream>, ConnectError> {
    Connector::new().connect(uri).await
}

/// The default timeout of [`Connector::connect`].
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to WebSocket servers. A connector can be used any number of times.
///
/// ```no_run
/// use std::time::Duration;
/// use websocket_proto_tokio::Connector;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let connector = Connector::new()
///     .subprotocol("chat")
///     .header("Authorization", "Bearer secret")
///     .timeout(Duration::from_secs(5));
/// let ws = connector.connect("wss://example.com/chat").await?;
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
    proxy: proxy::Settings,
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
            proxy: proxy::Settings::new_direct(),
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
    /// use websocket_proto_tokio::Connector;
    ///
    /// let connector = Connector::new().configure(|config| config.max_message_size(1 << 20));
    /// # #[cfg(feature = "deflate")]
    /// let connector = connector.configure(|config| config.deflate(websocket_proto_tokio::DeflateConfig::new()));
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
    /// The headers `Authorization`, `Cookie` and `Proxy-Authorization` and the user information of the URI stay with the
    /// origin (scheme, host and port) that you connect to: after a redirect to another one they are not sent again. All
    /// other headers are sent to each server. What is not followed is a [`ConnectError::Redirect`]: a redirect from `wss` to
    /// `ws`, to a URI that was requested before, to what is not a WebSocket URI, or one more than `max`. The
    /// [`timeout`](Self::timeout) covers all of them.
    ///
    /// [`handshake`](Self::handshake) follows none, since its stream leads to one server.
    ///
    /// ```
    /// use websocket_proto_tokio::Connector;
    ///
    /// let connector = Connector::new().redirects(5);
    /// ```
    pub fn redirects(mut self, max: usize) -> Self {
        self.redirects = max;
        self
    }

    /// Sets the total timeout of [`connect`](Self::connect) and [`handshake`](Self::handshake): for name resolution,
    /// TCP, the proxy, TLS, the opening handshake and redirects. 10 seconds by default. `None` means no timeout.
    ///
    /// The [`handshake_timeout`](Config::handshake_timeout) of the configuration applies to the opening handshake in
    /// any case.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.timeout = timeout.into();
        self
    }

    /// Sets the TLS configuration for `wss`, such as the certificates to trust or a client certificate.
    ///
    /// The default trusts Mozilla's certificate authorities (feature `rustls-webpki-roots`), those of the operating system
    /// (`rustls-native-certs`), or both. If `config` has no ALPN protocols, `http/1.1` is offered.
    ///
    /// ```
    /// # #[cfg(feature = "rustls-ring")] {
    /// use websocket_proto_tokio::Connector;
    /// use websocket_proto_tokio::rustls::pki_types::{CertificateDer, pem::PemObject};
    /// use websocket_proto_tokio::rustls::{ClientConfig, RootCertStore};
    ///
    /// /// Trusts only the certificate authorities in a file.
    /// fn trusting(file: &str) -> Result<Connector, Box<dyn std::error::Error>> {
    ///     let mut roots = RootCertStore::empty();
    ///     for certificate in CertificateDer::pem_file_iter(file)? {
    ///         roots.add(certificate?)?;
    ///     }
    ///     let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    ///     Ok(Connector::new().tls(config))
    /// }
    /// # }
    /// ```
    #[cfg(feature = "rustls")]
    pub fn tls(mut self, config: impl Into<Arc<tokio_rustls::rustls::ClientConfig>>) -> Self {
        self.tls = tls::Settings::new(config.into());
        self
    }

    /// Connects to the host of a `ws` or `wss` URI and opens a WebSocket connection.
    ///
    /// The addresses of the host are tried as RFC 8305 describes: attempts start 250 ms apart and alternate between
    /// IPv6 and IPv4. The first connection that succeeds is used. With a proxy, these are the addresses of the proxy.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no connection; see [`ConnectError`].
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: dropping the future cancels the attempt and releases its resources.
    pub async fn connect(&self, uri: impl IntoUri) -> Result<WebSocket<ClientStream>, ConnectError> {
        self.connect_within(Deadline::after(self.timeout), self.request(uri)?).await
    }

    /// Opens a WebSocket connection over an existing stream, such as a TLS stream of another library, a Unix socket or
    /// an in-memory pipe.
    ///
    /// The stream must be connected to the host of `uri`. If the scheme is `wss`, TLS must already be established.
    ///
    /// # Errors
    ///
    /// Fails as [`connect`](Self::connect) does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    ///
    /// ```no_run
    /// # #[cfg(unix)]
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let stream = tokio::net::UnixStream::connect("/run/chat.sock").await?;
    /// let ws = websocket_proto_tokio::Connector::new().handshake("ws://localhost/chat", stream).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn handshake<S>(&self, uri: impl IntoUri, stream: S) -> Result<WebSocket<S>, ConnectError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let deadline = Deadline::after(self.timeout);
        handshake::handshake(self.request(uri)?, Arc::clone(&self.config), stream, deadline).await
    }

    async fn connect_within(
        &self,
        deadline: Deadline,
        request: Request,
    ) -> Result<WebSocket<ClientStream>, ConnectError> {
        let mut redirects = Redirects::new(request, self.redirects);
        loop {
            let request = redirects.request().clone();
            let stream = dial::dial(request.uri(), &self.tls, &self.proxy, deadline).await?;
            match handshake::handshake(request, Arc::clone(&self.config), stream, deadline).await {
                Err(ConnectError::Rejected(response)) => match redirects.follow(&response) {
                    Ok(true) => {}
                    Ok(false) => return Err(ConnectError::Rejected(response)),
                    Err(error) => return Err(ConnectError::Redirect { error, response }),
                },
                connected => return connected,
            }
        }
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
            .field("proxy", &self.proxy)
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
