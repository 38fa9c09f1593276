//! Time: set by `advance_time` and by nothing else, whatever your clock does; and round trips.

use core::time::Duration;

use websocket_proto::{CloseCode, Config, Connection};

use crate::checks::{abnormal, peer, receive};
use crate::helpers::deadlines::{CLOSING, connecting, secs, turns_at};
use crate::support::{ROLES, open, open_with};

/// If the time is never set, there are no deadlines and no round trips.
#[test]
fn without_time_there_are_no_deadlines() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().keepalive(secs(1), secs(1)));
        let asks = Some(secs(0));
        assert_eq!(conn.next_timeout(), asks);
        conn.ping(b"p").unwrap();
        receive(&mut conn, &peer(role, &[(0x8a, b"p")]));
        assert_eq!((conn.next_timeout(), conn.round_trip()), (asks, None));
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.next_timeout(), asks);
        assert_eq!(receive(&mut conn, b""), []);
        assert_eq!(receive(&mut conn, &peer(role, &[(0x88, b"")])).len(), 1);
        assert_eq!(conn.next_timeout(), asks);
        assert_eq!(receive(&mut conn, b""), []);
    }
}

/// The round trip is that of the newest ping, from its call to its pong; other pongs don't count.
#[test]
fn the_round_trip_is_that_of_the_newest_ping() {
    for role in ROLES {
        let mut conn = open(role);
        let answer = |conn: &mut Connection, payload: &[u8]| receive(conn, &peer(role, &[(0x8a, payload)]));
        conn.ping(b"old").unwrap();
        conn.ping(b"new").unwrap();
        turns_at(&mut conn, secs(1));
        let first = Duration::from_micros(1_250_300);
        answer(&mut conn, b"unasked");
        answer(&mut conn, b"old");
        turns_at(&mut conn, first);
        assert_eq!(conn.round_trip(), None);
        answer(&mut conn, b"new");
        turns_at(&mut conn, first);
        assert_eq!(conn.round_trip(), Some(Duration::from_micros(250_300)));
        turns_at(&mut conn, secs(9));
        answer(&mut conn, b"new");
        turns_at(&mut conn, secs(9));
        assert_eq!(conn.round_trip(), Some(Duration::from_micros(250_300)), "answered once already");
        conn.ping(b"new").unwrap();
        turns_at(&mut conn, secs(9));
        answer(&mut conn, b"new");
        turns_at(&mut conn, secs(11));
        assert_eq!(conn.round_trip(), Some(secs(2)));
        assert_eq!(conn.next_timeout(), None);
    }
}

/// An earlier time than before counts as the same.
#[test]
fn time_does_not_run_backwards() {
    for role in ROLES {
        let mut conn = open(role);
        turns_at(&mut conn, secs(100));
        turns_at(&mut conn, secs(50));
        conn.ping(b"p").unwrap();
        turns_at(&mut conn, secs(100));
        receive(&mut conn, &peer(role, &[(0x8a, b"p")]));
        conn.advance_time(secs(70));
        assert_eq!(conn.round_trip(), Some(secs(0)));
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(secs(80));
        assert_eq!(conn.next_timeout(), Some(secs(105)));
        assert_eq!(turns_at(&mut conn, secs(0)), []);
        assert_eq!(conn.next_timeout(), Some(secs(105)));
        assert_eq!(turns_at(&mut conn, secs(105)), [abnormal(CLOSING)]);
    }
}

/// No time is too late, and no deadline too long or too short.
#[test]
fn extreme_times_and_deadlines_are_harmless() {
    for role in ROLES {
        for time in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let config = Config::new().keepalive(time, time).close_timeout(time).handshake_timeout(time);
            for mut conn in [open_with(role, config.clone()), connecting(role, config)] {
                for now in [0, 1, u64::MAX / 2, u64::MAX].map(Duration::from_nanos).into_iter().chain([Duration::MAX]) {
                    let _ = conn.close(CloseCode::NORMAL, "");
                    // A deadline may be due immediately, but not again and again.
                    (0..5).for_each(|_| drop(turns_at(&mut conn, now)));
                    assert!(conn.next_timeout().is_none_or(|next| next > now), "{time:?} {now:?}");
                }
            }
        }
    }
}
