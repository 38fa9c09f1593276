//! Servers: accepting connections.

mod error;

use std::fmt;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use websocket_proto::{Config, Connection, Event, server};

use crate::{Transport, WebSocket, default_config};
pub use error::AcceptError;

/// Accepts a WebSocket connection over a stream, whatever its path and origin, with the [defaults](default_config).
///
/// For any other settings, use [`Acceptor`]. Call `set_nodelay(true)` on a TCP stream, so that small messages are not
/// delayed.
///
/// # Errors
///
/// Returns the reason why there is no connection; see [`AcceptError`].
///
/// ```
/// use std::net::TcpStream;
/// use websocket_proto_blocking::accept;
///
/// fn serve(stream: TcpStream) -> Result<(), Box<dyn std::error::Error>> {
///     let mut ws = accept(stream)?;
///     while let Some(message) = ws.read()? {
///         ws.send(message)?;
///     }
///     Ok(())
/// }
/// ```
pub fn accept<S: Transport>(stream: S) -> Result<WebSocket<S>, AcceptError> {
    Acceptor::new().accept(stream)
}

/// Accepts WebSocket connections over streams. A server needs only one acceptor, which is cheap to clone.
///
/// ```
/// use std::net::TcpListener;
/// use websocket_proto_blocking::{Acceptor, server};
///
/// fn page(request: &server::Request) -> Option<server::Rejection> {
///     (request.path() == "/").then(|| server::Rejection::new(200).body("<h1>Hello</h1>"))
/// }
///
/// fn run(listener: TcpListener) -> std::io::Result<()> {
///     let acceptor = Acceptor::new()
///         .subprotocols(["chat"])
///         .origins(["https://example.com"])
///         .http(page);
///     loop {
///         let (stream, _) = listener.accept()?;
///         stream.set_nodelay(true)?;
///         let acceptor = acceptor.clone();
///         std::thread::spawn(move || {
///             let mut ws = acceptor.accept(stream)?;
///             ws.send("welcome")?;
///             Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
///         });
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Acceptor {
    config: Arc<Config>,
    subprotocols: Arc<[String]>,
    origins: Option<Arc<[String]>>,
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
    /// use websocket_proto_blocking::Acceptor;
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
    pub fn accept<S: Transport>(&self, stream: S) -> Result<WebSocket<S>, AcceptError> {
        self.accept_with(stream, |_| Ok(server::Response::new()))
    }

    /// Accepts or rejects a connection over a stream, as a function decides that is passed the request.
    ///
    /// The function may keep parts of the request, such as a cookie. It may block, and no deadline passes meanwhile.
    /// [Origins](Self::origins) are checked before it is called. If you set [supported
    /// subprotocols](Self::subprotocols), the acceptor selects one, otherwise the function does.
    ///
    /// # Errors
    ///
    /// Fails as [`accept`](Self::accept) does.
    ///
    /// ```
    /// use std::net::TcpStream;
    /// use websocket_proto_blocking::{AcceptError, Acceptor, WebSocket, server};
    ///
    /// fn join(acceptor: &Acceptor, stream: TcpStream) -> Result<(String, WebSocket<TcpStream>), AcceptError> {
    ///     let mut room = String::new();
    ///     let ws = acceptor.accept_with(stream, |request| {
    ///         room = request.path().to_owned();
    ///         match request.header("Authorization") {
    ///             Some("Bearer secret") => Ok(server::Response::new()),
    ///             _ => Err(server::Rejection::new(401).header("WWW-Authenticate", "Bearer")),
    ///         }
    ///     })?;
    ///     Ok((room, ws))
    /// }
    /// ```
    pub fn accept_with<S: Transport>(
        &self,
        stream: S,
        answer: impl FnOnce(&server::Request) -> Result<server::Response, server::Rejection>,
    ) -> Result<WebSocket<S>, AcceptError> {
        let mut ws = WebSocket::new(stream, Connection::server(Arc::clone(&self.config)));
        let received = ws.run(|_, event| match event {
            Event::Request(request) => Break((request, true)),
            Event::HttpRequest(request) => Break((request, false)),
            _ => Continue(()),
        });
        let Some((request, is_upgrade)) = received? else {
            return Err(AcceptError::closed());
        };
        if !is_upgrade {
            return Err(match self.http.as_ref().and_then(|answer| answer(&request)) {
                Some(answer) => reject(ws, answer).map_or_else(|error| error, AcceptError::Http),
                // If you did not answer, the engine responds.
                None => run_to_end(ws),
            });
        }
        let allowed = self.origins.as_ref().map_or(Ok(()), |allowed| request.check_origin(allowed));
        match allowed.and_then(|()| answer(&request)) {
            Ok(mut response) => {
                if !self.subprotocols.is_empty() {
                    response = response.subprotocol(request.select_subprotocol(&self.subprotocols));
                }
                ws.connection_mut().accept(response)?;
                // The client is waiting for the response.
                ws.flush()?;
                Ok(ws)
            }
            Err(rejection) => Err(AcceptError::Rejected(reject(ws, rejection)?)),
        }
    }
}

/// Sends a response other than 101. Returns its status.
fn reject<S: Transport>(mut ws: WebSocket<S>, rejection: server::Rejection) -> Result<u16, AcceptError> {
    ws.connection_mut().reject(rejection)?;
    match run_to_end(ws) {
        AcceptError::Rejected(status) => Ok(status),
        error => Err(error),
    }
}

/// Writes the response and shuts the stream down.
fn run_to_end<S: Transport>(mut ws: WebSocket<S>) -> AcceptError {
    match ws.run(|_, _| Continue::<()>(())) {
        Ok(_) => AcceptError::closed(),
        Err(error) => error.into(),
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
