//! The request line: the rules of RFC 6455 section 4.2.1, item 1, and the forms of a target (RFC 9112 section 3.2).

use alloc::borrow::Cow;
use alloc::format;

use super::authority::{is_host_header, split_authority};
use crate::error::HandshakeError;

/// Checks the rules for the request line that apply only to WebSocket. `minor_version` is that of HTTP/1.
pub(crate) fn check_request_line(method: &str, minor_version: u8) -> Result<(), HandshakeError> {
    match (method, minor_version) {
        ("GET", 1) => Ok(()),
        (_, 1) => Err(HandshakeError::Method),
        _ => Err(HandshakeError::HttpVersion),
    }
}

/// Returns the error for which a request is rejected, if it has this one: an error in the request line takes precedence. For HEAD
/// it is always that of the method, the response to which has no body (RFC 9110 section 9.3.2).
pub(crate) fn error_of_request(method: &str, minor_version: u8, error: HandshakeError) -> HandshakeError {
    if method == "HEAD" {
        return HandshakeError::Method;
    }
    check_request_line(method, minor_version).err().unwrap_or(error)
}

/// Splits a target into its authority, if any, and the resource name.
pub(crate) fn split_target<'t>(
    method: &str,
    target: &'t str,
) -> Result<(Option<&'t str>, Cow<'t, str>), HandshakeError> {
    if target.starts_with('/') || target == "*" {
        check_without_authority(method, target)?;
        return Ok((None, Cow::Borrowed(target)));
    }
    let (scheme, rest) = target.split_once("://").ok_or(HandshakeError::Target)?;
    let (authority, resource) = split_authority(rest);
    check_absolute(method, scheme, authority, resource)?;
    let resource = if resource.starts_with('/') { Cow::Borrowed(resource) } else { Cow::Owned(format!("/{resource}")) };
    Ok((Some(authority), resource))
}

/// Checks a target in origin-form, or the asterisk of `OPTIONS *`.
pub(crate) fn check_without_authority(method: &str, resource: &str) -> Result<(), HandshakeError> {
    let is_resource = resource.starts_with('/') || resource == "*" && method == "OPTIONS";
    // The target of a CONNECT in HTTP/1 is not a resource.
    if is_resource && is_clean(resource) && method != "CONNECT" { Ok(()) } else { Err(HandshakeError::Target) }
}

/// Checks a target in absolute-form: a URI.
pub(crate) fn check_absolute(
    method: &str,
    scheme: &str,
    authority: &str,
    resource: &str,
) -> Result<(), HandshakeError> {
    let is_known = ["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    if is_known && method != "CONNECT" { check_parts(authority, resource) } else { Err(HandshakeError::Target) }
}

/// Checks an authority and a resource name. In a URI, the resource name may lack its slash.
pub(crate) fn check_parts(authority: &str, resource: &str) -> Result<(), HandshakeError> {
    let is_resource = resource.is_empty() || resource.starts_with(['/', '?']);
    if is_resource && is_clean(resource) && is_host_header(authority) { Ok(()) } else { Err(HandshakeError::Target) }
}

/// Returns whether a resource name has no fragment, and no characters that would break the request line into more than
/// three words.
fn is_clean(resource: &str) -> bool {
    resource.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}
