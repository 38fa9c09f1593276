//! The twin of TLS where the feature is off.

use std::io::{self, ErrorKind};

use tokio::net::TcpStream;

use super::ClientStream;

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
pub(super) async fn connect(_: &Settings, _: &str, _: TcpStream) -> io::Result<ClientStream> {
    Err(io::Error::new(ErrorKind::Unsupported, "wss needs the feature rustls of websocket-proto-tokio"))
}

/// It remains so until the feature is enabled.
pub(super) fn is_permanent(_: &io::Error) -> bool {
    true
}
