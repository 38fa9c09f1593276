//! The input may be split anywhere (RFC 6455 sections 5.2 and 6.2): the RFC's example frames (5.7) and a whole session.

use core::slice;

use websocket_proto::{Cause, CloseCode, Config, Connection, MessageKind, Role};

use crate::checks::{
    OwnedEvent, Rng, Script, assert_sent, binary, clean, peer, ping, pong, receive, sent_frames, text,
};
use crate::support::{ROLES, close_body, drain, frames, open, open_with, raw_frame};

/// The events of an open connection, and the frames that it sends in return, when the bytes come in these chunks.
fn exchange<'b>(role: Role, chunks: impl IntoIterator<Item = &'b [u8]>) -> (Vec<OwnedEvent>, Vec<(u8, Vec<u8>)>) {
    let mut conn = open(role);
    let events = chunks.into_iter().flat_map(|chunk| receive(&mut conn, chunk)).collect();
    (events, sent_frames(&mut conn))
}

/// The chunks, split where a bit of `cuts` is set.
fn chunks(bytes: &[u8], cuts: usize) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut start = 0;
    for at in (1..bytes.len()).filter(|at| cuts >> (at - 1) & 1 == 1).chain([bytes.len()]) {
        chunks.push(&bytes[start..at]);
        start = at;
    }
    chunks
}

/// A call that sends.
type Send<'a> = &'a dyn Fn(&mut Connection);

type Example = (Script<'static>, OwnedEvent, [Option<&'static [u8]>; 2]);

/// The short examples of RFC 6455 section 5.7: frames, their events, and their bytes for that role, if they are valid
/// for it.
fn examples() -> [Example; 4] {
    [
        (
            &[(0x81, b"Hello")],
            text("Hello"),
            [Some(b"\x81\x05Hello"), Some(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")],
        ),
        (&[(0x01, b"Hel"), (0x80, b"lo")], text("Hello"), [Some(b"\x01\x03Hel\x80\x02lo"), None]),
        (&[(0x89, b"Hello")], ping(b"Hello"), [Some(b"\x89\x05Hello"), None]),
        (&[(0x8a, b"Hello")], pong(b"Hello"), [None, Some(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")]),
    ]
}

/// B-15: payload that looks like a frame is payload, even if an input begins with it.
#[test]
fn what_looks_like_a_frame_inside_a_frame_is_payload() {
    for role in ROLES {
        let inner = peer(role, &[(0x82, b"inner")]);
        for (first, event) in [(0x82, binary(&inner)), (0x89, ping(&inner)), (0x8a, pong(&inner))] {
            // A key of zeros leaves the payload as it is.
            let wire = raw_frame(first, (role == Role::Server).then_some([0; 4]), &inner);
            for cuts in 0..1 << (wire.len() - inner.len()) {
                assert_eq!(exchange(role, chunks(&wire, cuts)).0, slice::from_ref(&event), "{first:02x} {cuts:b}");
            }
        }
    }
}

/// B-56, B-15: the example frames mean what the RFC says, however they are split.
#[test]
fn the_example_frames_in_every_cut() {
    for (script, event, vectors) in examples() {
        for (role, vector) in ROLES.into_iter().zip(vectors) {
            let bytes = peer(role, script);
            assert!(vector.is_none_or(|vector| vector == bytes));
            for cuts in 0..1 << (bytes.len() - 1) {
                let (events, frames) = exchange(role, chunks(&bytes, cuts));
                assert_eq!(events[..], *slice::from_ref(&event));
                let answer = matches!(event, OwnedEvent::Ping(_)).then(|| (0x8a, b"Hello".to_vec()));
                assert_eq!(frames, Vec::from_iter(answer));
            }
        }
    }
}

/// B-56, B-15: the example frames of 256 and 65,536 bytes.
#[test]
fn the_long_example_frames_in_every_cut() {
    let vectors: [(usize, &[u8]); 2] = [(256, b"\x82\x7e\x01\x00"), (65_536, b"\x82\x7f\0\0\0\0\0\x01\0\0")];
    for (length, header) in vectors {
        let data: Vec<u8> = (0..length).map(|i| i as u8).collect();
        assert_eq!(peer(Role::Client, &[(0x82, &data)]), [header, &data].concat());
        for role in ROLES {
            let bytes = peer(role, &[(0x82, &data)]);
            for at in (0..300.min(bytes.len())).chain([bytes.len() - 1]) {
                let (before, behind) = bytes.split_at(at);
                assert_eq!(exchange(role, [before, behind]), (vec![binary(&data)], vec![]), "cut at {at}");
            }
            for size in [1, 3, 1000] {
                assert_eq!(exchange(role, bytes.chunks(size)).0, [binary(&data)], "in chunks of {size}");
            }
        }
    }
}

/// B-56: a server sends the example frames byte for byte; a client the same under its own keys.
#[test]
fn the_example_frames_are_sent() {
    let long = [vec![7; 256], vec![8; 65_536]];
    let calls: [(Send, Vec<u8>); 5] = [
        (&|conn| conn.send_text("Hello").unwrap(), b"\x81\x05Hello".to_vec()),
        (
            &|conn| {
                conn.send_fragment(MessageKind::Text, b"Hel", false).unwrap();
                conn.send_fragment(MessageKind::Text, b"lo", true).unwrap();
            },
            b"\x01\x03Hel\x80\x02lo".to_vec(),
        ),
        (&|conn| conn.ping(b"Hello").unwrap(), b"\x89\x05Hello".to_vec()),
        (&|conn| conn.send_binary(&long[0]).unwrap(), [b"\x82\x7e\x01\x00", &long[0][..]].concat()),
        (&|conn| conn.send_binary(&long[1]).unwrap(), [b"\x82\x7f\0\0\0\0\0\x01\0\0", &long[1][..]].concat()),
    ];
    for (call, expected) in calls {
        let [mut client, mut server] = ROLES.map(open);
        call(&mut client);
        call(&mut server);
        let bytes = drain(&mut server);
        assert_eq!(bytes, expected);
        let plain: Vec<_> = frames(&bytes).into_iter().map(|f| (f.first, f.payload)).collect();
        assert_eq!(sent_frames(&mut client), plain);
    }
}

/// A session with everything in it, and its events.
fn session(role: Role) -> (Vec<u8>, Vec<OwnedEvent>) {
    let smile = "😀".as_bytes();
    let long = "long ".repeat(26);
    let mut bytes = peer(
        role,
        &[
            (0x81, "κόσμε".as_bytes()),
            (0x82, b""),
            (0x01, &smile[..1]),
            (0x89, b"in between"),
            (0x00, &smile[1..3]),
            (0x8a, b""),
            (0x80, &smile[3..]),
            (0x81, long.as_bytes()),
            (0x02, b""),
            (0x00, b"\xff"),
            (0x89, b""),
            (0x80, b""),
            (0x88, &close_body(1001, "söon")),
        ],
    );
    bytes.extend(b"\xff\x00garbage");
    let received = vec![
        text("κόσμε"),
        binary(b""),
        ping(b"in between"),
        pong(b""),
        text("😀"),
        text(&long),
        ping(b""),
        binary(b"\xff"),
        clean(1001, "söon", Cause::Peer),
    ];
    (bytes, received)
}

/// B-15, B-62, B-23: a session gives the same events and answers in every split into three, and in chunks of every size.
#[test]
fn a_session_in_every_split() {
    for role in ROLES {
        let (bytes, received) = session(role);
        let answers = vec![(0x8a, b"in between".to_vec()), (0x8a, vec![]), (0x88, close_body(1001, "söon"))];
        let expected = (received, answers);
        for size in 1..=bytes.len() {
            assert_eq!(exchange(role, bytes.chunks(size)), expected, "in chunks of {size}");
        }
        for a in 0..bytes.len() {
            for b in a..bytes.len() {
                assert_eq!(exchange(role, [&bytes[..a], &bytes[a..b], &bytes[b..]]), expected, "cut at {a} and {b}");
            }
        }
    }
}

/// B-15, B-44: the same after our own Close, which only suppresses the pongs.
#[test]
fn a_session_in_every_split_after_our_close() {
    for role in ROLES {
        let (bytes, mut received) = session(role);
        *received.last_mut().unwrap() = clean(1001, "söon", Cause::Local(CloseCode::NORMAL));
        for size in 1..=bytes.len() {
            let mut conn = open(role);
            conn.close(CloseCode::NORMAL, "").unwrap();
            assert_eq!(
                bytes.chunks(size).flat_map(|chunk| receive(&mut conn, chunk)).collect::<Vec<_>>(),
                received,
                "in chunks of {size}"
            );
            assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
        }
    }
}

/// B-23, B-62, B-63: a thousand random messages in random fragments, with control frames in between and split at
/// random, arrive whole and in order, and every ping is answered in order.
#[test]
fn random_sessions_arrive_in_order() {
    for role in ROLES {
        let mut rng = Rng(role as u64);
        let (mut bytes, mut expected, mut pongs) = (Vec::new(), Vec::new(), Vec::new());
        for message in 0..1000_u32 {
            let is_text = rng.below(2) == 0;
            let letters = format!("{message} é€😀 ").repeat(rng.below(20));
            let mut rest = letters.as_bytes();
            let mut opcode = if is_text { 1 } else { 2 };
            loop {
                let (chunk, behind) = rest.split_at(rng.below(rest.len() + 1));
                let fin = if behind.is_empty() { 0x80 } else { 0 };
                bytes.extend(peer(role, &[(fin | opcode, chunk)]));
                (opcode, rest) = (0, behind);
                if fin != 0 {
                    break;
                }
                if rng.below(3) == 0 {
                    let payload = vec![message as u8; rng.below(126)];
                    bytes.extend(peer(role, &[(0x89, &payload), (0x8a, &payload)]));
                    expected.extend([ping(&payload), pong(&payload)]);
                    pongs.push((0x8a, payload));
                }
            }
            expected.push(if is_text { text(&letters) } else { binary(letters.as_bytes()) });
        }
        let mut conn = open_with(role, Config::new());
        let (mut events, mut answers, mut rest) = (Vec::new(), Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at((1 + rng.below(200)).min(rest.len()));
            events.extend(receive(&mut conn, chunk));
            answers.extend(sent_frames(&mut conn));
            rest = behind;
        }
        assert!(events == expected, "{role:?}: {} events of {}", events.len(), expected.len());
        assert!(answers == pongs, "{role:?}: {} answers of {}", answers.len(), pongs.len());
    }
}
