//! Servers: accepting connections.

mod error;
mod incoming;
#[cfg(feature = "rustls")]
mod tls;

use std::fmt;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use websocket_proto::{Config, Connection, Event, server};

use crate::{WebSocket, default_config};
pub use error::AcceptError;
pub use incoming::Incoming;
#[cfg(feature = "rustls")]
pub use tls::TlsAcceptor;

/// Accepts a WebSocket connection over a stream, whatever its path and origin, with the [defaults](default_config).
///
/// For any other settings, use [`Acceptor`]. Call `set_nodelay(true)` on a TCP stream, so that small messages are not
/// delayed.
///
/// # Errors
///
/// Returns the reason why there is no connection; see [`AcceptError`].
///
/// # Cancel safety
///
/// Not cancel-safe: the stream is dropped with the future.
///
/// ```
/// use tokio::net::TcpStream;
/// use websocket_proto_tokio::accept;
///
/// async fn serve(stream: TcpStream) -> Result<(), Box<dyn std::error::Error>> {
///     let mut ws = accept(stream).await?;
///     while let Some(message) = ws.recv().await? {
///         ws.send(message).await?;
///     }
///     Ok(())
/// }
/// ```
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Result<WebSocket<S>, AcceptError> {
    Acceptor::new().accept(stream).await
}

/// Accepts WebSocket connections over streams. A server needs only one acceptor, which is cheap to clone.
///
/// ```
/// use tokio::net::TcpListener;
/// use websocket_proto_tokio::{Acceptor, server};
///
/// fn page(request: &server::Request) -> Option<server::Rejection> {
///     (request.path() == "/").then(|| server::Rejection::new(200).body("<h1>Hello</h1>"))
/// }
///
/// async fn run(listener: TcpListener) -> std::io::Result<()> {
///     let acceptor = Acceptor::new()
///         .subprotocols(["chat"])
///         .origins(["https://example.com"])
///         .http(page);
///     loop {
///         let (stream, _) = listener.accept().await?;
///         stream.set_nodelay(true)?;
///         let acceptor = acceptor.clone();
///         tokio::spawn(async move {
///             let mut ws = acceptor.accept(stream).await?;
///             ws.send("welcome").await?;
///             Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
///         });
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Acceptor {
    pub(crate) config: Arc<Config>,
    pub(crate) subprotocols: Arc<[String]>,
    pub(crate) origins: Option<Arc<[String]>>,
    http: Option<Arc<HttpHandler>>,
}

type HttpHandler = dyn Fn(&server::Request) -> Option<server::Rejection> + Send + Sync;

impl Acceptor {
    /// Creates an acceptor with the [defaults](default_config), which accepts every request for a WebSocket connection.
    pub fn new() -> Self {
        Self { config: Arc::new(default_config()), subprotocols: Arc::new([]), origins: None, http: None }
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
    /// use websocket_proto_tokio::Acceptor;
    ///
    /// let acceptor = Acceptor::new().configure(|config| config.max_message_size(1 << 20));
    /// ```
    pub fn configure(mut self, change: impl FnOnce(Config) -> Config) -> Self {
        self.config = Arc::new(change(Arc::unwrap_or_clone(self.config)));
        self
    }

    /// Sets the supported subprotocols in the order of preference. The first one that a client offers is selected. A
    /// client that offers none of them is accepted without a subprotocol.
    pub fn subprotocols(mut self, supported: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.subprotocols = supported.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the origins whose pages may connect, such as `https://example.com`. Requests from other origins are
    /// rejected with status 403.
    ///
    /// If you do not call this, any page on the web can connect with the cookies of the user who visits it (RFC 6455
    /// section 10.2). Requests without an `Origin` header are accepted, because they do not come from a browser.
    pub fn origins(mut self, allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.origins = Some(allowed.into_iter().map(Into::into).collect());
        self
    }

    /// Sets a function that answers plain HTTP requests without a body, such as a health check or a request for a page.
    /// They may have any [method](server::Request::method). If the function returns `None`, the response has status 426
    /// (405 to a method other than GET, 505 to HTTP/1.0). After the response the stream is closed, and `accept` returns
    /// [`AcceptError::Http`].
    pub fn http(
        mut self,
        answer: impl Fn(&server::Request) -> Option<server::Rejection> + Send + Sync + 'static,
    ) -> Self {
        self.http = Some(Arc::new(answer));
        self
    }

    /// Accepts a connection over a stream.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is no connection; see [`AcceptError`]. The client has been sent a response.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Result<WebSocket<S>, AcceptError> {
        self.accept_with(stream, |_| Ok(server::Response::new())).await
    }

    /// Accepts or rejects a connection over a stream, as a function decides that is passed the request.
    ///
    /// The function may keep parts of the request, such as a cookie. If it would have to wait for something, use
    /// [`read_request`](Self::read_request) instead. [Origins](Self::origins) are checked before it is called. If you
    /// set [supported subprotocols](Self::subprotocols), the acceptor selects one, otherwise the function does.
    ///
    /// # Errors
    ///
    /// Fails as [`accept`](Self::accept) does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    ///
    /// ```
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::{AcceptError, Acceptor, WebSocket, server};
    ///
    /// async fn join(acceptor: &Acceptor, stream: TcpStream) -> Result<(String, WebSocket<TcpStream>), AcceptError> {
    ///     let mut room = String::new();
    ///     let ws = acceptor.accept_with(stream, |request| {
    ///         room = request.path().to_owned();
    ///         match request.header("Authorization") {
    ///             Some("Bearer secret") => Ok(server::Response::new()),
    ///             _ => Err(server::Rejection::new(401).header("WWW-Authenticate", "Bearer")),
    ///         }
    ///     });
    ///     let ws = ws.await?;
    ///     Ok((room, ws))
    /// }
    /// ```
    pub async fn accept_with<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        answer: impl FnOnce(&server::Request) -> Result<server::Response, server::Rejection>,
    ) -> Result<WebSocket<S>, AcceptError> {
        self.read_request(stream).await?.answer_with(answer).await
    }

    /// Reads the request, so that you can answer it after waiting for something, such as a database or another server.
    ///
    /// Plain HTTP requests and origins that are not allowed are answered by this method.
    ///
    /// # Errors
    ///
    /// Fails as [`accept`](Self::accept) does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    ///
    /// ```
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::{AcceptError, Acceptor, WebSocket, server};
    ///
    /// async fn is_allowed(token: Option<&str>) -> bool {
    ///     // ... ask a database ...
    /// #   token.is_some()
    /// }
    ///
    /// async fn serve(acceptor: &Acceptor, stream: TcpStream) -> Result<Option<WebSocket<TcpStream>>, AcceptError> {
    ///     let incoming = acceptor.read_request(stream).await?;
    ///     if is_allowed(incoming.request().header("Authorization")).await {
    ///         incoming.accept(server::Response::new()).await.map(Some)
    ///     } else {
    ///         incoming.reject(server::Rejection::new(403)).await?;
    ///         Ok(None)
    ///     }
    /// }
    /// ```
    pub async fn read_request<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Result<Incoming<S>, AcceptError> {
        self.read_request_since(Instant::now(), stream).await
    }

    /// Reads the request over a stream that took some time to establish.
    async fn read_request_since<S>(&self, begun: Instant, stream: S) -> Result<Incoming<S>, AcceptError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut ws = WebSocket::begun_at(begun, stream, Connection::server(Arc::clone(&self.config)));
        let received = ws.run(|_, event| match event {
            Event::Request(request) => Break((request, true)),
            Event::HttpRequest(request) => Break((request, false)),
            _ => Continue(()),
        });
        let Some((request, is_upgrade)) = received.await? else {
            return Err(AcceptError::closed());
        };
        let incoming = Incoming::new(ws, request, Arc::clone(&self.subprotocols));
        if !is_upgrade {
            let answer = self.http.as_ref().and_then(|answer| answer(incoming.request()));
            return Err(incoming.answer_http(answer).await);
        }
        if let Some(allowed) = &self.origins
            && let Err(rejection) = incoming.request().check_origin(allowed)
        {
            return Err(AcceptError::Rejected(incoming.answer(rejection).await?));
        }
        Ok(incoming)
    }
}

impl Default for Acceptor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acceptor")
            .field("config", &self.config)
            .field("subprotocols", &self.subprotocols)
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}
