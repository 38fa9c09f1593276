//! Round trips that were measured wrong.

use std::time::Duration;

use websocket_proto::{Config, Connection, Role};

use crate::scenario::SECOND;
use crate::support::{feed, frame};
use crate::world::connection;

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
                    // It waits until the next timeout, or until the pong is there.
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
