//! Errors, split by whose fault they are.
//!
//! What the peer does wrong is reported in [`Closed`](crate::Closed) as a [`ProtocolError`] or a [`HandshakeError`];
//! what the caller does wrong is an `Err` of the call that did it, and changes nothing.

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
    #[error("control frame of more than 125 bytes")]
    ControlTooLong,
    /// A frame from a client that isn't masked (RFC 6455 5.1).
    #[error("unmasked frame from a client")]
    UnmaskedFrame,
    /// A frame from a server that is masked (RFC 6455 5.1).
    #[error("masked frame from a server")]
    MaskedFrame,
    /// A length that isn't in the shortest form (RFC 6455 5.2).
    #[error("length not in its shortest form")]
    LengthForm,
    /// A 64-bit length with its top bit set (RFC 6455 5.2).
    #[error("length with its top bit set")]
    LengthTopBit,
    /// A continuation frame with nothing to continue (RFC 6455 5.4).
    #[error("continuation frame outside a message")]
    UnexpectedContinuation,
    /// A text or binary frame inside an unfinished message (RFC 6455 5.4).
    #[error("new message inside an unfinished one")]
    UnfinishedMessage,
    /// A Close frame whose body is a single byte (RFC 6455 5.5.1).
    #[error("close frame of one byte")]
    CloseLength,
    /// A close code that may not be sent (RFC 6455 7.4).
    #[error("close code that may not be sent")]
    CloseCode,
    /// A close reason that isn't UTF-8 (RFC 6455 5.5.1).
    #[error("close reason is not UTF-8")]
    CloseReason,
    /// A compressed message that isn't DEFLATE, or ends inside a block (RFC 7692 7.2.2).
    #[error("compressed message is corrupt")]
    Deflate,
    /// A text message that isn't UTF-8 (RFC 6455 8.1).
    #[error("text message is not UTF-8")]
    InvalidUtf8,
    /// A frame longer than [`Config::max_frame_size`](crate::Config::max_frame_size).
    #[error("frame over the size limit")]
    FrameTooLarge,
    /// A message longer than [`Config::max_message_size`](crate::Config::max_message_size).
    #[error("message over the size limit")]
    MessageTooLarge,
    /// A message of more frames than [`Config::max_fragments`](crate::Config::max_fragments).
    #[error("message of too many fragments")]
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
    #[error("malformed HTTP head")]
    Head,
    /// The head is longer than [`Config::max_handshake_size`](crate::Config::max_handshake_size).
    #[error("HTTP head over the size limit")]
    HeadTooLarge,
    /// The head has more lines than [`Config::max_headers`](crate::Config::max_headers) allows.
    #[error("too many headers")]
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
    #[error("Host must be there exactly once and name a host")]
    Host,
    /// A request that announces a body.
    #[error("the request must not have a body")]
    Body,
    /// A request that asks for no upgrade, which nobody answered as plain HTTP.
    #[error("this resource speaks WebSocket: Upgrade must be websocket")]
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
    #[error("Sec-WebSocket-Key must be there exactly once and be base64 of 16 bytes")]
    Key,
    /// No `Sec-WebSocket-Version`, several, or not a version number.
    #[error("Sec-WebSocket-Version must be there exactly once and be a number")]
    Version,
    /// A version of the protocol other than 13.
    #[error("Sec-WebSocket-Version must be 13")]
    UnsupportedVersion,
    /// A `Sec-WebSocket-Protocol` that isn't a list of different tokens (in a response: one token).
    #[error("malformed Sec-WebSocket-Protocol")]
    Subprotocol,
    /// The server chose a subprotocol that the client didn't offer.
    #[error("subprotocol was not offered")]
    SubprotocolNotOffered,
    /// A `Sec-WebSocket-Extensions` that doesn't follow RFC 6455 9.1.
    #[error("malformed Sec-WebSocket-Extensions")]
    Extensions,
    /// The server uses an extension that the client didn't offer.
    #[error("extension was not offered")]
    ExtensionNotOffered,
    /// The server answers an offer of compression with what doesn't fit it (RFC 7692 7).
    #[error("compression was not offered so")]
    ExtensionParameters,
    /// No `Sec-WebSocket-Accept`, several, or not the one that belongs to the key.
    #[error("Sec-WebSocket-Accept does not belong to the key")]
    Accept,
    /// The server's answer isn't the one that opens a connection: 101, or over HTTP/2 and HTTP/3 any of 200 to 299.
    #[error("the server did not agree")]
    Status,
    /// An extended CONNECT for another protocol than WebSocket (RFC 9220 3).
    #[error("the protocol is not websocket")]
    Protocol,
    /// More bytes came behind the request than may wait for its answer.
    #[error("too many bytes before the response")]
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
    #[error("pending output is at its limit")]
    OutputFull,
    /// A fragmented message is unfinished; another may not begin inside it (RFC 6455 5.4).
    #[error("a fragmented message is unfinished")]
    UnfinishedMessage,
    /// The bytes can't be UTF-8 text, or the text ends inside a character (RFC 6455 5.6).
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// A ping or pong of more than 125 bytes (RFC 6455 5.5).
    #[error("control payload of more than 125 bytes")]
    ControlTooLong,
    /// A close code that this role may not send (RFC 6455 7.4).
    #[error("close code may not be sent")]
    CloseCode,
}

/// Why a response to a request wasn't sent; the request still waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No request waits for an answer: it hasn't come, it was answered, or the connection is over.
    #[error("no request waits for an answer")]
    NoRequest,
    /// The request asks for no upgrade: it can be rejected (with any status and body), not accepted.
    #[error("the request asks for no upgrade")]
    NotWebSocket,
    /// The subprotocol isn't one that the client offered (RFC 6455 4.2.2).
    #[error("subprotocol was not offered")]
    SubprotocolNotOffered,
    /// A status below 200 or above 599.
    #[error("status is not between 200 and 599")]
    Status,
    /// A body with a status that has none (204, 205, 304).
    #[error("this status has no body")]
    Body,
    /// A header that can't be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// Why a client's request can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A subprotocol that isn't a token (RFC 6455 4.1, item 10).
    #[error("subprotocol is not a token")]
    Subprotocol,
    /// The `http` crate can't take this host or resource.
    #[error("host or resource can't be put into an HTTP request")]
    Target,
    /// A subprotocol offered twice (RFC 6455 4.1, item 10).
    #[error("subprotocol is offered twice")]
    DuplicateSubprotocol,
    /// A header that can't be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// Why a header can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name isn't a token (RFC 9110 5.1).
    #[error("header name is not a token")]
    Name,
    /// The value has a control character: CR, LF, NUL or another (RFC 9110 5.5).
    #[error("header value has a control character")]
    Value,
    /// The opening handshake writes this header itself.
    #[error("header is written by the opening handshake")]
    Reserved,
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
