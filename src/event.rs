//! The events that a connection reports.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::chunk::Chunk;
use crate::close::CloseCode;
use crate::error::{HandshakeError, ProtocolError};
use crate::handshake::{HandshakeResponse, Request};

/// An event, returned by [`Connection::receive`](crate::Connection::receive).
///
/// An event borrows the input and never the connection, so you can send while you hold it.
/// [`into_owned`](Self::into_owned) converts it into one that borrows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A client requested a WebSocket connection (server only). Answer with [`accept`](crate::Connection::accept) or
    /// [`reject`](crate::Connection::reject), now or later.
    Request(Box<Request>),
    /// A plain HTTP request that asks for no upgrade to WebSocket (server only), such as a browser opening the page or
    /// a load balancer's health check. It is well-formed and has no body; its [method](Request::method) and
    /// [version](Request::version) may be any.
    ///
    /// Answer with [`reject`](crate::Connection::reject), which sends any status and body. The body is omitted in a
    /// response to HEAD. If you have not answered by the next call of `receive`, the connection responds by itself:
    /// with 505 to HTTP/1.0, with 405 to a method other than GET, otherwise with 426.
    HttpRequest(Box<Request>),
    /// The server accepted, and the connection is open (client only).
    Open(Box<HandshakeResponse>),
    /// The server responded with a status other than 101 (client only). The response has the status, the headers and
    /// the body, up to [`max_rejection_body`](crate::Config::max_rejection_body) bytes.
    Rejected(Box<HandshakeResponse>),
    /// A whole text message.
    Text(Cow<'b, str>),
    /// A whole binary message.
    Binary(Cow<'b, [u8]>),
    /// A chunk of a message that is delivered as it arrives
    /// ([`Config::chunk_threshold`](crate::Config::chunk_threshold)).
    Chunk(Chunk<'b>),
    /// A ping. The connection has already answered it, unless [`auto_pong`](crate::Config::auto_pong) is off.
    Ping(Cow<'b, [u8]>),
    /// A pong: the answer to your [`ping`](crate::Connection::ping), or an unsolicited one. The answer to a ping of the
    /// [keepalive](crate::Config::keepalive) is not reported.
    Pong(Cow<'b, [u8]>),
    /// The connection is closed. This is the last event and occurs exactly once. Pending output must still be written.
    Closed(Box<Closed>),
}

impl Event<'_> {
    /// Converts the event into one that owns its payload, copying it if it borrows the input.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let (mut buffer, mut queue) = (*b"\x81\x82\0\0\0\0hi", Vec::new());
    /// let mut input = &mut buffer[..];
    /// while let Some(event) = conn.receive(&mut input) {
    ///     queue.push(event.into_owned()); // no longer borrows the buffer
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

/// The end of a connection: the fields of a browser's `CloseEvent`, and the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The code of the peer's Close frame (RFC 6455 section 7.1.5): [`NO_STATUS`](CloseCode::NO_STATUS) if the frame
    /// had no code, [`ABNORMAL`](CloseCode::ABNORMAL) if no Close frame was received. The latter includes a peer that
    /// violated the protocol, after which nothing more is received. The code that we sent follows from the
    /// [`cause`](Self::cause).
    pub code: CloseCode,
    /// The reason in the peer's Close frame, or an empty string (RFC 6455 section 7.1.6). The peer chose this text, and
    /// it may not be fit for a person to read (RFC 6455 section 5.5.1). `Display` and `Debug` of this type escape it.
    pub reason: String,
    /// `true` if the closing handshake was completed (RFC 6455 section 7.1.4).
    pub clean: bool,
    /// The cause of the end.
    pub cause: Cause,
}

impl Closed {
    pub(crate) fn abnormal(cause: Cause) -> Self {
        Self { code: CloseCode::ABNORMAL, reason: String::new(), clean: false, cause }
    }
}

/// With this, a function that runs a connection can return its end as an error with `?`.
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

/// The cause of a connection's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The peer sent the first Close frame.
    Peer,
    /// We sent the first Close frame, with this code.
    Local(CloseCode),
    /// The peer violated the protocol or exceeded a limit. We sent a Close frame with the error's
    /// [`close_code`](ProtocolError::close_code), unless we had sent one before.
    Protocol(ProtocolError),
    /// The opening handshake failed. A server responded with the error's [`status`](HandshakeError::status).
    Handshake(HandshakeError),
    /// The opening handshake was rejected with this HTTP status: by us if we are the server, by the peer if we are the
    /// client.
    Rejected(u16),
    /// A deadline passed.
    Timeout(Deadline),
    /// The transport reached EOF before a Close frame was received.
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

/// A deadline of a [`Config`](crate::Config).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deadline {
    /// The deadline of the opening handshake: [`handshake_timeout`](crate::Config::handshake_timeout).
    Opening,
    /// The deadline of the [`keepalive`](crate::Config::keepalive): nothing was received after its ping.
    Keepalive,
    /// The deadline of the closing handshake: [`close_timeout`](crate::Config::close_timeout).
    Closing,
}
