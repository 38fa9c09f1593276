//! The request that a server receives.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use core::fmt;

use super::fields::{Fields, HeaderIndex};
use super::head::{Head, Span};
use super::headers::HeaderName;
use super::origin::{check_origin, check_same_origin};
use super::rejection::Rejection;
use super::target::{error_of_request, split_target};
use super::upgrade::select_subprotocol;
use crate::error::HandshakeError;
use crate::http_grammar::lists;

/// A request that a server received. It is well-formed, and a request for a WebSocket connection meets RFC 6455 section
/// 4.2.1.
///
/// ```
/// use websocket_proto::{Config, Connection, Event};
///
/// let mut request = *b"GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
///     Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
///     Sec-WebSocket-Protocol: v2.chat, chat\r\nCookie: id=7\r\n\r\n";
/// let mut conn = Connection::server(Config::new());
/// let Some(Event::Request(request)) = conn.receive(&mut &mut request[..]) else { panic!() };
/// assert_eq!((request.path(), request.query()), ("/chat", Some("room=1")));
/// assert_eq!((request.host(), request.origin()), ("example.com", None));
/// assert_eq!(request.header("cookie"), Some("id=7"));
/// assert_eq!(request.subprotocols().collect::<Vec<_>>(), ["v2.chat", "chat"]);
/// assert_eq!(request.select_subprotocol(&["chat", "v2.chat"]), Some("chat"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    fields: Fields,
    method: Span,
    minor_version: u8,
    /// The authority of a target that is an absolute URI.
    authority: Option<Span>,
    resource: Resource,
}

#[derive(Clone, PartialEq, Eq)]
enum Resource {
    InHead(Span),
    /// That of an absolute URI with an empty path, completed by a slash.
    Completed(Box<str>),
}

impl Request {
    /// Returns the method exactly as the client sent it. It is `GET` in a request for a WebSocket connection. A plain HTTP request
    /// ([`Event::HttpRequest`](crate::Event::HttpRequest)) may have another, such as `HEAD` from the health check of a
    /// load balancer.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, server};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let status = if matches!(request.method(), "GET" | "HEAD") { 200 } else { 405 };
    /// conn.reject(server::Rejection::new(status))?;
    /// # assert!(conn.output().take().unwrap().starts_with(b"HTTP/1.1 200 OK\r\n"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn method(&self) -> &str {
        self.fields.text(self.method)
    }

    /// Returns the major and minor version of HTTP. It is `(1, 1)` in a request for a WebSocket connection. A plain
    /// HTTP request may have `(1, 0)`.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET / HTTP/1.0\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let (major, minor) = request.version();
    /// assert_eq!(format!("HTTP/{major}.{minor}"), "HTTP/1.0"); // for a log
    /// ```
    pub fn version(&self) -> (u8, u8) {
        (1, self.minor_version)
    }

    /// Returns the resource name, which consists of path and query (RFC 6455 section 3). It starts with a slash, unless
    /// it is the `*` of a plain `OPTIONS *` request.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let line = format!("{} {}", request.method(), request.resource());
    /// assert_eq!(line, "GET /chat?room=1"); // for a log
    /// ```
    pub fn resource(&self) -> &str {
        match &self.resource {
            Resource::InHead(span) => self.fields.text(*span),
            Resource::Completed(resource) => resource,
        }
    }

    /// Returns the path, which is the resource name without the query.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let handler = match request.path() {
    ///     "/chat" => "the chat",
    ///     "/health" => "the health check",
    ///     _ => "404",
    /// };
    /// assert_eq!(handler, "the chat");
    /// ```
    pub fn path(&self) -> &str {
        self.resource().split_once('?').map_or(self.resource(), |(path, _)| path)
    }

    /// Returns the query, which is the part of the resource name after the first `?`.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET /chat?room=1&lang=en HTTP/1.1\r\nHost: example.com\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let mut parameters = request.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    /// let room = parameters.find(|(name, _)| *name == "room").map(|(_, value)| value);
    /// assert_eq!(room, Some("1"));
    /// ```
    pub fn query(&self) -> Option<&str> {
        self.resource().split_once('?').map(|(_, query)| query)
    }

    /// Returns the host and port that the client requested: those of the target if it is an absolute URI (RFC 9112
    /// section 3.2.2), otherwise the `Host` header. It is empty for a plain HTTP/1.0 request that has neither.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET / HTTP/1.1\r\nHost: chat.example.com:8080\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let tenant = request.host().split('.').next();
    /// assert_eq!(tenant, Some("chat"));
    /// ```
    pub fn host(&self) -> &str {
        let host = match self.authority {
            Some(authority) => Some(self.fields.text(authority)),
            None => self.fields.get(HeaderName::Host.as_str()),
        };
        debug_assert!(host.is_some() || self.minor_version == 0, "a request without a valid Host was rejected");
        host.unwrap_or_default()
    }

    /// Returns the `Origin` header, the origin of the page whose script requests the connection (RFC 6455 section
    /// 10.2). A request without it does not come from a page in a browser.
    ///
    /// Use this for logs only. If there are several such headers, it returns the first, and it returns `None` if the
    /// value is not text. For access control, use [`check_origin`](Self::check_origin).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET / HTTP/1.1\r\nHost: example.com\r\nOrigin: https://app.example\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// println!("a request from {}", request.origin().unwrap_or("a program"));
    /// # assert_eq!(request.origin(), Some("https://app.example"));
    /// ```
    pub fn origin(&self) -> Option<&str> {
        self.header("Origin")
    }

    /// Checks that the request comes from a page with one of the allowed origins, or does not come from a page at all.
    ///
    /// A browser sends its user's cookies with a request from any page. A server that authenticates users by a cookie
    /// must therefore call this before it accepts (RFC 6455 section 10.2).
    ///
    /// An origin consists of a scheme, a host, and a port unless that is the scheme's default, such as
    /// `https://app.example`. It has no slash at the end. Pages without an origin send `null`. Scheme and host are
    /// compared case-insensitively (RFC 6454).
    ///
    /// **A request without `Origin` passes.** Browsers always send the header, so such a request comes from another
    /// program, which could send any value. `Origin` protects users of browsers. It does not authenticate clients. If
    /// your server is only for pages, also reject a request whose [`origin`](Self::origin) is `None` after this check
    /// has passed.
    ///
    /// ```
    /// use websocket_proto::{AcceptError, Connection, server};
    ///
    /// /// Pages of the origins in `allowed` may connect: "https://app.example", "https://app.example:8443".
    /// fn answer(conn: &mut Connection, request: &server::Request, allowed: &[String]) -> Result<(), AcceptError> {
    ///     match request.check_origin(allowed) {
    ///         Ok(()) => conn.accept(server::Response::new()),
    ///         Err(rejection) => conn.reject(rejection),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the rejection to send, with status 403, if the origin is not allowed, if the value is not a single
    /// origin, or if there are several `Origin` headers.
    pub fn check_origin(&self, allowed: &[impl AsRef<str>]) -> Result<(), Rejection> {
        check_origin(self.fields.values("Origin"), allowed)
    }

    /// Checks that the request comes from a page of this server itself, or from no page at all: the origin is the
    /// [`host`](Self::host) that the client asks for, by `http` or `https`.
    ///
    /// That protects the users of browsers as [`check_origin`](Self::check_origin) does, without a list. Use the list if a
    /// proxy in front of the server replaces `Host`. If the server is reached by a local network only, check `host` as
    /// well: a page on the web can have its own name resolve to an address there (DNS rebinding).
    ///
    /// ```
    /// use websocket_proto::{AcceptError, Connection, server};
    ///
    /// fn answer(conn: &mut Connection, request: &server::Request) -> Result<(), AcceptError> {
    ///     match request.check_same_origin() {
    ///         Ok(()) => conn.accept(server::Response::new()),
    ///         Err(rejection) => conn.reject(rejection),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`check_origin`](Self::check_origin).
    pub fn check_same_origin(&self) -> Result<(), Rejection> {
        check_same_origin(self.fields.values("Origin"), self.host())
    }

    /// Returns the value of the first header with this name (case-insensitive), if it is text.
    /// [`headers`](Self::headers) returns all of them, as bytes.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET / HTTP/1.1\r\nHost: example.com\r\nCookie: theme=dark; id=7\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let cookies = request.header("Cookie").unwrap_or_default();
    /// let id = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("id="));
    /// assert_eq!(id, Some("7"));
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Returns the names and values of all headers, in order.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n";
    /// let Some(Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let forwarded = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("X-Forwarded-For"));
    /// assert_eq!(forwarded.last().unwrap().1, b"192.0.2.2"); // added by your own proxy
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.fields.iter()
    }

    /// Returns the subprotocols that the client offers, in its order of preference.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, v2.chat\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// let Some(Event::Request(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// // The first one, in the client's order of preference, that this server supports.
    /// let subprotocol = request.subprotocols().find(|name| ["v2.chat", "chat"].contains(name));
    /// assert_eq!(subprotocol, Some("chat"));
    /// ```
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        lists::subprotocols(self.fields.values(HeaderName::Protocol.as_str()))
    }

    /// Returns the first subprotocol of `supported` that the client offers. List them in the server's order of
    /// preference.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, server};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, v2.chat\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// let Some(Event::Request(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let subprotocol = request.select_subprotocol(&["v2.chat", "chat"]);
    /// conn.accept(server::Response::new().subprotocol(subprotocol))?;
    /// assert_eq!(conn.subprotocol(), Some("v2.chat"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn select_subprotocol(&self, supported: &[impl AsRef<str>]) -> Option<&str> {
        select_subprotocol(supported, || self.subprotocols())
    }
}

impl Request {
    /// Parses the head of a request. Also returns the index of its headers, which have not been checked.
    pub(super) fn parse(head: Head) -> Result<(Box<Self>, HeaderIndex), HandshakeError> {
        let mut slots = head.header_slots();
        let mut parsed = httparse::Request::new(&mut []);
        head.check_parsed(parsed.parse_with_uninit_headers(head.bytes(), &mut slots))?;
        let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
            debug_assert!(false, "a parsed request has a request line");
            return Err(HandshakeError::Head);
        };
        let (authority, resource) =
            split_target(method, target).map_err(|error| error_of_request(method, version, error))?;
        let (method, minor_version) = (head.span(method.as_bytes()), version);
        let authority = authority.map(|authority| head.span(authority.as_bytes()));
        let resource = match resource {
            Cow::Borrowed(resource) => Resource::InHead(head.span(resource.as_bytes())),
            Cow::Owned(resource) => Resource::Completed(resource.into()),
        };
        let lines = head.lines(parsed.headers);
        let (fields, index) = Fields::new(head, &lines);
        Ok((Box::new(Self { fields, method, minor_version, authority, resource }), index))
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// Omits the values of headers that are secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("resource", &self.resource())
            .field("headers", &self.fields)
            .finish_non_exhaustive()
    }
}
