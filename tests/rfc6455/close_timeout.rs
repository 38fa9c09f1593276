//! The deadline of the closing handshake, and of writing the remaining output after it.

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Config, Connection, Role, TransportShutdown, server};

use crate::checks::{OwnedEvent, abnormal, assert_sent, clean, peer, receive, text};
use crate::helpers::deadlines::{CLOSING, assert_quiet_until, secs, turns_at};
use crate::support::{ROLES, close_body, feed, open, open_with, request};

/// The peer has 5 seconds to answer our Close; then the transport is closed immediately, and pending output is dropped.
#[test]
fn the_closing_handshake_has_a_deadline() {
    for role in ROLES {
        for (config, timeout) in [(Config::new(), 5), (Config::new().close_timeout(secs(60)), 60)] {
            let mut conn = open_with(role, config);
            turns_at(&mut conn, secs(100));
            assert_eq!(conn.next_timeout(), None);
            conn.close(CloseCode::NORMAL, "").unwrap();
            turns_at(&mut conn, secs(100));
            assert_quiet_until(&mut conn, secs(100 + timeout));
            assert_eq!(turns_at(&mut conn, secs(100 + timeout)), [abnormal(CLOSING)]);
            assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
            assert!(!conn.output().has_remaining());
        }
        let mut conn = open_with(role, Config::new().close_timeout(None));
        turns_at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.next_timeout(), None);
    }
}

/// The peer's messages don't move the closing deadline: it must not keep us forever.
#[test]
fn messages_do_not_move_the_closing_deadline() {
    for role in ROLES {
        let mut conn = open(role);
        turns_at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(turns_at(&mut conn, secs(0)), []);
        for now in 1..5 {
            receive(&mut conn, &peer(role, &[(0x81, b"more"), (0x89, b"p")]));
            assert_eq!(turns_at(&mut conn, secs(now)), []);
            assert_eq!(conn.next_timeout(), Some(secs(5)));
        }
        assert_eq!(turns_at(&mut conn, secs(5)), [abnormal(CLOSING)]);
    }
}

/// A pause does not move the closing deadline. After it, the loop is woken for one iteration and then left alone, however long
/// the pause lasts. Input that was read before can still be received.
#[test]
fn the_closing_deadline_passes_once_in_a_pause() {
    for role in ROLES {
        let mut conn = open(role);
        turns_at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        for now in 0..5 {
            conn.advance_time(secs(now));
            conn.reading_paused();
            assert_eq!((conn.next_timeout(), conn.wants_shutdown()), (Some(secs(5)), None));
        }
        let mut next_timeouts = Vec::new();
        for _ in 0..6 {
            conn.advance_time(secs(5));
            conn.reading_paused();
            next_timeouts.push(conn.next_timeout());
        }
        assert_eq!(next_timeouts[4..], [None; 2], "{next_timeouts:?}");
        assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
        assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"late")])), [text("late"), abnormal(CLOSING)]);
    }
}

/// A Close sent before the first time set is timed from there.
#[test]
fn a_close_before_the_first_time_is_timed_from_it() {
    for role in ROLES {
        let mut conn = open(role);
        conn.close(CloseCode::NORMAL, "").unwrap();
        turns_at(&mut conn, secs(50));
        assert_eq!(conn.next_timeout(), Some(secs(55)));
    }
}

/// B-45: after any end, the remaining output has as long as a closing handshake to be drained; then it is dropped, and
/// nothing is reported twice.
#[test]
fn undrained_output_is_given_up_at_the_closing_deadline() {
    let ends: [(&[u8], OwnedEvent); 2] = [
        (b"\x03\xe8", clean(1000, "", Cause::Peer)),
        (b"\x03\xed", crate::checks::failed(websocket_proto::ProtocolError::CloseCode(1005))),
    ];
    for role in ROLES {
        for (body, end) in ends.clone() {
            let mut conn = open(role);
            turns_at(&mut conn, secs(100));
            assert_eq!(receive(&mut conn, &peer(role, &[(0x88, body)])), [end]);
            assert_eq!(turns_at(&mut conn, secs(100)), []);
            assert_quiet_until(&mut conn, secs(105));
            assert_eq!(conn.wants_shutdown(), None);
            assert_eq!(turns_at(&mut conn, secs(105)), []);
            assert!(!conn.output().has_remaining());
            assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
        }
    }
    let mut conn = Connection::server(Config::new());
    turns_at(&mut conn, secs(0));
    feed(&mut conn, &request());
    conn.reject(server::Rejection::new(403)).unwrap();
    assert_eq!(turns_at(&mut conn, secs(0)), [abnormal(Cause::Rejected(403))]);
    assert_quiet_until(&mut conn, secs(5));
    assert_eq!(turns_at(&mut conn, secs(5)), []);
    assert!(!conn.output().has_remaining());
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
}

/// B-40: a client lets the server close TCP first, but doesn't wait forever.
#[test]
fn a_client_waits_for_the_server_for_a_bounded_time() {
    let mut conn = open(Role::Client);
    turns_at(&mut conn, secs(0));
    receive(&mut conn, &peer(Role::Client, &[(0x88, b"\x03\xe8")]));
    assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
    assert_eq!(turns_at(&mut conn, secs(0)), []);
    assert_quiet_until(&mut conn, secs(5));
    assert_eq!(conn.wants_shutdown(), None);
    assert_eq!(turns_at(&mut conn, secs(5)), []);
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
}
