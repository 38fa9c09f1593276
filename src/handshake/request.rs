//! The request that a server receives.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use core::fmt;

use super::fields::{Fields, HeaderIndex};
use super::head::{Head, Span};
use super::headers::HeaderName;
use super::origin::check_origin;
use super::rejection::Rejection;
use super::target::{check_request_line, split_target};
use super::upgrade::select_subprotocol;
use crate::error::HandshakeError;
use crate::http_grammar::lists;

/// A client's request: well-formed, its headers readable in order. One for a connection fulfils RFC 6455 section 4.2.1.
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
    /// Of an absolute URI whose path is empty.
    Completed(Box<str>),
}

impl Request {
    /// The method, as it was written: `GET` for a WebSocket connection. Others are those of plain HTTP requests
    /// ([`Event::HttpRequest`](crate::Event::HttpRequest)), such as `HEAD`, with which load balancers look for a server.
    pub fn method(&self) -> &str {
        self.fields.text(self.method)
    }

    /// The version of HTTP, major and minor: `(1, 1)` for a WebSocket connection. A plain HTTP request may have `(1, 0)`.
    pub fn version(&self) -> (u8, u8) {
        (1, self.minor_version)
    }

    /// The resource name (RFC 6455 section 3): path and query. It starts with a slash, unless it is the `*` of a plain
    /// `OPTIONS *`, which asks about the server as a whole.
    pub fn resource(&self) -> &str {
        match &self.resource {
            Resource::InHead(span) => self.fields.text(*span),
            Resource::Completed(resource) => resource,
        }
    }

    /// The path: the resource name up to its query.
    pub fn path(&self) -> &str {
        self.resource().split_once('?').map_or(self.resource(), |(path, _)| path)
    }

    /// The query: the resource name after the first `?`.
    pub fn query(&self) -> Option<&str> {
        self.resource().split_once('?').map(|(_, query)| query)
    }

    /// The host and port that the client asked for: the `Host` header, or those of a target that is an absolute URI
    /// (RFC 9112 section 3.2.2). It is empty for a plain request of HTTP/1.0 that has neither.
    pub fn host(&self) -> &str {
        let host = match self.authority {
            Some(authority) => Some(self.fields.text(authority)),
            None => self.fields.get(HeaderName::Host.as_str()),
        };
        debug_assert!(host.is_some() || self.minor_version == 0, "a request without a valid Host was rejected");
        host.unwrap_or_default()
    }

    /// The `Origin` header: the page that a browser's script came from (RFC 6455 section 10.2). A request without one
    /// doesn't come from a browser's page.
    ///
    /// This is for logs: it is the first of several, and `None` as well if the value isn't text. To decide who may connect,
    /// use [`check_origin`](Self::check_origin).
    pub fn origin(&self) -> Option<&str> {
        self.header("Origin")
    }

    /// Checks that the request comes from a page of one of the allowed origins, or from no page at all.
    ///
    /// A browser sends its user's cookies along with a request from any page, so a server whose users are known by a cookie
    /// must check this before it accepts (RFC 6455 section 10.2). An origin is a scheme, a host, and a port unless it is the
    /// scheme's default, without a slash at the end: `https://app.example`, or `null` for pages that have none. Scheme and
    /// host are compared without their case (RFC 6454).
    ///
    /// **A request without `Origin` passes.** Browsers always send one, so it comes from another program, which could
    /// send any: `Origin` protects the users of browsers, and is no authentication. For a server that is meant for pages
    /// only, reject a request whose [`origin`](Self::origin) is `None` after this check has passed.
    ///
    /// ```
    /// use websocket_proto::{AcceptError, Connection, server};
    ///
    /// fn answer(conn: &mut Connection, request: &server::Request) -> Result<(), AcceptError> {
    ///     match request.check_origin(&["https://app.example", "https://app.example:8443"]) {
    ///         Ok(()) => conn.accept(server::Response::new()),
    ///         Err(rejection) => conn.reject(rejection),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The rejection to answer with, whose status is 403: the origin is none of those, the value isn't one origin, or there
    /// are several headers.
    pub fn check_origin(&self, allowed: &[&str]) -> Result<(), Rejection> {
        check_origin(self.fields.values("Origin"), allowed)
    }

    /// The value of the first header of that name (in any case), if it is text; [`headers`](Self::headers) has them
    /// all, as bytes.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// All headers in order, as names and values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.fields.iter()
    }

    /// The subprotocols that the client offers, in its order of preference.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        lists::subprotocols(self.fields.values(HeaderName::Protocol.as_str()))
    }

    /// Returns the first of `supported`, in the server's order of preference, that the client offers.
    pub fn select_subprotocol(&self, supported: &[&str]) -> Option<&str> {
        select_subprotocol(supported, || self.subprotocols())
    }
}

impl Request {
    /// Parses the head of a request. Returns the index of its headers, which are not checked, as well.
    pub(super) fn parse(head: Head) -> Result<(Box<Self>, HeaderIndex), HandshakeError> {
        let mut slots = head.header_slots();
        let mut parsed = httparse::Request::new(&mut []);
        head.check_parsed(parsed.parse_with_uninit_headers(head.bytes(), &mut slots))?;
        let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
            debug_assert!(false, "a parsed request has a request line");
            return Err(HandshakeError::Head);
        };
        let (authority, resource) = split_target(method, target).or_else(|error| {
            check_request_line(method, version)?;
            Err(error)
        })?;
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

/// Without the values of headers that are secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("resource", &self.resource())
            .field("headers", &self.fields)
            .finish_non_exhaustive()
    }
}
