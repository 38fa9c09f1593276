//! The opening handshake of a server: the rules of RFC 6455 section 4.2.1 for the request.

use alloc::boxed::Box;
use core::str;

use super::accept_key;
use super::authority::is_host_header;
use super::fields::IndexedHeaders;
use super::head::Head;
use super::headers::{HeaderName, Headers, Occurrences};
use super::request::Request;
use super::upgrade::{Offers, Upgrade};
use crate::config::Config;
use crate::error::HandshakeError;
use crate::http_grammar::lists;

/// The purpose of a request.
#[derive(Debug)]
pub(crate) enum Purpose {
    WebSocket(Upgrade),
    /// Plain HTTP: the request asks for no upgrade to WebSocket.
    Http(PlainRequest),
}

/// A request for something else than WebSocket: of any method, without a body.
#[derive(Debug)]
pub(crate) struct PlainRequest {
    /// RFC 9110 section 9.3.2: a response to HEAD has no body.
    pub(crate) is_head: bool,
    /// The answer if the caller gives none.
    pub(crate) unanswered: HandshakeError,
}

/// Reads a whole request head.
pub(crate) fn read_request(head: Head, config: &Config) -> Result<(Box<Request>, Purpose), HandshakeError> {
    let (request, index) = Request::parse(head)?;
    let headers = IndexedHeaders { fields: request.fields(), index: &index };
    let upgrade = check_framing(&headers, request.version()).and_then(|()| parse_upgrade(&headers, config));
    let purpose = match (upgrade, request.check_request_line()) {
        (Ok(None), request_line) => Purpose::Http(PlainRequest {
            is_head: request.method() == "HEAD",
            unanswered: request_line.err().unwrap_or(HandshakeError::NoUpgrade),
        }),
        // The request line comes first, and so do the errors in it.
        (_, Err(error)) | (Err(error), Ok(())) => return Err(error),
        (Ok(Some(upgrade)), Ok(())) => Purpose::WebSocket(upgrade),
    };
    Ok((request, purpose))
}

/// Checks what every request must fulfil, whether it asks for an upgrade or not.
pub(crate) fn check_framing(headers: &impl Headers, version: (u8, u8)) -> Result<(), HandshakeError> {
    match headers.single(HeaderName::Host) {
        Occurrences::One(host) if str::from_utf8(host).is_ok_and(is_host_header) => {}
        // HTTP/1.0 knows no Host (RFC 9112 section 3.2), and health checks have none.
        Occurrences::None if version < (1, 1) => {}
        // RFC 9112 section 3.2: exactly one, whatever the target is.
        _ => return Err(HandshakeError::Host),
    }
    // RFC 9112 section 6: the bytes of a body would be read as frames.
    if headers.contains(HeaderName::TransferEncoding)
        || headers.all(HeaderName::ContentLength).any(|length| length != b"0")
    {
        return Err(HandshakeError::Body);
    }
    Ok(())
}

/// Checks RFC 6455 section 4.2.1, items 3 to 9. Returns `None` if the request asks for no upgrade to WebSocket.
pub(crate) fn parse_upgrade(headers: &impl Headers, config: &Config) -> Result<Option<Upgrade>, HandshakeError> {
    if !lists::contains_token(headers.all(HeaderName::Upgrade), b"websocket") {
        return Ok(None);
    }
    if !lists::contains_token(headers.all(HeaderName::Connection), b"upgrade") {
        return Err(HandshakeError::Connection);
    }
    check_version(headers)?;
    let Occurrences::One(key) = headers.single(HeaderName::Key) else {
        return Err(HandshakeError::Key);
    };
    let key = accept_key::parse_key(key).ok_or(HandshakeError::Key)?;
    Ok(Some(Upgrade::new(*key, Offers::parse(headers, config)?)))
}

/// Checks the same for HTTP/2 and HTTP/3, which have neither upgrades nor keys (RFC 8441 section 5).
#[cfg(feature = "http")]
pub(crate) fn parse_connect(headers: &impl Headers, config: &Config) -> Result<Offers, HandshakeError> {
    if headers.contains(HeaderName::Connection) {
        return Err(HandshakeError::Connection);
    }
    if headers.contains(HeaderName::Upgrade) {
        return Err(HandshakeError::Upgrade);
    }
    check_version(headers)?;
    Offers::parse(headers, config)
}

fn check_version(headers: &impl Headers) -> Result<(), HandshakeError> {
    match headers.single(HeaderName::Version) {
        Occurrences::One(b"13") => Ok(()),
        Occurrences::One(value) if is_version(value) => Err(HandshakeError::UnsupportedVersion),
        _ => Err(HandshakeError::Version),
    }
}

/// Returns whether a value is a number from 0 to 255 without leading zeros (RFC 6455 section 4.3).
fn is_version(value: &[u8]) -> bool {
    let is_number = value == b"0" || matches!(value, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    is_number && str::from_utf8(value).is_ok_and(|value| value.parse::<u8>().is_ok())
}
