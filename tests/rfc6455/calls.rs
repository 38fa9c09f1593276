//! Every public call in every state (RFC 6455 6.1 and 7.1): the result table, and all short sequences of calls.

use core::time::Duration;

use bytes::Buf;
use websocket_proto::{
    AcceptError, Cause, ClientRequest, CloseCode, Config, Connection, Deadline, Event, HandshakeError, Kind, Rejection,
    Response, Role, SendError, Shutdown, State,
};

use crate::checks::{Told, assert_over, assert_said, clean, hear, lost, peer, ping, said, text};
use crate::support::{ROLES, close_body, drain, feed, open, request, seed};

/// Where a connection can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Connecting,
    HalfHead,
    RequestWaits,
    HalfRefusal,
    Open,
    InMessage,
    Closing,
    ClosedByPeer,
    ClosedByUs,
    Failed,
    Lost,
    Aborted,
    Rejected,
}

impl Stand {
    const ALL: [Self; 13] = [
        Self::Connecting,
        Self::HalfHead,
        Self::RequestWaits,
        Self::HalfRefusal,
        Self::Open,
        Self::InMessage,
        Self::Closing,
        Self::ClosedByPeer,
        Self::ClosedByUs,
        Self::Failed,
        Self::Lost,
        Self::Aborted,
        Self::Rejected,
    ];

    fn all() -> impl Iterator<Item = (Self, Connection)> {
        let both = ROLES.into_iter().flat_map(|role| Self::ALL.map(|stand| (stand, role)));
        both.filter_map(|(stand, role)| Some((stand, stand.reach(role)?)))
    }

    /// A connection that stands there, its events told and its output drained; nothing where that role can't.
    fn reach(self, role: Role) -> Option<Connection> {
        let close = peer(role, &[(0x88, &close_body(1000, ""))]);
        let cut = peer(role, &[(0x01, b"part"), (0x80, b"cut")]);
        let mut conn = match self {
            Self::Connecting | Self::HalfHead | Self::RequestWaits | Self::HalfRefusal | Self::Rejected => begin(role),
            _ => open(role),
        };
        let arrived: &[u8] = match (self, role) {
            (Self::HalfHead, Role::Server) => b"GET / HT",
            (Self::HalfHead, Role::Client) => b"HTTP/1.1 101 Sw",
            (Self::RequestWaits, Role::Server) => &request(),
            (Self::HalfRefusal, Role::Client) => b"HTTP/1.1 404 \r\nContent-Length: 99\r\n\r\nnot",
            (Self::Rejected, Role::Server) => &request(),
            (Self::Rejected, Role::Client) => b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
            (Self::RequestWaits | Self::HalfRefusal, _) => return None,
            (Self::InMessage, _) => &cut[..cut.len() - 1],
            (Self::ClosedByPeer, _) => &close,
            (Self::Failed, _) => b"\xff",
            _ => b"",
        };
        feed(&mut conn, arrived);
        match self {
            Self::Closing | Self::ClosedByUs => conn.close(CloseCode::NORMAL, "").unwrap(),
            Self::Lost => conn.receive_eof(),
            Self::Aborted => conn.abort(),
            Self::Rejected if role == Role::Server => conn.reject(Rejection::new(403)).unwrap(),
            _ => {}
        }
        feed(&mut conn, if self == Self::ClosedByUs { &close } else { b"" });
        drain(&mut conn);
        Some(conn)
    }

    fn state(self) -> State {
        match self {
            Self::Connecting | Self::HalfHead | Self::RequestWaits | Self::HalfRefusal => State::Connecting,
            Self::Open | Self::InMessage => State::Open,
            Self::Closing => State::Closing,
            _ => State::Closed,
        }
    }

    /// Whether the time is to be set: for the deadline of a handshake, or since there is something to do at once.
    fn has_deadline(self) -> bool {
        !matches!(self, Self::Open | Self::InMessage)
    }

    fn shutdown(self, role: Role) -> Option<Shutdown> {
        match self {
            Self::ClosedByPeer | Self::ClosedByUs => (role == Role::Server).then_some(Shutdown::Finish),
            Self::Failed | Self::Lost => Some(Shutdown::Finish),
            Self::Aborted => Some(Shutdown::Abort),
            // A server's answer is to be read; a client has had its own.
            Self::Rejected => Some(if role == Role::Server { Shutdown::Finish } else { Shutdown::Abort }),
            _ => None,
        }
    }
}

fn begin(role: Role) -> Connection {
    match role {
        Role::Server => Connection::server(Config::new()),
        Role::Client => {
            let request = ClientRequest::new("ws://localhost/".parse().unwrap());
            Connection::client(request, Config::new(), seed()).unwrap()
        }
    }
}

type Call<R> = (&'static str, fn(&mut Connection) -> R);

const SENDS: [Call<Result<(), SendError>>; 9] = [
    ("send_text", |conn| conn.send_text("x")),
    ("send_binary", |conn| conn.send_binary(b"x")),
    ("send", |conn| conn.send("x")),
    ("send, large", |conn| conn.send(vec![0; 10_000])),
    ("send_fragment", |conn| conn.send_fragment(Kind::Text, b"x", false)),
    ("send_fragment, last", |conn| conn.send_fragment(Kind::Text, b"x", true)),
    ("ping", |conn| conn.ping(b"x")),
    ("pong", |conn| conn.pong(b"x")),
    ("close", |conn| conn.close(CloseCode::NORMAL, "x")),
];

/// B-50, B-58, B-65: sending needs an open connection; elsewhere every call says why not and changes nothing.
#[test]
fn sending_in_every_state() {
    for (name, call) in SENDS {
        for (stand, mut conn) in Stand::all() {
            let expected = match stand.state() {
                State::Connecting => Err(SendError::Connecting),
                State::Open => Ok(()),
                State::Closing | State::Closed => Err(SendError::Closed),
            };
            let shutdown = conn.wants_shutdown();
            assert_eq!(call(&mut conn), expected, "{name} in {stand:?}");
            assert_eq!(conn.output().has_remaining(), expected.is_ok(), "{name} in {stand:?}");
            let state = if expected.is_ok() && name == "close" { State::Closing } else { stand.state() };
            assert_eq!(conn.state(), state, "{name} in {stand:?}");
            assert_eq!(conn.wants_shutdown(), shutdown, "{name} in {stand:?}");
            assert_eq!(hear(&mut conn, b""), [], "{name} in {stand:?}");
        }
    }
}

/// B-58: what is too long or may not travel is refused in every state, and changes nothing.
#[test]
fn wrong_arguments_in_every_state() {
    let calls: [Call<Result<(), SendError>>; 5] = [
        ("ping", |conn| conn.ping(&[0; 126])),
        ("pong", |conn| conn.pong(&[0; 126])),
        ("send_fragment", |conn| conn.send_fragment(Kind::Text, b"\xff", true)),
        ("close, code", |conn| conn.close(CloseCode::NO_STATUS, "")),
        ("close, reason", |conn| conn.close(CloseCode::NORMAL, &"x".repeat(124))),
    ];
    for (name, call) in calls {
        for (stand, mut conn) in Stand::all() {
            assert!(call(&mut conn).is_err(), "{name} in {stand:?}");
            assert!(!conn.output().has_remaining(), "{name} in {stand:?}");
            assert_eq!(conn.state(), stand.state(), "{name} in {stand:?}");
        }
    }
}

/// B-58: a response needs a request that waits for one.
#[test]
fn answering_in_every_state() {
    let calls: [Call<Result<(), AcceptError>>; 2] =
        [("accept", |conn| conn.accept(Response::new())), ("reject", |conn| conn.reject(Rejection::new(403)))];
    for (name, call) in calls {
        for (stand, mut conn) in Stand::all() {
            let waits = stand == Stand::RequestWaits;
            let expected = if waits { Ok(()) } else { Err(AcceptError::NoRequest) };
            assert_eq!(call(&mut conn), expected, "{name} in {stand:?}");
            assert_eq!(conn.output().has_remaining(), waits, "{name} in {stand:?}");
            assert_eq!(call(&mut conn), Err(AcceptError::NoRequest), "{name} again in {stand:?}");
            if !waits {
                assert_eq!(conn.state(), stand.state());
            }
        }
    }
}

/// B-40, B-58, B-65, B-70: how it stands can be asked for everywhere, and asking changes nothing.
#[test]
fn asking_in_every_state() {
    for (stand, mut conn) in Stand::all() {
        for _ in 0..2 {
            assert_eq!(conn.state(), stand.state(), "{stand:?}");
            assert_eq!(conn.wants_shutdown(), stand.shutdown(conn.role()), "{stand:?}");
            assert_eq!((conn.round_trip(), conn.subprotocol()), (None, None));
            // The time of a deadline that was never armed: at once.
            assert_eq!(conn.next_timeout(), stand.has_deadline().then_some(Duration::ZERO), "{stand:?}");
            assert!(!conn.output().has_remaining());
            assert!(conn.output().take().is_none());
            assert_eq!(hear(&mut conn, b""), [], "{stand:?}");
        }
    }
}

/// B-66: the end of the transport, an abort and the last deadline, in every state: one end, told once, or none where
/// it was told.
#[test]
fn ending_in_every_state() {
    let endings: [(Call<()>, Cause); 3] = [
        (("receive_eof", Connection::receive_eof), Cause::Eof),
        (("abort", Connection::abort), Cause::Aborted),
        (("time", pass), Cause::Timeout(Deadline::Opening)),
    ];
    for ((name, call), cause) in endings {
        for (stand, mut conn) in Stand::all() {
            call(&mut conn);
            let mut events = hear(&mut conn, b"");
            if name == "time" {
                // A turn to read in, and then the effect.
                assert_eq!(events, []);
                call(&mut conn);
                events = hear(&mut conn, b"");
            }
            let expected = match (stand, name) {
                (Stand::Open | Stand::InMessage, "time") => vec![],
                // The client may have closed its side only: its request is answered first.
                (Stand::RequestWaits, "receive_eof") => vec![],
                (Stand::Closing, "time") => vec![lost(Cause::Timeout(Deadline::Closing))],
                (Stand::HalfRefusal, "receive_eof" | "time") => {
                    vec![Told::Rejected(404), lost(Cause::Rejected(404))]
                }
                _ if stand.state() == State::Closed => vec![],
                _ => vec![lost(cause)],
            };
            assert_eq!(events, expected, "{name} in {stand:?}");
            call(&mut conn);
            assert_eq!(hear(&mut conn, b""), [], "{name} again in {stand:?}");
            if name == "abort" {
                assert_eq!((conn.wants_shutdown(), conn.next_timeout()), (Some(Shutdown::Abort), Some(Duration::ZERO)));
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

/// The same frames are an event, discarded, or no frames at all, depending on where it stands.
#[test]
fn receiving_in_every_state() {
    for (stand, mut conn) in Stand::all() {
        let frames = peer(conn.role(), &[(0x81, b"text")]);
        let events = hear(&mut conn, &frames);
        match stand.state() {
            State::Open if stand == Stand::InMessage => assert_eq!(events.len(), 1),
            State::Open | State::Closing => assert_eq!(events, [text("text")], "{stand:?}"),
            State::Closed => assert_eq!(events, [], "{stand:?}"),
            State::Connecting if matches!(stand, Stand::RequestWaits | Stand::HalfRefusal) => assert_eq!(events, []),
            State::Connecting => {
                assert!(matches!(events[..], [] | [Told::Closed { cause: Cause::Handshake(_), clean: false, .. }]));
            }
        }
    }
}

/// B-15, B-66: frames that came with the request, before the transport ended, are told before its end is.
#[test]
fn frames_kept_behind_a_request_outlive_the_transport() {
    let end = clean(1000, "", Cause::Peer);
    for (script, expected) in [
        (&[(0x81, &b"kept"[..])][..], vec![text("kept"), lost(Cause::Eof)]),
        (&[(0x81, b"kept"), (0x88, b"\x03\xe8")], vec![text("kept"), end]),
    ] {
        let mut conn = Connection::server(Config::new());
        let arrived = [request(), peer(Role::Server, script)].concat();
        assert_eq!(hear(&mut conn, &arrived), [Told::Request]);
        conn.accept(Response::new()).unwrap();
        conn.receive_eof();
        assert_eq!(hear(&mut conn, b""), expected);
    }
}

/// B-36, B-58, B-62, B-66: every sequence of three steps, from everywhere: no panic, states only go forward, one
/// end at most and nothing after it, no frame behind a Close, and each sent call is believed exactly when it is open.
#[test]
fn all_short_sequences_keep_the_rules() {
    let steps: [fn(&mut Connection) -> Vec<Told>; 12] = [
        |conn| {
            let open = conn.state() == State::Open;
            assert_eq!(conn.send_text("x").is_ok() || conn.pong(b"").is_ok(), open);
            vec![]
        },
        |conn| {
            let open = conn.state() == State::Open;
            assert!(conn.send_fragment(Kind::Text, b"x", false).is_ok() == open);
            vec![]
        },
        |conn| {
            let open = conn.state() == State::Open;
            assert!(conn.close(CloseCode::NORMAL, "").is_ok() == open);
            vec![]
        },
        |conn| hear(conn, &peer(conn.role(), &[(0x81, b"text")])),
        |conn| hear(conn, &peer(conn.role(), &[(0x01, b"part"), (0x89, b"ping")])),
        |conn| hear(conn, &peer(conn.role(), &[(0x88, b"\x03\xe9")])),
        |conn| hear(conn, b"\xff"),
        |conn| hear(conn, &request()),
        |conn| {
            let _ = conn.accept(Response::new());
            vec![]
        },
        |conn| {
            conn.receive_eof();
            hear(conn, b"")
        },
        |conn| {
            pass(conn);
            hear(conn, b"")
        },
        |conn| {
            conn.abort();
            hear(conn, b"")
        },
    ];
    for (role, stand) in ROLES.into_iter().flat_map(|role| Stand::ALL.map(|stand| (role, stand))) {
        for sequence in 0..steps.len().pow(3) {
            let Some(mut conn) = stand.reach(role) else { continue };
            // Only frames are decoded here; heads are other tests' business.
            let mut heads = stand.state() == State::Connecting || stand == Stand::Rejected;
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
            events.extend(hear(&mut conn, b""));
            let end = events.iter().position(|event| matches!(event, Told::Closed { .. }));
            assert!(end.is_none_or(|end| end == events.len() - 1), "{stand:?} {sequence}: {events:?}");
            assert_eq!(end.is_some(), conn.state() == State::Closed && stand.state() != State::Closed);
            said(&mut conn);
            if conn.state() == State::Closed && conn.wants_shutdown() == Some(Shutdown::Finish) {
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
        hear(&mut conn, &peer(role, &[(0x88, b"")]));
        assert_eq!(conn.state(), State::Closed);
        assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
    }
}

/// A server that was asked for a page, and whose caller hasn't had another call since.
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
    assert_eq!(conn.accept(Response::new()), Err(AcceptError::NotWebSocket));
    // The end of the transport, and time, change nothing until the request is answered.
    conn.receive_eof();
    for second in [0, 1, 100] {
        conn.advance_time(Duration::from_secs(second));
    }
    conn.reject(Rejection::new(200).body("a page")).unwrap();
    assert_eq!(hear(&mut conn, b""), [lost(Cause::Rejected(200))]);
    assert!(drain(&mut conn).ends_with(b"a page"));
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));

    let mut conn = asked_for_a_page();
    assert_eq!(hear(&mut conn, b""), [lost(Cause::Handshake(HandshakeError::NoUpgrade))]);
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 426 "));

    let mut conn = asked_for_a_page();
    conn.abort();
    assert_eq!(hear(&mut conn, b""), [lost(Cause::Aborted)]);
    assert!(!conn.output().has_remaining());
}

/// A server that accepts and closes before it has received what came with the request: all of that is delivered.
#[test]
fn closing_before_early_data_is_received() {
    for ends in [false, true] {
        let mut conn = Connection::server(Config::new());
        let frames = peer(Role::Server, &[(0x81, b"one"), (0x89, b"ping"), (0x81, b"two")]);
        assert_eq!(hear(&mut conn, &[request(), frames].concat()), [Told::Request]);
        conn.accept(Response::new()).unwrap();
        drain(&mut conn);
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.state(), State::Closing);
        assert_eq!(conn.send_text("late"), Err(SendError::Closed));
        if ends {
            conn.receive_eof();
        }
        let mut expected = vec![text("one"), ping(b"ping"), text("two")];
        expected.extend(ends.then(|| lost(Cause::Eof)));
        assert_eq!(hear(&mut conn, b""), expected);
        assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
        if !ends {
            assert_eq!(conn.state(), State::Closing);
            let close = peer(Role::Server, &[(0x88, &close_body(1000, ""))]);
            assert_eq!(hear(&mut conn, &close), [clean(1000, "", Cause::Local(CloseCode::NORMAL))]);
        }
    }
}
