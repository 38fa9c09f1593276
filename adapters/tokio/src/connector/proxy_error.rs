//! The errors of a proxy.

use std::io;

use websocket_proto::UriError;

use super::ConnectError;
use super::permanent::is_permanent_status;

/// The error of a failed tunnel through a proxy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// There is no connection with the proxy itself.
    #[error(transparent)]
    Unreachable(Box<ConnectError>),
    /// The HTTP proxy answered CONNECT with something other than 2xx: 407 wants other credentials, 403 does not permit the
    /// server, 502 and 504 can't reach it.
    #[error("the proxy answered with status {status} {reason}")]
    Status {
        /// The status of the response.
        status: u16,
        /// The proxy's own words. They may be empty.
        reason: String,
    },
    /// The response of the HTTP proxy is not a response of HTTP/1, or its head has more than 16 KiB.
    #[error("the proxy's response is malformed or too large")]
    Head,
    /// The proxy does not speak SOCKS5: it sent this version, or another field that no proxy sends.
    #[error("the proxy does not speak SOCKS5 (it sent {0:#04x})")]
    NotSocks5(u8),
    /// The SOCKS5 proxy accepts none of the methods that were offered: it wants credentials if you have none, and others
    /// than user and password if you have.
    #[error("the proxy accepts none of the authentication methods that were offered")]
    AuthenticationMethod,
    /// The SOCKS5 proxy does not accept user and password (RFC 1929); this is its status.
    #[error("the proxy rejected user and password (status {0})")]
    Authentication(u8),
    /// The SOCKS5 proxy has not connected to the server; this is its reply code (RFC 1928 section 6).
    #[error("the proxy replied with code {0}: {text}", text = reply_text(*.0))]
    Reply(u8),
    /// The server's host is longer than the 255 bytes that SOCKS5 can send.
    #[error("the server's host is too long for SOCKS5")]
    HostTooLong,
    /// The connection with the proxy failed or ended before the tunnel was there.
    #[error("the connection with the proxy failed: {0}")]
    Io(#[source] io::Error),
}

impl ProxyError {
    /// Returns whether trying again won't help.
    pub(super) fn is_permanent(&self) -> bool {
        match self {
            Self::Unreachable(error) => error.is_permanent(),
            Self::Status { status, .. } => is_permanent_status(*status),
            Self::Reply(code) => matches!(*code, REPLY_NOT_ALLOWED | 7..),
            Self::Io(_) => false,
            Self::Head
            | Self::NotSocks5(_)
            | Self::AuthenticationMethod
            | Self::Authentication(_)
            | Self::HostTooLong => true,
        }
    }
}

impl From<io::Error> for ProxyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The error of a text that is not the URI of a proxy. Its messages show nothing of the text, which may contain a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyUriError {
    /// The scheme is none of `http`, `socks5` and `socks5h`.
    #[error("scheme is none of http, socks5 and socks5h")]
    Scheme,
    /// The user information can't be sent: a control character, a colon in the user name, a bad percent-encoding, or for
    /// SOCKS5 more than 255 bytes or a password without a user.
    #[error("user information can't be sent")]
    UserInfo,
    /// The host or the port is malformed.
    #[error(transparent)]
    Authority(#[from] UriError),
    /// There is a path or a query, which a proxy does not have.
    #[error("a proxy has no path and no query")]
    Path,
}

const REPLY_NOT_ALLOWED: u8 = 2;

/// RFC 1928 section 6.
fn reply_text(code: u8) -> &'static str {
    match code {
        1 => "general SOCKS server failure",
        REPLY_NOT_ALLOWED => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unassigned",
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind::ConnectionReset;

    use super::*;

    #[test]
    fn what_the_proxy_does_not_permit_is_permanent() {
        let status = |status| ProxyError::Status { status, reason: String::new() };
        let unreachable = |error| ProxyError::Unreachable(Box::new(error));
        for error in [
            status(407),
            status(403),
            ProxyError::Head,
            ProxyError::NotSocks5(b'H'),
            ProxyError::AuthenticationMethod,
            ProxyError::Authentication(1),
            ProxyError::Reply(2),
            ProxyError::Reply(7),
            ProxyError::Reply(8),
            ProxyError::HostTooLong,
            unreachable(UriError::Host.into()),
        ] {
            assert!(ConnectError::Proxy { proxy: String::new(), error }.is_permanent());
        }
        for error in [
            status(502),
            status(429),
            ProxyError::Reply(1),
            ProxyError::Reply(5),
            ProxyError::Io(ConnectionReset.into()),
            unreachable(ConnectError::Io(ConnectionReset.into())),
        ] {
            assert!(!ConnectError::Proxy { proxy: String::new(), error }.is_permanent());
        }
        assert!(ConnectError::ProxyUri { variable: None, error: ProxyUriError::Path }.is_permanent());
    }

    #[test]
    fn the_texts_name_the_culprit() {
        let proxy = |error| ConnectError::Proxy { proxy: "socks5://p:1".into(), error }.to_string();
        for (error, text) in [
            (ProxyError::Reply(5), "the proxy replied with code 5: connection refused"),
            (ProxyError::Reply(77), "the proxy replied with code 77: unassigned"),
            (ProxyError::NotSocks5(b'H'), "the proxy does not speak SOCKS5 (it sent 0x48)"),
            (ProxyError::Authentication(1), "the proxy rejected user and password (status 1)"),
            (
                ProxyError::Status { status: 502, reason: "Bad Gateway".into() },
                "the proxy answered with status 502 Bad Gateway",
            ),
        ] {
            assert_eq!(proxy(error), format!("no connection through the proxy socks5://p:1: {text}"));
        }
        let error = ConnectError::ProxyUri { variable: Some("ALL_PROXY"), error: ProxyUriError::Scheme };
        assert_eq!(
            error.to_string(),
            "not the URI of a proxy, in ALL_PROXY: scheme is none of http, socks5 and socks5h"
        );
    }
}
