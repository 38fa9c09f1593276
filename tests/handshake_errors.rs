//! The texts of the opening handshake's errors, and the status that each of a server's has. A client reads the text in
//! the body of the response, and a person in a log.

use websocket_proto::{AcceptError, HandshakeError, HeaderError, RequestError, UriError};

#[test]
fn handshake_errors_have_their_status_and_text() {
    for (error, status, text) in [
        (HandshakeError::Head, 400, "malformed HTTP head"),
        (HandshakeError::HeadTooLarge, 431, "HTTP head over the size limit"),
        (HandshakeError::TooManyHeaders, 431, "too many headers"),
        (HandshakeError::HttpVersion, 505, "HTTP version is not 1.1"),
        (HandshakeError::Method, 405, "method is not GET"),
        (HandshakeError::Target, 400, "request target is neither a path nor an absolute URI"),
        (HandshakeError::Host, 400, "Host must be there exactly once and name a host"),
        (HandshakeError::Body, 400, "the request must not have a body"),
        (HandshakeError::NoUpgrade, 426, "this resource speaks WebSocket: Upgrade must be websocket"),
        (HandshakeError::Upgrade, 400, "Upgrade is not websocket"),
        (HandshakeError::Connection, 400, "Connection lacks the token Upgrade"),
        (
            HandshakeError::ConnectionSpecific,
            400,
            "Connection, Keep-Alive, Proxy-Connection, TE or Upgrade in a request of HTTP/2 or HTTP/3",
        ),
        (HandshakeError::Key, 400, "Sec-WebSocket-Key must be there exactly once and be base64 of 16 bytes"),
        (HandshakeError::Version, 400, "Sec-WebSocket-Version must be there exactly once and be a number"),
        (HandshakeError::UnsupportedVersion, 426, "Sec-WebSocket-Version must be 13"),
        (HandshakeError::Subprotocol, 400, "malformed Sec-WebSocket-Protocol"),
        (HandshakeError::SubprotocolNotOffered, 400, "subprotocol was not offered"),
        (HandshakeError::Extensions, 400, "malformed Sec-WebSocket-Extensions"),
        (HandshakeError::ExtensionNotOffered, 400, "extension was not offered"),
        (HandshakeError::ExtensionParameters, 400, "compression was not offered so"),
        (HandshakeError::Accept, 400, "Sec-WebSocket-Accept does not belong to the key"),
        (HandshakeError::Status, 400, "the server did not agree"),
        (HandshakeError::Protocol, 501, "the protocol is not websocket"),
        (HandshakeError::EarlyData, 400, "too many bytes before the response"),
    ] {
        assert_eq!((error.status(), error.to_string()), (status, text.to_owned()), "{error:?}");
    }
}

#[test]
fn errors_of_the_caller_have_their_text() {
    for (error, text) in [
        (&AcceptError::NoRequest as &dyn std::error::Error, "no request waits for an answer"),
        (&AcceptError::NotWebSocket as &dyn std::error::Error, "the request asks for no upgrade"),
        (&AcceptError::SubprotocolNotOffered as &dyn std::error::Error, "subprotocol was not offered"),
        (&AcceptError::Status as &dyn std::error::Error, "status is not between 200 and 599"),
        (&AcceptError::Body as &dyn std::error::Error, "this status has no body"),
        (&RequestError::Subprotocol as &dyn std::error::Error, "subprotocol is not a token"),
        (&RequestError::Target as &dyn std::error::Error, "host or resource can't be put into an HTTP request"),
        (&RequestError::DuplicateSubprotocol as &dyn std::error::Error, "subprotocol is offered twice"),
        (&HeaderError::Name as &dyn std::error::Error, "header name is not a token"),
        (&HeaderError::Value as &dyn std::error::Error, "header value has a control character"),
        (&HeaderError::Reserved as &dyn std::error::Error, "header is written by the opening handshake"),
        (&UriError::Scheme as &dyn std::error::Error, "scheme is none of ws, wss, http and https"),
        (&UriError::UserInfo as &dyn std::error::Error, "user information can't be sent as Authorization: Basic"),
        (&UriError::Host as &dyn std::error::Error, "host is missing or malformed"),
        (&UriError::HostCharacter('\\'), "host has '\\\\', which can't be part of one"),
        (&UriError::Port as &dyn std::error::Error, "port is not a number from 1 to 65535"),
        (&UriError::Resource('|'), "path or query has '|', which must be percent-encoded"),
        (&UriError::Fragment as &dyn std::error::Error, "a WebSocket URI has no fragment"),
        // The text is that of the header alone.
        (&AcceptError::Header(HeaderError::Name), "header name is not a token"),
        (&RequestError::Header(HeaderError::Value), "header value has a control character"),
    ] {
        assert_eq!(error.to_string(), text, "{error:?}");
    }
}
