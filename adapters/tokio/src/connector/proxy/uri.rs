//! The URI of a proxy: `http://user:password@host:port`, or the same with `https` or `socks5`.

use std::fmt;
use std::str::FromStr;

use websocket_proto::client::Uri;

use super::ProxyUriError;

/// The port of an HTTP proxy whose URI has none is that of the scheme. SOCKS has its own (RFC 1928 section 3).
const SOCKS_PORT: u16 = 1080;

/// RFC 1929 section 2: the lengths of user and password are one byte each.
const MAX_SOCKS_CREDENTIAL: usize = 255;

/// A proxy and the credentials for it.
#[derive(Clone)]
pub(super) struct ProxyUri {
    protocol: Protocol,
    /// A `ws` or `wss` URI of the same host and port.
    authority: Uri,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    /// HTTP over TLS.
    Https,
    Socks5,
}

/// User and password, with what was percent-encoded decoded.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl ProxyUri {
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(super) fn host(&self) -> &str {
        self.authority.host_with_zone()
    }

    pub(super) fn port(&self) -> u16 {
        self.authority.port()
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }
}

impl FromStr for ProxyUri {
    type Err = ProxyUriError;

    fn from_str(uri: &str) -> Result<Self, ProxyUriError> {
        // Without a scheme it is an HTTP proxy, as it is for curl.
        let (scheme, rest) = uri.split_once("://").unwrap_or(("http", uri));
        let schemes = [
            ("http", Protocol::Http),
            ("https", Protocol::Https),
            ("socks5", Protocol::Socks5),
            ("socks5h", Protocol::Socks5),
        ];
        let known = schemes.iter().find(|(known, _)| known.eq_ignore_ascii_case(scheme));
        let (_, protocol) = *known.ok_or(ProxyUriError::Scheme)?;
        if protocol == Protocol::Https && !cfg!(feature = "rustls") {
            return Err(ProxyUriError::NeedsRustls);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user_info, authority) = rest.rsplit_once('@').unwrap_or(("", rest));
        if authority.contains(['/', '?', '#']) {
            return Err(ProxyUriError::Path);
        }
        let credentials = Credentials::parse(user_info, protocol)?;
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && !port.ends_with(']'));
        let authority = match protocol {
            Protocol::Socks5 if !has_port => format!("ws://{}:{SOCKS_PORT}", authority.trim_end_matches(':')),
            Protocol::Socks5 | Protocol::Http => format!("ws://{authority}"),
            Protocol::Https => format!("wss://{authority}"),
        };
        Ok(Self { protocol, authority: authority.parse()?, credentials })
    }
}

impl fmt::Display for ProxyUri {
    /// Writes the URI without user information, and always with a port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol {
            Protocol::Http => "http",
            Protocol::Https => "https",
            Protocol::Socks5 => "socks5",
        };
        let (host, port) = (self.host(), self.port());
        if host.contains(':') { write!(f, "{scheme}://[{host}]:{port}") } else { write!(f, "{scheme}://{host}:{port}") }
    }
}

impl fmt::Debug for ProxyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Credentials {
    fn parse(user_info: &str, protocol: Protocol) -> Result<Option<Self>, ProxyUriError> {
        if user_info.is_empty() {
            return Ok(None);
        }
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let (user, password) = (percent_decode(user)?, percent_decode(password)?);
        let can_be_sent = match protocol {
            // RFC 7617 section 2: the first colon ends the name, and neither part has a control character.
            Protocol::Http | Protocol::Https => {
                !user.contains(&b':') && !user.iter().chain(&password).any(u8::is_ascii_control)
            }
            // An empty password is common, though RFC 1929 has none.
            Protocol::Socks5 => {
                (1..=MAX_SOCKS_CREDENTIAL).contains(&user.len()) && password.len() <= MAX_SOCKS_CREDENTIAL
            }
        };
        if can_be_sent { Ok(Some(Self { user, password })) } else { Err(ProxyUriError::UserInfo) }
    }
}

fn percent_decode(text: &str) -> Result<Vec<u8>, ProxyUriError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = digit().zip(digit()).ok_or(ProxyUriError::UserInfo)?;
            (high << 4 | low) as u8
        } else {
            byte
        });
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use websocket_proto::UriError;

    use super::{Credentials, ProxyUri, ProxyUriError};

    fn credentials(uri: &str) -> Option<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let uri: ProxyUri = uri.parse().unwrap();
        uri.credentials().map(|Credentials { user, password }| (text(user), text(password)))
    }

    #[test]
    fn scheme_and_port_have_defaults() {
        for (text, uri) in [
            ("proxy:3128", "http://proxy:3128"),
            ("http://proxy/", "http://proxy:80"),
            ("HTTP://proxy:", "http://proxy:80"),
            ("socks5://proxy", "socks5://proxy:1080"),
            ("socks5://proxy:", "socks5://proxy:1080"),
            ("socks5h://proxy:80/", "socks5://proxy:80"),
            ("socks5://[::1]", "socks5://[::1]:1080"),
            ("http://[::1]:3128", "http://[::1]:3128"),
        ] {
            assert_eq!(text.parse::<ProxyUri>().unwrap().to_string(), uri, "{text}");
        }
    }

    #[test]
    fn https_needs_tls() {
        let parsed = ["https://proxy", "HTTPS://u:p@proxy:3128/"].map(str::parse::<ProxyUri>);
        if cfg!(feature = "rustls") {
            assert_eq!(parsed.map(|uri| uri.unwrap().to_string()), ["https://proxy:443", "https://proxy:3128"]);
        } else {
            assert!(parsed.into_iter().all(|uri| uri.err() == Some(ProxyUriError::NeedsRustls)));
        }
    }

    #[test]
    fn user_information_is_decoded_and_not_shown() {
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(credentials("http://proxy"), None);
        assert_eq!(credentials("http://a:b%40c@proxy"), pair("a", "b@c"));
        assert_eq!(credentials("a:b:c@proxy"), pair("a", "b:c"));
        assert_eq!(credentials("a:b@c@proxy"), pair("a", "b@c"));
        assert_eq!(credentials("socks5://a%3Ab@proxy"), pair("a:b", ""));
        let uri: ProxyUri = "http://user:secret@proxy".parse().unwrap();
        assert_eq!(format!("{uri:?} {uri}"), "http://proxy:80 http://proxy:80");
    }

    #[test]
    fn what_is_malformed_is_named() {
        let long = "x".repeat(256);
        for (text, error) in [
            ("httpss://proxy", ProxyUriError::Scheme),
            ("socks4://proxy", ProxyUriError::Scheme),
            ("http://proxy/path", ProxyUriError::Path),
            ("http://proxy?query", ProxyUriError::Path),
            ("", ProxyUriError::Authority(UriError::Host)),
            ("http://", ProxyUriError::Authority(UriError::Host)),
            ("http://proxy:0", ProxyUriError::Authority(UriError::Port)),
            ("socks5://proxy:65536", ProxyUriError::Authority(UriError::Port)),
            ("http://a b", ProxyUriError::Authority(UriError::HostCharacter(' '))),
            ("http://a%0d@proxy", ProxyUriError::UserInfo),
            ("http://a%3Ab@proxy", ProxyUriError::UserInfo),
            ("http://a%4@proxy", ProxyUriError::UserInfo),
            ("http://a%+4@proxy", ProxyUriError::UserInfo),
            ("socks5://:a@proxy", ProxyUriError::UserInfo),
            (&format!("socks5://{long}@proxy"), ProxyUriError::UserInfo),
            (&format!("socks5://a:{long}@proxy"), ProxyUriError::UserInfo),
        ] {
            assert_eq!(text.parse::<ProxyUri>().err(), Some(error), "{text}");
        }
    }
}
