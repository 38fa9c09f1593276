//! Loops that set the time late, or hold what they have read.

use std::time::Duration;

use websocket_proto::{CloseCode, Config, Connection, Event, Role, State, client, server};

use super::pinged;
use crate::scenario::{CLOSING, IDLE, SECOND, SILENCE};
use crate::support::{ROLES, drain, feed, frame, other, pending_events, request, seed, server, turns};
use crate::world::{config, connection};

/// L1: a loop that is late sets the time and receives nothing before it reads. The pong waits in the socket.
#[test]
fn a_pong_in_the_socket_of_a_late_loop() {
    for role in ROLES {
        let (mut conn, payload) = pinged(role, 100 * SECOND);
        conn.advance_time(115 * SECOND);
        assert!(pending_events(&mut conn).is_empty());
        assert_eq!(conn.next_timeout(), Some(115 * SECOND), "the loop is asked for another turn at once");
        assert!(feed(&mut conn, &frame(other(role), 0x8a, &payload)).is_empty());
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

/// A connection that was aborted before the time was ever set: a caller that only sets the time isn't asked to do so at once again
/// and again.
#[test]
fn an_abort_before_the_first_time_does_not_spin() {
    for role in ROLES {
        let mut conn = connection(role, config());
        conn.abort();
        assert_eq!(conn.next_timeout(), Some(Duration::ZERO), "at once");
        let (mut now, mut turns) = (100 * SECOND, 0);
        while now < 160 * SECOND {
            conn.advance_time(now);
            now = conn.next_timeout().unwrap().max(now) + Duration::from_micros(10);
            turns += 1;
            assert!(turns < 100, "{turns} turns until {now:?}");
        }
        assert!(matches!(pending_events(&mut conn)[..], [Event::Closed(_)]));
    }
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
    conn.accept(server::Response::new()).unwrap();
    drain(&mut conn);
    assert!(turns(&mut conn, 3600 * SECOND).is_empty());
    assert_eq!(conn.next_timeout(), Some(3600 * SECOND + IDLE));
}

/// A request that is accepted after its deadline was noticed, and before that took effect, is open and stays so.
#[test]
fn accepting_a_request_whose_deadline_has_passed() {
    for turns_before in 0..2 {
        let mut conn = server_request();
        conn.advance_time(10 * SECOND);
        for _ in 0..turns_before {
            assert!(pending_events(&mut conn).is_empty());
            conn.advance_time(10 * SECOND);
        }
        conn.accept(server::Response::new()).unwrap();
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

/// A connection that waits for its first byte has a deadline from the first time on, and asks for that.
#[test]
fn the_first_time_is_asked_for() {
    let request = client::Request::new("ws://localhost/".parse().unwrap());
    let client = Connection::client(request, Config::new(), seed()).unwrap();
    for mut conn in [client, Connection::server(Config::new())] {
        assert_eq!(conn.next_timeout(), Some(Duration::ZERO));
        conn.advance_time(1000 * SECOND);
        assert_eq!(conn.next_timeout(), Some(1010 * SECOND));
    }
    assert_eq!(server().next_timeout(), None);
}
