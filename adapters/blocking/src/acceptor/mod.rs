//! Servers: the opening handshake, and what to answer.

mod error;

use std::fmt;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use websocket_proto::{Config, Connection, Event, server};

use crate::{Transport, WebSocket, default_config};
pub use error::AcceptError;

/// Accepts a WebSocket connection over a stream, whatever its path and origin, with the [defaults](default_config).
///
/// [`Acceptor`] has everything else. A TCP stream should have `set_nodelay(true)`, so that small messages aren't delayed.
///
/// # Errors
///
/// There is no connection; see [`AcceptError`].
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

/// Accepts WebSocket connections over streams; one serves a whole server, and is cheap to clone.
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
    /// use websocket_proto_blocking::Acceptor;
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
    /// health check. Requests that get `None` are answered with 426 (405 to a method other than GET, 505 to
    /// HTTP/1.0). After the answer the stream is closed, and `accept` returns [`AcceptError::Http`].
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
    pub fn accept<S: Transport>(&self, stream: S) -> Result<WebSocket<S>, AcceptError> {
        self.accept_with(stream, |_| Ok(server::Response::new()))
    }

    /// Accepts a connection over a stream, with a function that sees the request and decides.
    ///
    /// The function may keep parts of the request, such as the user of a cookie, and it may block: deadlines wait for it. A
    /// subprotocol is selected here if there are any [supported ones](Self::subprotocols), otherwise by the function.
    /// [Origins](Self::origins) are checked before.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept).
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
                // The engine answers where nobody else has.
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
                // The client waits for the response.
                ws.flush()?;
                Ok(ws)
            }
            Err(rejection) => Err(AcceptError::Rejected(reject(ws, rejection)?)),
        }
    }
}

/// Answers with something other than 101. Returns the status.
fn reject<S: Transport>(mut ws: WebSocket<S>, rejection: server::Rejection) -> Result<u16, AcceptError> {
    ws.connection_mut().reject(rejection)?;
    match run_to_end(ws) {
        AcceptError::Rejected(status) => Ok(status),
        error => Err(error),
    }
}

/// Writes the answer and shuts the stream down.
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
