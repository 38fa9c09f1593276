//! The configuration of connections that were not configured.

use std::time::Duration;

use websocket_proto::Config;

/// How long a peer may be silent before it is sent a ping. Proxies and routers drop connections that are idle for a minute.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// How long the peer then may take to send anything.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Returns the configuration that [`connect`](crate::connect), [`accept`](crate::accept) and their builders begin with:
/// [`Config::new`], and a keepalive that pings after 30 seconds of silence and drops a peer that does not answer within 20.
///
/// [`Config::new`] alone has no keepalive.
///
/// ```
/// use websocket_proto_blocking::{Acceptor, default_config};
///
/// let acceptor = Acceptor::new().config(default_config().max_message_size(1 << 20));
/// ```
pub fn default_config() -> Config {
    Config::new().keepalive(KEEPALIVE_IDLE, KEEPALIVE_TIMEOUT)
}
