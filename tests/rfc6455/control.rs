//! Pings and pongs, and the rules of all control frames (RFC 6455 section 5.5).

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Config, Connection, Event, ProtocolError, Role, SendError};

use crate::checks::{Rng, assert_sent, clean, fails, peer, ping, pong, receive, sent_frames, text};
use crate::support::{ROLES, close_body, drain, frames, open, open_with};

/// B-30: a control frame announces at most 125 bytes: the second byte is enough to reject a longer one.
#[test]
fn long_control_frames_are_refused_by_their_second_byte() {
    for role in ROLES {
        let mask = if role == Role::Server { 0x80 } else { 0 };
        for first in [0x88, 0x89, 0x8a] {
            for length in [126, 127] {
                let bytes = [first, mask | length, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
                assert_eq!(fails(role, &bytes, ProtocolError::ControlTooLong), 2);
            }
        }
    }
}

/// B-31: a control frame has FIN, also during a message.
#[test]
fn control_frames_are_never_fragments() {
    for role in ROLES {
        for first in [0x08, 0x09, 0x0a] {
            assert_eq!(fails(role, &peer(role, &[(first, b"")]), ProtocolError::FragmentedControl), 1);
            let start = peer(role, &[(0x01, b"a")]);
            let bytes = [&start[..], &[first]].concat();
            assert_eq!(fails(role, &bytes, ProtocolError::FragmentedControl), start.len() + 1);
        }
    }
}

/// B-32: nothing longer than a control frame is sent; the call fails and sends nothing.
#[test]
fn long_control_frames_are_not_sent() {
    for role in ROLES {
        let mut conn = open(role);
        for length in [126, 127, 1000] {
            let payload = vec![b'x'; length];
            assert_eq!(conn.ping(&payload), Err(SendError::ControlTooLong));
            assert_eq!(conn.pong(&payload), Err(SendError::ControlTooLong));
        }
        assert_sent(&mut conn, &[]);
        let (payload, reason) = ([b'x'; 125], "x".repeat(123));
        conn.ping(&payload).unwrap();
        conn.pong(&payload).unwrap();
        conn.close(CloseCode::NORMAL, &reason).unwrap();
        assert_sent(&mut conn, &[(0x89, &payload), (0x8a, &payload), (0x88, &close_body(1000, &reason))]);
    }
}

/// B-32: a long reason is cut after the last character that fits into 123 bytes.
#[test]
fn long_reasons_are_cut_at_a_character() {
    for role in ROLES {
        for (reason, sent) in [
            ("x".repeat(123), "x".repeat(123)),
            ("x".repeat(124), "x".repeat(123)),
            ("x".repeat(70_000), "x".repeat(123)),
            ("é".repeat(62), "é".repeat(61)),
            ("再见".repeat(30), "再见".repeat(20) + "再"),
            ("再".repeat(41), "再".repeat(41)),
            ("👋".repeat(31), "👋".repeat(30)),
            ("xx".to_owned() + &"👋".repeat(31), "xx".to_owned() + &"👋".repeat(30)),
        ] {
            let mut conn = open(role);
            conn.close(CloseCode::NORMAL, &reason).unwrap();
            assert_sent(&mut conn, &[(0x88, &close_body(1000, &sent))]);
        }
    }
}

/// B-34: a Close frame may be empty; a reason needs a code.
#[test]
fn a_close_without_a_code_is_empty() {
    for role in ROLES {
        let mut conn = open(role);
        assert_eq!(conn.close(None, "reason"), Err(SendError::ReasonWithoutCode));
        assert_sent(&mut conn, &[]);
        conn.close(None, "").unwrap();
        assert_sent(&mut conn, &[(0x88, b"")]);
        let answer = peer(role, &[(0x88, b"")]);
        assert_eq!(receive(&mut conn, &answer), [clean(1005, "", Cause::Local(CloseCode::NO_STATUS))]);
    }
}

/// B-48, B-51, B-49: every ping is reported, and answered with its own bytes in the same call.
#[test]
fn pings_are_answered_with_their_payload() {
    for role in ROLES {
        let mut conn = open(role);
        let mut rng = Rng(51);
        for length in 0..=125 {
            let payload: Vec<u8> = (0..length).map(|_| rng.below(256) as u8).collect();
            assert_eq!(receive(&mut conn, &peer(role, &[(0x89, &payload)])), [ping(&payload)]);
            assert_sent(&mut conn, &[(0x8a, &payload)]);
        }
    }
}

/// B-48: several pings at once are answered one by one, in order.
#[test]
fn several_pings_are_all_answered() {
    for role in ROLES {
        let mut conn = open(role);
        let events = receive(&mut conn, &peer(role, &[(0x89, b"1"), (0x81, b"text"), (0x89, b"2"), (0x89, b"3")]));
        assert_eq!(events, [ping(b"1"), text("text"), ping(b"2"), ping(b"3")]);
        assert_sent(&mut conn, &[(0x8a, b"1"), (0x8a, b"2"), (0x8a, b"3")]);
    }
}

/// B-48: a ping after the peer's Close is neither reported nor answered; a ping before it is both.
#[test]
fn pings_behind_a_close_are_not_answered() {
    for role in ROLES {
        let mut conn = open(role);
        let close = close_body(1000, "");
        let events = receive(&mut conn, &peer(role, &[(0x89, b"before"), (0x88, &close), (0x89, b"behind")]));
        assert_eq!(events[0], ping(b"before"));
        assert_eq!(events.len(), 2);
        assert_sent(&mut conn, &[(0x8a, b"before"), (0x88, &close)]);
    }
}

/// B-48, B-36: after our own Close a ping is reported, and nothing follows the Close on the wire.
#[test]
fn pings_after_our_close_are_told_and_not_answered() {
    for role in ROLES {
        let mut conn = open(role);
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(receive(&mut conn, &peer(role, &[(0x89, b"late")])), [ping(b"late")]);
        assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
    }
}

/// B-53: a pong that nobody asked for is reported and gets no reply.
#[test]
fn unsolicited_pongs_get_no_reply() {
    for role in ROLES {
        let mut conn = open(role);
        for payload in [&b""[..], b"unasked", &[0; 125]] {
            assert_eq!(receive(&mut conn, &peer(role, &[(0x8a, payload)])), [pong(payload)]);
        }
        assert_sent(&mut conn, &[]);
        assert_eq!(conn.round_trip(), None);
    }
}

/// B-50, B-51: pings and pongs are sent as asked, empty ones included.
#[test]
fn pings_and_pongs_are_sent() {
    for role in ROLES {
        let mut conn = open(role);
        conn.ping(b"").unwrap();
        conn.pong(b"").unwrap();
        conn.ping(b"\x00\xff").unwrap();
        assert_sent(&mut conn, &[(0x89, b""), (0x8a, b""), (0x89, b"\x00\xff")]);
    }
}

/// B-48: without automatic answers, you have to answer: pings are reported, `pong` answers them.
#[test]
fn without_auto_pong_the_caller_answers() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().auto_pong(false));
        assert_eq!(receive(&mut conn, &peer(role, &[(0x89, b"1"), (0x89, b"2")])), [ping(b"1"), ping(b"2")]);
        assert_sent(&mut conn, &[]);
        conn.pong(b"2").unwrap();
        assert_sent(&mut conn, &[(0x8a, b"2")]);
    }
}

/// Receives blocks of a thousand numbered pings, and one more, without draining the output. Returns the most that was
/// pending.
fn flood(conn: &mut Connection, blocks: usize) -> usize {
    let numbers: Vec<_> = (0..1000_u32).map(u32::to_be_bytes).collect();
    let script: Vec<_> = numbers.iter().map(|number| (0x89, &number[..])).collect();
    let block = peer(conn.role(), &script);
    let mut most = 0;
    for _ in 0..blocks {
        let mut block = block.clone();
        let mut input = &mut block[..];
        for _ in 0..1000 {
            assert!(matches!(conn.receive(&mut input), Some(Event::Ping(_))));
        }
        most = most.max(conn.output().remaining());
    }
    assert_eq!(receive(conn, &peer(conn.role(), &[(0x89, b"the newest")])), [ping(b"the newest")]);
    most.max(conn.output().remaining())
}

/// Drains until nothing is left: a pong that waits for space enters the output as other bytes leave it.
fn drain_all(conn: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while conn.output().has_remaining() {
        bytes.extend(drain(conn));
    }
    bytes
}

/// B-52: a million pings with answers that are never drained take a bounded amount of memory; each is answered up to
/// the bound, then only the newest.
#[test]
fn a_flood_of_pings_costs_nothing() {
    for role in ROLES {
        for (limit, bound) in [(32 << 20, 64 << 10), (1000, 1000), (1, 1)] {
            let mut conn = open_with(role, Config::new().max_pending_output(limit));
            let pong = if role == Role::Client { 10 } else { 6 };
            assert!(flood(&mut conn, if limit > 1000 { 1000 } else { 10 }) < bound + pong);

            let answers = frames(&drain_all(&mut conn));
            assert_eq!(answers.len(), bound.div_ceil(pong) + 1);
            let (newest, oldest) = answers.split_last().unwrap();
            assert_eq!(newest.payload, b"the newest");
            let mut numbers = (0..1000_u32).cycle();
            assert!(oldest.iter().all(|answer| answer.payload == numbers.next().unwrap_or_default().to_be_bytes()));

            // Once there is space, every ping is answered again.
            receive(&mut conn, &peer(role, &[(0x89, b"again")]));
            assert_sent(&mut conn, &[(0x8a, b"again")]);
        }
    }
}

/// B-52, B-61: the deferred answer follows the output that was pending, however that is drained.
#[test]
fn the_newest_answer_comes_out_at_the_end() {
    for role in ROLES {
        for drained in [1, 7, 1000, usize::MAX] {
            let mut conn = open_with(role, Config::new().max_pending_output(100));
            conn.send_binary(&[5; 200]).unwrap();
            receive(&mut conn, &peer(role, &[(0x89, b"old"), (0x89, b"newer")]));
            let mut bytes = Vec::new();
            while conn.output().has_remaining() {
                let output = conn.output();
                if drained == usize::MAX {
                    bytes.extend(output.take().unwrap());
                } else {
                    let count = drained.min(output.chunk().len());
                    bytes.extend(output.copy_to_bytes(count));
                }
            }
            let sent: Vec<_> = frames(&bytes).into_iter().map(|frame| (frame.first, frame.payload)).collect();
            assert_eq!(sent, [(0x82, vec![5; 200]), (0x8a, b"newer".to_vec())]);
        }
    }
}

/// B-36, B-52: a deferred answer doesn't follow a Close.
#[test]
fn a_close_drops_the_answer_that_waited() {
    for role in ROLES {
        let endings: [fn(&mut Connection); 3] = [
            |conn| conn.close(CloseCode::NORMAL, "").unwrap(),
            |conn| drop(receive(conn, &peer(conn.role(), &[(0x88, b"\x03\xe8")]))),
            |conn| drop(receive(conn, b"\xff")),
        ];
        for end in endings {
            let mut conn = open_with(role, Config::new().max_pending_output(1));
            conn.send_text("fills").unwrap();
            receive(&mut conn, &peer(role, &[(0x89, b"dropped")]));
            end(&mut conn);
            let firsts: Vec<_> = sent_frames(&mut conn).into_iter().map(|(first, _)| first).collect();
            assert_eq!(firsts, [0x81, 0x88]);
            assert!(!conn.output().has_remaining());
        }
    }
}
