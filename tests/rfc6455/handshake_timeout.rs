//! The deadline of the opening handshake.

use bytes::Buf;
use websocket_proto::{Cause, Config, Connection, Deadline, State, TransportShutdown, server};

use crate::checks::{abnormal, assert_sent, receive};
use crate::helpers::deadlines::{OPENING, assert_quiet_until, connecting, secs, turns_at};
use crate::support::{ROLES, drain, feed, request};

/// The opening handshake has 10 seconds from the first time set, at both ends.
#[test]
fn the_opening_handshake_has_a_deadline() {
    for role in ROLES {
        for (config, timeout) in [(Config::new(), 10), (Config::new().handshake_timeout(secs(3)), 3)] {
            let mut conn = connecting(role, config);
            assert_eq!(conn.next_timeout(), Some(secs(0)), "no time was set: at once");
            assert_eq!(turns_at(&mut conn, secs(100)), []);
            assert_quiet_until(&mut conn, secs(100 + timeout));
            assert_eq!(turns_at(&mut conn, secs(100 + timeout)), [abnormal(OPENING)]);
            assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(TransportShutdown::Abort)));
            assert!(!conn.output().has_remaining(), "there is nobody to answer");
            assert_eq!(turns_at(&mut conn, secs(10_000)), []);
        }
        let mut conn = connecting(role, Config::new().handshake_timeout(None));
        assert_eq!(turns_at(&mut conn, secs(0)), []);
        assert_eq!(conn.next_timeout(), None);
        assert_eq!(turns_at(&mut conn, secs(1 << 40)), []);
        assert_eq!(conn.state(), State::Connecting);
    }
}

/// B-92: a client that was too slow gets 408; if the server's own code was too slow, it gets 503.
#[test]
fn a_late_handshake_is_answered_with_a_status() {
    let request = request();
    for (arrived, status) in [(1, "408 "), (request.len() - 1, "408 "), (request.len(), "503 ")] {
        let mut conn = Connection::server(Config::new());
        assert_eq!(turns_at(&mut conn, secs(0)), []);
        feed(&mut conn, &request[..arrived]);
        assert_quiet_until(&mut conn, secs(10));
        assert_eq!(turns_at(&mut conn, secs(10)), [abnormal(OPENING)]);
        assert_eq!(conn.wants_shutdown(), None, "the answer goes out first");
        let output = String::from_utf8(drain(&mut conn)).unwrap();
        assert!(output.starts_with(&format!("HTTP/1.1 {status}")), "{output}");
        assert!(output.contains("\r\nConnection: close\r\n"), "{output}");
        assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
        assert!(conn.accept(server::Response::new()).is_err());
        assert!(conn.reject(server::Rejection::new(400)).is_err());
        assert_eq!(receive(&mut conn, &request), []);
        assert_sent(&mut conn, &[]);
    }
}

/// Bytes don't move the handshake's deadline: a client that sends one now and then gets no more time.
#[test]
fn a_trickle_does_not_move_the_handshakes_deadline() {
    let mut conn = Connection::server(Config::new());
    turns_at(&mut conn, secs(0));
    for (byte, now) in request().iter().zip(1..10) {
        assert_eq!(receive(&mut conn, &[*byte]), []);
        assert_eq!(turns_at(&mut conn, secs(now)), []);
        assert_eq!(conn.next_timeout(), Some(secs(10)));
    }
    assert_eq!(turns_at(&mut conn, secs(10)), [abnormal(OPENING)]);
}

/// Once open, the handshake's deadline is off, and the keepalive's begins.
#[test]
fn an_open_connection_has_no_opening_deadline() {
    for (config, next) in [(Config::new(), None), (Config::new().keepalive(secs(30), secs(10)), Some(secs(35)))] {
        let mut conn = Connection::server(config);
        turns_at(&mut conn, secs(0));
        feed(&mut conn, &request());
        turns_at(&mut conn, secs(4));
        conn.accept(server::Response::new()).unwrap();
        assert_eq!(turns_at(&mut conn, secs(5)), []);
        assert_eq!(conn.next_timeout(), next);
        assert_eq!(turns_at(&mut conn, secs(11)), []);
        assert_eq!(conn.state(), State::Open);
    }
}

/// If a deadline takes effect late, its answer still has the time of a closing handshake to be written.
#[test]
fn a_late_answer_has_its_time() {
    let mut conn = Connection::server(Config::new());
    conn.advance_time(secs(0));
    assert_eq!(receive(&mut conn, b"GET / HTTP/1.1\r\n"), []);
    conn.advance_time(secs(11));
    assert_eq!(receive(&mut conn, b""), []);
    conn.advance_time(secs(17));
    assert_eq!(receive(&mut conn, b""), [abnormal(Cause::Timeout(Deadline::Opening))]);
    assert_eq!(turns_at(&mut conn, secs(17)), []);
    assert_eq!(conn.next_timeout(), Some(secs(22)));
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 408 "));
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
}
