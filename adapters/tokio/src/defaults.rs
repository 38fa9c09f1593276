//! The default configuration of connections.

use std::time::Duration;

use websocket_proto::Config;

/// The time without received bytes until a ping is sent. Many proxies and routers drop connections that are idle for a
/// minute.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// The time after the ping until the connection is dropped, if nothing is received.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the default configuration of [`connect`](crate::connect), [`accept`](crate::accept) and their builders. It
/// is [`Config::new`] with a keepalive, which sends a ping after 30 seconds without received bytes and drops the
/// connection if nothing is received within another 20.
///
/// [`Config::new`] alone has no keepalive.
///
/// ```
/// use websocket_proto_tokio::{Acceptor, default_config};
///
/// let acceptor = Acceptor::new().config(default_config().max_message_size(1 << 20));
/// ```
pub fn default_config() -> Config {
    Config::new().keepalive(KEEPALIVE_IDLE, KEEPALIVE_TIMEOUT)
}
