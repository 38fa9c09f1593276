//! The end of the transport: which side closes it first (RFC 6455 section 7.1.1), and what its end means where it comes
//! too early.

use std::time::Duration;

use bytes::Buf;
use websocket_proto::{
    Cause, CloseCode, Config, Connection, Deadline, Event, Rejection, Response, Role, SendError, Shutdown, State,
};

use crate::helpers::client::{
    assert_ends_at_eof, assert_handshake_failed, client_request, connecting, minimal_response,
};
use crate::helpers::server::{assert_abnormal, assert_closed, awaiting_answer, close_frame};
use crate::helpers::{assert_nothing_can_be_sent, closed};
use crate::support::{
    ROLES, client, close_body, drain, events, feed, frame, open, other, request, seed, sent, server, turns,
};

/// C-07, C-54: a transport that ends before the response is whole fails the connection, at every byte.
#[test]
fn a_transport_that_ends_during_the_handshake_fails_it() {
    let response = minimal_response();
    for length in 0..response.len() {
        let mut conn = connecting();
        assert!(feed(&mut conn, &response.as_bytes()[..length]).is_empty(), "{length}");
        assert_ends_at_eof(&mut conn, Shutdown::Abort);
    }
}

/// C-07: a transport that was never there leaves nothing of the request to be sent.
#[test]
fn a_transport_that_ends_before_the_request_is_sent_drops_it() {
    let mut conn = Connection::client(client_request(), Config::new(), seed()).unwrap();
    assert_ends_at_eof(&mut conn, Shutdown::Abort);
    assert!(drain(&mut conn).is_empty());
}

/// C-07: a transport that never answers fails the connection too, once the deadline has passed.
#[test]
fn a_handshake_without_a_response_fails_at_the_deadline() {
    for arrived in ["", "HTTP/1.1 101 ", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let mut conn = connecting();
        conn.advance_time(Duration::from_secs(1));
        assert!(feed(&mut conn, arrived.as_bytes()).is_empty());
        assert_eq!(conn.next_timeout(), Some(Duration::from_secs(11)));
        let closed = closed(turns(&mut conn, Duration::from_secs(11)));
        assert_eq!(closed.cause, Cause::Timeout(Deadline::Opening));
        assert_handshake_failed(&mut conn, &closed);
    }
}

/// S-23, S-38: a client may close its side behind its request and what it says; it is answered all the same.
#[test]
fn a_request_outlives_its_sides_end() {
    let (mut conn, _) = awaiting_answer(&request());
    assert!(feed(&mut conn, &frame(Role::Client, 0x81, b"Hello")).is_empty());
    conn.receive_eof();
    assert!(feed(&mut conn, b"").is_empty());
    conn.accept(Response::new()).unwrap();
    let events = feed(&mut conn, b"");
    assert!(matches!(&events[..], [Event::Text(text), Event::Closed(closed)]
        if text == "Hello" && closed.cause == Cause::Eof));
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 101 "));
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
}

/// C-54: an open connection whose transport ends without a Close frame has failed, wherever it stood.
#[test]
fn a_transport_that_ends_without_a_close_frame_fails_the_connection() {
    let places: [fn(&mut Connection); 6] = [
        |_| {},
        |conn| assert!(feed(conn, b"\x82").is_empty()),
        |conn| assert!(feed(conn, b"\x82\x02a").is_empty()),
        |conn| assert!(feed(conn, &frame(Role::Server, 0x01, b"part")).is_empty()),
        |conn| assert!(feed(conn, b"\x88\x02\x03").is_empty()),
        |conn| conn.close(CloseCode::NORMAL, "bye").unwrap(),
    ];
    for place in places {
        let mut conn = client();
        place(&mut conn);
        drain(&mut conn);
        assert_ends_at_eof(&mut conn, Shutdown::Finish);
    }
}

/// C-54: a connection that is over stays as it ended when the transport ends too.
#[test]
fn a_connection_ends_once() {
    let endings: [fn(&mut Connection); 4] = [
        |conn| drop(feed(conn, &frame(Role::Server, 0x88, b""))),
        |conn| drop(feed(conn, b"\x81\x80")),
        Connection::receive_eof,
        Connection::abort,
    ];
    for ending in endings {
        let mut conn = client();
        ending(&mut conn);
        drop(events(&mut conn));
        drain(&mut conn);
        conn.receive_eof();
        assert!(events(&mut conn).is_empty());
        assert_nothing_can_be_sent(&mut conn, SendError::Closed);
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
                assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
            } else {
                assert!(turns(&mut conn, deadline).is_empty());
                assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
            }
            assert!(events(&mut conn).is_empty());
            assert!(drain(&mut conn).is_empty());
        }
    }
}

/// S-45, S-46: a server wants the end as soon as both Close frames are through and its own is written.
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
        assert_closed(&mut conn, Shutdown::Finish);
    }
}

/// S-46: a client leaves the end to the server until the transport ended or the deadline passed.
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
        assert_eq!(conn.wants_shutdown(), (role == Role::Server).then_some(Shutdown::Finish));
        conn.receive_eof();
        assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
        let mut conn = closed_both();
        let told = [0, 5].map(|now| turns(&mut conn, core::time::Duration::from_secs(now)));
        assert_eq!(told.map(|told| told.len()), [0, 0]);
        assert!(conn.wants_shutdown().is_some());
        assert!(events(&mut conn).is_empty());
    }
}

/// S-47: nothing more is said, in whatever state; one event tells of it.
#[test]
fn an_abort_drops_everything() {
    let open = || {
        let mut conn = server();
        conn.send_text("pending").unwrap();
        conn.send(vec![0; 100_000]).unwrap();
        conn
    };
    let closing = || {
        let mut conn = open();
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn
    };
    for mut conn in [Connection::server(Config::new()), awaiting_answer(&request()).0, open(), closing()] {
        conn.abort();
        assert_eq!(conn.state(), State::Closed);
        assert_eq!(conn.next_timeout(), Some(core::time::Duration::ZERO), "at once");
        assert_abnormal(&closed(feed(&mut conn, &frame(Role::Client, 0x81, b"late"))), Cause::Aborted);
        assert_closed(&mut conn, Shutdown::Abort);
        conn.abort();
        assert_closed(&mut conn, Shutdown::Abort);
    }
    // The answer that nobody waits for.
    let (mut conn, _) = awaiting_answer(&request());
    conn.reject(Rejection::new(403)).unwrap();
    conn.abort();
    assert_abnormal(&closed(events(&mut conn)), Cause::Rejected(403));
    assert_closed(&mut conn, Shutdown::Abort);
}
