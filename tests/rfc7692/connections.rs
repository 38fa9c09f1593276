//! Connections that negotiated compression, and how they fail.

use websocket_proto::{
    Cause, Config, Connection, DeflateConfig, DeflateParams, Negotiated, ProtocolError, Role, State,
};

use crate::checks::{OwnedEvent, failed, receive};
use crate::support::{close_body, seed, sent};

/// Windows of that size, with or without context takeover, in both directions.
pub(crate) fn both_ways(bits: u8, takeover: bool) -> DeflateConfig {
    DeflateConfig::new()
        .server_max_window_bits(bits)
        .client_max_window_bits(bits)
        .server_no_context_takeover(!takeover)
        .client_no_context_takeover(!takeover)
}

/// The parameters that a server and a client with these settings agree on.
pub(crate) fn params(settings: &DeflateConfig) -> DeflateParams {
    settings.answer([settings.offer().as_bytes()]).unwrap().1
}

/// An open connection that negotiated exactly these settings.
pub(crate) fn open_with(role: Role, settings: &DeflateConfig, config: Config) -> Connection {
    upgraded(role, params(settings), config.deflate(settings.clone()))
}

pub(crate) fn upgraded(role: Role, params: DeflateParams, config: Config) -> Connection {
    let negotiated = Negotiated::new().deflate(params);
    match role {
        Role::Server => Connection::upgraded_server(negotiated, config),
        Role::Client => Connection::upgraded_client(negotiated, config, seed()),
    }
}

/// The same with everything that the settings don't say by default; messages of any size are compressed.
pub(crate) fn open(role: Role, settings: &DeflateConfig) -> Connection {
    open_with(role, &settings.clone().min_size(0), Config::new())
}

/// Whole and byte by byte, these bytes make a connection send the same and fail, with a Close frame of the error's code
/// as its last frame. Returns the events before, and how many bytes it took to detect it.
#[track_caller]
pub(crate) fn fails(open: impl Fn() -> Connection, bytes: &[u8], error: ProtocolError) -> (Vec<OwnedEvent>, usize) {
    let (mut whole, mut slow) = (open(), open());
    let mut events = receive(&mut whole, bytes);
    let mut slow_events = Vec::new();
    let mut needed = 0;
    while slow.state() != State::Closed {
        assert!(needed < bytes.len(), "nothing wrong is seen: {events:?} {slow_events:?}");
        slow_events.extend(receive(&mut slow, &bytes[needed..=needed]));
        needed += 1;
    }
    assert_eq!(slow_events, events);
    assert_eq!(events.pop(), Some(failed(error)));
    for conn in [&mut whole, &mut slow] {
        let last = sent(conn).pop().unwrap();
        assert_eq!((last.first, last.payload), (0x88, close_body(error.close_code().get(), "")));
        assert_eq!(receive(conn, b"\x81\x00"), [], "it is over");
    }
    (events, needed)
}

/// Returns why a connection ended, if it did, and the events before.
pub(crate) fn ended(mut events: Vec<OwnedEvent>) -> (Vec<OwnedEvent>, Option<Cause>) {
    match events.pop() {
        Some(OwnedEvent::Closed { cause, .. }) => (events, Some(cause)),
        other => {
            events.extend(other);
            (events, None)
        }
    }
}
