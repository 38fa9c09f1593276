//! The twin of TLS where the feature is off.

use std::io::{self, ErrorKind};

#[cfg(feature = "proxy")]
use tokio::net::TcpStream;

use super::ClientStream;
use super::tunnel::Tunnel;

/// Nothing to set.
#[derive(Clone, Debug)]
pub(super) struct Settings;

impl Settings {
    pub(super) fn new_default() -> Self {
        Self
    }
}

/// Fails: `wss` needs TLS.
#[allow(clippy::unused_async, reason = "the twin of an async function")]
pub(super) async fn connect(_: &Settings, _: &str, _: Tunnel) -> io::Result<ClientStream> {
    Err(io::Error::new(ErrorKind::Unsupported, "wss needs the feature rustls of websocket-proto-tokio"))
}

/// Fails, as the URI of such a proxy has before.
#[cfg(feature = "proxy")]
#[allow(clippy::unused_async, reason = "the twin of an async function")]
pub(super) async fn connect_proxy(_: &Settings, _: &str, _: TcpStream) -> io::Result<Tunnel> {
    debug_assert!(false, "ProxyUriError::NeedsRustls");
    Err(ErrorKind::Unsupported.into())
}

/// It remains so until the feature is enabled.
pub(super) fn is_permanent(_: &io::Error) -> bool {
    true
}
