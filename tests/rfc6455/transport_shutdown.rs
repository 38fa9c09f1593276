//! When the transport is to be shut down after a closing handshake, and by which side first (RFC 6455 section 7.1.1).

use std::time::Duration;

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Role, State, TransportShutdown};

use crate::checks::{assert_over, receive};
use crate::helpers::closed;
use crate::helpers::closing::close;
use crate::helpers::server::{assert_closed, close_frame};
use crate::support::{ROLES, client, close_body, drain, feed, frame, open, other, pending_events, sent, server, turns};

/// B-45, B-61: messages queued before the Close are written, in order, before the transport is shut down.
#[test]
fn the_output_is_drained_before_the_shutdown() {
    for role in ROLES {
        let mut conn = open(role);
        conn.send_text("first").unwrap();
        receive(&mut conn, &close(role, 1000, ""));
        conn.receive_eof();
        while conn.output().has_remaining() {
            assert_eq!(conn.wants_shutdown(), None);
            conn.output().advance(1);
        }
        assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
    }
}

/// B-40, B-45: a server finishes when its output is drained; a client waits for the server to close TCP.
#[test]
fn the_server_closes_the_transport_first() {
    for role in ROLES {
        for we_close in [true, false] {
            let mut conn = open(role);
            if we_close {
                conn.close(CloseCode::NORMAL, "").unwrap();
            }
            receive(&mut conn, &close(role, 1000, ""));
            assert_eq!(conn.wants_shutdown(), None);
            drain(&mut conn);
            assert_eq!(conn.wants_shutdown(), (role == Role::Server).then_some(TransportShutdown::Graceful));
            conn.receive_eof();
            assert_over(&mut conn);
        }
    }
}

/// C-52: after both Close frames the client waits for the server to end the transport, and for no longer than its
/// deadline.
#[test]
fn the_server_ends_the_transport_first() {
    let (start, deadline) = (Duration::from_secs(7), Duration::from_secs(12));
    let just_before = Duration::from_nanos(11_999_999_999);
    for client_first in [false, true] {
        for server_ends in [false, true] {
            let mut conn = client();
            conn.advance_time(start);
            if client_first {
                conn.close(CloseCode::NORMAL, "").unwrap();
                assert_eq!(sent(&mut conn).len(), 1);
                assert_eq!(conn.wants_shutdown(), None);
            }
            let closed = closed(feed(&mut conn, &frame(Role::Server, 0x88, &close_body(1000, ""))));
            assert!(closed.clean);
            assert_eq!(sent(&mut conn).len(), usize::from(!client_first));
            assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, None));
            assert!(turns(&mut conn, start).is_empty());
            assert_eq!(conn.next_timeout(), Some(deadline));
            conn.advance_time(just_before);
            assert_eq!(conn.wants_shutdown(), None);
            if server_ends {
                conn.receive_eof();
                assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
            } else {
                assert!(turns(&mut conn, deadline).is_empty());
                assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
            }
            assert!(pending_events(&mut conn).is_empty());
            assert!(drain(&mut conn).is_empty());
        }
    }
}

/// S-45, S-46: a server wants the shutdown as soon as both Close frames have passed and its own is written.
#[test]
fn a_server_finishes_once_both_closed() {
    let body = close_body(1000, "bye");
    let peer_close = frame(Role::Client, 0x88, &body);
    for ours_first in [true, false] {
        let mut conn = server();
        if ours_first {
            conn.close(CloseCode::GOING_AWAY, "").unwrap();
            assert_eq!(sent(&mut conn), [close_frame(1001)]);
            // The client has still to answer.
            assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closing, None));
        }
        let closed = closed(feed(&mut conn, &peer_close));
        let cause = if ours_first { Cause::Local(CloseCode::GOING_AWAY) } else { Cause::Peer };
        assert_eq!((closed.code, &closed.reason[..]), (CloseCode::NORMAL, "bye"));
        assert_eq!((closed.clean, closed.cause), (true, cause));
        if !ours_first {
            // Not before the last byte of the answer is written.
            for _ in 0..2 + body.len() {
                assert_eq!(conn.wants_shutdown(), None);
                conn.output().advance(1);
            }
        }
        assert_closed(&mut conn, TransportShutdown::Graceful);
    }
}

/// S-46: a client leaves the end to the server until the transport has ended or the deadline has passed.
#[test]
fn the_server_is_first_to_close_the_transport() {
    for role in ROLES {
        let closed_both = || {
            let mut conn = open(role);
            conn.advance_time(core::time::Duration::ZERO);
            closed(feed(&mut conn, &frame(other(role), 0x88, &close_body(1000, ""))));
            drain(&mut conn);
            conn
        };
        let mut conn = closed_both();
        assert_eq!(conn.wants_shutdown(), (role == Role::Server).then_some(TransportShutdown::Graceful));
        conn.receive_eof();
        assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
        let mut conn = closed_both();
        let received = [0, 5].map(|now| turns(&mut conn, core::time::Duration::from_secs(now)));
        assert_eq!(received.map(|received| received.len()), [0, 0]);
        assert!(conn.wants_shutdown().is_some());
        assert!(pending_events(&mut conn).is_empty());
    }
}
