//! The server's side: a request head, held to RFC 6455 4.2.1 rule by rule.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::str;

use super::accept_key::{self, AcceptKey, Key};
use super::extensions::Accepted;
use super::fields::{Fields, IndexedHeaders};
use super::head::{Head, Span};
use super::headers::{HeaderName, Headers, Occurrences};
use super::{Negotiated, Response, uri};
use crate::config::Config;
use crate::error::{AcceptError, HandshakeError};
use crate::http_grammar::lists;

/// A client's request for a connection (RFC 6455 4.2.1): well-formed, its headers readable in order.
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
/// assert_eq!(request.choose(&["chat", "v2.chat"]), Some("chat"));
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    fields: Fields,
    /// Where the target's parts lie in the head.
    authority: Option<Span>,
    resource: Resource,
}

#[derive(Clone, Debug)]
enum Resource {
    InHead(Span),
    /// Of an absolute URI whose path is empty.
    Completed(Box<str>),
}

impl Request {
    /// The resource name (RFC 6455 3): path and query.
    pub fn resource(&self) -> &str {
        match &self.resource {
            Resource::InHead(span) => self.fields.text(*span),
            Resource::Completed(resource) => resource,
        }
    }

    /// The path: the resource name up to its query.
    pub fn path(&self) -> &str {
        self.resource().split('?').next().unwrap_or_default()
    }

    /// The query: what follows the first `?`.
    pub fn query(&self) -> Option<&str> {
        self.resource().split_once('?').map(|(_, query)| query)
    }

    /// Host and port that the client asked for: the `Host` header, or the target's where that is an absolute URI
    /// (RFC 9112 3.2.2).
    pub fn host(&self) -> &str {
        match self.authority {
            Some(authority) => self.fields.text(authority),
            None => self.fields.get("Host").unwrap_or_default(),
        }
    }

    /// The `Origin` header: the page that a browser's script came from (RFC 6455 10.2). A request without one doesn't
    /// come from a browser.
    ///
    /// Of several such headers this is the first; [`headers`](Self::headers) shows them all.
    /// A server that isn't meant for every page compares it with those that it knows, and rejects others with 403.
    pub fn origin(&self) -> Option<&str> {
        self.header("Origin")
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
        subprotocols(self.fields.values(HeaderName::Protocol.as_str()))
    }

    /// The first of `supported`, in the server's order of preference, that the client offers.
    pub fn choose(&self, supported: &[&str]) -> Option<&str> {
        supported.iter().find_map(|supported| self.subprotocols().find(|offered| offered == supported))
    }
}

/// What a request for WebSocket is answered with, and held to.
#[derive(Clone, Debug)]
pub(crate) struct Upgrade {
    /// Where the request has one, which it doesn't over HTTP/2 and HTTP/3. Who is turned away needs no hash of it.
    key: Option<Key>,
    /// The subprotocols offered, each with a comma behind it.
    offered: String,
    extensions: Accepted,
}

impl Upgrade {
    #[cfg(feature = "http")]
    pub(crate) fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.offered.split_terminator(',')
    }

    /// What belongs to the key, once the response is known to be one that may be sent.
    pub(crate) fn check(&self, response: &Response) -> Result<Option<AcceptKey>, AcceptError> {
        match response.chosen() {
            Some(chosen) if !self.offered.split_terminator(',').any(|offered| offered == chosen) => {
                Err(AcceptError::SubprotocolNotOffered)
            }
            _ => Ok(self.key.as_ref().map(accept_key::accept_key)),
        }
    }

    /// The value of `Sec-WebSocket-Extensions`.
    pub(crate) fn extensions(&self) -> Option<String> {
        self.extensions.header()
    }

    /// What is agreed on with that response.
    pub(crate) fn negotiated(&self, response: &Response) -> Negotiated {
        self.extensions.negotiated().subprotocol(response.chosen())
    }
}

/// Reads a whole request head. Without an [`Upgrade`], it is a well-formed GET that asks for none.
pub(crate) fn read_request(head: Head, config: &Config) -> Result<(Box<Request>, Option<Upgrade>), HandshakeError> {
    let mut slots = head.header_slots();
    let mut parsed = httparse::Request::new(&mut []);
    head.check_parsed(parsed.parse_with_uninit_headers(head.bytes(), &mut slots))?;
    if parsed.version != Some(1) {
        return Err(HandshakeError::HttpVersion);
    }
    if parsed.method != Some("GET") {
        return Err(HandshakeError::Method);
    }
    let (authority, resource) = split_target(parsed.path.unwrap_or_default())?;
    let authority = authority.map(|authority| head.span(authority.as_bytes()));
    let resource = match resource {
        Cow::Borrowed(resource) => Resource::InHead(head.span(resource.as_bytes())),
        Cow::Owned(resource) => Resource::Completed(resource.into()),
    };
    let lines = head.lines(parsed.headers);
    let (fields, index) = Fields::new(head, &lines);
    let request = Box::new(Request { fields, authority, resource });
    let fields = IndexedHeaders { fields: &request.fields, index: &index };
    check_framing(&fields)?;
    let upgrade = check_upgrade(&fields, config)?;
    Ok((request, upgrade))
}

/// The subprotocols that the values of a checked request offer.
fn subprotocols<'a>(values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a str> {
    // The elements are tokens, which are ASCII: nothing is left out.
    lists::elements(values).filter_map(|name| str::from_utf8(name).ok())
}

/// What every HTTP/1.1 request is held to, whether it asks for an upgrade or not.
pub(crate) fn check_framing(fields: &impl Headers) -> Result<(), HandshakeError> {
    // RFC 9112 3.2: exactly one Host, whatever the target says.
    let Occurrences::One(host) = fields.single(HeaderName::Host) else {
        return Err(HandshakeError::Host);
    };
    if !str::from_utf8(host).is_ok_and(uri::is_host_header) {
        return Err(HandshakeError::Host);
    }
    // RFC 9112 6: bytes of a body would be read as frames.
    if fields.contains(HeaderName::TransferEncoding)
        || fields.all(HeaderName::ContentLength).any(|length| length != b"0")
    {
        return Err(HandshakeError::Body);
    }
    Ok(())
}

/// RFC 6455 4.2.1, items 3 to 9, on headers in whatever form they came; nothing where no upgrade to WebSocket is asked
/// for.
pub(crate) fn check_upgrade(fields: &impl Headers, config: &Config) -> Result<Option<Upgrade>, HandshakeError> {
    if !lists::contains_token(fields.all(HeaderName::Upgrade), b"websocket") {
        return Ok(None);
    }
    if !lists::contains_token(fields.all(HeaderName::Connection), b"upgrade") {
        return Err(HandshakeError::Connection);
    }
    check_version(fields)?;
    let Occurrences::One(key) = fields.single(HeaderName::Key) else {
        return Err(HandshakeError::Key);
    };
    let key = accept_key::parse_key(key).ok_or(HandshakeError::Key)?;
    check_offers(fields, config, Some(*key)).map(Some)
}

/// RFC 8441 5: the same over HTTP/2 and HTTP/3, where neither the upgrade nor the key has a place.
#[cfg(feature = "http")]
pub(crate) fn check_connect(fields: &impl Headers, config: &Config) -> Result<Upgrade, HandshakeError> {
    if fields.contains(HeaderName::Connection) {
        return Err(HandshakeError::Connection);
    }
    if fields.contains(HeaderName::Upgrade) {
        return Err(HandshakeError::Upgrade);
    }
    check_version(fields)?;
    check_offers(fields, config, None)
}

fn check_version(fields: &impl Headers) -> Result<(), HandshakeError> {
    match fields.single(HeaderName::Version) {
        Occurrences::One(b"13") => Ok(()),
        Occurrences::One(value) if is_version(value) => Err(HandshakeError::UnsupportedVersion),
        _ => Err(HandshakeError::Version),
    }
}

/// RFC 6455 4.2.1, items 8 and 9: what may be chosen from.
fn check_offers(fields: &impl Headers, config: &Config, key: Option<Key>) -> Result<Upgrade, HandshakeError> {
    let mut offered = String::new();
    if fields.contains(HeaderName::Protocol) {
        lists::check_subprotocols(fields.all(HeaderName::Protocol))?;
        offered.extend(subprotocols(fields.all(HeaderName::Protocol)).flat_map(|name| [name, ","]));
    }
    let extensions = Accepted::new(config, fields.all(HeaderName::Extensions))?;
    Ok(Upgrade { key, offered, extensions })
}

/// A version is a number from 0 to 255 without leading zeros (RFC 6455 4.3).
fn is_version(value: &[u8]) -> bool {
    let is_number = value == b"0" || matches!(value, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    is_number && str::from_utf8(value).is_ok_and(|value| value.parse::<u8>().is_ok())
}

/// Origin-form or absolute-form (RFC 9112 3.2): the authority, where there is one, and the resource name.
fn split_target(target: &str) -> Result<(Option<&str>, Cow<'_, str>), HandshakeError> {
    let is_clean = target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !is_clean {
        return Err(HandshakeError::Target);
    }
    if target.starts_with('/') {
        return Ok((None, Cow::Borrowed(target)));
    }
    let (scheme, rest) = target.split_once("://").ok_or(HandshakeError::Target)?;
    if !["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return Err(HandshakeError::Target);
    }
    let (authority, resource) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if !uri::is_host_header(authority) {
        return Err(HandshakeError::Target);
    }
    let resource =
        if resource.starts_with('/') { Cow::Borrowed(resource) } else { Cow::Owned(alloc::format!("/{resource}")) };
    Ok((Some(authority), resource))
}
