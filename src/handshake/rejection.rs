//! The response of a server that rejects a request.

use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;

use bytes::Bytes;

use super::header_lines::{CheckedLines, HeaderLines, OutgoingHead};
use crate::error::{AcceptError, HandshakeError};

/// A response with a status other than 101: an error, a redirect, an authentication challenge, or a page for a browser
/// that did not ask for an upgrade. The transport is closed after it.
///
/// ```
/// use websocket_proto::server::Rejection;
///
/// let no = Rejection::new(401).header("WWW-Authenticate", "Basic realm=\"chat\"").body("who are you?");
/// let page = Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body("<h1>Chat</h1>");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    status: u16,
    headers: HeaderLines,
    body: Bytes,
}

impl Rejection {
    /// Creates a response without a body. The status must be from 200 to 599, otherwise
    /// [`reject`](crate::Connection::reject) returns an error.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, server::Rejection};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// # assert!(conn.receive(&mut &mut arrived[..]).is_some());
    /// conn.reject(Rejection::new(404))?; // after `Event::Request` or `Event::HttpRequest`
    /// assert!(conn.output().take().unwrap().starts_with(b"HTTP/1.1 404 Not Found\r\n"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn new(status: u16) -> Self {
        Self { status, headers: HeaderLines::default(), body: Bytes::new() }
    }

    /// Adds a header. If the header cannot be sent, [`reject`](crate::Connection::reject) returns an error.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, server::Rejection};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// # assert!(conn.receive(&mut &mut arrived[..]).is_some());
    /// conn.reject(Rejection::new(307).header("Location", "https://example.com/chat"))?;
    /// # let head = String::from_utf8(conn.output().take().unwrap().to_vec()).unwrap();
    /// # assert!(head.starts_with("HTTP/1.1 307 ") && head.contains("\r\nLocation: https://example.com/chat\r\n"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value, OutgoingHead::Rejection);
        self
    }

    /// Sets the body. Its type is plain text, unless you add a `Content-Type` header.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, server::Rejection};
    ///
    /// # let mut arrived = *b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    /// # let mut conn = Connection::server(Config::new());
    /// # assert!(conn.receive(&mut &mut arrived[..]).is_some());
    /// let page = "<!DOCTYPE html><title>Chat</title><h1>Chat</h1>";
    /// conn.reject(Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(page))?;
    /// # let _ = conn.output().take();
    /// # assert_eq!(conn.output().take().unwrap(), page);
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl From<HandshakeError> for Rejection {
    /// Creates the response to a malformed request: the status of the error, and its text as the body.
    fn from(error: HandshakeError) -> Self {
        match error {
            // The request may be HEAD, and a response to HEAD has no body (RFC 9110 section 9.3.2).
            HandshakeError::Method => Self::new(error.status()).header("Allow", "GET"),
            _ => Self::new(error.status()).body(format!("{error}\n")),
        }
    }
}

impl Rejection {
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    #[cfg(feature = "http")]
    pub(crate) fn into_body(self) -> Bytes {
        self.body
    }

    /// Returns the caller's headers, if the response can be sent. Its status must be final (RFC 9110 section 15), and
    /// it may have a body only if the status allows one.
    pub(crate) fn checked_headers(&self) -> Result<CheckedLines<'_>, AcceptError> {
        if !(200..600).contains(&self.status) {
            return Err(AcceptError::Status(self.status));
        }
        if !self.may_have_body() && !self.body.is_empty() {
            return Err(AcceptError::Body(self.status));
        }
        Ok(self.headers.checked()?)
    }

    /// Returns the head and the body.
    pub(crate) fn encode(self) -> Result<(String, Bytes), AcceptError> {
        let headers = self.checked_headers()?;
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason_phrase(self.status));
        if self.status == 426 {
            // RFC 9110 section 15.5.22 and RFC 6455 section 4.2.2: 426 names the protocol to upgrade to and its
            // version.
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
        if self.has_length() {
            // Writing to a string can't fail.
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head.push_str(headers.as_str());
        head.push_str("\r\n");
        Ok((head, self.body))
    }

    /// RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5: these responses have no content. This is the rule for servers,
    /// which must not send a body with 205. For clients, only 204 and 304 mean that there is no body (RFC 9112 section
    /// 6.3, see `BodyReader`).
    fn may_have_body(&self) -> bool {
        !matches!(self.status, 204 | 205 | 304)
    }

    /// RFC 9110 section 8.6: the header is forbidden with 204, and with 304 it would be the length of another response.
    /// A 205 needs it, since its framing is that of any response (RFC 9112 section 6.3).
    fn has_length(&self) -> bool {
        !matches!(self.status, 204 | 304)
    }
}

/// Returns the reason phrase of a status that is useful to a WebSocket server (RFC 9110 section 15, RFC 6585).
fn reason_phrase(status: u16) -> &'static str {
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
        // RFC 9112 section 4: the phrase may be empty, but the space before it is required.
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The statuses with a phrase, as spelled in IANA's registry of HTTP status codes.
    const PHRASES: &str = "\
200 OK
204 No Content
301 Moved Permanently
302 Found
303 See Other
304 Not Modified
307 Temporary Redirect
308 Permanent Redirect
400 Bad Request
401 Unauthorized
403 Forbidden
404 Not Found
405 Method Not Allowed
408 Request Timeout
410 Gone
426 Upgrade Required
429 Too Many Requests
431 Request Header Fields Too Large
500 Internal Server Error
501 Not Implemented
502 Bad Gateway
503 Service Unavailable
505 HTTP Version Not Supported";

    #[test]
    fn every_status_line_has_its_reason_phrase() {
        let mut written = 0;
        for status in 200..600 {
            let (head, _) = Rejection::new(status).encode().unwrap();
            let (line, _) = head.split_once("\r\n").unwrap();
            let line = line.strip_prefix("HTTP/1.1 ").unwrap();
            match PHRASES.lines().find(|phrase| phrase.starts_with(&line[..3])) {
                Some(expected) => assert_eq!(line, expected),
                // RFC 9112 section 4: the space is required.
                None => assert_eq!(line, format!("{status} ")),
            }
            written += usize::from(line.len() > 4);
        }
        assert_eq!(written, PHRASES.lines().count());
    }

    #[test]
    fn only_two_statuses_have_no_length_and_three_take_no_body() {
        for status in 200..600 {
            let (head, _) = Rejection::new(status).encode().unwrap();
            let has_length = ![204, 304].contains(&status);
            assert_eq!(head.contains("\r\nContent-Length: 0\r\n"), has_length, "{status}");
            let has_no_body = [204, 205, 304].contains(&status);
            let with_body = Rejection::new(status).body("why").encode();
            assert_eq!(with_body.err(), has_no_body.then_some(AcceptError::Body(status)), "{status}");
        }
        for status in [0, 101, 199, 600, 999] {
            assert_eq!(Rejection::new(status).encode().err(), Some(AcceptError::Status(status)), "{status}");
        }
    }
}
