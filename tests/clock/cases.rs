//! Faults that were found in time, each step by step.

use std::time::Duration;

use bytes::Buf;
use websocket_proto::{
    Cause, ClientRequest, CloseCode, Closed, Config, Connection, Deadline, Event, Rejection, Response, Role, Shutdown,
    State,
};

use crate::support::{ROLES, close_body, drain, events, feed, frame, other, request, seed, server, turns};
use crate::world::{CLOSING, IDLE, SECOND, SILENCE, config, connection};

fn closed(events: Vec<Event<'static>>) -> Closed {
    match <[Event; 1]>::try_from(events) {
        Ok([Event::Closed(closed)]) => *closed,
        other => panic!("{other:?}"),
    }
}

/// A connection to whose peer a keepalive's ping was sent, at that time.
fn pinged(role: Role, time: Duration) -> (Connection, Vec<u8>) {
    let mut conn = connection(role, config());
    assert!(turns(&mut conn, time - IDLE).is_empty());
    conn.advance_time(time);
    let ping = drain(&mut conn);
    assert!(turns(&mut conn, time).is_empty());
    let payload = crate::support::frames(&ping)[0].payload.clone();
    (conn, payload)
}

/// L1: a loop that is late sets the time and receives nothing before it reads. The pong waits in the socket.
#[test]
fn a_pong_in_the_socket_of_a_late_loop() {
    for role in ROLES {
        let (mut conn, payload) = pinged(role, 100 * SECOND);
        conn.advance_time(115 * SECOND);
        assert!(events(&mut conn).is_empty());
        assert_eq!(conn.next_timeout(), Some(115 * SECOND), "the loop is asked for another turn at once");
        assert_eq!(feed(&mut conn, &frame(other(role), 0x8a, &payload)).len(), 1);
        assert!(turns(&mut conn, 116 * SECOND).is_empty());
        assert_eq!((conn.state(), conn.next_timeout()), (State::Open, Some(115 * SECOND + IDLE)));
    }
}

/// L2: a process that was stopped while a ping was in its output, too: the peer has its full time from when it is written.
#[test]
fn a_ping_that_was_not_written_before_a_stop() {
    for role in ROLES {
        let mut conn = connection(role, config());
        assert!(turns(&mut conn, Duration::ZERO).is_empty());
        conn.advance_time(IDLE);
        conn.advance_time(IDLE);
        let continued = IDLE + 22 * SECOND;
        conn.advance_time(continued);
        drain(&mut conn);
        assert!(turns(&mut conn, continued).is_empty());
        assert_eq!(conn.next_timeout(), Some(continued + SILENCE));
    }
}

/// L3: a consumer that takes its time over each message of one input, and sets the time before each.
#[test]
fn a_slow_consumer_while_closing() {
    for role in ROLES {
        let mut conn = connection(role, config());
        assert!(turns(&mut conn, Duration::ZERO).is_empty());
        conn.close(CloseCode::NORMAL, "").unwrap();
        let mut wire: Vec<u8> = ["one", "two", "three"]
            .iter()
            .flat_map(|text| frame(other(role), 0x81, text.as_bytes()))
            .chain(frame(other(role), 0x88, b""))
            .collect();
        let mut input = &mut wire[..];
        let mut received = Vec::new();
        let mut now = Duration::ZERO;
        loop {
            conn.advance_time(now);
            match conn.receive(&mut input) {
                Some(Event::Text(text)) => received.push(text.into_owned()),
                Some(Event::Closed(closed)) => {
                    assert!(closed.clean, "{closed:?}");
                    break;
                }
                other => panic!("{other:?}"),
            }
            now += CLOSING;
        }
        assert_eq!(received, ["one", "two", "three"]);
    }
}

/// L4: a caller that holds its input, reports nothing and keeps setting the time isn't asked to do so at once again and again.
#[test]
fn a_caller_that_holds_its_input_does_not_spin() {
    for role in ROLES {
        let (mut conn, _) = pinged(role, 100 * SECOND);
        let mut wire = frame(other(role), 0x81, b"held");
        let input = &mut wire[..];
        let (mut now, mut turns) = (110 * SECOND, 0);
        while now < 170 * SECOND {
            conn.advance_time(now);
            now = conn.next_timeout().unwrap().max(now) + Duration::from_micros(10);
            turns += 1;
        }
        assert!(turns < 100, "{turns} turns in a minute");
        assert!(matches!(conn.receive(&mut &mut input[..]), Some(Event::Text(_))), "and loses nobody");
        assert_eq!(conn.state(), State::Open);
    }
}

/// L4: nor one that reports it, where a deadline passes that the pause doesn't move. What it holds can be received.
#[test]
fn a_pause_ends_with_the_closing_deadline() {
    for role in ROLES {
        let mut conn = connection(role, config());
        conn.advance_time(Duration::ZERO);
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(Duration::ZERO);
        // It passes; the caller has a turn; it takes effect.
        for expected in [None, Some(Shutdown::Abort), Some(Shutdown::Abort)] {
            conn.advance_time(CLOSING);
            conn.reading_paused();
            assert_eq!(conn.wants_shutdown(), expected);
        }
        let mut held = [frame(other(role), 0x81, b"held"), frame(other(role), 0x88, b"")].concat();
        let mut held = &mut held[..];
        assert!(matches!(conn.receive(&mut held), Some(Event::Text(text)) if text == "held"));
        assert!(matches!(conn.receive(&mut held), Some(Event::Closed(closed)) if closed.clean));
        assert_eq!((conn.wants_shutdown(), conn.pending_output()), (Some(Shutdown::Abort), 0));
    }
}

/// L5: a round trip is measured right by loops that set the time before they read, after it, or both.
#[test]
fn a_round_trip_in_any_order() {
    let times = |order: &str| {
        let mut conn = connection(Role::Server, Config::new());
        let mut now = 100 * SECOND;
        conn.advance_time(now);
        conn.ping(b"p").unwrap();
        let mut pong = Some(frame(Role::Client, 0x8a, b"p"));
        let mut input = Vec::new();
        for _ in 0..6 {
            for step in order.chars() {
                match step {
                    'a' => conn.advance_time(now),
                    // It waits as long as it is told to, or until the pong is there.
                    'w' if conn.next_timeout().is_none() => {
                        now += Duration::from_millis(70);
                        input = pong.take().unwrap_or_default();
                    }
                    'w' => {}
                    _ => drop(feed(&mut conn, &std::mem::take(&mut input))),
                }
            }
        }
        conn.round_trip().unwrap()
    };
    for order in ["awr", "war", "wra", "rwa", "raw", "arw", "awar"] {
        assert_eq!(times(order), Duration::from_millis(70), "{order}");
    }
}

/// A pong that comes before the time was set measures nothing, and hides nothing.
#[test]
fn a_pong_before_the_time_is_set() {
    let mut conn = connection(Role::Server, Config::new());
    conn.advance_time(100 * SECOND);
    conn.ping(b"p").unwrap();
    feed(&mut conn, &frame(Role::Client, 0x8a, b"p"));
    conn.advance_time(101 * SECOND);
    assert_eq!((conn.round_trip(), conn.next_timeout()), (None, None));

    // The next ping is sent before the time of the pong is known.
    conn.ping(b"q").unwrap();
    conn.advance_time(101 * SECOND);
    feed(&mut conn, &frame(Role::Client, 0x8a, b"q"));
    conn.ping(b"r").unwrap();
    conn.advance_time(103 * SECOND);
    assert_eq!(conn.round_trip(), Some(2 * SECOND));
    feed(&mut conn, &frame(Role::Client, 0x8a, b"r"));
    conn.advance_time(104 * SECOND);
    assert_eq!(conn.round_trip(), Some(SECOND));
}

/// L6: `close` after a quiet hour in which the time wasn't set; `ping` and `accept` likewise.
#[test]
fn what_begins_after_a_quiet_hour_has_its_full_time() {
    for role in ROLES {
        let mut conn = connection(role, Config::new());
        assert!(turns(&mut conn, Duration::ZERO).is_empty());
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.next_timeout(), Some(Duration::ZERO), "the time is to be set at once");
        assert!(turns(&mut conn, 3600 * SECOND).is_empty());
        assert_eq!(conn.next_timeout(), Some(3600 * SECOND + CLOSING));
    }
    let mut conn = Connection::server(config().handshake_timeout(None));
    conn.advance_time(Duration::ZERO);
    feed(&mut conn, &request());
    conn.accept(Response::new()).unwrap();
    drain(&mut conn);
    assert!(turns(&mut conn, 3600 * SECOND).is_empty());
    assert_eq!(conn.next_timeout(), Some(3600 * SECOND + IDLE));
}

/// A1: a keepalive that has passed doesn't replace the deadline of a Close that was sent since, wherever in the turn.
#[test]
fn a_close_is_timed_by_its_own_deadline() {
    for role in ROLES {
        for close_first in [false, true] {
            let (mut conn, _) = pinged(role, 100 * SECOND);
            conn.advance_time(110 * SECOND);
            if close_first {
                conn.close(CloseCode::POLICY_VIOLATION, "").unwrap();
            }
            assert_eq!(feed(&mut conn, &frame(other(role), 0x81, b"a message")).len(), 1);
            if !close_first {
                conn.close(CloseCode::POLICY_VIOLATION, "").unwrap();
            }
            drain(&mut conn);
            assert!(turns(&mut conn, 110 * SECOND).is_empty());
            // A peer that keeps talking.
            for now in [112, 114] {
                assert!(turns(&mut conn, now * SECOND).is_empty());
                assert_eq!(feed(&mut conn, &frame(other(role), 0x81, b"word")).len(), 1);
                assert_eq!(conn.next_timeout(), Some(115 * SECOND));
            }
            assert_eq!(closed(turns(&mut conn, 115 * SECOND)).cause, Cause::Timeout(Deadline::Closing));
        }
    }
}

/// A3: without a closing deadline, the keepalive bounds what is left to be done after both Close frames as well.
#[test]
fn the_keepalive_bounds_the_end_of_the_transport() {
    for role in ROLES {
        for ours_first in [false, true] {
            let mut conn = connection(role, config().close_timeout(None));
            assert!(turns(&mut conn, Duration::ZERO).is_empty());
            if ours_first {
                conn.close(CloseCode::NORMAL, "").unwrap();
            }
            assert!(closed(feed(&mut conn, &frame(other(role), 0x88, &close_body(1000, "")))).clean);
            if role == Role::Client {
                // The server doesn't close TCP. A server's last bytes are never read.
                drain(&mut conn);
            }
            assert_eq!(conn.wants_shutdown(), None);
            assert!(turns(&mut conn, IDLE).is_empty());
            let pending = conn.pending_output();
            assert_eq!((conn.wants_shutdown(), conn.next_timeout()), (None, Some(IDLE + SILENCE)));
            assert_eq!(pending > 0, role == Role::Server, "no ping follows a Close frame");
            assert!(turns(&mut conn, IDLE + SILENCE).is_empty());
            assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
        }
    }
    // A server's last bytes that are read slowly.
    let mut conn = connection(Role::Server, config().close_timeout(None));
    conn.send_binary(&[0; 1000]).unwrap();
    feed(&mut conn, &frame(Role::Client, 0x88, b""));
    assert!(turns(&mut conn, Duration::ZERO).is_empty());
    for turn in 1..10 {
        assert!(turns(&mut conn, SILENCE * turn + IDLE).is_empty());
        assert_eq!(conn.wants_shutdown(), None, "{turn}");
        conn.output().advance(100);
    }
    // A rejection that isn't read: its keepalive begins with it.
    let mut conn = Connection::server(config().close_timeout(None));
    conn.advance_time(Duration::ZERO);
    feed(&mut conn, &request());
    conn.reject(Rejection::new(403)).unwrap();
    assert_eq!(turns(&mut conn, SECOND).len(), 1);
    assert!(turns(&mut conn, SECOND + IDLE).is_empty());
    assert_eq!(conn.wants_shutdown(), None);
    assert!(turns(&mut conn, SECOND + IDLE + SILENCE).is_empty());
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
}

/// A loop that calls `receive` no more after `Closed` ends as well.
#[test]
fn a_closed_connection_needs_no_receive() {
    for role in ROLES {
        let mut conn = connection(role, config());
        conn.advance_time(Duration::ZERO);
        assert!(closed(feed(&mut conn, &frame(other(role), 0x88, b""))).clean);
        conn.advance_time(Duration::ZERO);
        let mut now = conn.next_timeout().unwrap();
        assert_eq!(now, CLOSING);
        let mut turns = 0;
        while conn.wants_shutdown().is_none() {
            assert!(now <= CLOSING + 2 * SECOND, "{now:?}");
            conn.advance_time(now);
            now = now.max(conn.next_timeout().unwrap()) + Duration::from_micros(10);
            turns += 1;
        }
        assert!(turns < 40, "{turns} turns");
        assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
    }
}

/// A client that learns of the end of the transport before it receives the Close frame doesn't wait for the server.
#[test]
fn the_end_of_the_transport_before_the_close_frame() {
    let mut conn = connection(Role::Client, config());
    conn.advance_time(Duration::ZERO);
    conn.receive_eof();
    assert!(!conn.wants_read());
    assert!(closed(feed(&mut conn, &frame(Role::Server, 0x88, &close_body(1000, "")))).clean);
    drain(&mut conn);
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
}

/// A request that is accepted after its deadline was noticed, and before that took effect, is open and stays so.
#[test]
fn accepting_a_request_whose_deadline_has_passed() {
    for turns_before in 0..2 {
        let mut conn = server_request();
        conn.advance_time(10 * SECOND);
        for _ in 0..turns_before {
            assert!(events(&mut conn).is_empty());
            conn.advance_time(10 * SECOND);
        }
        conn.accept(Response::new()).unwrap();
        for now in 10..25 {
            assert!(turns(&mut conn, now * SECOND).is_empty());
        }
        assert_eq!(conn.state(), State::Open);
    }
}

fn server_request() -> Connection {
    let mut conn = Connection::server(Config::new());
    conn.advance_time(Duration::ZERO);
    assert!(matches!(feed(&mut conn, &request())[..], [Event::Request(_)]));
    conn
}

/// An aborted connection has no deadline to come: it is to be shut down at once.
#[test]
fn an_aborted_connection_has_no_deadline() {
    for role in ROLES {
        for already_closed in [false, true] {
            let mut conn = connection(role, config());
            conn.advance_time(7 * SECOND);
            if already_closed {
                feed(&mut conn, &frame(other(role), 0x88, b""));
                conn.advance_time(7 * SECOND);
            }
            conn.abort();
            assert_eq!((conn.wants_shutdown(), conn.next_timeout()), (Some(Shutdown::Abort), Some(7 * SECOND)));
            // One more turn for a loop that is about to wait, and nothing after that.
            for _ in 0..3 {
                events(&mut conn);
                conn.advance_time(7 * SECOND);
            }
            assert!(events(&mut conn).is_empty());
            assert_eq!((conn.wants_shutdown(), conn.next_timeout()), (Some(Shutdown::Abort), None));
            assert!(!conn.output().has_remaining());
        }
    }
}

/// Of two pings that look the same, the answer to the first doesn't pass for one to the second.
#[test]
fn two_pings_that_look_the_same() {
    let mut conn = connection(Role::Server, Config::new());
    let send = |conn: &mut Connection, now| {
        conn.ping(b"same").unwrap();
        conn.advance_time(now);
    };
    send(&mut conn, 100 * SECOND);
    send(&mut conn, 110 * SECOND);
    feed(&mut conn, &frame(Role::Client, 0x8a, b"same"));
    conn.advance_time(111 * SECOND);
    assert_eq!(conn.round_trip(), Some(11 * SECOND), "that of the first");
    feed(&mut conn, &frame(Role::Client, 0x8a, b"same"));
    conn.advance_time(112 * SECOND);
    assert_eq!(conn.round_trip(), Some(11 * SECOND));
}

/// A peer that sent bytes at this very time isn't sent a ping, however short the idle time is.
#[test]
fn no_idle_time_at_all() {
    let mut conn = connection(Role::Server, Config::new().keepalive(Duration::ZERO, SILENCE));
    conn.advance_time(SECOND);
    feed(&mut conn, &frame(Role::Client, 0x81, b""));
    conn.advance_time(SECOND);
    assert!(drain(&mut conn).is_empty());
    conn.advance_time(SECOND + Duration::from_nanos(1));
    assert_eq!(drain(&mut conn)[0], 0x89);
}

/// B-38: the answer to a Close frame repeats its code and its reason, as browsers have it.
#[test]
fn the_answer_to_a_close_frame_repeats_its_reason() {
    for role in ROLES {
        let mut conn = connection(role, config());
        let body = close_body(3001, "再见");
        assert!(closed(feed(&mut conn, &frame(other(role), 0x88, &body))).clean);
        let sent = crate::support::sent(&mut conn);
        assert_eq!((sent[0].first, &sent[0].payload), (0x88, &body));
    }
}

/// A connection that waits for its first byte has a deadline from the first time on, and asks for that.
#[test]
fn the_first_time_is_asked_for() {
    let request = ClientRequest::new("ws://localhost/".parse().unwrap());
    let client = Connection::client(request, Config::new(), seed()).unwrap();
    for mut conn in [client, Connection::server(Config::new())] {
        assert_eq!(conn.next_timeout(), Some(Duration::ZERO));
        conn.advance_time(1000 * SECOND);
        assert_eq!(conn.next_timeout(), Some(1010 * SECOND));
    }
    assert_eq!(server().next_timeout(), None);
}
