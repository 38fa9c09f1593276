//! WebSocket URIs (RFC 6455 section 3): `ws://host[:port][/path][?query]` and `wss://…`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{self, Write as _};
use core::str::FromStr;

use crate::error::UriError;
use crate::http_grammar::charset::HOST;

/// A WebSocket URI: the host and port to connect to, and the resource to ask for.
///
/// It must have the form in which a request contains it: no fragment, no user name, no character that must be
/// percent-encoded, and a host in its `xn--` form.
///
/// ```
/// use websocket_proto::client::Uri;
///
/// let uri: Uri = "wss://example.com/chat?room=1".parse().unwrap();
/// assert!(uri.is_secure());
/// assert_eq!((uri.host(), uri.port()), ("example.com", 443));
/// assert_eq!(uri.resource(), "/chat?room=1");
///
/// let uri: Uri = "ws://[::1]:9001".parse().unwrap();
/// assert_eq!((uri.host(), uri.port(), uri.resource()), ("::1", 9001, "/"));
/// assert_eq!(uri.host_header(), "[::1]:9001");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    secure: bool,
    port: u16,
    /// Authority and resource name, as a request contains them. Shared, since a client that reconnects asks for the same.
    text: Arc<str>,
    /// The length of the host, with the brackets of an IPv6 address.
    host: usize,
    /// The length of the authority: the host, and the port unless it is the scheme's default.
    authority: usize,
}

impl Uri {
    /// Returns whether the scheme is `wss`: TLS must be established before the first byte of the handshake.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host to connect to, which is the server name for TLS. An IPv6 address has no brackets.
    pub fn host(&self) -> &str {
        let host = &self.text[..self.host];
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port to connect to: 80 for `ws` and 443 for `wss` unless the URI has one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The resource name (RFC 6455 section 3): path and query, as the request line contains them.
    pub fn resource(&self) -> &str {
        &self.text[self.authority..]
    }

    /// The value of the `Host` header: the host, and the port unless it is the scheme's default.
    pub fn host_header(&self) -> String {
        self.authority().to_owned()
    }

    /// The host, and the port unless it is the scheme's default.
    pub(crate) fn authority(&self) -> &str {
        &self.text[..self.authority]
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(uri: &str) -> Result<Self, UriError> {
        let (scheme, rest) = uri.split_once("://").ok_or(UriError::Scheme)?;
        let secure = if scheme.eq_ignore_ascii_case("ws") {
            false
        } else if scheme.eq_ignore_ascii_case("wss") {
            true
        } else {
            return Err(UriError::Scheme);
        };
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, resource) = rest.split_at(end);
        if authority.contains('@') {
            return Err(UriError::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        if !is_host(host) {
            return Err(UriError::Host);
        }
        let port = match port {
            // RFC 3986 section 3.2.3: a port may be empty, which means the default.
            None | Some("") => default_port(secure),
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|&port| port != 0).ok_or(UriError::Port)?
            }
            Some(_) => return Err(UriError::Port),
        };
        let mut text = String::with_capacity(rest.len() + 1);
        text.push_str(host);
        if port != default_port(secure) {
            // Writing to a string can't fail.
            let _ = write!(text, ":{port}");
        }
        let authority = text.len();
        push_resource_name(&mut text, resource)?;
        Ok(Self { secure, port, text: text.into(), host: host.len(), authority })
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}", self.text)
    }
}

/// As text.
impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Splits the port off. Colons inside the brackets of an IPv6 address belong to the host.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), UriError> {
    if authority.starts_with('[') {
        let end = authority.find(']').ok_or(UriError::Host)? + 1;
        let (host, port) = authority.split_at(end);
        return match port.strip_prefix(':') {
            None if port.is_empty() => Ok((host, None)),
            None => Err(UriError::Host),
            port => Ok((host, port)),
        };
    }
    Ok(match authority.bytes().position(|byte| byte == b':') {
        None => (authority, None),
        Some(colon) => (&authority[..colon], Some(&authority[colon + 1..])),
    })
}

/// Returns whether a text is a registered name, an IPv4 address, or an IPv6 address in brackets (RFC 3986 section 3.2.2).
pub(crate) fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<core::net::Ipv6Addr>().is_ok());
    }
    !host.is_empty() && HOST.contains_all(host.as_bytes())
}

/// Returns whether a `Host` header names a host, perhaps with a port.
pub(crate) fn is_host_header(value: &str) -> bool {
    split_port(value).is_ok_and(|(host, port)| {
        let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
        is_host(host) && port.is_none_or(|port| port.is_empty() || is_port(port))
    })
}

/// Appends path and query as a request line contains them: an empty path becomes `/`, an empty query is left out.
fn push_resource_name(text: &mut String, resource: &str) -> Result<(), UriError> {
    if let Some(character) = resource.chars().find(|character| !character.is_ascii_graphic()) {
        return Err(UriError::Resource(character));
    }
    let resource = match resource.split_once('?') {
        Some((path, "")) => path,
        _ => resource,
    };
    let slash = if resource.starts_with('/') { "" } else { "/" };
    text.extend([slash, resource]);
    Ok(())
}
