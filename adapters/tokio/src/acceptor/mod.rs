//! Servers: the opening handshake, and what to answer.

mod error;
mod incoming;

use std::fmt;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Config, Connection, Event, server};

use crate::{WebSocket, default_config};
pub use error::AcceptError;
pub use incoming::Incoming;

/// Accepts a WebSocket connection over a stream, whatever its path and origin, with the [defaults](default_config).
///
/// [`Acceptor`] has everything else. A TCP stream should have `set_nodelay(true)`, so that small messages aren't delayed.
///
/// # Errors
///
/// There is no connection; see [`AcceptError`].
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

/// Accepts WebSocket connections over streams; one serves a whole server, and is cheap to clone.
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
    /// An acceptor with the [defaults](default_config), which accepts every request.
    pub fn new() -> Self {
        Self { config: Arc::new(default_config()), subprotocols: Arc::new([]), origins: None, http: None }
    }

    /// Replaces the limits, deadlines, keepalive and compression. Begin with [`default_config`] to keep the keepalive.
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// Changes the limits, deadlines, keepalive and compression.
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

    /// Sets the supported subprotocols in the order of preference. The first that a client offers is selected; a client that
    /// offers none of them is accepted without one.
    pub fn subprotocols(mut self, supported: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.subprotocols = supported.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the origins (`https://example.com`) whose pages may connect. Others are rejected with 403.
    ///
    /// Without it every page on the web may connect, with the cookies of whoever looks at it (RFC 6455 section 10.2). Requests
    /// without an `Origin` are accepted: they do not come from a browser.
    pub fn origins(mut self, allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.origins = Some(allowed.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the answers to plain HTTP requests without a body, of any [method](server::Request::method), such as a page or a
    /// health check. Requests that get `None` are answered with 426 (405 to a method other than GET, 505 to HTTP/1.0). After the answer the stream is closed, and `accept` returns [`AcceptError::Http`].
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
    /// There is no connection; see [`AcceptError`]. The client has been answered.
    ///
    /// # Cancel safety
    ///
    /// Not cancel-safe: the stream is dropped with the future.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Result<WebSocket<S>, AcceptError> {
        self.accept_with(stream, |_| Ok(server::Response::new())).await
    }

    /// Accepts a connection over a stream, with a function that sees the request and decides.
    ///
    /// The function may keep parts of the request, such as the user of a cookie. Where it would have to wait for something,
    /// use [`read_request`](Self::read_request). A subprotocol is selected here if there are any
    /// [supported ones](Self::subprotocols), otherwise by the function. [Origins](Self::origins) are checked before.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept).
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
        let incoming = self.read_request(stream).await?;
        let rejection = match answer(incoming.request()) {
            Ok(response) => return incoming.accept(response).await,
            Err(rejection) => rejection,
        };
        Err(AcceptError::Rejected(incoming.answer(rejection).await?))
    }

    /// Reads the request, for you to answer after waiting for something: a database, another server.
    ///
    /// Plain HTTP and origins that are not allowed are answered here.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept).
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
    ///     // ... ask somebody ...
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
        let mut ws = WebSocket::new(stream, Connection::server(Arc::clone(&self.config)));
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
