//! Checks that several files share: events that can be compared, short notation for frames, and failing connections.

use websocket_proto::{Cause, Config, Connection, Event, ProtocolError, Role, State, TransportShutdown};

use crate::support::{close_body, feed, frame, open_with, other, sent};

/// Frames as first byte and payload.
pub(crate) type Script<'a> = &'a [(u8, &'a [u8])];

/// The bytes of these frames, as the peer of a connection of that role sends them.
pub(crate) fn peer(role: Role, script: Script) -> Vec<u8> {
    script.iter().flat_map(|(first, payload)| frame(other(role), *first, payload)).collect()
}

/// An event that owns its data and can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OwnedEvent {
    Request,
    HttpRequest,
    Open,
    Rejected(u16),
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Closed { code: u16, reason: String, clean: bool, cause: Cause },
}

pub(crate) fn text(text: &str) -> OwnedEvent {
    OwnedEvent::Text(text.into())
}

pub(crate) fn binary(data: &[u8]) -> OwnedEvent {
    OwnedEvent::Binary(data.into())
}

pub(crate) fn ping(payload: &[u8]) -> OwnedEvent {
    OwnedEvent::Ping(payload.into())
}

pub(crate) fn pong(payload: &[u8]) -> OwnedEvent {
    OwnedEvent::Pong(payload.into())
}

/// The end, after both Close frames.
pub(crate) fn clean(code: u16, reason: &str, cause: Cause) -> OwnedEvent {
    OwnedEvent::Closed { code, reason: reason.into(), clean: true, cause }
}

/// The end, without a Close frame that counts.
pub(crate) fn abnormal(cause: Cause) -> OwnedEvent {
    OwnedEvent::Closed { code: 1006, reason: String::new(), clean: false, cause }
}

/// The end after a violation.
pub(crate) fn failed(error: ProtocolError) -> OwnedEvent {
    abnormal(Cause::Protocol(error))
}

pub(crate) fn owned_events(events: Vec<Event>) -> Vec<OwnedEvent> {
    let received: Vec<_> = events.into_iter().map(owned_event).collect();
    let end = received.iter().position(|event| matches!(event, OwnedEvent::Closed { .. }));
    assert!(end.is_none_or(|end| end == received.len() - 1), "nothing follows the end: {received:?}");
    received
}

fn owned_event(event: Event) -> OwnedEvent {
    match event {
        Event::Request(_) => OwnedEvent::Request,
        Event::HttpRequest(_) => OwnedEvent::HttpRequest,
        Event::Open(_) => OwnedEvent::Open,
        Event::Rejected(response) => OwnedEvent::Rejected(response.status()),
        Event::Text(text) => OwnedEvent::Text(text.into()),
        Event::Binary(data) => OwnedEvent::Binary(data.into()),
        Event::Ping(payload) => OwnedEvent::Ping(payload.into()),
        Event::Pong(payload) => OwnedEvent::Pong(payload.into()),
        Event::Closed(closed) => OwnedEvent::Closed {
            code: closed.code.get(),
            reason: closed.reason.clone(),
            clean: closed.clean,
            cause: closed.cause,
        },
        other => panic!("an event that these tests don't know: {other:?}"),
    }
}

/// Receives these bytes, which must be consumed, and returns the events.
pub(crate) fn receive(conn: &mut Connection, bytes: &[u8]) -> Vec<OwnedEvent> {
    owned_events(feed(conn, bytes))
}

/// The frames in the output, checked by every rule for frames that are sent (B-02, B-26, B-32, C and S rows of
/// masking).
pub(crate) fn sent_frames(conn: &mut Connection) -> Vec<(u8, Vec<u8>)> {
    let role = conn.role();
    let sent: Vec<_> = sent(conn)
        .into_iter()
        .map(|frame| {
            assert_eq!(frame.key.is_some(), role == Role::Client, "a client masks, a server doesn't");
            assert_eq!(frame.first & 0x70, 0, "no extension defines a reserved bit");
            let is_control = frame.first & 8 != 0;
            assert!(!is_control || frame.first >= 0x80 && frame.payload.len() <= 125, "control frames are short");
            (frame.first, frame.payload)
        })
        .collect();
    let end = sent.iter().position(|(first, _)| *first == 0x88);
    assert!(end.is_none_or(|end| end == sent.len() - 1), "nothing follows a Close frame: {sent:?}");
    sent
}

#[track_caller]
pub(crate) fn assert_sent(conn: &mut Connection, script: Script) {
    let expected: Vec<_> = script.iter().map(|(first, payload)| (*first, payload.to_vec())).collect();
    assert_eq!(sent_frames(conn), expected);
}

/// These bytes break a rule: whole or byte by byte, the connection fails with that error and its code, and is closed.
/// Returns the number of bytes that it took to detect it.
#[track_caller]
pub(crate) fn fails(role: Role, bytes: &[u8], error: ProtocolError) -> usize {
    fails_with(Config::new(), role, bytes, error)
}

#[track_caller]
pub(crate) fn fails_with(config: Config, role: Role, bytes: &[u8], error: ProtocolError) -> usize {
    let mut whole = open_with(role, config.clone());
    let mut slow = open_with(role, config);
    let events = receive(&mut whole, bytes);
    assert_eq!(events.last(), Some(&failed(error)), "{role:?} {bytes:02x?}");

    let mut slow_events = Vec::new();
    let mut needed = 0;
    while slow.state() != State::Closed {
        assert!(needed < bytes.len(), "{role:?} {bytes:02x?}");
        slow_events.extend(receive(&mut slow, &bytes[needed..=needed]));
        needed += 1;
    }
    assert_eq!(slow_events, events, "{role:?} {bytes:02x?}");

    assert_eq!(whole.wants_shutdown(), None, "the Close frame goes out first");
    let frames = sent_frames(&mut whole);
    assert_eq!(frames.last(), Some(&(0x88, close_body(error.close_code().get(), ""))), "{role:?} {bytes:02x?}");
    assert_eq!(sent_frames(&mut slow), frames, "{role:?} {bytes:02x?}");
    for mut conn in [whole, slow] {
        assert_over(&mut conn);
    }
    needed
}

/// The connection has reported its end and sent its last bytes: it has no more output, whatever it receives.
#[track_caller]
pub(crate) fn assert_over(conn: &mut Connection) {
    assert_eq!(conn.state(), State::Closed);
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
    let role = conn.role();
    for bytes in [peer(role, &[(0x81, b"text"), (0x89, b"ping"), (0x88, b"\x03\xe8")]), vec![0xff; 1000], vec![]] {
        assert_eq!(receive(conn, &bytes), []);
        assert_sent(conn, &[]);
    }
    conn.receive_eof();
    assert_eq!(receive(conn, b""), []);
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
}

/// A small generator, so that a test is random and the same every time (Knuth's multiplier, the upper half).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
