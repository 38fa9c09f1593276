//! Why there is no connection with a server.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use websocket_proto::client::Response;
use websocket_proto::{HandshakeError, RedirectError, RequestError, SeedError, UriError};

use super::{ProxyError, ProxyUriError};

/// Why there is no connection with a server, and whose doing that is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is not a WebSocket URI.
    #[error("not a WebSocket URI: {0}")]
    Uri(#[from] UriError),
    /// The request can't be sent: a header or a subprotocol is malformed.
    #[error("the request can't be sent: {0}")]
    Request(#[from] RequestError),
    /// The host has no address.
    #[error("can't resolve {host}: {error}")]
    Resolve {
        /// The host of the URI.
        host: String,
        /// The resolver's answer.
        #[source]
        error: io::Error,
    },
    /// No address of the host accepts a TCP connection.
    #[error("can't connect to {address}: {error}{}", Others(.others))]
    Tcp {
        /// The address that was tried first.
        address: SocketAddr,
        /// Its failure.
        #[source]
        error: io::Error,
        /// The other addresses and their failures, in the order in which they failed.
        others: Vec<(SocketAddr, io::Error)>,
    },
    /// There is no TLS connection with the host: its certificate is not trusted, or it does not speak TLS.
    #[error("no TLS connection with {host}: {error}")]
    Tls {
        /// The host of the URI.
        host: String,
        /// The failure. Where rustls reports it, its [`get_ref`](io::Error::get_ref) is a `rustls::Error`.
        #[source]
        error: io::Error,
    },
    /// A proxy was to be used whose URI is malformed.
    #[error("not the URI of a proxy{}: {error}", Variable(*.variable))]
    ProxyUri {
        /// The environment variable that has it; `None` if it was set by [`Connector::proxy`](crate::Connector).
        variable: Option<&'static str>,
        /// What is malformed.
        #[source]
        error: ProxyUriError,
    },
    /// There is no tunnel to the host through the proxy.
    #[error("no connection through the proxy {proxy}: {error}")]
    Proxy {
        /// The URI of the proxy, without user information.
        proxy: String,
        /// What the proxy answered, or why it can't be reached.
        #[source]
        error: ProxyError,
    },
    /// The server answered with something other than 101. Status, headers and body say why: 401 who you are, 301 where to
    /// go, 503 when to come again.
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
    /// The operating system gave no entropy.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The time has passed; this is what it was spent on last.
    #[error("timed out while {0}")]
    Timeout(ConnectStage),
}

/// The stages of connecting, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectStage {
    /// The host is being resolved.
    Resolve,
    /// The addresses of the host are being tried.
    Tcp,
    /// The proxy is being connected to, or has not answered.
    Proxy,
    /// TLS is being established.
    Tls,
    /// The server's response to the opening handshake has not come.
    Handshake,
}

impl fmt::Display for ConnectStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "resolving the host",
            Self::Tcp => "connecting to the host",
            Self::Proxy => "connecting through the proxy",
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

struct Variable(Option<&'static str>);

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |variable| write!(f, ", in {variable}"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind::{ConnectionRefused, NotFound, TimedOut};

    use super::super::test_response::response;
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
            (ConnectError::Rejected(response(503, "").into()), "the server answered with status 503 Because"),
            (
                ConnectError::Redirect { error: RedirectError::TooMany(3), response: response(302, "").into() },
                "a redirect was not followed: more than 3 redirects",
            ),
            (ConnectError::Timeout(ConnectStage::Resolve), "timed out while resolving the host"),
            (ConnectError::Timeout(ConnectStage::Tcp), "timed out while connecting to the host"),
            (ConnectError::Timeout(ConnectStage::Proxy), "timed out while connecting through the proxy"),
            (ConnectError::Timeout(ConnectStage::Tls), "timed out while establishing TLS"),
            (ConnectError::Timeout(ConnectStage::Handshake), "timed out while waiting for the server's response"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
