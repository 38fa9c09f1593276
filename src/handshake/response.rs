//! What a server answers: [`Response`] (101) or [`Rejection`] (anything else).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use bytes::Bytes;

use super::accept_key::AcceptKey;
use super::header_lines::{CheckedLines, HeaderLines, OutgoingHead, append_text};
use crate::error::{AcceptError, HandshakeError, HeaderError};

/// More than a 101 has in it, apart from what the caller chose.
const MOST: usize = 192;

/// The answer that opens a connection: 101, with a subprotocol and further headers where wanted.
///
/// ```
/// use websocket_proto::Response;
///
/// let response = Response::new().subprotocol("chat").header("Set-Cookie", "visited=1");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Response {
    subprotocol: Option<String>,
    headers: HeaderLines,
}

impl Response {
    /// A 101 without subprotocol or further headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The subprotocol chosen, one of those that the client offered; `None` for none, which is what
    /// [`Request::choose`](crate::Request::choose) answers where none fits.
    pub fn subprotocol<'a>(mut self, subprotocol: impl Into<Option<&'a str>>) -> Self {
        self.subprotocol = subprotocol.into().map(ToOwned::to_owned);
        self
    }

    /// Adds a header, after those that the handshake writes itself. One that can't be sent makes
    /// [`accept`](crate::Connection::accept) fail.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value, OutgoingHead::Response);
        self
    }

    pub(crate) fn chosen(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the caller's headers if they can be sent.
    pub(crate) fn checked_headers(&self) -> Result<CheckedLines<'_>, HeaderError> {
        self.headers.checked()
    }

    /// Appends the head to the output, if it can be sent.
    pub(crate) fn encode(
        &self,
        accept: Option<&AcceptKey>,
        extensions: Option<&str>,
        output: &mut Vec<u8>,
    ) -> Result<(), AcceptError> {
        let headers = self.checked_headers()?;
        let subprotocol = self.chosen().unwrap_or_default();
        output.reserve(MOST + subprotocol.len() + extensions.map_or(0, str::len) + headers.as_str().len());
        output.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        );
        output.extend_from_slice(accept.map_or(&[], |accept| accept));
        output.extend_from_slice(b"\r\n");
        if let Some(subprotocol) = self.chosen() {
            append_text(output, ["Sec-WebSocket-Protocol: ", subprotocol, "\r\n"]);
        }
        if let Some(extensions) = extensions {
            append_text(output, ["Sec-WebSocket-Extensions: ", extensions, "\r\n"]);
        }
        append_text(output, [headers.as_str(), "\r\n"]);
        Ok(())
    }
}

/// An answer other than 101: an error, a redirect, a demand for authentication, or a page for a browser that asked for
/// no upgrade. The transport is closed behind it.
///
/// ```
/// use websocket_proto::Rejection;
///
/// let no = Rejection::new(401).header("WWW-Authenticate", "Basic realm=\"chat\"").body("who are you?");
/// let page = Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body("<h1>Chat</h1>");
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    status: u16,
    headers: HeaderLines,
    body: Bytes,
}

impl Rejection {
    /// An answer of that status, from 200 to 599, without a body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: HeaderLines::default(), body: Bytes::new() }
    }

    /// Adds a header. One that can't be sent makes [`reject`](crate::Connection::reject) fail.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value, OutgoingHead::Rejection);
        self
    }

    /// The body; plain text, unless a header `Content-Type` says otherwise.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    #[cfg(feature = "http")]
    pub(crate) fn into_parts(self) -> (u16, HeaderLines, Bytes) {
        (self.status, self.headers, self.body)
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// RFC 9110 15: a final status, and a body only where it has one.
    pub(crate) fn check(&self) -> Result<(), AcceptError> {
        if !(200..600).contains(&self.status) {
            return Err(AcceptError::Status);
        }
        if !self.has_body() && !self.body.is_empty() {
            return Err(AcceptError::Body);
        }
        Ok(())
    }

    fn has_body(&self) -> bool {
        !matches!(self.status, 204 | 205 | 304)
    }

    /// The head, and the body behind it.
    pub(crate) fn encode(self) -> Result<(String, Bytes), AcceptError> {
        self.check()?;
        let headers = self.headers.checked()?;
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        if self.status == 426 {
            // RFC 9110 15.5.22 and RFC 6455 4.2.2: what to upgrade to.
            head.push_str("Connection: close, Upgrade\r\nUpgrade: websocket\r\n");
            if !headers.contains("Sec-WebSocket-Version") {
                head.push_str("Sec-WebSocket-Version: 13\r\n");
            }
        } else {
            head.push_str("Connection: close\r\n");
        }
        if !self.body.is_empty() && !headers.contains("Content-Type") {
            head.push_str("Content-Type: text/plain; charset=utf-8\r\n");
        }
        if self.has_body() {
            // Writing to a string can't fail.
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head.push_str(headers.as_str());
        head.push_str("\r\n");
        Ok((head, self.body))
    }
}

impl From<HandshakeError> for Rejection {
    /// The answer to a malformed handshake: its status, and one readable line.
    fn from(error: HandshakeError) -> Self {
        match error {
            // It may be the answer to HEAD, which has no body (RFC 9110 9.3.2).
            HandshakeError::Method => Self::new(error.status()).header("Allow", "GET"),
            _ => Self::new(error.status()).body(format!("{error}\n")),
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        // RFC 9112 4: the phrase may be empty, the space in front of it stays.
        _ => "",
    }
}
