//! The end of the transport, in every state (RFC 6455 section 7.1.5): clean only after both Close frames.

use std::time::Duration;

use websocket_proto::{
    Cause, CloseCode, Config, Connection, Deadline, Event, Role, SendError, State, TransportShutdown, server,
};

use crate::checks::{OwnedEvent, abnormal, assert_over, assert_sent, peer, ping, pong, receive, text};
use crate::helpers::client::{
    assert_ends_at_eof, assert_handshake_failed, client_request, connecting, minimal_response,
};
use crate::helpers::closing::close;
use crate::helpers::server::awaiting_answer;
use crate::helpers::{assert_nothing_can_be_sent, closed};
use crate::support::{ROLES, client, drain, feed, frame, open, pending_events, request, seed, turns};

/// C-07, C-54: a transport that ends before the response is whole fails the connection, at every byte.
#[test]
fn a_transport_that_ends_during_the_handshake_fails_it() {
    let response = minimal_response();
    for length in 0..response.len() {
        let mut conn = connecting();
        assert!(feed(&mut conn, &response.as_bytes()[..length]).is_empty(), "{length}");
        assert_ends_at_eof(&mut conn, TransportShutdown::Abort);
    }
}

/// C-07: if there never was a transport, nothing of the request is left to be sent.
#[test]
fn a_transport_that_ends_before_the_request_is_sent_drops_it() {
    let mut conn = Connection::client(client_request(), Config::new(), seed()).unwrap();
    assert_ends_at_eof(&mut conn, TransportShutdown::Abort);
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

/// RFC 6455 section 7.1.5: frames that arrived before the end of the transport count, those between fragments as well.
#[test]
fn frames_before_the_end_are_delivered_first() {
    for role in ROLES {
        let mut conn = open(role);
        conn.receive_eof();
        let wire = peer(role, &[(0x89, b"1"), (0x01, b"a"), (0x8a, b"2"), (0x80, b"b")]);
        let events = receive(&mut conn, &wire);
        let expected = [ping(b"1"), pong(b"2"), text("ab"), abnormal(Cause::Eof)];
        assert_eq!(events, expected);
        assert!(!conn.wants_read(), "after the end there is nothing to be read");
    }
}

/// S-23, S-38: a client may close its side after its request and its messages; they are answered all the same.
#[test]
fn a_request_outlives_its_sides_end() {
    let (mut conn, _) = awaiting_answer(&request());
    assert!(feed(&mut conn, &frame(Role::Client, 0x81, b"Hello")).is_empty());
    conn.receive_eof();
    assert!(feed(&mut conn, b"").is_empty());
    conn.accept(server::Response::new()).unwrap();
    let events = feed(&mut conn, b"");
    assert!(matches!(&events[..], [Event::Text(text), Event::Closed(closed)]
        if text == "Hello" && closed.cause == Cause::Eof));
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 101 "));
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
}

/// C-54: an open connection whose transport ends without a Close frame has failed, whatever its state was.
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
        assert_ends_at_eof(&mut conn, TransportShutdown::Graceful);
    }
}

/// C-54: a closed connection doesn't change when the transport ends.
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
        drop(pending_events(&mut conn));
        drain(&mut conn);
        conn.receive_eof();
        assert!(pending_events(&mut conn).is_empty());
        assert_nothing_can_be_sent(&mut conn, SendError::Closed);
    }
}

/// B-66, B-67, B-68: the end of the transport is clean exactly after both Close frames; 1006 is for the rest.
#[test]
fn the_end_of_the_transport_in_every_state() {
    type Before = fn(&mut Connection);
    let cases: [(Before, Option<OwnedEvent>); 5] = [
        (|_| {}, Some(abnormal(Cause::Eof))),
        (
            |conn| drop(receive(conn, &peer(conn.role(), &[(0x81, b"whole"), (0x01, b"part")]))),
            Some(abnormal(Cause::Eof)),
        ),
        (|conn| drop(receive(conn, &[0x81])), Some(abnormal(Cause::Eof))),
        (|conn| conn.close(CloseCode::NORMAL, "").unwrap(), Some(abnormal(Cause::Eof))),
        (|conn| drop(receive(conn, &close(conn.role(), 1000, ""))), None),
    ];
    for role in ROLES {
        for (before, expected) in &cases {
            let mut conn = open(role);
            before(&mut conn);
            drain(&mut conn);
            conn.receive_eof();
            assert_eq!(receive(&mut conn, b""), Vec::from_iter(expected.clone()));
            assert_eq!(conn.state(), State::Closed);
            assert_over(&mut conn);
        }
    }
}

/// B-15, B-66: bytes that arrived before the transport ended are reported before its end, even if they were held back.
#[test]
fn held_back_input_outlives_the_transport() {
    for role in ROLES {
        let mut conn = open(role);
        let mut wire = peer(role, &[(0x81, b"a"), (0x81, b"b")]);
        let mut input = &mut wire[..];
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "a"));
        conn.receive_eof();
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "b"));
        assert!(matches!(conn.receive(&mut input), Some(Event::Closed(closed)) if closed.cause == Cause::Eof));
        assert!(conn.receive(&mut input).is_none());
    }
}

/// B-66: the end is reported once, however often the transport ends.
#[test]
fn the_transport_may_end_twice() {
    for role in ROLES {
        let mut conn = open(role);
        conn.receive_eof();
        conn.receive_eof();
        assert_eq!(receive(&mut conn, b""), [abnormal(Cause::Eof)]);
        assert_over(&mut conn);
    }
}

/// B-61, B-66: the end of the transport doesn't drop the output: a peer that only stopped writing still reads.
#[test]
fn output_outlives_the_peers_half_of_the_transport() {
    for role in ROLES {
        let mut conn = open(role);
        conn.send_text("last words").unwrap();
        conn.receive_eof();
        assert_eq!(receive(&mut conn, b""), [abnormal(Cause::Eof)]);
        assert_eq!(conn.wants_shutdown(), None);
        assert_sent(&mut conn, &[(0x81, b"last words")]);
        assert_over(&mut conn);
    }
}
