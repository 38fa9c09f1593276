//! Errors of connecting.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use websocket_proto::client::Response;
use websocket_proto::{HandshakeError, RedirectError, RequestError, SeedError, UriError};

/// The reason why connecting to a server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The string is not a WebSocket URI.
    #[error("not a WebSocket URI: {0}")]
    Uri(#[from] UriError),
    /// The request cannot be sent: a header or a subprotocol is malformed.
    #[error("the request can't be sent: {0}")]
    Request(#[from] RequestError),
    /// The host has no address.
    #[error("can't resolve {host}: {error}")]
    Resolve {
        /// The host of the URI.
        host: String,
        /// The resolver's error.
        #[source]
        error: io::Error,
    },
    /// No address of the host accepted a TCP connection.
    #[error("can't connect to {address}: {error}{}", Others(.others))]
    Tcp {
        /// The address that was tried first.
        address: SocketAddr,
        /// The error of that attempt.
        #[source]
        error: io::Error,
        /// The other addresses and their errors, in the order in which they failed.
        others: Vec<(SocketAddr, io::Error)>,
    },
    /// TLS could not be established: the certificate of the host is not trusted, or the host does not speak TLS.
    #[error("no TLS connection with {host}: {error}")]
    Tls {
        /// The host of the URI.
        host: String,
        /// The error. If it is from rustls, its [`get_ref`](io::Error::get_ref) is a `rustls::Error`.
        #[source]
        error: io::Error,
    },
    /// The server responded with a status other than 101. The status, the headers and the body give the reason:
    /// authentication is required (401), the resource has moved (301), or you should retry later (503).
    #[error("the server answered with status {} {}", .0.status(), .0.reason())]
    Rejected(Box<Response>),
    /// The server answered with a redirect that was not followed, though [redirects](crate::Connector::redirects) are.
    #[error("a redirect was not followed: {error}")]
    Redirect {
        /// The reason.
        #[source]
        error: RedirectError,
        /// The redirect.
        response: Box<Response>,
    },
    /// The server's response is not a valid opening handshake.
    #[error("the server's response is not a valid opening handshake: {0}")]
    Handshake(#[source] HandshakeError),
    /// The stream failed or ended during the opening handshake.
    #[error("the connection failed during the opening handshake: {0}")]
    Io(#[source] io::Error),
    /// The operating system failed to provide entropy.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The timeout passed during this stage.
    #[error("timed out while {0}")]
    Timeout(ConnectStage),
}

/// The stages of connecting, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectStage {
    /// Resolving the host.
    Resolve,
    /// Connecting to an address of the host.
    Tcp,
    /// Establishing TLS.
    Tls,
    /// Waiting for the server's response to the opening handshake.
    Handshake,
}

impl fmt::Display for ConnectStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolving the host",
            Self::Tcp => "connecting to the host",
            Self::Tls => "establishing TLS",
            Self::Handshake => "waiting for the server's response",
        })
    }
}

struct Others<'a>(&'a [(SocketAddr, io::Error)]);

impl fmt::Display for Others<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(address, error)| write!(f, "; to {address}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind::{ConnectionRefused, NotFound, TimedOut};

    use super::*;

    #[test]
    fn the_texts_name_the_culprit() {
        let host = || "example.com".to_owned();
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (error, text) in [
            (ConnectError::from(UriError::Scheme), &*format!("not a WebSocket URI: {}", UriError::Scheme)),
            (
                ConnectError::from(RequestError::Subprotocol("a b".into())),
                "the request can't be sent: subprotocol \"a b\" is not a token",
            ),
            (
                ConnectError::Resolve { host: host(), error: NotFound.into() },
                "can't resolve example.com: entity not found",
            ),
            (
                ConnectError::Tcp {
                    address: address("[::1]:80"),
                    error: ConnectionRefused.into(),
                    others: vec![(address("1.2.3.4:80"), TimedOut.into())],
                },
                "can't connect to [::1]:80: connection refused; to 1.2.3.4:80: timed out",
            ),
            (
                ConnectError::Tls { host: host(), error: io::Error::other("no") },
                "no TLS connection with example.com: no",
            ),
            (
                ConnectError::Handshake(HandshakeError::Accept),
                &*format!("the server's response is not a valid opening handshake: {}", HandshakeError::Accept),
            ),
            (
                ConnectError::Io(ConnectionRefused.into()),
                "the connection failed during the opening handshake: connection refused",
            ),
            (ConnectError::Timeout(ConnectStage::Resolve), "timed out while resolving the host"),
            (ConnectError::Timeout(ConnectStage::Tcp), "timed out while connecting to the host"),
            (ConnectError::Timeout(ConnectStage::Tls), "timed out while establishing TLS"),
            (ConnectError::Timeout(ConnectStage::Handshake), "timed out while waiting for the server's response"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
