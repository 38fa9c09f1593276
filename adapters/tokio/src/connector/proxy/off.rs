//! The twin of proxies where the feature is off.

use tokio::net::TcpStream;
use websocket_proto::client::Uri;

use super::deadline::Deadline;
use super::{ConnectError, dial};

/// Nothing to set.
#[derive(Clone, Debug)]
pub(super) struct Settings;

impl Settings {
    pub(super) fn new_direct() -> Self {
        Self
    }
}

/// Opens a TCP connection to the host of a URI.
pub(super) async fn connect(_: &Settings, server: &Uri, deadline: Deadline) -> Result<TcpStream, ConnectError> {
    dial::connect_tcp(server.host(), server.port(), deadline).await
}
