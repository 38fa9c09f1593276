//! WebSocket URIs (RFC 6455 section 3): `ws://host[:port][/path][?query]` and `wss://…`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{self, Write as _};
use core::str::FromStr;

use super::authority::{is_ipv6, split_authority, split_port};
use super::user_info::Credentials;
use crate::error::UriError;
use crate::http_grammar::charset::{HOST_NAME, RESOURCE, UNRESERVED};
use crate::http_grammar::percent;
use crate::slices::part_of_text;

/// A WebSocket URI: the host and port to connect to, and the resource to request.
///
/// It must not contain a fragment or a character that must be percent-encoded, and its host must be in the `xn--` form.
/// The schemes `http` and `https` mean `ws` and `wss`, as in browsers.
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
///
/// # User information
///
/// With `ws://user:password@host/` the request contains `Authorization: Basic …` (RFC 7617), unless you add an
/// `Authorization` header yourself. Neither `Display` nor `Debug` shows the user or the password:
///
/// ```
/// # use websocket_proto::client::Uri;
/// let uri: Uri = "wss://user:secret@example.com/".parse().unwrap();
/// assert_eq!(uri.to_string(), "wss://example.com/");
/// assert_eq!(format!("{uri:?}"), "wss://***@example.com/");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    secure: bool,
    port: u16,
    /// Authority and resource name, as a request contains them. They are shared, since a client that reconnects
    /// requests the same.
    text: Arc<str>,
    /// The length of the host, including the brackets of an IPv6 address.
    host: usize,
    /// The length of the authority, which is the host and, unless it is the scheme's default, the port.
    authority: usize,
    /// An IPv6 address with its zone, in the form for connecting: `fe80::1%eth0`.
    host_with_zone: Option<Arc<str>>,
    credentials: Option<Credentials>,
}

impl Uri {
    /// Returns whether the scheme is `wss`. If so, you must establish TLS before the first byte of the opening
    /// handshake.
    ///
    /// ```
    /// use websocket_proto::client::Uri;
    ///
    /// let uri: Uri = "wss://example.com/".parse()?;
    /// if uri.is_secure() {
    ///     // …establish TLS for the server name `uri.host()`…
    /// }
    /// # assert!(uri.is_secure());
    /// # Ok::<(), websocket_proto::UriError>(())
    /// ```
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the host, which is also the server name for TLS. An IPv6 address has neither brackets nor a zone. To
    /// connect, use [`host_with_zone`](Self::host_with_zone).
    ///
    /// ```
    /// use websocket_proto::client::Uri;
    ///
    /// let uri: Uri = "wss://[2001:db8::1]:8443/".parse()?;
    /// let server_name = uri.host();
    /// assert_eq!(server_name, "2001:db8::1");
    /// # Ok::<(), websocket_proto::UriError>(())
    /// ```
    pub fn host(&self) -> &str {
        let host = part_of_text(&self.text, ..self.host);
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// Returns the host to connect to. An IPv6 address includes its zone if the URI has one (RFC 6874). A zone names a
    /// network interface of this machine, and is not sent to the server.
    ///
    /// ```
    /// use websocket_proto::client::Uri;
    ///
    /// let uri: Uri = "ws://[fe80::1%25eth0]:9001/".parse().unwrap();
    /// assert_eq!((uri.host_with_zone(), uri.host()), ("fe80::1%eth0", "fe80::1"));
    /// assert_eq!(uri.host_header(), "[fe80::1]:9001");
    /// ```
    pub fn host_with_zone(&self) -> &str {
        self.host_with_zone.as_deref().unwrap_or(self.host())
    }

    /// Returns the port to connect to. If the URI has none, it is 80 for `ws` and 443 for `wss`.
    ///
    /// ```
    /// use std::net::{TcpListener, TcpStream};
    /// use websocket_proto::client::Uri;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let uri: Uri = format!("ws://{}/chat", listener.local_addr()?).parse()?;
    /// let stream = TcpStream::connect((uri.host_with_zone(), uri.port()))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the resource name, which consists of path and query as in the request line (RFC 6455 section 3).
    ///
    /// ```
    /// use websocket_proto::client::Uri;
    ///
    /// let uri: Uri = "wss://example.com/chat?room=1".parse()?;
    /// let request_line = format!("GET {} HTTP/1.1", uri.resource()); // with an HTTP library of your own
    /// assert_eq!(request_line, "GET /chat?room=1 HTTP/1.1");
    /// # Ok::<(), websocket_proto::UriError>(())
    /// ```
    pub fn resource(&self) -> &str {
        part_of_text(&self.text, self.authority..)
    }

    /// Returns the value of the `Host` header, which is the host and, unless it is the scheme's default, the port.
    ///
    /// ```
    /// use websocket_proto::client::Uri;
    ///
    /// let uri: Uri = "wss://example.com:8443/chat".parse()?;
    /// let head = format!("GET {} HTTP/1.1\r\nHost: {}\r\n", uri.resource(), uri.host_header());
    /// assert_eq!(head, "GET /chat HTTP/1.1\r\nHost: example.com:8443\r\n");
    /// # Ok::<(), websocket_proto::UriError>(())
    /// ```
    pub fn host_header(&self) -> String {
        self.authority().to_owned()
    }
}

impl Uri {
    /// Returns the host and, unless it is the scheme's default, the port.
    pub(crate) fn authority(&self) -> &str {
        part_of_text(&self.text, ..self.authority)
    }

    /// Returns the value of the `Authorization` header, if the URI has user information.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.credentials.as_ref().map(Credentials::authorization)
    }

    /// Returns the URI of another resource of the same server.
    pub(super) fn with_resource(&self, resource: &str) -> Result<Self, UriError> {
        let mut text = self.authority().to_owned();
        push_resource_name(&mut text, resource)?;
        Ok(Self { text: text.into(), ..self.clone() })
    }

    /// Adds the zone of `base` if this URI has none and both have the same host. Also adds the user information of
    /// `base`, if scheme and port are the same as well.
    pub(super) fn inherit_from(&mut self, base: &Self) {
        if self.host().eq_ignore_ascii_case(base.host()) {
            self.host_with_zone = self.host_with_zone.take().or_else(|| base.host_with_zone.clone());
            if (self.secure, self.port) == (base.secure, base.port) {
                self.credentials = self.credentials.take().or_else(|| base.credentials.clone());
            }
        }
    }

    /// Writes the URI with `user_info` before the host.
    fn write(&self, f: &mut fmt::Formatter<'_>, user_info: &str) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{user_info}")?;
        match self.host_with_zone.as_deref().and_then(|host| host.split_once('%')) {
            None => f.write_str(&self.text),
            Some((address, zone)) => {
                let mut encoded = String::new();
                percent::encode(zone, &UNRESERVED, &mut encoded);
                write!(f, "[{address}%25{encoded}]{}", part_of_text(&self.text, self.host..))
            }
        }
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(uri: &str) -> Result<Self, UriError> {
        let (scheme, rest) = uri.split_once("://").ok_or(UriError::Scheme)?;
        let secure = is_secure_scheme(scheme).ok_or(UriError::Scheme)?;
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }
        let (authority, resource) = split_authority(rest);
        let (user_info, authority) = authority.rsplit_once('@').unwrap_or(("", authority));
        let credentials = Credentials::parse(user_info)?;
        let (host, port) = split_port(authority)?;
        let mut text = String::with_capacity(rest.len() + 1);
        let host_with_zone = push_host(&mut text, host)?;
        let host = text.len();
        let port = match port {
            // RFC 3986 section 3.2.3: a port may be empty, which means the default.
            None | Some("") => default_port(secure),
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().ok().filter(|&port| port != 0).ok_or(UriError::Port)?
            }
            Some(_) => return Err(UriError::Port),
        };
        if port != default_port(secure) {
            // Writing to a string can't fail.
            let _ = write!(text, ":{port}");
        }
        let authority = text.len();
        push_resource_name(&mut text, resource)?;
        Ok(Self { secure, port, text: text.into(), host, authority, host_with_zone, credentials })
    }
}

impl fmt::Display for Uri {
    /// Writes the URI without user information.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, if self.credentials.is_some() { "***@" } else { "" })
    }
}

/// Returns whether a scheme of WebSocket or HTTP requires TLS, or `None` for another scheme. The `WebSocket`
/// constructor of browsers accepts both.
fn is_secure_scheme(scheme: &str) -> Option<bool> {
    let schemes = [("ws", false), ("wss", true), ("http", false), ("https", true)];
    schemes.iter().find(|(known, _)| known.eq_ignore_ascii_case(scheme)).map(|(_, secure)| *secure)
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

/// Appends the host of a URI as in a `Host` header. Returns the host with its zone, if it has one.
fn push_host(text: &mut String, host: &str) -> Result<Option<Arc<str>>, UriError> {
    let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) else {
        if let Some(illegal) = host.chars().find(|&character| !HOST_NAME.contains_char(character)) {
            return Err(UriError::HostCharacter(illegal));
        }
        text.push_str(host);
        return if host.is_empty() { Err(UriError::Host) } else { Ok(None) };
    };
    // RFC 6874 section 2: "%25" is followed by a zone, which may be percent-encoded.
    let (address, zone) = match address.split_once("%25") {
        None => (address, None),
        Some((address, zone)) => (address, Some(decode_zone(zone)?)),
    };
    if !is_ipv6(address) {
        return Err(UriError::Host);
    }
    text.extend(["[", address, "]"]);
    Ok(zone.map(|zone| [address, "%", &zone].concat().into()))
}

fn decode_zone(zone: &str) -> Result<String, UriError> {
    if let Some(illegal) = percent::find_illegal(zone, &UNRESERVED) {
        return Err(UriError::HostCharacter(illegal));
    }
    match String::from_utf8(percent::decode(zone)) {
        Ok(zone) if !zone.is_empty() && !zone.contains(char::is_control) => Ok(zone),
        _ => Err(UriError::Host),
    }
}

/// Appends path and query as in a request line. An empty path becomes `/`, and an empty query is omitted.
fn push_resource_name(text: &mut String, resource: &str) -> Result<(), UriError> {
    if let Some(illegal) = percent::find_illegal(resource, &RESOURCE) {
        return Err(UriError::Resource(illegal));
    }
    let resource = match resource.split_once('?') {
        Some((path, "")) => path,
        _ => resource,
    };
    let slash = if resource.starts_with('/') { "" } else { "/" };
    text.extend([slash, resource]);
    Ok(())
}
