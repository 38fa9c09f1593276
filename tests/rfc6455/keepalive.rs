//! The keepalive: a ping for a silent peer, and the end of one that stays silent.

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Config, Connection, Event, Role, State, TransportShutdown};

use crate::checks::{OwnedEvent, abnormal, assert_sent, peer, ping, pong, receive, sent_frames, text};
use crate::helpers::deadlines::{CLOSING, KEEPALIVE, assert_quiet_until, secs, turns_at};
use crate::support::{ROLES, close_body, drain, open, open_with};

fn keepalive(role: Role) -> Connection {
    let mut conn = open_with(role, Config::new().keepalive(secs(30), secs(10)));
    assert_eq!(turns_at(&mut conn, secs(0)), []);
    conn
}

/// The same, after 30 seconds of silence; and the payload of its ping.
fn pinged(role: Role) -> (Connection, Vec<u8>) {
    let mut conn = keepalive(role);
    assert_quiet_until(&mut conn, secs(30));
    conn.advance_time(secs(30));
    let frames = sent_frames(&mut conn);
    assert_eq!(turns_at(&mut conn, secs(30)), []);
    let [(0x89, payload)] = &frames[..] else { panic!("one ping: {frames:?}") };
    let payload = payload.clone();
    (conn, payload)
}

/// A silent peer gets one ping; if it stays silent, the connection ends.
#[test]
fn a_silent_peer_is_pinged_and_given_up() {
    for role in ROLES {
        let (mut conn, _) = pinged(role);
        assert_quiet_until(&mut conn, secs(40));
        assert_eq!(turns_at(&mut conn, secs(40)), [abnormal(KEEPALIVE)]);
        assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(TransportShutdown::Abort)));
        assert!(!conn.output().has_remaining());
    }
}

/// The time for the answer begins with the time that is set once the ping is written.
#[test]
fn the_time_for_the_answer_begins_once_the_ping_is_written() {
    for role in ROLES {
        let mut conn = keepalive(role);
        conn.advance_time(secs(30));
        assert_eq!(conn.next_timeout(), Some(secs(30)));
        drain(&mut conn);
        conn.advance_time(secs(30));
        assert_eq!(conn.next_timeout(), Some(secs(40)));
    }
}

/// The peer has one timeout for its answer, although the ping is written only in the last moment before that begins.
#[test]
fn a_ping_that_is_written_late_is_waited_for_once() {
    for role in ROLES {
        let mut conn = keepalive(role);
        for _ in 0..2 {
            conn.advance_time(secs(30));
            assert_eq!(receive(&mut conn, b""), []);
        }
        drain(&mut conn);
        assert_eq!(turns_at(&mut conn, secs(31)), []);
        assert_quiet_until(&mut conn, secs(41));
        assert_eq!(turns_at(&mut conn, secs(41)), [abnormal(KEEPALIVE)]);
    }
}

/// A message in the last iteration before the deadline takes effect keeps the connection.
#[test]
fn a_message_in_the_last_iteration_keeps_the_connection() {
    for role in ROLES {
        let (mut conn, _) = pinged(role);
        conn.advance_time(secs(40));
        assert_eq!(receive(&mut conn, b""), []);
        conn.advance_time(secs(40));
        assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"here")])), [OwnedEvent::Text("here".into())]);
        assert_eq!(turns_at(&mut conn, secs(40)), []);
        assert_eq!(conn.state(), State::Open);
    }
}

/// The pong that answers the keepalive's ping is no event. Every other pong is one, and so is whatever follows.
#[test]
fn the_answer_to_an_own_ping_is_no_event() {
    for role in ROLES {
        let (mut conn, payload) = pinged(role);
        let answer = (0x8a, &payload[..]);
        let other = [(0x8a, &payload[1..]), (0x8a, b""), (0x8a, b"unsolicited")];
        let events = receive(&mut conn, &peer(role, &other));
        assert_eq!(events, other.map(|(_, payload)| pong(payload)));
        let wire = peer(role, &[answer, (0x89, b"next"), answer]);
        assert_eq!(receive(&mut conn, &wire), [ping(b"next"), pong(&payload)], "it is answered once");
        drain(&mut conn);
        conn.ping(b"mine").unwrap();
        assert_eq!(receive(&mut conn, &peer(role, &[(0x8a, b"mine")])), [pong(b"mine")]);
    }
}

/// If the peer is late, the pongs for several pings are no events either: all of them, or only the newest (RFC 6455 section
/// 5.5.3).
#[test]
fn late_answers_to_own_pings_are_no_events() {
    for role in ROLES {
        for answered in [&[0, 1, 2][..], &[2], &[1, 2], &[0, 2], &[0]] {
            let (mut conn, payload) = pinged(role);
            let mut payloads = vec![payload];
            for now in [61, 92] {
                assert_eq!(turns_at(&mut conn, secs(now - 30)), []);
                assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"busy")])), [text("busy")]);
                assert_eq!(turns_at(&mut conn, secs(now - 21)), []);
                conn.advance_time(secs(now));
                let frames = sent_frames(&mut conn);
                assert_eq!(turns_at(&mut conn, secs(now)), []);
                let [(0x89, payload)] = &frames[..] else { panic!("{frames:?}") };
                payloads.push(payload.clone());
            }
            let pongs: Vec<_> = answered.iter().map(|&i: &usize| (0x8a, &payloads[i][..])).collect();
            assert_eq!(receive(&mut conn, &peer(role, &pongs)), [], "{answered:?}");
            let again = receive(&mut conn, &peer(role, &pongs));
            assert_eq!(
                again,
                pongs.iter().map(|(_, payload)| pong(payload)).collect::<Vec<_>>(),
                "each is answered once"
            );
        }
    }
}

/// A peer that answers the ping stays: the next ping is due after the same time of silence.
#[test]
fn an_answered_ping_keeps_the_connection() {
    for role in ROLES {
        let (mut conn, mut payload) = pinged(role);
        for round in 0..5 {
            let pinged = 30 + 31 * round;
            turns_at(&mut conn, secs(pinged + 1));
            assert_eq!(receive(&mut conn, &peer(role, &[(0x8a, &payload)])), []);
            assert_eq!(turns_at(&mut conn, secs(pinged + 1)), []);
            assert_eq!(conn.round_trip(), Some(secs(1)));
            assert_eq!(turns_at(&mut conn, secs(pinged + 10)), [], "the peer answered");
            assert_eq!(conn.state(), State::Open);
            assert_quiet_until(&mut conn, secs(pinged + 31));
            conn.advance_time(secs(pinged + 31));
            let frames = sent_frames(&mut conn);
            assert_eq!(turns_at(&mut conn, secs(pinged + 31)), []);
            assert_eq!((frames.len(), frames[0].0), (1, 0x89));
            assert_ne!(frames[0].1, payload, "each ping can be received from the one before");
            payload.clone_from(&frames[0].1);
        }
    }
}

/// Any bytes count as activity, even half a frame.
#[test]
fn any_bytes_keep_the_connection() {
    for role in ROLES {
        for bytes in [peer(role, &[(0x81, b"text")]), peer(role, &[(0x8a, b"another pong")]), vec![0x81]] {
            let (mut conn, _) = pinged(role);
            turns_at(&mut conn, secs(33));
            receive(&mut conn, &bytes);
            assert_eq!(turns_at(&mut conn, secs(40)), []);
            assert_quiet_until(&mut conn, secs(63));
            assert_eq!(turns_at(&mut conn, secs(63)), []);
            assert_eq!(sent_frames(&mut conn).len(), 1);
        }
    }
}

/// If you pause reading and report it, the silence isn't counted. After the pause, it is counted again.
#[test]
fn a_pause_of_the_callers_is_no_silence_of_the_peers() {
    for role in ROLES {
        let mut conn = keepalive(role);
        for now in 0..200 {
            conn.advance_time(secs(now));
            conn.reading_paused();
            assert_eq!(receive(&mut conn, b""), []);
        }
        // Between pauses, a deadline that has passed is ignored as well.
        assert_eq!(turns_at(&mut conn, secs(230)), []);
        conn.advance_time(secs(240));
        conn.reading_paused();
        assert_eq!(receive(&mut conn, b""), []);
        assert_eq!(turns_at(&mut conn, secs(270)), []);
        assert_eq!(turns_at(&mut conn, secs(280)), [abnormal(KEEPALIVE)]);
    }
}

/// Your own pings take no time from a peer that has sent something since the keepalive's.
#[test]
fn pings_of_the_callers_own_do_not_shorten_the_keepalive() {
    for role in ROLES {
        let (mut conn, _) = pinged(role);
        turns_at(&mut conn, secs(35));
        receive(&mut conn, &peer(role, &[(0x81, b"alive")]));
        turns_at(&mut conn, secs(38));
        conn.ping(b"mine").unwrap();
        assert_eq!(turns_at(&mut conn, secs(40)), [], "received 5 seconds ago");
        assert_eq!(conn.next_timeout(), Some(secs(65)));
    }
}

/// A peer that sends is never pinged; its bytes move no deadline, they are considered when the timer fires.
#[test]
fn a_talking_peer_is_not_pinged() {
    for role in ROLES {
        let mut conn = keepalive(role);
        for now in 1..300 {
            assert_eq!(turns_at(&mut conn, secs(now)), []);
            let before = conn.next_timeout();
            receive(&mut conn, &peer(role, &[(0x81, b"talk")]));
            assert_eq!(conn.next_timeout(), before);
        }
        assert_sent(&mut conn, &[]);
    }
}

/// Our own messages are no activity of the peer.
#[test]
fn what_we_send_does_not_move_the_keepalive() {
    for role in ROLES {
        let mut conn = keepalive(role);
        turns_at(&mut conn, secs(29));
        conn.send_text("talk").unwrap();
        drain(&mut conn);
        assert_quiet_until(&mut conn, secs(30));
        turns_at(&mut conn, secs(30));
        assert_eq!(sent_frames(&mut conn)[0].0, 0x89);
    }
}

/// The ping is sent even if the output is full; a peer that neither reads nor writes is dropped.
#[test]
fn a_full_output_takes_the_keepalive_ping() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().keepalive(secs(30), secs(10)).max_pending_output(1));
        turns_at(&mut conn, secs(0));
        conn.send_text("fills").unwrap();
        assert_eq!(turns_at(&mut conn, secs(30)), []);
        assert_eq!(turns_at(&mut conn, secs(40)), [abnormal(KEEPALIVE)]);
        let mut conn = open_with(role, Config::new().keepalive(secs(30), secs(10)).max_pending_output(1));
        turns_at(&mut conn, secs(0));
        conn.send_text("fills").unwrap();
        assert_eq!(turns_at(&mut conn, secs(30)), []);
        assert_eq!(sent_frames(&mut conn).iter().map(|frame| frame.0).collect::<Vec<_>>(), [0x81, 0x89]);
    }
}

/// A peer that reads slowly is kept, although it hasn't answered the ping queued after the pending output; a peer that
/// stops reading is not.
#[test]
fn a_slow_reader_is_not_lost() {
    for role in ROLES {
        let mut conn = keepalive(role);
        conn.send_binary(&vec![0; 1000]).unwrap();
        for now in (1..).map(|turn| secs(10 * turn)).take(9) {
            assert_eq!(turns_at(&mut conn, now), [], "{now:?}");
            conn.output().advance(100);
        }
        assert_eq!(turns_at(&mut conn, secs(100)), []);
        assert_eq!(turns_at(&mut conn, secs(110)), [abnormal(KEEPALIVE)]);
    }
}

/// Bytes that arrived in time count, although the time was set first: a loop that stalls loses no peer.
#[test]
fn bytes_in_hand_are_heard_before_a_deadline_takes_effect() {
    for role in ROLES {
        let mut conn = keepalive(role);
        assert_eq!(turns_at(&mut conn, secs(30)), []);
        conn.advance_time(secs(50));
        assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"here")])), [OwnedEvent::Text("here".into())]);
        assert_eq!(turns_at(&mut conn, secs(79)), []);

        let mut conn = open(role);
        turns_at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(secs(9));
        let received = receive(&mut conn, &peer(role, &[(0x88, b"\x03\xe8")]));
        assert!(matches!(&received[..], [OwnedEvent::Closed { clean: true, .. }]), "{received:?}");
    }
}

/// A deadline that has passed is ignored once the connection has ended otherwise: the end is reported once, and the
/// remaining output is sent.
#[test]
fn an_end_in_time_is_the_only_end() {
    for role in ROLES {
        let mut conn = keepalive(role);
        assert_eq!(turns_at(&mut conn, secs(30)), []);
        drain(&mut conn);
        conn.advance_time(secs(40));
        let received = receive(&mut conn, &peer(role, &[(0x88, b"\x03\xe8")]));
        assert!(matches!(&received[..], [OwnedEvent::Closed { clean: true, .. }]), "{received:?}");
        let pending = conn.pending_output();
        assert_eq!(turns_at(&mut conn, secs(41)), []);
        assert_eq!(conn.pending_output(), pending);

        let mut conn = open(role);
        turns_at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(secs(6));
        conn.abort();
        assert_eq!(receive(&mut conn, b""), [abnormal(Cause::Aborted)]);
        assert_eq!(turns_at(&mut conn, secs(7)), []);
    }
}

/// Bytes that the caller hasn't passed on completely count as received; until they are, the deadline that has passed is
/// the next.
#[test]
fn input_held_back_is_heard() {
    for role in ROLES {
        let mut conn = keepalive(role);
        assert_eq!(turns_at(&mut conn, secs(30)), []);
        conn.advance_time(secs(40));
        assert_eq!(conn.next_timeout(), Some(secs(40)));
        let mut wire = peer(role, &[(0x81, b"a"), (0x81, b"b")]);
        let mut input = &mut wire[..];
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "a"));
        assert_eq!(conn.next_timeout(), Some(secs(40)));
        conn.advance_time(secs(41));
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "b"));
        assert!(conn.receive(&mut input).is_none());
        assert_eq!(turns_at(&mut conn, secs(69)), []);
    }
}

/// Without a closing deadline, the keepalive continues after our Close, without a ping.
#[test]
fn the_keepalive_outlives_our_close() {
    for role in ROLES {
        let config = Config::new().keepalive(secs(30), secs(10)).close_timeout(None);
        let mut conn = open_with(role, config);
        turns_at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        drain(&mut conn);
        assert_eq!(turns_at(&mut conn, secs(30)), []);
        assert!(drain(&mut conn).is_empty());
        assert_eq!(turns_at(&mut conn, secs(40)), [abnormal(KEEPALIVE)]);
    }
}

/// After our Close, the closing deadline is the only one: no ping follows the Close.
#[test]
fn closing_ends_the_keepalive() {
    for role in ROLES {
        for (mut conn, now) in [(keepalive(role), 29), (pinged(role).0, 39)] {
            turns_at(&mut conn, secs(now));
            conn.close(CloseCode::NORMAL, "").unwrap();
            turns_at(&mut conn, secs(now));
            assert_quiet_until(&mut conn, secs(now + 5));
            assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
            assert_eq!(turns_at(&mut conn, secs(now + 5)), [abnormal(CLOSING)]);
        }
    }
}

/// A deadline that passed late fires once.
#[test]
fn a_late_deadline_fires_once() {
    for role in ROLES {
        let mut conn = keepalive(role);
        conn.advance_time(secs(1000));
        assert_eq!(sent_frames(&mut conn).len(), 1, "one ping for all of the silence");
        assert_eq!(turns_at(&mut conn, secs(1000)), []);
        assert_quiet_until(&mut conn, secs(1010));
        receive(&mut conn, &peer(role, &[(0x89, b"")]));
        conn.advance_time(secs(5000));
        let frames = sent_frames(&mut conn);
        assert_eq!(turns_at(&mut conn, secs(5000)), []);
        assert_eq!(frames.iter().map(|(first, _)| *first).collect::<Vec<_>>(), [0x8a, 0x89]);
        assert_eq!(turns_at(&mut conn, secs(5010)), [abnormal(KEEPALIVE)]);
    }
}

/// Events of input that arrived before a deadline are reported before it.
#[test]
fn events_in_front_of_a_deadline_are_told() {
    for role in ROLES {
        let (mut conn, _) = pinged(role);
        assert_eq!(receive(&mut conn, &peer(role, &[(0x89, b"late")])), [ping(b"late")]);
        assert_eq!(turns_at(&mut conn, secs(40)), []);
        assert_eq!(turns_at(&mut conn, secs(60)), []);
        assert_eq!(turns_at(&mut conn, secs(70)), [abnormal(KEEPALIVE)]);
    }
}
