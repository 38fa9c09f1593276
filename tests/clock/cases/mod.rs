//! One test for each fault that was found, step by step.

mod closing;
mod late_loops;
mod round_trips;

use std::time::Duration;

use websocket_proto::{Closed, Connection, Event, Role};

use crate::scenario::IDLE;
use crate::support::{drain, turns};
use crate::world::{config, connection};

pub(crate) fn closed(events: Vec<Event<'static>>) -> Closed {
    match <[Event; 1]>::try_from(events) {
        Ok([Event::Closed(closed)]) => *closed,
        other => panic!("{other:?}"),
    }
}

/// A connection to whose peer a keepalive's ping was sent, at that time.
pub(crate) fn pinged(role: Role, time: Duration) -> (Connection, Vec<u8>) {
    let mut conn = connection(role, config());
    assert!(turns(&mut conn, time - IDLE).is_empty());
    conn.advance_time(time);
    let ping = drain(&mut conn);
    assert!(turns(&mut conn, time).is_empty());
    let payload = crate::support::frames(&ping)[0].payload.clone();
    (conn, payload)
}
