//! The response that a client receives.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::fields::{Fields, HeaderIndex};
use super::head::{Head, Span};
use crate::error::HandshakeError;

/// The response that a client received: it either opened the connection or rejected the request.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    reason: Span,
    fields: Fields,
    body: Vec<u8>,
}

impl Response {
    /// Returns the HTTP status, which is 101 if the connection is open.
    ///
    /// ```
    /// # use websocket_proto::{Config, Connection, Event, Seed, client};
    /// # let request = client::Request::new("ws://example.com/".parse()?);
    /// # let mut conn = Connection::client(request, Config::new(), Seed::new([7; 32]))?;
    /// let mut arrived = *b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    /// let Some(Event::Rejected(response)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// match response.status() {
    ///     500.. => println!("try again later"),
    ///     401 | 403 => println!("log in"),
    ///     status => println!("the server responded with {status}"),
    /// }
    /// # assert_eq!(response.status(), 503);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the reason phrase after the status. The server chooses it, and it may be empty.
    ///
    /// ```
    /// # use websocket_proto::{Config, Connection, Event, Seed, client};
    /// # let request = client::Request::new("ws://example.com/".parse()?);
    /// # let mut conn = Connection::client(request, Config::new(), Seed::new([7; 32]))?;
    /// let mut arrived = *b"HTTP/1.1 503 Down for maintenance\r\nContent-Length: 0\r\n\r\n";
    /// let Some(Event::Rejected(response)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let message = format!("{} ({})", response.status(), response.reason());
    /// assert_eq!(message, "503 (Down for maintenance)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reason(&self) -> &str {
        self.fields.text(self.reason)
    }

    /// Returns the value of the first header with this name (case-insensitive), if it is text.
    ///
    /// ```
    /// # use websocket_proto::{Config, Connection, Event, Seed, client};
    /// # let request = client::Request::new("ws://example.com/".parse()?);
    /// # let mut conn = Connection::client(request, Config::new(), Seed::new([7; 32]))?;
    /// let mut arrived = *b"HTTP/1.1 302 Found\r\nLocation: wss://eu.example.com/\r\nContent-Length: 0\r\n\r\n";
    /// let Some(Event::Rejected(response)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// if let (300..400, Some(location)) = (response.status(), response.header("location")) {
    ///     let uri: client::Uri = location.parse()?; // connect to it if you trust it
    ///     assert_eq!(uri.host(), "eu.example.com");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Returns how long the server asks you to wait before the next attempt, if the `Retry-After` header is a number of
    /// seconds (RFC 9110 section 10.2.3).
    ///
    /// The header may also be a date. The engine has no clock, so this method then returns `None`. Parse the text that
    /// `header("Retry-After")` returns instead.
    ///
    /// ```
    /// # use websocket_proto::{Config, Connection, Event, Seed, client};
    /// # let request = client::Request::new("ws://example.com/".parse()?);
    /// # let mut conn = Connection::client(request, Config::new(), Seed::new([7; 32]))?;
    /// use std::time::Duration;
    ///
    /// let mut arrived = *b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";
    /// let Some(Event::Rejected(response)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let delay = response.retry_after().unwrap_or(Duration::from_secs(5));
    /// assert_eq!(delay, Duration::from_secs(120));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("Retry-After")?;
        let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        // A number of seconds that is too large saturates.
        is_number.then(|| Duration::from_secs(seconds.parse().unwrap_or(u64::MAX)))
    }

    /// Returns the names and values of all headers, in order.
    ///
    /// ```
    /// # use websocket_proto::{Config, Connection, Event, Seed, client};
    /// # let request = client::Request::new("ws://example.com/".parse()?);
    /// # let mut conn = Connection::client(request, Config::new(), Seed::new([7; 32]))?;
    /// let mut arrived = *b"HTTP/1.1 401 Unauthorized\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n";
    /// let Some(Event::Rejected(response)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let cookies = response.headers().filter(|(name, _)| name.eq_ignore_ascii_case("Set-Cookie"));
    /// assert!(cookies.map(|(_, value)| value).eq([b"a=1", b"b=2"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.fields.iter()
    }

    /// Returns the body of a response other than 101, truncated to
    /// [`Config::max_rejection_body`](crate::Config::max_rejection_body) bytes.
    ///
    /// ```
    /// # use websocket_proto::{Config, Connection, Event, Seed, client};
    /// # let request = client::Request::new("ws://example.com/".parse()?);
    /// # let mut conn = Connection::client(request, Config::new(), Seed::new([7; 32]))?;
    /// let mut arrived = *b"HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\nno such ticket";
    /// let Some(Event::Rejected(response)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let explanation = String::from_utf8_lossy(response.body());
    /// assert_eq!(explanation, "no such ticket");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Response {
    /// Parses the head of a response. Also returns the index of its headers and its minor version of HTTP/1.
    pub(super) fn parse(head: Head) -> Result<(Box<Self>, HeaderIndex, u8), HandshakeError> {
        let mut slots = head.header_slots();
        let mut parsed = httparse::Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        head.check_parsed(parser.parse_response_with_uninit_headers(&mut parsed, head.bytes(), &mut slots))?;
        let (Some(status), Some(version), Some(reason)) = (parsed.code, parsed.version, parsed.reason) else {
            debug_assert!(false, "a parsed response has a status line");
            return Err(HandshakeError::Head);
        };
        if !(100..600).contains(&status) {
            return Err(HandshakeError::Head);
        }
        let reason = head.span(reason.as_bytes());
        let lines = head.lines(parsed.headers);
        let (fields, index) = Fields::new(head, &lines);
        Ok((Box::new(Self { status, reason, fields, body: Vec::new() }), index, version))
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    pub(super) fn set_body(&mut self, body: Vec<u8>) {
        self.body = body;
    }
}

/// Omits the values of headers that are secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("reason", &self.reason())
            .field("headers", &self.fields)
            .field("body", &format_args!("b\"{}\"", self.body.escape_ascii()))
            .finish()
    }
}
