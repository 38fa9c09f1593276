//! The opening handshake of a server: the rules of RFC 6455 section 4.2.1 for the request.

use alloc::boxed::Box;
use core::str;

use super::accept_key;
use super::authority::is_host_header;
use super::fields::IndexedHeaders;
use super::head::Head;
use super::headers::{HeaderName, Headers, Occurrences};
#[cfg(feature = "http")]
use super::origin::is_same_host;
use super::request::Request;
use super::target::{check_request_line, error_of_request};
use super::upgrade::{Offers, Upgrade};
use crate::config::Config;
use crate::error::HandshakeError;
use crate::http_grammar::lists;

/// The purpose of a request.
pub(crate) enum Purpose {
    WebSocket(Upgrade),
    /// A plain HTTP request, which asks for no upgrade to WebSocket.
    Http(PlainRequest),
}

/// A request for something other than WebSocket, with any method and without a body.
#[derive(Debug)]
pub(crate) struct PlainRequest {
    /// RFC 9110 section 9.3.2: a response to HEAD has no body.
    pub(crate) is_head: bool,
    /// The error of the response if the caller does not answer.
    pub(crate) unanswered: HandshakeError,
}

/// Reads a whole request head.
pub(crate) fn read_request(head: Head, config: &Config) -> Result<(Box<Request>, Purpose), HandshakeError> {
    let (request, index) = Request::parse(head)?;
    let headers = IndexedHeaders { fields: request.fields(), index: &index };
    let (_, minor_version) = request.version();
    let purpose = parse_purpose(request.method(), minor_version, &headers, config)?;
    Ok((request, purpose))
}

/// Checks a request of HTTP/1 whose target is valid.
pub(crate) fn parse_purpose(
    method: &str,
    minor_version: u8,
    headers: &impl Headers,
    config: &Config,
) -> Result<Purpose, HandshakeError> {
    let upgrade = check_framing(headers, minor_version).and_then(|()| parse_upgrade(headers, config));
    match (upgrade, check_request_line(method, minor_version)) {
        (Ok(None), request_line) => Ok(Purpose::Http(PlainRequest {
            is_head: method == "HEAD",
            unanswered: request_line.err().unwrap_or(HandshakeError::NoUpgrade),
        })),
        (Ok(Some(upgrade)), Ok(())) => Ok(Purpose::WebSocket(upgrade)),
        (Err(error), _) | (Ok(Some(_)), Err(error)) => Err(error_of_request(method, minor_version, error)),
    }
}

/// Checks the rules for every request, whether it asks for an upgrade or not.
fn check_framing(headers: &impl Headers, minor_version: u8) -> Result<(), HandshakeError> {
    match headers.single(HeaderName::Host) {
        Occurrences::One(host) if str::from_utf8(host).is_ok_and(is_host_header) => {}
        // HTTP/1.0 has no Host header (RFC 9112 section 3.2), and health checks omit it.
        Occurrences::None if minor_version == 0 => {}
        // RFC 9112 section 3.2: exactly one Host header is required, whatever the target is.
        _ => return Err(HandshakeError::Host),
    }
    check_no_body(headers)
}

/// RFC 9112 section 6: the bytes of a body would be read as frames.
fn check_no_body(headers: &impl Headers) -> Result<(), HandshakeError> {
    if headers.contains(HeaderName::TransferEncoding)
        || headers.all(HeaderName::ContentLength).any(|length| length != b"0")
    {
        return Err(HandshakeError::Body);
    }
    Ok(())
}

/// RFC 6455 section 4.2.1, item 3.
pub(crate) fn asks_for_upgrade(headers: &impl Headers) -> bool {
    lists::contains_token(headers.all(HeaderName::Upgrade), b"websocket")
}

/// Checks RFC 6455 section 4.2.1, items 3 to 9. Returns `None` if the request asks for no upgrade to WebSocket.
fn parse_upgrade(headers: &impl Headers, config: &Config) -> Result<Option<Upgrade>, HandshakeError> {
    if !asks_for_upgrade(headers) {
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

/// Checks the same for an extended CONNECT over HTTP/2 or HTTP/3, which have neither upgrades nor keys (RFC 8441
/// section 5).
#[cfg(feature = "http")]
pub(crate) fn parse_connect(
    scheme: &str,
    authority: &str,
    headers: &impl Headers,
    config: &Config,
) -> Result<Offers, HandshakeError> {
    match headers.single(HeaderName::Host) {
        Occurrences::None => {}
        // RFC 9113 section 8.3.1: a Host header must name the same server as `:authority`.
        Occurrences::One(host) if str::from_utf8(host).is_ok_and(|host| is_same_host(scheme, host, authority)) => {}
        _ => return Err(HandshakeError::Host),
    }
    check_no_body(headers)?;
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
