//! A connection, and the time that passes.

use core::time::Duration;

use bytes::Buf;
use websocket_proto::{Cause, Config, Connection, Deadline, Role, client};

use crate::checks::{OwnedEvent, owned_events};
use crate::support::{seed, turns};

pub(crate) const OPENING: Cause = Cause::Timeout(Deadline::Opening);

pub(crate) const KEEPALIVE: Cause = Cause::Timeout(Deadline::Keepalive);

pub(crate) const CLOSING: Cause = Cause::Timeout(Deadline::Closing);

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A connection during its opening handshake.
pub(crate) fn connecting(role: Role, config: Config) -> Connection {
    match role {
        Role::Client => {
            let request = client::Request::new("ws://localhost/".parse().unwrap());
            Connection::client(request, config, seed()).unwrap()
        }
        Role::Server => Connection::server(config),
    }
}

/// Time passes. Returns the events of the loop's iterations at that time, until no deadline is due.
pub(crate) fn turns_at(conn: &mut Connection, now: Duration) -> Vec<OwnedEvent> {
    owned_events(turns(conn, now))
}

/// Nothing happens until just before that time, which is the one that was announced.
#[track_caller]
pub(crate) fn assert_quiet_until(conn: &mut Connection, deadline: Duration) {
    assert_eq!(conn.next_timeout(), Some(deadline));
    let state = conn.state();
    let pending = conn.output().remaining();
    assert_eq!(turns_at(conn, deadline.saturating_sub(Duration::from_nanos(1))), []);
    assert_eq!((conn.state(), conn.output().remaining()), (state, pending));
    assert_eq!(conn.next_timeout(), Some(deadline));
}
