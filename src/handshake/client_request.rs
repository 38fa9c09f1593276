//! The request that a client sends.

use alloc::string::String;
use alloc::vec::Vec;

use super::accept_key::Key;
use super::header_lines::{CheckedLines, HeaderLines, OutgoingHead, append_text};
use super::uri::Uri;
use crate::error::RequestError;
use crate::http_grammar::lists;

/// A client's request for a WebSocket connection: the URI, the subprotocols to offer, and further headers.
///
/// ```
/// use websocket_proto::client;
///
/// let uri: client::Uri = "ws://example.com/chat".parse().unwrap();
/// let request = client::Request::new(uri).subprotocol("chat").header("Cookie", "id=7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    uri: Uri,
    subprotocols: Vec<String>,
    headers: HeaderLines,
    origin: HeaderLines,
}

impl Request {
    /// Creates a request for the resource of a URI.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Seed, client};
    ///
    /// # #[cfg(feature = "getrandom")] {
    /// let uri: client::Uri = "ws://example.com/chat?room=1".parse()?;
    /// let mut conn = Connection::client(client::Request::new(uri), Config::new(), Seed::from_os()?)?;
    /// let head = conn.output().take().unwrap(); // …write it…
    /// assert!(head.starts_with(b"GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(uri: Uri) -> Self {
        Self { uri, subprotocols: Vec::new(), headers: HeaderLines::default(), origin: HeaderLines::default() }
    }

    /// Offers a subprotocol. The order of the calls is the client's order of preference.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Seed, client};
    ///
    /// # #[cfg(feature = "getrandom")] {
    /// let request = client::Request::new("ws://example.com/".parse()?).subprotocol("v2.chat").subprotocol("chat");
    /// let mut conn = Connection::client(request, Config::new(), Seed::from_os()?)?;
    /// let head = String::from_utf8(conn.output().take().unwrap().to_vec())?;
    /// assert!(head.contains("\r\nSec-WebSocket-Protocol: v2.chat, chat\r\n"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Sets the `Origin` header, which browsers send and other clients may (RFC 6455 section 4.1, item 8).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Seed, client};
    ///
    /// # #[cfg(feature = "getrandom")] {
    /// let request = client::Request::new("wss://example.com/".parse()?).origin("https://app.example");
    /// let mut conn = Connection::client(request, Config::new(), Seed::from_os()?)?;
    /// let head = String::from_utf8(conn.output().take().unwrap().to_vec())?;
    /// assert!(head.contains("\r\nOrigin: https://app.example\r\n"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = HeaderLines::default();
        self.origin.push("Origin", origin, OutgoingHead::Request);
        self
    }

    /// Adds a header after those that the handshake writes itself. If the header cannot be sent,
    /// [`Connection::client`](crate::Connection::client) returns an error.
    ///
    /// An `Authorization` header overrides the user information of the URI.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Seed, client};
    ///
    /// # #[cfg(feature = "getrandom")] {
    /// let request = client::Request::new("wss://example.com/".parse()?)
    ///     .header("User-Agent", "chat/1.0")
    ///     .header("Authorization", "Bearer 7Fjfp0ZBr1KtDRbnfVdmIw");
    /// let mut conn = Connection::client(request, Config::new(), Seed::from_os()?)?;
    /// let head = String::from_utf8(conn.output().take().unwrap().to_vec())?;
    /// assert!(head.contains("\r\nUser-Agent: chat/1.0\r\n"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("Origin") {
            return self.origin(value);
        }
        self.headers.push(name, value, OutgoingHead::Request);
        self
    }

    /// Returns the URI that is requested.
    ///
    /// ```
    /// use websocket_proto::client;
    ///
    /// let request = client::Request::new("wss://example.com/chat".parse()?).subprotocol("chat");
    /// assert_eq!((request.uri().host(), request.uri().port()), ("example.com", 443)); // connect there
    /// # Ok::<(), websocket_proto::UriError>(())
    /// ```
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl Request {
    pub(super) fn uri_mut(&mut self) -> &mut Uri {
        &mut self.uri
    }

    pub(super) fn remove_headers(&mut self, names: &[&str]) {
        self.headers.remove(names);
    }

    /// Returns the parts of the request, if everything that the caller set can be sent.
    pub(crate) fn checked(&self) -> Result<CheckedRequest<'_>, RequestError> {
        for (i, subprotocol) in self.subprotocols.iter().enumerate() {
            if !lists::is_token(subprotocol.as_bytes()) {
                return Err(RequestError::Subprotocol(subprotocol.as_str().into()));
            }
            if self.subprotocols.iter().take(i).any(|earlier| earlier == subprotocol) {
                return Err(RequestError::DuplicateSubprotocol(subprotocol.as_str().into()));
            }
        }
        let (origin, headers) = (self.origin.checked()?, self.headers.checked()?);
        let authorization = self.uri.authorization().filter(|_| !headers.contains("Authorization"));
        Ok(CheckedRequest { uri: &self.uri, subprotocols: &self.subprotocols, origin, authorization, headers })
    }

    /// Returns the subprotocols, one of which the response may select.
    pub(crate) fn into_subprotocols(self) -> Vec<String> {
        self.subprotocols
    }
}

/// A request that can be sent.
pub(crate) struct CheckedRequest<'r> {
    pub(crate) uri: &'r Uri,
    pub(crate) subprotocols: &'r [String],
    pub(crate) origin: CheckedLines<'r>,
    /// The credentials of the URI, unless the caller's headers override them.
    pub(crate) authorization: Option<&'r str>,
    pub(crate) headers: CheckedLines<'r>,
}

/// The size of a request without the parts that the caller chose, rounded up.
const REQUEST_CAPACITY: usize = 224;

impl CheckedRequest<'_> {
    /// Appends the head to the output. `extensions` is the value of `Sec-WebSocket-Extensions`.
    pub(crate) fn encode(&self, key: &Key, extensions: Option<&str>, output: &mut Vec<u8>) {
        let (origin, headers) = (self.origin.as_str(), self.headers.as_str());
        let subprotocols: usize = self.subprotocols.iter().map(|subprotocol| subprotocol.len() + 2).sum();
        let credentials = self.authorization.map_or(0, |value| value.len() + "Authorization: \r\n".len());
        let more = extensions.map_or(0, str::len) + origin.len() + credentials + headers.len();
        output.reserve(REQUEST_CAPACITY + self.uri.authority().len() + self.uri.resource().len() + subprotocols + more);
        append_text(output, ["GET ", self.uri.resource(), " HTTP/1.1\r\nHost: ", self.uri.authority()]);
        append_text(output, ["\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "]);
        output.extend_from_slice(key);
        append_text(output, ["\r\nSec-WebSocket-Version: 13\r\n"]);
        if let [first, rest @ ..] = self.subprotocols {
            append_text(output, ["Sec-WebSocket-Protocol: ", first]);
            for subprotocol in rest {
                append_text(output, [", ", subprotocol]);
            }
            append_text(output, ["\r\n"]);
        }
        if let Some(extensions) = extensions {
            append_text(output, ["Sec-WebSocket-Extensions: ", extensions, "\r\n"]);
        }
        append_text(output, [origin]);
        if let Some(authorization) = self.authorization {
            append_text(output, ["Authorization: ", authorization, "\r\n"]);
        }
        append_text(output, [headers, "\r\n"]);
    }
}
