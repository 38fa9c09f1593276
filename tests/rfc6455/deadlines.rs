//! Deadlines: armed and fired by `advance_time` and by nothing else, whatever the caller's clock does.

use core::time::Duration;

use bytes::Buf;
use websocket_proto::{
    Cause, ClientRequest, CloseCode, Config, Connection, Deadline, Event, Rejection, Response, Role, Shutdown, State,
};

use crate::checks::{Told, assert_said, clean, hear, lost, peer, ping, pong, said, told};
use crate::support::{ROLES, close_body, drain, feed, open, open_with, request, seed, turns};

const OPENING: Cause = Cause::Timeout(Deadline::Opening);
const KEEPALIVE: Cause = Cause::Timeout(Deadline::Keepalive);
const CLOSING: Cause = Cause::Timeout(Deadline::Closing);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A connection whose opening handshake is under way.
fn connecting(role: Role, config: Config) -> Connection {
    match role {
        Role::Client => {
            let request = ClientRequest::new("ws://localhost/".parse().unwrap());
            Connection::client(request, config, seed()).unwrap()
        }
        Role::Server => Connection::server(config),
    }
}

/// Time passes. The turns of a loop at that time, until none is due, and the events of them.
fn at(conn: &mut Connection, now: Duration) -> Vec<Told> {
    told(turns(conn, now))
}

/// Nothing happens until just before that time, which is the one that was announced.
#[track_caller]
fn assert_quiet_until(conn: &mut Connection, deadline: Duration) {
    assert_eq!(conn.next_timeout(), Some(deadline));
    let state = conn.state();
    let pending = conn.output().remaining();
    assert_eq!(at(conn, deadline.saturating_sub(Duration::from_nanos(1))), []);
    assert_eq!((conn.state(), conn.output().remaining()), (state, pending));
    assert_eq!(conn.next_timeout(), Some(deadline));
}

/// The opening handshake has 10 seconds from the first time told, at both ends.
#[test]
fn the_opening_handshake_has_a_deadline() {
    for role in ROLES {
        for (config, timeout) in [(Config::new(), 10), (Config::new().handshake_timeout(secs(3)), 3)] {
            let mut conn = connecting(role, config);
            assert_eq!(conn.next_timeout(), Some(secs(0)), "no time was set: at once");
            assert_eq!(at(&mut conn, secs(100)), []);
            assert_quiet_until(&mut conn, secs(100 + timeout));
            assert_eq!(at(&mut conn, secs(100 + timeout)), [lost(OPENING)]);
            assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(Shutdown::Abort)));
            assert!(!conn.output().has_remaining(), "there is nobody to answer");
            assert_eq!(at(&mut conn, secs(10_000)), []);
        }
        let mut conn = connecting(role, Config::new().handshake_timeout(None));
        assert_eq!(at(&mut conn, secs(0)), []);
        assert_eq!(conn.next_timeout(), None);
        assert_eq!(at(&mut conn, secs(1 << 40)), []);
        assert_eq!(conn.state(), State::Connecting);
    }
}

/// B-92: a client that was too slow is told so; a server whose own side was too slow says that.
#[test]
fn a_late_handshake_is_answered_with_a_status() {
    let request = request();
    for (arrived, status) in [(1, "408 "), (request.len() - 1, "408 "), (request.len(), "503 ")] {
        let mut conn = Connection::server(Config::new());
        assert_eq!(at(&mut conn, secs(0)), []);
        feed(&mut conn, &request[..arrived]);
        assert_quiet_until(&mut conn, secs(10));
        assert_eq!(at(&mut conn, secs(10)), [lost(OPENING)]);
        assert_eq!(conn.wants_shutdown(), None, "the answer goes out first");
        let output = String::from_utf8(drain(&mut conn)).unwrap();
        assert!(output.starts_with(&format!("HTTP/1.1 {status}")), "{output}");
        assert!(output.contains("\r\nConnection: close\r\n"), "{output}");
        assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
        assert!(conn.accept(Response::new()).is_err());
        assert!(conn.reject(Rejection::new(400)).is_err());
        assert_eq!(hear(&mut conn, &request), []);
        assert_said(&mut conn, &[]);
    }
}

/// Bytes don't move the handshake's deadline: a client that sends one now and then isn't waited for.
#[test]
fn a_trickle_does_not_move_the_handshakes_deadline() {
    let mut conn = Connection::server(Config::new());
    at(&mut conn, secs(0));
    for (byte, now) in request().iter().zip(1..10) {
        assert_eq!(hear(&mut conn, &[*byte]), []);
        assert_eq!(at(&mut conn, secs(now)), []);
        assert_eq!(conn.next_timeout(), Some(secs(10)));
    }
    assert_eq!(at(&mut conn, secs(10)), [lost(OPENING)]);
}

/// Once open, the handshake's deadline is off, and the keepalive's begins.
#[test]
fn an_open_connection_has_no_opening_deadline() {
    for (config, next) in [(Config::new(), None), (Config::new().keepalive(secs(30), secs(10)), Some(secs(35)))] {
        let mut conn = Connection::server(config);
        at(&mut conn, secs(0));
        feed(&mut conn, &request());
        at(&mut conn, secs(4));
        conn.accept(Response::new()).unwrap();
        assert_eq!(at(&mut conn, secs(5)), []);
        assert_eq!(conn.next_timeout(), next);
        assert_eq!(at(&mut conn, secs(11)), []);
        assert_eq!(conn.state(), State::Open);
    }
}

/// Who never tells the time has no deadlines, and no round trips.
#[test]
fn without_time_there_are_no_deadlines() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().keepalive(secs(1), secs(1)));
        let asks = Some(secs(0));
        assert_eq!(conn.next_timeout(), asks);
        conn.ping(b"p").unwrap();
        hear(&mut conn, &peer(role, &[(0x8a, b"p")]));
        assert_eq!((conn.next_timeout(), conn.round_trip()), (asks, None));
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.next_timeout(), asks);
        assert_eq!(hear(&mut conn, b""), []);
        assert_eq!(hear(&mut conn, &peer(role, &[(0x88, b"")])).len(), 1);
        assert_eq!(conn.next_timeout(), asks);
        assert_eq!(hear(&mut conn, b""), []);
    }
}

/// The peer has 5 seconds to answer our Close; then the transport is closed at once, and what is pending dropped.
#[test]
fn the_closing_handshake_has_a_deadline() {
    for role in ROLES {
        for (config, timeout) in [(Config::new(), 5), (Config::new().close_timeout(secs(60)), 60)] {
            let mut conn = open_with(role, config);
            at(&mut conn, secs(100));
            assert_eq!(conn.next_timeout(), None);
            conn.close(CloseCode::NORMAL, "").unwrap();
            at(&mut conn, secs(100));
            assert_quiet_until(&mut conn, secs(100 + timeout));
            assert_eq!(at(&mut conn, secs(100 + timeout)), [lost(CLOSING)]);
            assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
            assert!(!conn.output().has_remaining());
        }
        let mut conn = open_with(role, Config::new().close_timeout(None));
        at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.next_timeout(), None);
    }
}

/// The peer's messages don't move the closing deadline: it must not keep us for ever.
#[test]
fn messages_do_not_move_the_closing_deadline() {
    for role in ROLES {
        let mut conn = open(role);
        at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(at(&mut conn, secs(0)), []);
        for now in 1..5 {
            hear(&mut conn, &peer(role, &[(0x81, b"more"), (0x89, b"p")]));
            assert_eq!(at(&mut conn, secs(now)), []);
            assert_eq!(conn.next_timeout(), Some(secs(5)));
        }
        assert_eq!(at(&mut conn, secs(5)), [lost(CLOSING)]);
    }
}

/// A Close sent before the first time told is timed from there.
#[test]
fn a_close_before_the_first_time_is_timed_from_it() {
    for role in ROLES {
        let mut conn = open(role);
        conn.close(CloseCode::NORMAL, "").unwrap();
        at(&mut conn, secs(50));
        assert_eq!(conn.next_timeout(), Some(secs(55)));
    }
}

/// B-45: after the end, whatever it was, the last bytes have as long as a closing handshake to be drained; then they
/// are given up, and nothing is told twice.
#[test]
fn undrained_output_is_given_up_at_the_closing_deadline() {
    let ends: [(&[u8], Told); 2] = [
        (b"\x03\xe8", clean(1000, "", Cause::Peer)),
        (b"\x03\xed", crate::checks::failed(websocket_proto::ProtocolError::CloseCode)),
    ];
    for role in ROLES {
        for (body, end) in ends.clone() {
            let mut conn = open(role);
            at(&mut conn, secs(100));
            assert_eq!(hear(&mut conn, &peer(role, &[(0x88, body)])), [end]);
            assert_eq!(at(&mut conn, secs(100)), []);
            assert_quiet_until(&mut conn, secs(105));
            assert_eq!(conn.wants_shutdown(), None);
            assert_eq!(at(&mut conn, secs(105)), []);
            assert!(!conn.output().has_remaining());
            assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
        }
    }
    let mut conn = Connection::server(Config::new());
    at(&mut conn, secs(0));
    feed(&mut conn, &request());
    conn.reject(Rejection::new(403)).unwrap();
    assert_eq!(at(&mut conn, secs(0)), [lost(Cause::Rejected(403))]);
    assert_quiet_until(&mut conn, secs(5));
    assert_eq!(at(&mut conn, secs(5)), []);
    assert!(!conn.output().has_remaining());
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
}

/// B-40: a client lets the server close TCP first, but not for ever.
#[test]
fn a_client_waits_for_the_server_for_a_bounded_time() {
    let mut conn = open(Role::Client);
    at(&mut conn, secs(0));
    hear(&mut conn, &peer(Role::Client, &[(0x88, b"\x03\xe8")]));
    assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
    assert_eq!(at(&mut conn, secs(0)), []);
    assert_quiet_until(&mut conn, secs(5));
    assert_eq!(conn.wants_shutdown(), None);
    assert_eq!(at(&mut conn, secs(5)), []);
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
}

fn keepalive(role: Role) -> Connection {
    let mut conn = open_with(role, Config::new().keepalive(secs(30), secs(10)));
    assert_eq!(at(&mut conn, secs(0)), []);
    conn
}

/// The same, after 30 seconds of silence; and the payload of its ping.
fn pinged(role: Role) -> (Connection, Vec<u8>) {
    let mut conn = keepalive(role);
    assert_quiet_until(&mut conn, secs(30));
    conn.advance_time(secs(30));
    let frames = said(&mut conn);
    assert_eq!(at(&mut conn, secs(30)), []);
    let [(0x89, payload)] = &frames[..] else { panic!("one ping: {frames:?}") };
    let payload = payload.clone();
    (conn, payload)
}

/// Silence is answered with one ping; silence after that is the end.
#[test]
fn a_silent_peer_is_pinged_and_given_up() {
    for role in ROLES {
        let (mut conn, _) = pinged(role);
        assert_quiet_until(&mut conn, secs(40));
        assert_eq!(at(&mut conn, secs(40)), [lost(KEEPALIVE)]);
        assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(Shutdown::Abort)));
        assert!(!conn.output().has_remaining());
    }
}

/// A peer that answers the ping lives: the next is due when it has been silent for as long again.
#[test]
fn an_answered_ping_keeps_the_connection() {
    for role in ROLES {
        let (mut conn, mut payload) = pinged(role);
        for round in 0..5 {
            let pinged = 30 + 31 * round;
            at(&mut conn, secs(pinged + 1));
            assert_eq!(hear(&mut conn, &peer(role, &[(0x8a, &payload)])), [pong(&payload)]);
            assert_eq!(at(&mut conn, secs(pinged + 1)), []);
            assert_eq!(conn.round_trip(), Some(secs(1)));
            assert_eq!(at(&mut conn, secs(pinged + 10)), [], "the peer answered");
            assert_eq!(conn.state(), State::Open);
            assert_quiet_until(&mut conn, secs(pinged + 31));
            conn.advance_time(secs(pinged + 31));
            let frames = said(&mut conn);
            assert_eq!(at(&mut conn, secs(pinged + 31)), []);
            assert_eq!((frames.len(), frames[0].0), (1, 0x89));
            assert_ne!(frames[0].1, payload, "each ping can be told from the one before");
            payload.clone_from(&frames[0].1);
        }
    }
}

/// Any bytes are a sign of life, half a frame too.
#[test]
fn any_bytes_keep_the_connection() {
    for role in ROLES {
        for bytes in [peer(role, &[(0x81, b"text")]), peer(role, &[(0x8a, b"another pong")]), vec![0x81]] {
            let (mut conn, _) = pinged(role);
            at(&mut conn, secs(33));
            hear(&mut conn, &bytes);
            assert_eq!(at(&mut conn, secs(40)), []);
            assert_quiet_until(&mut conn, secs(63));
            assert_eq!(at(&mut conn, secs(63)), []);
            assert_eq!(said(&mut conn).len(), 1);
        }
    }
}

/// Whoever doesn't read hears nothing, and says so: the silence isn't the peer's. When that is over, it may be.
#[test]
fn a_pause_of_the_callers_is_no_silence_of_the_peers() {
    for role in ROLES {
        let mut conn = keepalive(role);
        for now in 0..200 {
            conn.advance_time(secs(now));
            conn.reading_paused();
            assert_eq!(hear(&mut conn, b""), []);
        }
        // Between pauses, a deadline that has passed is forgiven as well.
        assert_eq!(at(&mut conn, secs(230)), []);
        conn.advance_time(secs(240));
        conn.reading_paused();
        assert_eq!(hear(&mut conn, b""), []);
        assert_eq!(at(&mut conn, secs(270)), []);
        assert_eq!(at(&mut conn, secs(280)), [lost(KEEPALIVE)]);
    }
}

/// A ping of the caller's own takes nothing from a peer that has been heard since the keepalive's.
#[test]
fn pings_of_the_callers_own_do_not_shorten_the_keepalive() {
    for role in ROLES {
        let (mut conn, _) = pinged(role);
        at(&mut conn, secs(35));
        hear(&mut conn, &peer(role, &[(0x81, b"alive")]));
        at(&mut conn, secs(38));
        conn.ping(b"mine").unwrap();
        assert_eq!(at(&mut conn, secs(40)), [], "heard 5 seconds ago");
        assert_eq!(conn.next_timeout(), Some(secs(65)));
    }
}

/// A peer that talks is never pinged; its bytes move no deadline, which finds out when it fires.
#[test]
fn a_talking_peer_is_not_pinged() {
    for role in ROLES {
        let mut conn = keepalive(role);
        for now in 1..300 {
            assert_eq!(at(&mut conn, secs(now)), []);
            let before = conn.next_timeout();
            hear(&mut conn, &peer(role, &[(0x81, b"talk")]));
            assert_eq!(conn.next_timeout(), before);
        }
        assert_said(&mut conn, &[]);
    }
}

/// What we send is no sign of life of the peer.
#[test]
fn what_we_send_does_not_move_the_keepalive() {
    for role in ROLES {
        let mut conn = keepalive(role);
        at(&mut conn, secs(29));
        conn.send_text("talk").unwrap();
        drain(&mut conn);
        assert_quiet_until(&mut conn, secs(30));
        at(&mut conn, secs(30));
        assert_eq!(said(&mut conn)[0].0, 0x89);
    }
}

/// A full output is no obstacle to the ping; a peer that neither reads nor writes is given up.
#[test]
fn a_full_output_takes_the_keepalive_ping() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().keepalive(secs(30), secs(10)).max_pending_output(1));
        at(&mut conn, secs(0));
        conn.send_text("fills").unwrap();
        assert_eq!(at(&mut conn, secs(30)), []);
        assert_eq!(at(&mut conn, secs(40)), [lost(KEEPALIVE)]);
        let mut conn = open_with(role, Config::new().keepalive(secs(30), secs(10)).max_pending_output(1));
        at(&mut conn, secs(0));
        conn.send_text("fills").unwrap();
        assert_eq!(at(&mut conn, secs(30)), []);
        assert_eq!(said(&mut conn).iter().map(|frame| frame.0).collect::<Vec<_>>(), [0x81, 0x89]);
    }
}

/// A peer that takes what is sent, however slowly, is there, although the ping that waits behind it isn't answered; one
/// that stops taking it is not.
#[test]
fn a_slow_reader_is_not_lost() {
    for role in ROLES {
        let mut conn = keepalive(role);
        conn.send_binary(&vec![0; 1000]).unwrap();
        for now in (1..).map(|turn| secs(10 * turn)).take(9) {
            assert_eq!(at(&mut conn, now), [], "{now:?}");
            conn.output().advance(100);
        }
        assert_eq!(at(&mut conn, secs(100)), []);
        assert_eq!(at(&mut conn, secs(110)), [lost(KEEPALIVE)]);
    }
}

/// What arrived in time counts, although the time was told first: a loop that stalls loses nobody.
#[test]
fn bytes_in_hand_are_heard_before_a_deadline_takes_effect() {
    for role in ROLES {
        let mut conn = keepalive(role);
        assert_eq!(at(&mut conn, secs(30)), []);
        conn.advance_time(secs(50));
        assert_eq!(hear(&mut conn, &peer(role, &[(0x81, b"here")])), [Told::Text("here".into())]);
        assert_eq!(at(&mut conn, secs(79)), []);

        let mut conn = open(role);
        at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(secs(9));
        let told = hear(&mut conn, &peer(role, &[(0x88, b"\x03\xe8")]));
        assert!(matches!(&told[..], [Told::Closed { clean: true, .. }]), "{told:?}");
    }
}

/// A deadline that has passed is of no interest once the connection has ended in another way: it is told once, and what
/// is left to be sent is sent.
#[test]
fn an_end_in_time_is_the_only_end() {
    for role in ROLES {
        let mut conn = keepalive(role);
        assert_eq!(at(&mut conn, secs(30)), []);
        drain(&mut conn);
        conn.advance_time(secs(40));
        let told = hear(&mut conn, &peer(role, &[(0x88, b"\x03\xe8")]));
        assert!(matches!(&told[..], [Told::Closed { clean: true, .. }]), "{told:?}");
        let pending = conn.pending_output();
        assert_eq!(at(&mut conn, secs(41)), []);
        assert_eq!(conn.pending_output(), pending);

        let mut conn = open(role);
        at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(secs(6));
        conn.abort();
        assert_eq!(hear(&mut conn, b""), [lost(Cause::Aborted)]);
        assert_eq!(at(&mut conn, secs(7)), []);
    }
}

/// A caller that stops before it has taken in everything has heard the peer all the same; until then, the deadline
/// that has passed is the next.
#[test]
fn input_held_back_is_heard() {
    for role in ROLES {
        let mut conn = keepalive(role);
        assert_eq!(at(&mut conn, secs(30)), []);
        conn.advance_time(secs(40));
        assert_eq!(conn.next_timeout(), Some(secs(40)));
        let mut wire = peer(role, &[(0x81, b"a"), (0x81, b"b")]);
        let mut input = &mut wire[..];
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "a"));
        assert_eq!(conn.next_timeout(), Some(secs(40)));
        conn.advance_time(secs(41));
        assert!(matches!(conn.receive(&mut input), Some(Event::Text(text)) if text == "b"));
        assert!(conn.receive(&mut input).is_none());
        assert_eq!(at(&mut conn, secs(69)), []);
    }
}

/// A deadline that takes effect late leaves its answer the time that closing may take.
#[test]
fn a_late_answer_has_its_time() {
    let mut conn = Connection::server(Config::new());
    conn.advance_time(secs(0));
    assert_eq!(hear(&mut conn, b"GET / HTTP/1.1\r\n"), []);
    conn.advance_time(secs(11));
    assert_eq!(hear(&mut conn, b""), []);
    conn.advance_time(secs(17));
    assert_eq!(hear(&mut conn, b""), [lost(Cause::Timeout(Deadline::Opening))]);
    assert_eq!(at(&mut conn, secs(17)), []);
    assert_eq!(conn.next_timeout(), Some(secs(22)));
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 408 "));
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
}

/// Without a closing deadline, the keepalive goes on behind our Close, without a ping.
#[test]
fn the_keepalive_outlives_our_close() {
    for role in ROLES {
        let config = Config::new().keepalive(secs(30), secs(10)).close_timeout(None);
        let mut conn = open_with(role, config);
        at(&mut conn, secs(0));
        conn.close(CloseCode::NORMAL, "").unwrap();
        drain(&mut conn);
        assert_eq!(at(&mut conn, secs(30)), []);
        assert!(drain(&mut conn).is_empty());
        assert_eq!(at(&mut conn, secs(40)), [lost(KEEPALIVE)]);
    }
}

/// Once we close, the closing deadline is the only one: no ping follows the Close.
#[test]
fn closing_ends_the_keepalive() {
    for role in ROLES {
        for (mut conn, now) in [(keepalive(role), 29), (pinged(role).0, 39)] {
            at(&mut conn, secs(now));
            conn.close(CloseCode::NORMAL, "").unwrap();
            at(&mut conn, secs(now));
            assert_quiet_until(&mut conn, secs(now + 5));
            assert_said(&mut conn, &[(0x88, &close_body(1000, ""))]);
            assert_eq!(at(&mut conn, secs(now + 5)), [lost(CLOSING)]);
        }
    }
}

/// The round trip is that of the newest ping, from its call to its pong; other pongs don't count.
#[test]
fn the_round_trip_is_that_of_the_newest_ping() {
    for role in ROLES {
        let mut conn = open(role);
        let answer = |conn: &mut Connection, payload: &[u8]| hear(conn, &peer(role, &[(0x8a, payload)]));
        conn.ping(b"old").unwrap();
        conn.ping(b"new").unwrap();
        at(&mut conn, secs(1));
        let first = Duration::from_micros(1_250_300);
        answer(&mut conn, b"unasked");
        answer(&mut conn, b"old");
        at(&mut conn, first);
        assert_eq!(conn.round_trip(), None);
        answer(&mut conn, b"new");
        at(&mut conn, first);
        assert_eq!(conn.round_trip(), Some(Duration::from_micros(250_300)));
        at(&mut conn, secs(9));
        answer(&mut conn, b"new");
        at(&mut conn, secs(9));
        assert_eq!(conn.round_trip(), Some(Duration::from_micros(250_300)), "answered once already");
        conn.ping(b"new").unwrap();
        at(&mut conn, secs(9));
        answer(&mut conn, b"new");
        at(&mut conn, secs(11));
        assert_eq!(conn.round_trip(), Some(secs(2)));
        assert_eq!(conn.next_timeout(), None);
    }
}

/// An earlier time than before counts as the same.
#[test]
fn time_does_not_run_backwards() {
    for role in ROLES {
        let mut conn = open(role);
        at(&mut conn, secs(100));
        at(&mut conn, secs(50));
        conn.ping(b"p").unwrap();
        at(&mut conn, secs(100));
        hear(&mut conn, &peer(role, &[(0x8a, b"p")]));
        conn.advance_time(secs(70));
        assert_eq!(conn.round_trip(), Some(secs(0)));
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn.advance_time(secs(80));
        assert_eq!(conn.next_timeout(), Some(secs(105)));
        assert_eq!(at(&mut conn, secs(0)), []);
        assert_eq!(conn.next_timeout(), Some(secs(105)));
        assert_eq!(at(&mut conn, secs(105)), [lost(CLOSING)]);
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
                    // A deadline may be due at once, but not for ever.
                    (0..5).for_each(|_| drop(at(&mut conn, now)));
                    assert!(conn.next_timeout().is_none_or(|next| next > now), "{time:?} {now:?}");
                }
            }
        }
    }
}

/// A deadline that passed late fires once.
#[test]
fn a_late_deadline_fires_once() {
    for role in ROLES {
        let mut conn = keepalive(role);
        conn.advance_time(secs(1000));
        assert_eq!(said(&mut conn).len(), 1, "one ping for all of the silence");
        assert_eq!(at(&mut conn, secs(1000)), []);
        assert_quiet_until(&mut conn, secs(1010));
        hear(&mut conn, &peer(role, &[(0x89, b"")]));
        conn.advance_time(secs(5000));
        let frames = said(&mut conn);
        assert_eq!(at(&mut conn, secs(5000)), []);
        assert_eq!(frames.iter().map(|(first, _)| *first).collect::<Vec<_>>(), [0x8a, 0x89]);
        assert_eq!(at(&mut conn, secs(5010)), [lost(KEEPALIVE)]);
    }
}

/// What came in before a deadline is told before it.
#[test]
fn events_in_front_of_a_deadline_are_told() {
    for role in ROLES {
        let (mut conn, _) = pinged(role);
        assert_eq!(hear(&mut conn, &peer(role, &[(0x89, b"late")])), [ping(b"late")]);
        assert_eq!(at(&mut conn, secs(40)), []);
        assert_eq!(at(&mut conn, secs(60)), []);
        assert_eq!(at(&mut conn, secs(70)), [lost(KEEPALIVE)]);
    }
}
