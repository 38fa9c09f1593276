//! Hosts and ports in URIs, request targets and `Host` headers (RFC 3986 section 3.2).

use crate::error::UriError;
use crate::http_grammar::charset::HOST;

/// Splits what follows the slashes of a URI into the authority and the resource name, which may be empty.
pub(crate) fn split_authority(rest: &str) -> (&str, &str) {
    rest.find(['/', '?']).and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""))
}

/// Splits an authority into host and port. Colons inside the brackets of an IPv6 address belong to the host.
pub(crate) fn split_port(authority: &str) -> Result<(&str, Option<&str>), UriError> {
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(UriError::Host)? + 1;
        let (host, port) = authority.split_at_checked(end).ok_or(UriError::Host)?;
        return match port.strip_prefix(':') {
            None if port.is_empty() => Ok((host, None)),
            None => Err(UriError::Host),
            port => Ok((host, port)),
        };
    }
    Ok(match authority.split_once(':') {
        None => (authority, None),
        Some((host, port)) => (host, Some(port)),
    })
}

/// Returns whether a text is a registered name, an IPv4 address, or an IPv6 address in brackets (RFC 3986 section 3.2.2).
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(is_ipv6);
    }
    !host.is_empty() && HOST.contains_all(host.as_bytes())
}

pub(crate) fn is_ipv6(address: &str) -> bool {
    address.parse::<core::net::Ipv6Addr>().is_ok()
}

/// Returns whether a `Host` header names a host, perhaps with a port.
pub(crate) fn is_host_header(value: &str) -> bool {
    split_port(value).is_ok_and(|(host, port)| {
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
        is_host(host) && port.is_none_or(|port| port.is_empty() || is_port(port))
    })
}
