//! The output is transmitted in order (RFC 6455 section 6.1), however little the transport accepts at a time; and its
//! size is bounded.

use bytes::Buf;
use websocket_proto::{CloseCode, Config, Connection, MessageKind, Role, SendError};

use crate::checks::{Rng, assert_sent, peer, receive};
use crate::support::{ROLES, close_body, drain, open, open_with};

type Call = fn(&mut Connection) -> Result<(), SendError>;

/// Sends something of every kind, small and large, some of it owned.
fn send_step(conn: &mut Connection, step: usize) {
    let data = vec![step as u8; [0, 1, 130, 4095, 4096, 5000, 70_000][step % 7]];
    match step % 6 {
        0 => conn.send_binary(&data).unwrap(),
        1 => conn.send(data).unwrap(),
        2 => conn.ping(b"ping").unwrap(),
        3 => conn.send("a".repeat(data.len())).unwrap(),
        4 => conn.send_text("text").unwrap(),
        _ => {
            conn.send_fragment(MessageKind::Binary, &data, false).unwrap();
            conn.pong(b"unasked").unwrap();
            conn.send_fragment(MessageKind::Binary, &data, true).unwrap();
        }
    }
}

/// B-61: byte by byte, in chunks, or by `take`: the same bytes as all at once.
#[test]
fn partial_draining_loses_nothing() {
    type Drain = fn(&mut Connection, &mut Vec<u8>);
    let drains: [Drain; 5] = [
        |conn, bytes| {
            bytes.push(conn.output().chunk()[0]);
            conn.output().advance(1);
        },
        |conn, bytes| {
            let chunk = conn.output().chunk().to_vec();
            conn.output().advance(chunk.len());
            bytes.extend(chunk);
        },
        |conn, bytes| {
            let mut chunk = vec![0; conn.output().remaining().min(4097)];
            conn.output().copy_to_slice(&mut chunk);
            bytes.extend(chunk);
        },
        |conn, bytes| bytes.extend(conn.output().take().unwrap()),
        |conn, bytes| {
            bytes.extend(conn.output().take().unwrap());
            if conn.output().has_remaining() {
                bytes.push(conn.output().get_u8());
            }
        },
    ];
    for role in ROLES {
        let mut twin = open(role);
        (0..21).for_each(|step| send_step(&mut twin, step));
        let expected = drain(&mut twin);
        for drain_some in drains {
            let mut conn = open(role);
            (0..21).for_each(|step| send_step(&mut conn, step));
            let mut bytes = Vec::new();
            while conn.output().has_remaining() {
                let before = conn.output().remaining();
                drain_some(&mut conn, &mut bytes);
                assert_eq!(bytes.len() + conn.output().remaining(), expected.len());
                assert!(conn.output().remaining() < before);
            }
            assert!(bytes == expected, "{role:?}");
            assert!(conn.output().take().is_none());
            assert!(conn.output().chunk().is_empty());
        }
    }
}

/// B-61: sending and draining at random, in turns, gives the bytes that sending alone gives.
#[test]
fn sending_between_partial_drains_keeps_the_order() {
    for role in ROLES {
        for seed in 0..50 {
            let mut rng = Rng(seed);
            let [mut conn, mut twin] = [open(role), open(role)];
            let mut bytes = Vec::new();
            for step in 0..42 {
                send_step(&mut conn, step);
                send_step(&mut twin, step);
                for _ in 0..rng.below(3) {
                    let remaining = conn.output().remaining();
                    if rng.below(4) == 0 {
                        bytes.extend(conn.output().take().into_iter().flatten());
                    } else {
                        let count = rng.below(remaining + 1);
                        bytes.extend(conn.output().copy_to_bytes(count));
                    }
                }
            }
            bytes.extend(drain(&mut conn));
            assert!(bytes == drain(&mut twin), "{role:?} {seed}");
        }
    }
}

/// B-61: advancing by more than is pending counts as all of it.
#[test]
fn advancing_too_far_is_harmless() {
    for role in ROLES {
        for size in [3, 100_000] {
            let mut conn = open(role);
            conn.send(vec![1; size]).unwrap();
            conn.output().advance(usize::MAX);
            assert!(!conn.output().has_remaining());
            conn.send_text("next").unwrap();
            assert_sent(&mut conn, &[(0x81, b"next")]);
        }
    }
}

/// B-58: at the limit nothing more is accepted except a Close; one byte less is enough for a whole message.
#[test]
fn a_full_output_takes_no_more() {
    let calls: [Call; 7] = [
        |conn| conn.send_text("x"),
        |conn| conn.send_binary(b"x"),
        |conn| conn.send("x"),
        |conn| conn.send(vec![0; 10_000]),
        |conn| conn.send_fragment(MessageKind::Text, b"x", true),
        |conn| conn.ping(b"x"),
        |conn| conn.pong(b"x"),
    ];
    for role in ROLES {
        let header = if role == Role::Client { 6 } else { 2 };
        for call in calls {
            let mut conn = open_with(role, Config::new().max_pending_output(header + 10));
            conn.send_binary(&[1; 9]).unwrap();
            call(&mut conn).expect("one byte below the limit");
            assert_eq!(call(&mut conn), Err(SendError::OutputFull));
            drain(&mut conn);

            conn.send_binary(&[1; 10]).unwrap();
            assert_eq!(call(&mut conn), Err(SendError::OutputFull));
            assert_eq!(conn.output().remaining(), header + 10, "a refused call sends nothing");
            conn.output().advance(1);
            call(&mut conn).expect("a byte was drained");
            conn.close(CloseCode::NORMAL, "").expect("a full output is no obstacle");
            assert!(conn.output().remaining() > header + 10);
        }
    }
}

/// B-58, B-69: a full output delays no Close, neither an answer nor the one after a violation.
#[test]
fn a_full_output_still_answers_a_close() {
    for role in ROLES {
        let ends = [(peer(role, &[(0x88, b"\x03\xe8")]), 1000), (vec![0xff], 1002)];
        for (bytes, code) in ends {
            let mut conn = open_with(role, Config::new().max_pending_output(1));
            conn.send_text("fills").unwrap();
            receive(&mut conn, &bytes);
            assert_sent(&mut conn, &[(0x81, b"fills"), (0x88, &close_body(code, ""))]);
        }
    }
}

/// B-22: a rejected fragment leaves the message where it was.
#[test]
fn a_full_output_refuses_a_fragment_and_keeps_the_message() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new().max_pending_output(1));
        conn.send_fragment(MessageKind::Text, b"\xf0\x9f", false).unwrap();
        assert_eq!(conn.send_fragment(MessageKind::Text, b"\x98\x80", true), Err(SendError::OutputFull));
        assert_sent(&mut conn, &[(0x01, b"\xf0\x9f")]);
        conn.send_fragment(MessageKind::Text, b"\x98\x80", true).unwrap();
        assert_sent(&mut conn, &[(0x80, b"\x98\x80")]);
    }
}

/// B-89: 32 MiB may be pending by default, and a limit of 0 means one byte.
#[test]
fn the_default_of_pending_output() {
    let limit = 32 << 20;
    let mut conn = open(Role::Server);
    conn.send(vec![0; limit - 11]).unwrap();
    assert_eq!(conn.output().remaining(), limit - 1);
    conn.send("").unwrap();
    assert_eq!(conn.send(""), Err(SendError::OutputFull));

    let mut conn = open_with(Role::Server, Config::new().max_pending_output(0));
    conn.send("").unwrap();
    assert_eq!(conn.send(""), Err(SendError::OutputFull));
}
