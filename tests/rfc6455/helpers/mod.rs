//! Helpers for the tests of the opening handshake and of both roles.

pub(crate) mod client;
pub(crate) mod closing;
pub(crate) mod deadlines;
pub(crate) mod pair;
pub(crate) mod phase;
pub(crate) mod server;

use websocket_proto::{CloseCode, Closed, Connection, Event, MessageKind, SendError};

use crate::support::drain;

/// The last event, which is the only one.
pub(crate) fn closed(events: Vec<Event<'static>>) -> Closed {
    match <[_; 1]>::try_from(events) {
        Ok([Event::Closed(closed)]) => *closed,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn assert_nothing_can_be_sent(conn: &mut Connection, error: SendError) {
    for result in [
        conn.send_text("text"),
        conn.send_binary(b"data"),
        conn.send("text"),
        conn.send_fragment(MessageKind::Text, b"part", false),
        conn.ping(b""),
        conn.pong(b""),
        conn.close(CloseCode::NORMAL, ""),
    ] {
        assert_eq!(result, Err(error));
    }
    assert!(drain(conn).is_empty());
}
