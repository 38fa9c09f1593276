//! Deadlines of closing connections, and of those that are closed.

use std::time::Duration;

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Connection, Deadline, Event, Role, TransportShutdown, server};

use super::{closed, pinged};
use crate::scenario::{CLOSING, IDLE, SECOND, SILENCE};
use crate::support::{ROLES, close_body, drain, feed, frame, other, pending_events, request, turns};
use crate::world::{config, connection};

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

/// L4: nor one that reports it, where a deadline passes that the pause doesn't move. What it holds can be received.
#[test]
fn a_pause_ends_with_the_closing_deadline() {
    for role in ROLES {
        let mut conn = connection(role, config());
        conn.advance_time(Duration::ZERO);
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(Duration::ZERO);
        // It passes; the caller has a turn; it takes effect.
        for expected in [None, Some(TransportShutdown::Abort), Some(TransportShutdown::Abort)] {
            conn.advance_time(CLOSING);
            conn.reading_paused();
            assert_eq!(conn.wants_shutdown(), expected);
        }
        let mut held = [frame(other(role), 0x81, b"held"), frame(other(role), 0x88, b"")].concat();
        let mut held = &mut held[..];
        assert!(matches!(conn.receive(&mut held), Some(Event::Text(text)) if text == "held"));
        assert!(matches!(conn.receive(&mut held), Some(Event::Closed(closed)) if closed.clean));
        assert_eq!((conn.wants_shutdown(), conn.pending_output()), (Some(TransportShutdown::Abort), 0));
    }
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
            assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
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
    conn.reject(server::Rejection::new(403)).unwrap();
    assert_eq!(turns(&mut conn, SECOND).len(), 1);
    assert!(turns(&mut conn, SECOND + IDLE).is_empty());
    assert_eq!(conn.wants_shutdown(), None);
    assert!(turns(&mut conn, SECOND + IDLE + SILENCE).is_empty());
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
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
        assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
    }
}

/// Nor does one whose loop reports a pause instead.
#[test]
fn a_closed_connection_may_be_paused() {
    for role in ROLES {
        let mut conn = connection(role, config());
        conn.advance_time(Duration::ZERO);
        assert!(closed(feed(&mut conn, &frame(other(role), 0x88, b""))).clean);
        conn.advance_time(Duration::ZERO);
        // It passes; the caller has a turn; it takes effect.
        for expected in [None, Some(TransportShutdown::Abort)] {
            conn.advance_time(CLOSING);
            conn.reading_paused();
            assert_eq!(conn.wants_shutdown(), expected);
        }
    }
}

/// A client that learns of the end of the transport before it receives the Close frame doesn't wait for the server.
#[test]
fn the_end_of_the_transport_before_the_close_frame() {
    let mut conn = connection(Role::Client, config());
    conn.advance_time(Duration::ZERO);
    assert!(conn.wants_read());
    conn.receive_eof();
    assert!(!conn.wants_read());
    assert!(closed(feed(&mut conn, &frame(Role::Server, 0x88, &close_body(1000, "")))).clean);
    drain(&mut conn);
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
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
            assert_eq!(
                (conn.wants_shutdown(), conn.next_timeout()),
                (Some(TransportShutdown::Abort), Some(7 * SECOND))
            );
            // One more turn for a loop that is about to wait, and nothing after that.
            for _ in 0..3 {
                pending_events(&mut conn);
                conn.advance_time(7 * SECOND);
            }
            assert!(pending_events(&mut conn).is_empty());
            assert_eq!((conn.wants_shutdown(), conn.next_timeout()), (Some(TransportShutdown::Abort), None));
            assert!(!conn.output().has_remaining());
        }
    }
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

/// Without a deadline for closing, that of the keepalive applies, with the wait for an answer. It does for a caller that only sets
/// the time as well.
#[test]
fn the_keepalive_of_a_closed_connection_has_its_whole_time() {
    for role in ROLES {
        let mut conn = connection(role, config().close_timeout(None));
        conn.advance_time(Duration::ZERO);
        conn.send_text("pending").unwrap();
        assert!(matches!(feed(&mut conn, &[0xff; 4])[..], [Event::Closed(_)]));
        let mut now = Duration::ZERO;
        while conn.wants_shutdown().is_none() {
            now = conn.next_timeout().unwrap().max(now) + Duration::from_micros(1);
            conn.advance_time(now);
        }
        assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
        assert!((IDLE + SILENCE..IDLE + SILENCE + 3 * SECOND).contains(&now), "{now:?}");
    }
}
