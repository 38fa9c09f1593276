//! The twin of TLS where the feature is off.

use std::io::{self, ErrorKind};
use std::net::TcpStream;

use super::ClientStream;
use super::deadline::Deadline;

/// Nothing to set.
#[derive(Clone, Debug)]
pub(super) struct Settings;

impl Settings {
    pub(super) fn new_default() -> Self {
        Self
    }
}

/// Fails: `wss` needs TLS.
pub(super) fn connect(_: &Settings, _: &str, _: TcpStream, _: Deadline) -> io::Result<ClientStream> {
    Err(io::Error::new(ErrorKind::Unsupported, "wss needs the feature rustls of websocket-proto-blocking"))
}
