//! What a connection reports to its owner.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::chunk::Chunk;
use crate::close::CloseCode;
use crate::error::{HandshakeError, ProtocolError};
use crate::handshake::{HandshakeResponse, Request};

/// What happened: the answer of [`Connection::receive`](crate::Connection::receive).
///
/// An event borrows the input that it came from and never the connection, so the owner may answer while holding it.
/// [`into_owned`](Self::into_owned) makes one that may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// At a server: a client asks for a WebSocket connection. Answer with
    /// [`accept`](crate::Connection::accept) or [`reject`](crate::Connection::reject), now or later.
    Request(Box<Request>),
    /// At a server: a well-formed request without a body that asks for no upgrade to WebSocket, whatever its
    /// [method](Request::method) and [version](Request::version): a browser that opens the page, a load balancer's
    /// health check. Answer with [`reject`](crate::Connection::reject), which sends any status and body; in answer to HEAD
    /// the body is left out. If the request isn't answered before the next call of `receive`, the connection answers by
    /// itself: 505 to HTTP/1.0, 405 to another method than GET, else 426.
    HttpRequest(Box<Request>),
    /// At a client: the server agreed, the connection is open.
    Open(Box<HandshakeResponse>),
    /// At a client: the server answered with something other than 101. Status, headers and (bounded) body tell why.
    Rejected(Box<HandshakeResponse>),
    /// A whole text message.
    Text(Cow<'b, str>),
    /// A whole binary message.
    Binary(Cow<'b, [u8]>),
    /// A chunk of a message, where the configuration asks for chunks
    /// ([`Config::chunk_threshold`](crate::Config::chunk_threshold)).
    Chunk(Chunk<'b>),
    /// A ping, already answered unless [`auto_pong`](crate::Config::auto_pong) is off.
    Ping(Cow<'b, [u8]>),
    /// A pong: the answer to your [`ping`](crate::Connection::ping), or an unsolicited one. The answer to a
    /// [keepalive](crate::Config::keepalive)'s ping is no event.
    Pong(Cow<'b, [u8]>),
    /// The connection is over. Comes exactly once, as the last event; what is in the output is still to be written.
    Closed(Box<Closed>),
}

impl Event<'_> {
    /// Returns the same event with its payload copied out of the input.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let (mut buffer, mut queue) = (*b"\x81\x82\0\0\0\0hi", Vec::new());
    /// let mut input = &mut buffer[..];
    /// while let Some(event) = conn.receive(&mut input) {
    ///     queue.push(event.into_owned()); // keeps nothing of the buffer
    /// }
    /// buffer.fill(0); // …the next read…
    /// assert_eq!(queue, [Event::Text("hi".into())]);
    /// ```
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Request(request) => Event::Request(request),
            Self::HttpRequest(request) => Event::HttpRequest(request),
            Self::Open(response) => Event::Open(response),
            Self::Rejected(response) => Event::Rejected(response),
            Self::Text(text) => Event::Text(Cow::Owned(text.into_owned())),
            Self::Binary(data) => Event::Binary(Cow::Owned(data.into_owned())),
            Self::Chunk(chunk) => Event::Chunk(chunk.into_owned()),
            Self::Ping(payload) => Event::Ping(Cow::Owned(payload.into_owned())),
            Self::Pong(payload) => Event::Pong(Cow::Owned(payload.into_owned())),
            Self::Closed(closed) => Event::Closed(closed),
        }
    }
}

/// How a connection ended, as a browser's `CloseEvent` tells it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The code of the peer's Close frame: [`NO_STATUS`](CloseCode::NO_STATUS) if it had none,
    /// [`ABNORMAL`](CloseCode::ABNORMAL) if no Close frame came (RFC 6455 7.1.5), as where the peer broke the protocol and
    /// was closed by us: what we sent is in the [`cause`](Self::cause).
    pub code: CloseCode,
    /// The reason in the peer's Close frame, or nothing (RFC 6455 7.1.6). The peer chose these words: don't show them
    /// to a person as if they were yours (5.5.1). `Display` and `Debug` of this type escape them.
    pub reason: String,
    /// Whether the closing handshake was completed (RFC 6455 7.1.4).
    pub clean: bool,
    /// What ended the connection.
    pub cause: Cause,
}

impl Closed {
    pub(crate) fn abnormal(cause: Cause) -> Self {
        Self { code: CloseCode::ABNORMAL, reason: String::new(), clean: false, cause }
    }
}

/// So that a function that runs a connection can return how it ended, with `?`.
impl core::error::Error for Closed {}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "closed with {}", self.code)?;
        if !self.reason.is_empty() {
            write!(f, " {:?}", self.reason)?;
        }
        write!(f, ": {}", self.cause)
    }
}

/// What ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The peer sent the first Close frame.
    Peer,
    /// We did, with this code.
    Local(CloseCode),
    /// The peer broke the protocol or a limit; we sent the error's
    /// [`close_code`](ProtocolError::close_code) unless we had sent a Close frame before.
    Protocol(ProtocolError),
    /// The opening handshake failed; a server has answered with the error's [`status`](HandshakeError::status).
    Handshake(HandshakeError),
    /// The opening handshake was answered with this HTTP status, by us as a server, by the peer as a client.
    Rejected(u16),
    /// A deadline passed.
    Timeout(Deadline),
    /// The transport ended without a Close frame.
    Eof,
    /// [`abort`](crate::Connection::abort) was called.
    Aborted,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer => f.write_str("the peer closed"),
            Self::Local(code) => write!(f, "we closed with {code}"),
            Self::Protocol(error) => error.fmt(f),
            Self::Handshake(error) => error.fmt(f),
            Self::Rejected(status) => write!(f, "the handshake was answered with status {status}"),
            Self::Timeout(Deadline::Opening) => f.write_str("the opening handshake took too long"),
            Self::Timeout(Deadline::Keepalive) => f.write_str("keepalive timeout: nothing received after our ping"),
            Self::Timeout(Deadline::Closing) => f.write_str("the closing handshake took too long"),
            Self::Eof => f.write_str("the transport ended without a Close frame"),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

/// The deadlines of a [`Config`](crate::Config).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deadline {
    /// [`handshake_timeout`](crate::Config::handshake_timeout)
    Opening,
    /// [`keepalive`](crate::Config::keepalive)
    Keepalive,
    /// [`close_timeout`](crate::Config::close_timeout)
    Closing,
}
