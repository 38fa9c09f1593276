//! What several files check alike: events that can be compared, frames in short, and how a connection fails.

use websocket_proto::{Cause, Config, Connection, Event, ProtocolError, Role, Shutdown, State};

use crate::support::{close_body, feed, frame, open_with, other, sent};

/// Frames as first byte and payload.
pub(crate) type Script<'a> = &'a [(u8, &'a [u8])];

/// The bytes of these frames, as the peer of a connection of that role sends them.
pub(crate) fn peer(role: Role, script: Script) -> Vec<u8> {
    script.iter().flat_map(|(first, payload)| frame(other(role), *first, payload)).collect()
}

/// An event that can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
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

pub(crate) fn text(text: &str) -> Told {
    Told::Text(text.into())
}

pub(crate) fn binary(data: &[u8]) -> Told {
    Told::Binary(data.into())
}

pub(crate) fn ping(payload: &[u8]) -> Told {
    Told::Ping(payload.into())
}

pub(crate) fn pong(payload: &[u8]) -> Told {
    Told::Pong(payload.into())
}

/// The end, after both Close frames.
pub(crate) fn clean(code: u16, reason: &str, cause: Cause) -> Told {
    Told::Closed { code, reason: reason.into(), clean: true, cause }
}

/// The end, without a Close frame that counts.
pub(crate) fn lost(cause: Cause) -> Told {
    Told::Closed { code: 1006, reason: String::new(), clean: false, cause }
}

/// The end after a violation.
pub(crate) fn failed(error: ProtocolError) -> Told {
    lost(Cause::Protocol(error))
}

pub(crate) fn told(events: Vec<Event>) -> Vec<Told> {
    let told: Vec<_> = events.into_iter().map(tell).collect();
    let end = told.iter().position(|event| matches!(event, Told::Closed { .. }));
    assert!(end.is_none_or(|end| end == told.len() - 1), "nothing follows the end: {told:?}");
    told
}

fn tell(event: Event) -> Told {
    match event {
        Event::Request(_) => Told::Request,
        Event::HttpRequest(_) => Told::HttpRequest,
        Event::Open(_) => Told::Open,
        Event::Rejected(response) => Told::Rejected(response.status()),
        Event::Text(text) => Told::Text(text.into()),
        Event::Binary(data) => Told::Binary(data.into()),
        Event::Ping(payload) => Told::Ping(payload.into()),
        Event::Pong(payload) => Told::Pong(payload.into()),
        Event::Closed(closed) => Told::Closed {
            code: closed.code.get(),
            reason: closed.reason.clone(),
            clean: closed.clean,
            cause: closed.cause,
        },
        other => panic!("an event that these tests don't know: {other:?}"),
    }
}

/// What these bytes make the connection tell.
pub(crate) fn hear(conn: &mut Connection, bytes: &[u8]) -> Vec<Told> {
    told(feed(conn, bytes))
}

/// The frames in the output, held to what is true of every frame that is ever sent (B-02, B-26, B-32, C and S rows
/// of masking).
pub(crate) fn said(conn: &mut Connection) -> Vec<(u8, Vec<u8>)> {
    let role = conn.role();
    let said: Vec<_> = sent(conn)
        .into_iter()
        .map(|frame| {
            assert_eq!(frame.key.is_some(), role == Role::Client, "a client masks, a server doesn't");
            assert_eq!(frame.first & 0x70, 0, "no extension defines a reserved bit");
            let is_control = frame.first & 8 != 0;
            assert!(!is_control || frame.first >= 0x80 && frame.payload.len() <= 125, "control frames are short");
            (frame.first, frame.payload)
        })
        .collect();
    let end = said.iter().position(|(first, _)| *first == 0x88);
    assert!(end.is_none_or(|end| end == said.len() - 1), "nothing follows a Close frame: {said:?}");
    said
}

#[track_caller]
pub(crate) fn assert_said(conn: &mut Connection, script: Script) {
    let expected: Vec<_> = script.iter().map(|(first, payload)| (*first, payload.to_vec())).collect();
    assert_eq!(said(conn), expected);
}

/// The bytes break a rule: whole or byte by byte, the connection fails with that error and its code, and is over.
/// How many bytes it took to see it.
#[track_caller]
pub(crate) fn fails(role: Role, bytes: &[u8], error: ProtocolError) -> usize {
    fails_with(Config::new(), role, bytes, error)
}

#[track_caller]
pub(crate) fn fails_with(config: Config, role: Role, bytes: &[u8], error: ProtocolError) -> usize {
    let mut whole = open_with(role, config.clone());
    let mut slow = open_with(role, config);
    let events = hear(&mut whole, bytes);
    assert_eq!(events.last(), Some(&failed(error)), "{role:?} {bytes:02x?}");

    let mut slow_events = Vec::new();
    let mut needed = 0;
    while slow.state() != State::Closed {
        assert!(needed < bytes.len(), "{role:?} {bytes:02x?}");
        slow_events.extend(hear(&mut slow, &bytes[needed..=needed]));
        needed += 1;
    }
    assert_eq!(slow_events, events, "{role:?} {bytes:02x?}");

    assert_eq!(whole.wants_shutdown(), None, "the Close frame goes out first");
    let frames = said(&mut whole);
    assert_eq!(frames.last(), Some(&(0x88, close_body(error.close_code().get(), ""))), "{role:?} {bytes:02x?}");
    assert_eq!(said(&mut slow), frames, "{role:?} {bytes:02x?}");
    for mut conn in [whole, slow] {
        assert_over(&mut conn);
    }
    needed
}

/// The connection has told its end and sent its last bytes: nothing more comes out of it, whatever comes in.
#[track_caller]
pub(crate) fn assert_over(conn: &mut Connection) {
    assert_eq!(conn.state(), State::Closed);
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
    let role = conn.role();
    for bytes in [peer(role, &[(0x81, b"text"), (0x89, b"ping"), (0x88, b"\x03\xe8")]), vec![0xff; 1000], vec![]] {
        assert_eq!(hear(conn, &bytes), []);
        assert_said(conn, &[]);
    }
    conn.receive_eof();
    assert_eq!(hear(conn, b""), []);
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
}

/// A small generator, so that a test is random and the same every time (Knuth's multiplier, the upper half).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}
