//! Errors, split by whose fault they are.
//!
//! What the peer does wrong is reported in [`Closed`](crate::Closed) as a [`ProtocolError`] or a [`HandshakeError`];
//! what the caller does wrong is an `Err` of the call that did it, and changes nothing.

use alloc::boxed::Box;

use crate::close::CloseCode;
use crate::utf8::InvalidUtf8;

/// A rule of RFC 6455 (or a limit of ours) that the peer broke after the opening handshake.
///
/// The connection has answered with a Close frame of [`close_code`](Self::close_code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set that no negotiated extension defines (RFC 6455 5.2).
    #[error("reserved bit set without an extension that defines it")]
    ReservedBits,
    /// An opcode that isn't registered (RFC 6455 5.2).
    #[error("reserved opcode")]
    ReservedOpcode,
    /// A control frame without FIN (RFC 6455 5.5).
    #[error("fragmented control frame")]
    FragmentedControl,
    /// A control frame that announces more than 125 bytes (RFC 6455 5.5).
    #[error("control frame payload exceeds 125 bytes")]
    ControlTooLong,
    /// A frame from a client that isn't masked (RFC 6455 5.1).
    #[error("unmasked frame from a client")]
    UnmaskedFrame,
    /// A frame from a server that is masked (RFC 6455 5.1).
    #[error("masked frame from a server")]
    MaskedFrame,
    /// A length that isn't in the shortest form (RFC 6455 5.2).
    #[error("payload length is not minimally encoded")]
    LengthForm,
    /// A 64-bit length with its top bit set (RFC 6455 5.2).
    #[error("64-bit payload length has its most significant bit set")]
    LengthTopBit,
    /// A continuation frame with nothing to continue (RFC 6455 5.4).
    #[error("continuation frame outside a message")]
    UnexpectedContinuation,
    /// A text or binary frame inside an unfinished message (RFC 6455 5.4).
    #[error("data frame while a fragmented message is incomplete")]
    UnfinishedMessage,
    /// A Close frame whose body is a single byte (RFC 6455 5.5.1).
    #[error("Close frame body of one byte (must be empty or at least two)")]
    CloseLength,
    /// A close code that may not be sent (RFC 6455 7.4): this number.
    #[error("invalid close code {0} in a Close frame")]
    CloseCode(u16),
    /// A close reason that isn't UTF-8 (RFC 6455 5.5.1).
    #[error("close reason is not UTF-8")]
    CloseReason,
    /// A compressed message that isn't DEFLATE, or ends inside a block (RFC 7692 7.2.2).
    #[error("invalid DEFLATE data in a compressed message")]
    Deflate,
    /// A text message that isn't UTF-8 (RFC 6455 8.1).
    #[error("text message is not UTF-8")]
    InvalidUtf8,
    /// A frame longer than [`Config::max_frame_size`](crate::Config::max_frame_size), or, where messages may come in chunks,
    /// than [`Config::max_chunked_message_size`](crate::Config::max_chunked_message_size).
    #[error("frame exceeds `max_frame_size` (with `chunk_threshold`: `max_chunked_message_size`)")]
    FrameTooLarge,
    /// A message longer than [`Config::max_message_size`](crate::Config::max_message_size), or, where messages may come in
    /// chunks, than [`Config::max_chunked_message_size`](crate::Config::max_chunked_message_size).
    #[error("message exceeds `max_message_size` (with `chunk_threshold`: `max_chunked_message_size`)")]
    MessageTooLarge,
    /// A message of more frames than [`Config::max_fragments`](crate::Config::max_fragments).
    #[error("message has more frames than `max_fragments`")]
    TooManyFragments,
}

/// RFC 6455 section 8.1: it fails the connection.
impl From<InvalidUtf8> for ProtocolError {
    fn from(_: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

impl ProtocolError {
    /// The code of the Close frame that this violation is answered with (RFC 6455 7.4.1).
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

/// Why an opening handshake failed (RFC 6455 4.1 and 4.2).
///
/// A server has answered with the HTTP status of [`status`](Self::status); a client has nothing left to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The head isn't HTTP/1.1: a bad line, a folded one, a bare CR (in a request also a bare LF), a byte that
    /// may not stand there.
    #[error("malformed HTTP head (a bad or folded line, a bare CR or LF, or a forbidden byte)")]
    Head,
    /// The head is longer than [`Config::max_handshake_size`](crate::Config::max_handshake_size).
    #[error("HTTP head exceeds `max_handshake_size`")]
    HeadTooLarge,
    /// The head has more lines than [`Config::max_headers`](crate::Config::max_headers) allows.
    #[error("HTTP head has more header lines than `max_headers`")]
    TooManyHeaders,
    /// A version of HTTP/1 other than 1.1, or one that the call is not for.
    #[error("HTTP version is not 1.1")]
    HttpVersion,
    /// A method other than GET, or in HTTP/2 and HTTP/3 other than CONNECT.
    #[error("method is not GET")]
    Method,
    /// A request target that names no resource.
    #[error("request target is neither a path nor an absolute URI")]
    Target,
    /// No `Host`, an empty or malformed one, or several.
    #[error("exactly one valid Host header is required")]
    Host,
    /// A request that announces a body.
    #[error("the request must not have a body")]
    Body,
    /// A request that asks for no upgrade, which nobody answered as plain HTTP.
    #[error("a WebSocket upgrade is required (Upgrade: websocket)")]
    NoUpgrade,
    /// `Upgrade` isn't `websocket`.
    #[error("Upgrade is not websocket")]
    Upgrade,
    /// `Connection` doesn't have the token `Upgrade`.
    #[error("Connection lacks the token Upgrade")]
    Connection,
    /// A header about a connection of HTTP/1.1 in a request of HTTP/2 or HTTP/3 (RFC 9113 section 8.2.2): `Connection`,
    /// `Keep-Alive`, `Proxy-Connection`, `Upgrade`, or a `TE` other than `trailers`.
    #[error("Connection, Keep-Alive, Proxy-Connection, TE or Upgrade in a request of HTTP/2 or HTTP/3")]
    ConnectionSpecific,
    /// No `Sec-WebSocket-Key`, several, or one that isn't base64 of 16 bytes.
    #[error("Sec-WebSocket-Key must be present exactly once and be base64 of 16 bytes")]
    Key,
    /// No `Sec-WebSocket-Version`, several, or not a version number.
    #[error("Sec-WebSocket-Version must be present exactly once and be a number")]
    Version,
    /// A version of the protocol other than 13.
    #[error("Sec-WebSocket-Version must be 13")]
    UnsupportedVersion,
    /// A `Sec-WebSocket-Protocol` that isn't a list of different tokens (in a response: one token).
    #[error("malformed Sec-WebSocket-Protocol (must be a list of distinct tokens)")]
    Subprotocol,
    /// The server chose a subprotocol that the client didn't offer.
    #[error("server selected a subprotocol that the client didn't offer")]
    SubprotocolNotOffered,
    /// A `Sec-WebSocket-Extensions` that doesn't follow RFC 6455 9.1.
    #[error("malformed Sec-WebSocket-Extensions")]
    Extensions,
    /// The server uses an extension that the client didn't offer.
    #[error("server selected an extension that the client didn't offer")]
    ExtensionNotOffered,
    /// The server answers an offer of compression with what doesn't fit it (RFC 7692 7).
    #[error("permessage-deflate parameters in the response don't match the offer")]
    ExtensionParameters,
    /// No `Sec-WebSocket-Accept`, several, or not the one that belongs to the key.
    #[error("Sec-WebSocket-Accept is missing or doesn't match the key")]
    Accept,
    /// The server's response has this status, which opens no connection: 101 does, or over HTTP/2 and HTTP/3 any of 200 to
    /// 299.
    #[error("response status is {0}, not 101 (2xx for an extended CONNECT)")]
    Status(u16),
    /// An extended CONNECT for another protocol than WebSocket (RFC 9220 3).
    #[error("`:protocol` is not websocket")]
    Protocol,
    /// More bytes followed the request, before it was answered, than
    /// [`Config::max_handshake_size`](crate::Config::max_handshake_size) allows.
    #[error("client sent more than `max_handshake_size` bytes before its request was answered")]
    EarlyData,
}

impl HandshakeError {
    /// The HTTP status that a server answers with.
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

/// Why nothing was sent: the caller's mistake or a full output, never the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The opening handshake isn't finished (RFC 6455 4.1).
    #[error("the connection is not open yet")]
    Connecting,
    /// A Close frame was sent or received, or the connection is lost (RFC 6455 5.5.1).
    #[error("the connection is closing or closed")]
    Closed,
    /// Pending output has reached [`Config::max_pending_output`](crate::Config::max_pending_output); drain it first.
    #[error("output buffer is full (`max_pending_output`): drain `output()` first")]
    OutputFull,
    /// A fragmented message is unfinished; another may not begin inside it (RFC 6455 5.4).
    #[error("finish the fragmented message first")]
    UnfinishedMessage,
    /// The bytes can't be UTF-8 text, or the text ends inside a character (RFC 6455 5.6).
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// A ping or pong of more than 125 bytes (RFC 6455 5.5).
    #[error("control frame payload exceeds 125 bytes")]
    ControlTooLong,
    /// A close code that this endpoint may not send (RFC 6455 7.4).
    #[error("close code {0} may not be sent by this endpoint")]
    CloseCode(CloseCode),
    /// A close reason without a close code, which has no form on the wire (RFC 6455 5.5.1).
    #[error("a close reason needs a close code")]
    ReasonWithoutCode,
}

/// Why [`send_text_with`](crate::Connection::send_text_with) or [`send_binary_with`](crate::Connection::send_binary_with) has sent
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SendWithError<E> {
    /// The message can't be sent now, or isn't UTF-8.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The closure returned an error.
    #[error(transparent)]
    Write(E),
}

/// Why a response to a request wasn't sent; the request still waits for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No request waits for an answer: none has been received, it was answered, or the connection is closed.
    #[error("no request waits for an answer")]
    NoRequest,
    /// The request asks for no upgrade: it can be rejected (with any status and body), not accepted.
    #[error("not an upgrade request: `reject` it instead")]
    NotWebSocket,
    /// This subprotocol isn't one that the client offered (RFC 6455 4.2.2).
    #[error("the client didn't offer the subprotocol {0:?}")]
    SubprotocolNotOffered(Box<str>),
    /// A status below 200 or above 599.
    #[error("status {0} is not between 200 and 599")]
    Status(u16),
    /// A body with a status that has none: 204, 205 or 304.
    #[error("a {0} response can't have a body")]
    Body(u16),
    /// A header that can't be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// Why a client's request can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// This subprotocol isn't a token (RFC 6455 4.1, item 10).
    #[error("subprotocol {0:?} is not a token")]
    Subprotocol(Box<str>),
    /// The `http` crate can't represent the host or the resource.
    #[error("host or resource is not accepted by the `http` crate")]
    Target,
    /// This subprotocol is offered twice (RFC 6455 4.1, item 10).
    #[error("subprotocol {0:?} is offered twice")]
    DuplicateSubprotocol(Box<str>),
    /// A header that can't be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// Why a header can't be sent, with its name. The value, which may be a secret, is never kept.
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
    /// The name isn't a token (RFC 9110 5.1).
    #[error("header name {0:?} is not a token")]
    Name(Box<str>),
    /// The value has a control character: CR, LF, NUL or another (RFC 9110 5.5).
    #[error("value of the header {0:?} has a control character")]
    Value(Box<str>),
    /// The opening handshake writes this header itself.
    #[error("header {0:?} is written by the opening handshake")]
    Reserved(Box<str>),
}

/// Why a text is no WebSocket URI (RFC 6455 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// The scheme is none of `ws`, `wss`, `http` and `https`.
    #[error("scheme is none of ws, wss, http and https")]
    Scheme,
    /// User information that cannot be sent as `Authorization: Basic` (RFC 7617): a character that must be percent-encoded,
    /// a control character, or a colon in the user name. The text shows nothing of it.
    #[error("user information can't be sent as Authorization: Basic")]
    UserInfo,
    /// No host, or an IPv6 address or zone that is none.
    #[error("host is missing or malformed")]
    Host,
    /// A character that no host can have. Names that are not ASCII must be in their `xn--` form.
    #[error("host has {0:?}, which can't be part of one")]
    HostCharacter(char),
    /// The port isn't a number from 1 to 65535.
    #[error("port is not a number from 1 to 65535")]
    Port,
    /// A character in path or query that must be percent-encoded: a space, a control character, one that is not ASCII, one
    /// of `"<>\^{|}` or a backtick, or a `%` that is not followed by two hexadecimal digits.
    #[error("path or query has {0:?}, which must be percent-encoded")]
    Resource(char),
    /// A fragment, which a WebSocket URI can't have. A `#` in path or query is written `%23`.
    #[error("a WebSocket URI has no fragment")]
    Fragment,
}
