//! The twin of proxies where the feature is off.

use websocket_proto::client::Uri;

use super::deadline::Deadline;
use super::tunnel::Tunnel;
use super::{ConnectError, dial, tls};

/// Nothing to set.
#[derive(Clone, Debug)]
pub(super) struct Settings;

impl Settings {
    pub(super) fn new_direct() -> Self {
        Self
    }
}

/// Opens a TCP connection to the host of a URI.
pub(super) async fn connect(
    _: &Settings,
    _: &tls::Settings,
    server: &Uri,
    deadline: Deadline,
) -> Result<Tunnel, ConnectError> {
    dial::connect_tcp(server.host(), server.port(), deadline).await.map(Tunnel::Tcp)
}
