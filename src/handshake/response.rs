//! The response of a server that accepts a request.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::accept_key::AcceptKey;
use super::header_lines::{CheckedLines, HeaderLines, OutgoingHead, append_text};
use crate::error::{AcceptError, HeaderError};

/// The response that opens a connection, with status 101 and optionally a subprotocol and further headers.
///
/// ```
/// use websocket_proto::server::Response;
///
/// let response = Response::new().subprotocol("chat").header("Set-Cookie", "visited=1");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    subprotocol: Option<String>,
    headers: HeaderLines,
}

impl Response {
    /// Creates a response with status 101, without a subprotocol or further headers.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, server};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// let Some(Event::Request(_)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// conn.accept(server::Response::new())?;
    /// assert!(conn.output().take().unwrap().starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects a subprotocol, which the client must have offered. `None` selects none, so you can pass the result of
    /// [`Request::select_subprotocol`](crate::server::Request::select_subprotocol) directly.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, server};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// let Some(Event::Request(request)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let subprotocol = request.select_subprotocol(&["v2.chat", "chat"]);
    /// conn.accept(server::Response::new().subprotocol(subprotocol))?;
    /// assert_eq!(conn.subprotocol(), Some("chat"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn subprotocol<'a>(mut self, subprotocol: impl Into<Option<&'a str>>) -> Self {
        self.subprotocol = subprotocol.into().map(ToOwned::to_owned);
        self
    }

    /// Adds a header after those that the handshake writes itself. If the header cannot be sent,
    /// [`accept`](crate::Connection::accept) returns an error.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, server};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// let Some(Event::Request(_)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// conn.accept(server::Response::new().header("Set-Cookie", "visited=1").header("Server", "chat/1.0"))?;
    /// # let head = String::from_utf8(conn.output().take().unwrap().to_vec()).unwrap();
    /// # assert!(head.contains("\r\nSet-Cookie: visited=1\r\nServer: chat/1.0\r\n"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value, OutgoingHead::Response);
        self
    }
}

/// The size of a response without the parts that the caller chose, rounded up.
const RESPONSE_CAPACITY: usize = 192;

impl Response {
    pub(crate) fn selected_subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the caller's headers, if they can be sent.
    pub(crate) fn checked_headers(&self) -> Result<CheckedLines<'_>, HeaderError> {
        self.headers.checked()
    }

    /// Appends the head to the output, if it can be sent. `extensions` is the value of `Sec-WebSocket-Extensions`.
    pub(crate) fn encode(
        &self,
        accept: &AcceptKey,
        extensions: Option<&str>,
        output: &mut Vec<u8>,
    ) -> Result<(), AcceptError> {
        let headers = self.checked_headers()?.as_str();
        let more = self.subprotocol.as_ref().map_or(0, String::len) + extensions.map_or(0, str::len) + headers.len();
        output.reserve(RESPONSE_CAPACITY + more);
        output.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        );
        output.extend_from_slice(accept);
        append_text(output, ["\r\n"]);
        if let Some(subprotocol) = self.selected_subprotocol() {
            append_text(output, ["Sec-WebSocket-Protocol: ", subprotocol, "\r\n"]);
        }
        if let Some(extensions) = extensions {
            append_text(output, ["Sec-WebSocket-Extensions: ", extensions, "\r\n"]);
        }
        append_text(output, [headers, "\r\n"]);
        Ok(())
    }
}
