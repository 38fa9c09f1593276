//! Errors, split by whose fault they are.
//!
//! Errors of the peer are reported in [`Closed`](crate::Closed), as a [`ProtocolError`] or a [`HandshakeError`]. Errors
//! of the caller are the `Err` of the call that made them, which then changes nothing.

use alloc::boxed::Box;

use crate::close::CloseCode;
use crate::utf8::InvalidUtf8;

/// A violation of RFC 6455, or of a limit of [`Config`](crate::Config), by the peer after the opening handshake.
///
/// The connection has answered with a Close frame that has the code [`close_code`](Self::close_code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit that is set although no negotiated extension defines it (RFC 6455 section 5.2).
    #[error("reserved bit set without an extension that defines it")]
    ReservedBits,
    /// An opcode that is not registered (RFC 6455 section 5.2).
    #[error("reserved opcode")]
    ReservedOpcode,
    /// A control frame without FIN (RFC 6455 section 5.5).
    #[error("fragmented control frame")]
    FragmentedControl,
    /// A control frame that announces more than 125 bytes (RFC 6455 section 5.5).
    #[error("control frame payload exceeds 125 bytes")]
    ControlTooLong,
    /// An unmasked frame from a client (RFC 6455 section 5.1).
    #[error("unmasked frame from a client")]
    UnmaskedFrame,
    /// A masked frame from a server (RFC 6455 section 5.1).
    #[error("masked frame from a server")]
    MaskedFrame,
    /// A payload length that is not encoded in the shortest form (RFC 6455 section 5.2).
    #[error("payload length is not minimally encoded")]
    LengthForm,
    /// A 64-bit payload length whose most significant bit is set (RFC 6455 section 5.2).
    #[error("64-bit payload length has its most significant bit set")]
    LengthTopBit,
    /// A continuation frame with nothing to continue (RFC 6455 section 5.4).
    #[error("continuation frame outside a message")]
    UnexpectedContinuation,
    /// A text or binary frame inside an unfinished message (RFC 6455 section 5.4).
    #[error("data frame while a fragmented message is incomplete")]
    UnfinishedMessage,
    /// A Close frame whose body is a single byte (RFC 6455 section 5.5.1).
    #[error("Close frame body of one byte (must be empty or at least two)")]
    CloseLength,
    /// A close code, with this number, that may not appear in a Close frame (RFC 6455 section 7.4).
    #[error("invalid close code {0} in a Close frame")]
    CloseCode(u16),
    /// A close reason that is not UTF-8 (RFC 6455 section 5.5.1).
    #[error("close reason is not UTF-8")]
    CloseReason,
    /// A compressed message that is not valid DEFLATE data, or ends inside a block (RFC 7692 section 7.2.2).
    #[error("invalid DEFLATE data in a compressed message")]
    Deflate,
    /// A text message that is not UTF-8 (RFC 6455 section 8.1).
    #[error("text message is not UTF-8")]
    InvalidUtf8,
    /// A frame larger than [`Config::max_frame_size`](crate::Config::max_frame_size). If
    /// [`Config::chunk_threshold`](crate::Config::chunk_threshold) is set, the limit of a data frame is
    /// [`Config::max_chunked_message_size`](crate::Config::max_chunked_message_size).
    #[error("frame exceeds `max_frame_size` (with `chunk_threshold`: `max_chunked_message_size`)")]
    FrameTooLarge,
    /// A message larger than [`Config::max_message_size`](crate::Config::max_message_size). If
    /// [`Config::chunk_threshold`](crate::Config::chunk_threshold) is set, the limit is
    /// [`Config::max_chunked_message_size`](crate::Config::max_chunked_message_size).
    #[error("message exceeds `max_message_size` (with `chunk_threshold`: `max_chunked_message_size`)")]
    MessageTooLarge,
    /// A message with more frames than [`Config::max_fragments`](crate::Config::max_fragments).
    #[error("message has more frames than `max_fragments`")]
    TooManyFragments,
}

/// RFC 6455 section 8.1: invalid UTF-8 fails the connection.
impl From<InvalidUtf8> for ProtocolError {
    fn from(_: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

impl ProtocolError {
    /// Returns the code of the Close frame that answers this violation (RFC 6455 section 7.4.1).
    ///
    /// ```
    /// use websocket_proto::{CloseCode, ProtocolError};
    ///
    /// assert_eq!(ProtocolError::MaskedFrame.close_code(), CloseCode::PROTOCOL_ERROR);
    /// assert_eq!(ProtocolError::InvalidUtf8.close_code(), CloseCode::INVALID_DATA);
    /// ```
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::Deflate | Self::InvalidUtf8 | Self::CloseReason => CloseCode::INVALID_DATA,
            Self::FrameTooLarge | Self::MessageTooLarge | Self::TooManyFragments => CloseCode::TOO_LARGE,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// The reason why an opening handshake failed (RFC 6455 sections 4.1 and 4.2).
///
/// A server has responded with the HTTP status [`status`](Self::status). A client sends nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// A head that is not valid HTTP/1.1: a malformed or folded line, a bare CR (in a request also a bare LF), or a
    /// forbidden byte.
    #[error("malformed HTTP head (a bad or folded line, a bare CR or LF, or a forbidden byte)")]
    Head,
    /// A head larger than [`Config::max_handshake_size`](crate::Config::max_handshake_size).
    #[error("HTTP head exceeds `max_handshake_size`")]
    HeadTooLarge,
    /// A head with more header lines than [`Config::max_headers`](crate::Config::max_headers).
    #[error("HTTP head has more header lines than `max_headers`")]
    TooManyHeaders,
    /// A version of HTTP/1 other than 1.1, or an HTTP version that this call does not support.
    #[error("HTTP version is not 1.1")]
    HttpVersion,
    /// A method other than GET (in HTTP/2 and HTTP/3: other than CONNECT).
    #[error("method is not GET")]
    Method,
    /// A request target that is neither a path nor an absolute URI.
    #[error("request target is neither a path nor an absolute URI")]
    Target,
    /// A `Host` header that is missing, repeated, empty or malformed.
    #[error("exactly one valid Host header is required")]
    Host,
    /// A request with a body.
    #[error("the request must not have a body")]
    Body,
    /// A plain HTTP request, which asks for no upgrade, and which you did not answer.
    #[error("a WebSocket upgrade is required (Upgrade: websocket)")]
    NoUpgrade,
    /// An `Upgrade` header that is missing or does not name `websocket`.
    #[error("Upgrade is not websocket")]
    Upgrade,
    /// A `Connection` header that is missing or lacks the token `Upgrade`.
    #[error("Connection lacks the token Upgrade")]
    Connection,
    /// A connection-specific header in a request over HTTP/2 or HTTP/3 (RFC 9113 section 8.2.2): `Connection`,
    /// `Keep-Alive`, `Proxy-Connection`, `Upgrade`, or a `TE` other than `trailers`.
    #[error("Connection, Keep-Alive, Proxy-Connection, TE or Upgrade in a request of HTTP/2 or HTTP/3")]
    ConnectionSpecific,
    /// A `Sec-WebSocket-Key` that is missing, repeated, or not 16 bytes in base64.
    #[error("Sec-WebSocket-Key must be present exactly once and be base64 of 16 bytes")]
    Key,
    /// A `Sec-WebSocket-Version` that is missing, repeated, or not a version number.
    #[error("Sec-WebSocket-Version must be present exactly once and be a number")]
    Version,
    /// A `Sec-WebSocket-Version` other than 13.
    #[error("Sec-WebSocket-Version must be 13")]
    UnsupportedVersion,
    /// A `Sec-WebSocket-Protocol` that is not a list of distinct tokens (in a response: a single token).
    #[error("malformed Sec-WebSocket-Protocol (must be a list of distinct tokens)")]
    Subprotocol,
    /// A response that selects a subprotocol that the client did not offer.
    #[error("server selected a subprotocol that the client didn't offer")]
    SubprotocolNotOffered,
    /// A `Sec-WebSocket-Extensions` that does not follow RFC 6455 section 9.1.
    #[error("malformed Sec-WebSocket-Extensions")]
    Extensions,
    /// A response that selects an extension that the client did not offer.
    #[error("server selected an extension that the client didn't offer")]
    ExtensionNotOffered,
    /// A response whose permessage-deflate parameters do not match the client's offer (RFC 7692 section 7).
    #[error("permessage-deflate parameters in the response don't match the offer")]
    ExtensionParameters,
    /// A `Sec-WebSocket-Accept` that is missing, repeated, or does not match the key.
    #[error("Sec-WebSocket-Accept is missing or doesn't match the key")]
    Accept,
    /// A response with this status, which opens no connection. The status that does is 101 over HTTP/1.1, and any from
    /// 200 to 299 over HTTP/2 and HTTP/3.
    #[error("response status is {0}, not 101 (2xx for an extended CONNECT)")]
    Status(u16),
    /// An extended CONNECT for a protocol other than WebSocket (RFC 9220 section 3).
    #[error("`:protocol` is not websocket")]
    Protocol,
    /// More bytes after the request, before it was answered, than
    /// [`Config::max_handshake_size`](crate::Config::max_handshake_size) allows.
    #[error("client sent more than `max_handshake_size` bytes before its request was answered")]
    EarlyData,
}

impl HandshakeError {
    /// Returns the HTTP status of a server's response to this error.
    ///
    /// ```
    /// use websocket_proto::HandshakeError;
    ///
    /// assert_eq!(HandshakeError::UnsupportedVersion.status(), 426);
    /// ```
    pub fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::NoUpgrade | Self::UnsupportedVersion => 426,
            Self::HeadTooLarge | Self::TooManyHeaders => 431,
            Self::Protocol => 501,
            Self::HttpVersion => 505,
            _ => 400,
        }
    }
}

/// The reason why nothing was sent: the state of the connection, an invalid argument or a full output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The opening handshake is not complete (RFC 6455 section 4.1).
    #[error("the connection is not open yet")]
    Connecting,
    /// The connection is closing or closed: a Close frame was sent or received (RFC 6455 section 5.5.1), or the
    /// connection was lost.
    #[error("the connection is closing or closed")]
    Closed,
    /// Pending output has reached [`Config::max_pending_output`](crate::Config::max_pending_output). Drain it first.
    #[error("output buffer is full (`max_pending_output`): drain `output()` first")]
    OutputFull,
    /// A fragmented message is unfinished, and another message may not begin inside it (RFC 6455 section 5.4).
    #[error("finish the fragmented message first")]
    UnfinishedMessage,
    /// The text is not valid UTF-8, or it ends inside a character (RFC 6455 section 5.6).
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// A ping or pong of more than 125 bytes (RFC 6455 section 5.5).
    #[error("control frame payload exceeds 125 bytes")]
    ControlTooLong,
    /// A close code that this endpoint may not send (RFC 6455 section 7.4).
    #[error("close code {0} may not be sent by this endpoint")]
    CloseCode(CloseCode),
    /// A close reason without a close code, which a Close frame cannot encode (RFC 6455 section 5.5.1).
    #[error("a close reason needs a close code")]
    ReasonWithoutCode,
}

/// The error of [`send_text_with`](crate::Connection::send_text_with) and
/// [`send_binary_with`](crate::Connection::send_binary_with): nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SendWithError<E> {
    /// The message cannot be sent now, or is not UTF-8.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The closure returned an error.
    #[error(transparent)]
    Write(E),
}

/// The reason why no response was sent. The request, if there is one, remains pending.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No request is pending: none has been received, it was answered before, or the connection is closed.
    #[error("no request is pending")]
    NoRequest,
    /// The request asks for no upgrade, so it cannot be accepted. [`reject`](crate::Connection::reject) it with any
    /// status and body.
    #[error("not an upgrade request: `reject` it instead")]
    NotWebSocket,
    /// The client did not offer this subprotocol (RFC 6455 section 4.2.2).
    #[error("the client didn't offer the subprotocol {0:?}")]
    SubprotocolNotOffered(Box<str>),
    /// A status below 200 or above 599.
    #[error("status {0} is not between 200 and 599")]
    Status(u16),
    /// A body in a response with this status, which cannot have one: 204, 205 or 304.
    #[error("a {0} response can't have a body")]
    Body(u16),
    /// A header that cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// The reason why a client's request cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// This subprotocol is not a token (RFC 6455 section 4.1, item 10).
    #[error("subprotocol {0:?} is not a token")]
    Subprotocol(Box<str>),
    /// The `http` crate cannot represent the host or the resource.
    #[error("host or resource is not accepted by the `http` crate")]
    Target,
    /// This subprotocol is offered twice (RFC 6455 section 4.1, item 10).
    #[error("subprotocol {0:?} is offered twice")]
    DuplicateSubprotocol(Box<str>),
    /// A header that cannot be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// The reason why a header cannot be sent, with its name. The value may be a secret and is never part of the error.
///
/// ```
/// use websocket_proto::{Config, Connection, Seed, client};
///
/// let request = client::Request::new("ws://example.com".parse()?).header("X-Room", "a\nb");
/// let error = Connection::client(request, Config::new(), Seed::new([7; 32])).unwrap_err();
/// assert_eq!(error.to_string(), "value of the header \"X-Room\" has a control character");
/// # Ok::<(), websocket_proto::UriError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name is not a token (RFC 9110 section 5.1).
    #[error("header name {0:?} is not a token")]
    Name(Box<str>),
    /// The value contains a control character, such as CR, LF or NUL (RFC 9110 section 5.5).
    #[error("value of the header {0:?} has a control character")]
    Value(Box<str>),
    /// The opening handshake writes this header itself.
    #[error("header {0:?} is written by the opening handshake")]
    Reserved(Box<str>),
}

/// The reason why a string is not a WebSocket URI (RFC 6455 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme is none of `ws`, `wss`, `http` and `https`.
    #[error("scheme is none of ws, wss, http and https")]
    Scheme,
    /// User information that cannot be sent as `Authorization: Basic` (RFC 7617): it has a character that must be
    /// percent-encoded, a control character, or a colon in the user name. The error text does not reveal any of it.
    #[error("user information can't be sent as Authorization: Basic")]
    UserInfo,
    /// A missing host, or an invalid IPv6 address or zone.
    #[error("host is missing or malformed")]
    Host,
    /// A character that is not allowed in a host. Names that are not ASCII must be in their `xn--` form.
    #[error("host has {0:?}, which can't be part of one")]
    HostCharacter(char),
    /// The port is not a number from 1 to 65535.
    #[error("port is not a number from 1 to 65535")]
    Port,
    /// A character in path or query that must be percent-encoded: a space, a control character, one that is not ASCII, one
    /// of `"<>\^{|}` or a backtick, or a `%` that is not followed by two hexadecimal digits.
    #[error("path or query has {0:?}, which must be percent-encoded")]
    Resource(char),
    /// A fragment, which a WebSocket URI cannot have. A `#` in the path or query must be written as `%23`.
    #[error("a WebSocket URI has no fragment")]
    Fragment,
}
