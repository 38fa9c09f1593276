//! Every public call in every phase (RFC 6455 sections 6.1 and 7.1): the result table, and all short sequences of calls.

use core::time::Duration;

use bytes::Buf;
use websocket_proto::{
    AcceptError, Cause, CloseCode, Config, Connection, Deadline, Event, HandshakeError, MessageKind, SendError, State,
    TransportShutdown, server,
};

use crate::checks::{OwnedEvent, abnormal, assert_over, assert_sent, peer, receive, sent_frames, text};
use crate::helpers::phase::Phase;
use crate::support::{ROLES, close_body, drain, open, request};

type Call<R> = (&'static str, fn(&mut Connection) -> R);

const SENDS: [Call<Result<(), SendError>>; 9] = [
    ("send_text", |conn| conn.send_text("x")),
    ("send_binary", |conn| conn.send_binary(b"x")),
    ("send", |conn| conn.send("x")),
    ("send, large", |conn| conn.send(vec![0; 10_000])),
    ("send_fragment", |conn| conn.send_fragment(MessageKind::Text, b"x", false)),
    ("send_fragment, last", |conn| conn.send_fragment(MessageKind::Text, b"x", true)),
    ("ping", |conn| conn.ping(b"x")),
    ("pong", |conn| conn.pong(b"x")),
    ("close", |conn| conn.close(CloseCode::NORMAL, "x")),
];

/// B-50, B-58, B-65: sending needs an open connection; in other states every call returns the reason and changes
/// nothing.
#[test]
fn sending_in_every_state() {
    for (name, call) in SENDS {
        for (phase, mut conn) in Phase::all() {
            let expected = match phase.state() {
                State::Connecting => Err(SendError::Connecting),
                State::Open => Ok(()),
                State::Closing | State::Closed => Err(SendError::Closed),
            };
            let shutdown = conn.wants_shutdown();
            assert_eq!(call(&mut conn), expected, "{name} in {phase:?}");
            assert_eq!(conn.output().has_remaining(), expected.is_ok(), "{name} in {phase:?}");
            let state = if expected.is_ok() && name == "close" { State::Closing } else { phase.state() };
            assert_eq!(conn.state(), state, "{name} in {phase:?}");
            assert_eq!(conn.wants_shutdown(), shutdown, "{name} in {phase:?}");
            assert_eq!(receive(&mut conn, b""), [], "{name} in {phase:?}");
        }
    }
}

/// B-58: an argument that is too long or must not be sent is rejected in every state, and changes nothing.
#[test]
fn wrong_arguments_in_every_state() {
    let calls: [Call<Result<(), SendError>>; 5] = [
        ("ping", |conn| conn.ping(&[0; 126])),
        ("pong", |conn| conn.pong(&[0; 126])),
        ("send_fragment", |conn| conn.send_fragment(MessageKind::Text, b"\xff", true)),
        ("close, code", |conn| conn.close(CloseCode::NO_STATUS, "")),
        ("close, reason", |conn| conn.close(None, "reason")),
    ];
    for (name, call) in calls {
        for (phase, mut conn) in Phase::all() {
            assert!(call(&mut conn).is_err(), "{name} in {phase:?}");
            assert!(!conn.output().has_remaining(), "{name} in {phase:?}");
            assert_eq!(conn.state(), phase.state(), "{name} in {phase:?}");
        }
    }
}

/// B-58: a response needs a request that waits for one.
#[test]
fn answering_in_every_state() {
    let calls: [Call<Result<(), AcceptError>>; 2] = [
        ("accept", |conn| conn.accept(server::Response::new())),
        ("reject", |conn| conn.reject(server::Rejection::new(403))),
    ];
    for (name, call) in calls {
        for (phase, mut conn) in Phase::all() {
            let waits = phase == Phase::RequestWaits;
            let expected = if waits { Ok(()) } else { Err(AcceptError::NoRequest) };
            assert_eq!(call(&mut conn), expected, "{name} in {phase:?}");
            assert_eq!(conn.output().has_remaining(), waits, "{name} in {phase:?}");
            assert_eq!(call(&mut conn), Err(AcceptError::NoRequest), "{name} again in {phase:?}");
            if !waits {
                assert_eq!(conn.state(), phase.state());
            }
        }
    }
}

/// B-40, B-58, B-65, B-70: the state can be queried everywhere, and queries change nothing.
#[test]
fn asking_in_every_state() {
    for (phase, mut conn) in Phase::all() {
        for _ in 0..2 {
            assert_eq!(conn.state(), phase.state(), "{phase:?}");
            assert_eq!(conn.wants_shutdown(), phase.shutdown(conn.role()), "{phase:?}");
            assert_eq!((conn.round_trip(), conn.subprotocol()), (None, None));
            // The time for a deadline that was never armed: immediately.
            assert_eq!(conn.next_timeout(), phase.has_deadline().then_some(Duration::ZERO), "{phase:?}");
            assert!(!conn.output().has_remaining());
            assert!(conn.output().take().is_none());
            assert_eq!(receive(&mut conn, b""), [], "{phase:?}");
        }
    }
}

/// B-66: the end of the transport, an abort and the last deadline, in every state: one end, reported once, or not at
/// all if it was reported before.
#[test]
fn ending_in_every_state() {
    let endings: [(Call<()>, Cause); 3] = [
        (("receive_eof", Connection::receive_eof), Cause::Eof),
        (("abort", Connection::abort), Cause::Aborted),
        (("time", pass), Cause::Timeout(Deadline::Opening)),
    ];
    for ((name, call), cause) in endings {
        for (phase, mut conn) in Phase::all() {
            call(&mut conn);
            let mut events = receive(&mut conn, b"");
            if name == "time" {
                // First an iteration in which the loop can read, then the effect.
                assert_eq!(events, []);
                call(&mut conn);
                events = receive(&mut conn, b"");
            }
            let expected = match (phase, name) {
                (Phase::Open | Phase::InMessage, "time") => vec![],
                // The client may have closed its side only: its request is answered first.
                (Phase::RequestWaits, "receive_eof") => vec![],
                (Phase::Closing, "time") => vec![abnormal(Cause::Timeout(Deadline::Closing))],
                (Phase::HalfRefusal, "receive_eof" | "time") => {
                    vec![OwnedEvent::Rejected(404), abnormal(Cause::Rejected(404))]
                }
                _ if phase.state() == State::Closed => vec![],
                _ => vec![abnormal(cause)],
            };
            assert_eq!(events, expected, "{name} in {phase:?}");
            call(&mut conn);
            assert_eq!(receive(&mut conn, b""), [], "{name} again in {phase:?}");
            if name == "abort" {
                assert_eq!(
                    (conn.wants_shutdown(), conn.next_timeout()),
                    (Some(TransportShutdown::Abort), Some(Duration::ZERO))
                );
                assert!(!conn.output().has_remaining());
            }
        }
    }
}

/// Every deadline passes.
fn pass(conn: &mut Connection) {
    let start = conn.next_timeout().unwrap_or_default();
    for minute in 0..3 {
        conn.advance_time(start + Duration::from_secs(60 * minute));
    }
}

/// The same frames are an event, discarded, or no frames at all, depending on the state.
#[test]
fn receiving_in_every_state() {
    for (phase, mut conn) in Phase::all() {
        let frames = peer(conn.role(), &[(0x81, b"text")]);
        let events = receive(&mut conn, &frames);
        match phase.state() {
            State::Open if phase == Phase::InMessage => assert_eq!(events.len(), 1),
            State::Open | State::Closing => assert_eq!(events, [text("text")], "{phase:?}"),
            State::Closed => assert_eq!(events, [], "{phase:?}"),
            State::Connecting if matches!(phase, Phase::RequestWaits | Phase::HalfRefusal) => assert_eq!(events, []),
            State::Connecting => {
                assert!(matches!(
                    events[..],
                    [] | [OwnedEvent::Closed { cause: Cause::Handshake(_), clean: false, .. }]
                ));
            }
        }
    }
}

/// B-36, B-58, B-62, B-66: every sequence of three steps, from every state: no panic, states only move forward, at most
/// one end and nothing after it, no frame after a Close, and a call that sends succeeds exactly if the connection is
/// open.
#[test]
fn all_short_sequences_keep_the_rules() {
    let steps: [fn(&mut Connection) -> Vec<OwnedEvent>; 12] = [
        |conn| {
            let open = conn.state() == State::Open;
            assert_eq!(conn.send_text("x").is_ok() || conn.pong(b"").is_ok(), open);
            vec![]
        },
        |conn| {
            let open = conn.state() == State::Open;
            assert!(conn.send_fragment(MessageKind::Text, b"x", false).is_ok() == open);
            vec![]
        },
        |conn| {
            let open = conn.state() == State::Open;
            assert!(conn.close(CloseCode::NORMAL, "").is_ok() == open);
            vec![]
        },
        |conn| receive(conn, &peer(conn.role(), &[(0x81, b"text")])),
        |conn| receive(conn, &peer(conn.role(), &[(0x01, b"part"), (0x89, b"ping")])),
        |conn| receive(conn, &peer(conn.role(), &[(0x88, b"\x03\xe9")])),
        |conn| receive(conn, b"\xff"),
        |conn| receive(conn, &request()),
        |conn| {
            let _ = conn.accept(server::Response::new());
            vec![]
        },
        |conn| {
            conn.receive_eof();
            receive(conn, b"")
        },
        |conn| {
            pass(conn);
            receive(conn, b"")
        },
        |conn| {
            conn.abort();
            receive(conn, b"")
        },
    ];
    for (role, phase) in ROLES.into_iter().flat_map(|role| Phase::ALL.map(|phase| (role, phase))) {
        for sequence in 0..steps.len().pow(3) {
            let Some(mut conn) = phase.reach(role) else { continue };
            // Only frames are decoded here; other tests check heads.
            let mut heads = phase.state() == State::Connecting || phase == Phase::Rejected;
            let mut events = Vec::new();
            for place in 0..3 {
                let before = conn.state() as u8;
                let step = sequence / steps.len().pow(place) % steps.len();
                events.extend(steps[step](&mut conn));
                assert!(conn.state() as u8 >= before);
                heads &= conn.state() != State::Open;
                if conn.output().chunk().starts_with(b"HTTP/") || heads {
                    drain(&mut conn);
                }
            }
            events.extend(receive(&mut conn, b""));
            let end = events.iter().position(|event| matches!(event, OwnedEvent::Closed { .. }));
            assert!(end.is_none_or(|end| end == events.len() - 1), "{phase:?} {sequence}: {events:?}");
            assert_eq!(end.is_some(), conn.state() == State::Closed && phase.state() != State::Closed);
            sent_frames(&mut conn);
            if conn.state() == State::Closed && conn.wants_shutdown() == Some(TransportShutdown::Graceful) {
                assert_over(&mut conn);
            }
        }
    }
}

/// B-65: the states in their order, as a client that closes sees them.
#[test]
fn states_follow_each_other() {
    for role in ROLES {
        let mut conn = open(role);
        assert_eq!(conn.state(), State::Open);
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.state(), State::Closing);
        receive(&mut conn, &peer(role, &[(0x88, b"")]));
        assert_eq!(conn.state(), State::Closed);
        assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
    }
}

/// A server that was asked for a page, before its next call.
fn asked_for_a_page() -> Connection {
    let mut conn = Connection::server(Config::new());
    let mut request = *b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert!(matches!(conn.receive(&mut &mut request[..]), Some(Event::HttpRequest(_))));
    conn
}

/// A plain HTTP request waits for its answer until the next `receive`; every call is possible meanwhile.
#[test]
fn calls_while_a_plain_request_waits() {
    for (name, call) in SENDS {
        let mut conn = asked_for_a_page();
        assert_eq!(call(&mut conn), Err(SendError::Connecting), "{name}");
        assert_eq!((conn.state(), conn.wants_shutdown()), (State::Connecting, None));
        assert!(!conn.output().has_remaining());
    }
    let mut conn = asked_for_a_page();
    assert_eq!(conn.accept(server::Response::new()), Err(AcceptError::NotWebSocket));
    // The end of the transport, and time, change nothing until the request is answered.
    conn.receive_eof();
    for second in [0, 1, 100] {
        conn.advance_time(Duration::from_secs(second));
    }
    conn.reject(server::Rejection::new(200).body("a page")).unwrap();
    assert_eq!(receive(&mut conn, b""), [abnormal(Cause::Rejected(200))]);
    assert!(drain(&mut conn).ends_with(b"a page"));
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));

    let mut conn = asked_for_a_page();
    assert_eq!(receive(&mut conn, b""), [abnormal(Cause::Handshake(HandshakeError::NoUpgrade))]);
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 426 "));

    let mut conn = asked_for_a_page();
    conn.abort();
    assert_eq!(receive(&mut conn, b""), [abnormal(Cause::Aborted)]);
    assert!(!conn.output().has_remaining());
}
