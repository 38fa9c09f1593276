//! The response that a client receives.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::fields::{Fields, HeaderIndex};
use super::head::{Head, Span};
use crate::error::HandshakeError;

/// The server's response to a client's request: the one that opened the connection, or the one that rejected the
/// request.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    status: u16,
    reason: Span,
    fields: Fields,
    body: Vec<u8>,
}

impl Response {
    /// The HTTP status: 101 if the connection is open.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase after the status, which the server chose. It may be empty.
    pub fn reason(&self) -> &str {
        self.fields.text(self.reason)
    }

    /// The value of the first header of that name (in any case), if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// The time that the server asks to wait for before the next attempt, if the header `Retry-After` has one in seconds
    /// (RFC 9110 section 10.2.3).
    ///
    /// The header may be a date instead. That has a meaning only to you, who have a clock: this is `None` then, and
    /// `header("Retry-After")` has its text.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("Retry-After")?;
        let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
        // More seconds than can be counted are the most that can be.
        is_number.then(|| Duration::from_secs(seconds.parse().unwrap_or(u64::MAX)))
    }

    /// All headers in order, as names and values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.fields.iter()
    }

    /// The body of a response other than 101, cut off at
    /// [`Config::max_rejection_body`](crate::Config::max_rejection_body).
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl Response {
    /// Parses the head of a response. Returns the index of its headers and the minor version of its HTTP/1 as well.
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

/// Without the values of headers that are secrets.
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
