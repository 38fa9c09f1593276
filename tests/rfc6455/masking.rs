//! Masking (RFC 6455 section 5.3): clients mask every frame with a fresh key, servers none.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use websocket_proto::{
    Cause, CloseCode, Config, Connection, Event, MessageKind, ProtocolError, Role, SendError, TransportShutdown,
};

use crate::helpers::client::{assert_masked, assert_protocol_error, client_request, header_values, minimal_response};
use crate::helpers::closed;
use crate::helpers::server::{assert_abnormal, assert_closed, close_frame, every_cut, feed_all};
use crate::support::{
    Sent, client, client_with, close_body, drain, feed, feed_chunks, frame, raw_frame, seed, sent, server,
};

/// C-45, C-47: every frame is masked and has no reserved bit, whichever call caused it and however long it is.
#[test]
fn every_frame_of_a_client_is_masked() {
    let mut conn = client_with(Config::new().keepalive(Duration::from_secs(1), Duration::from_secs(1)));
    let mut expected = Vec::new();
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
        let text = "x".repeat(length);
        conn.send_text(&text).unwrap();
        conn.send_binary(text.as_bytes()).unwrap();
        conn.send(text.clone()).unwrap();
        conn.send(text.clone().into_bytes()).unwrap();
        expected.extend([0x81, 0x82, 0x81, 0x82].map(|first| (first, text.clone().into_bytes())));
    }
    // More output is pending than the limit up to which pings are answered one by one: the answer comes last.
    assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, b"later")).len(), 1);
    for (first, last) in [(0x02, false), (0x00, false), (0x80, true)] {
        conn.send_fragment(MessageKind::Binary, b"part", last).unwrap();
        expected.push((first, b"part".to_vec()));
    }
    conn.ping(b"ping").unwrap();
    conn.pong(b"pong").unwrap();
    expected.extend([(0x89, b"ping".to_vec()), (0x8a, b"pong".to_vec())]);
    assert_masked(&mut conn, &expected);
    assert_masked(&mut conn, &[(0x8a, b"later".to_vec())]);

    assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, &[0xaa; 125])).len(), 1);
    assert_masked(&mut conn, &[(0x8a, vec![0xaa; 125])]);
    conn.advance_time(Duration::ZERO);
    conn.advance_time(Duration::from_secs(1));
    assert_masked(&mut conn, &[(0x89, 1_000_000_000_u32.to_be_bytes().to_vec())]);
    conn.close(CloseCode::NORMAL, "bye").unwrap();
    assert_masked(&mut conn, &[(0x88, close_body(1000, "bye"))]);

    for (arrived, first, answer) in [
        (frame(Role::Server, 0x88, b""), 0x88, vec![]),
        (frame(Role::Server, 0x88, &close_body(3000, "")), 0x88, close_body(3000, "")),
        (frame(Role::Server, 0x81, b"\xff"), 0x88, close_body(1007, "")),
    ] {
        let mut conn = client();
        assert_eq!(feed(&mut conn, &arrived).len(), 1);
        assert_masked(&mut conn, &[(first, answer)]);
    }
}

/// C-48: a masked frame from the server fails the connection, as soon as its second byte is there.
#[test]
fn a_masked_frame_from_the_server_fails() {
    let hello = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for arrived in [&hello[..], &hello[..2], b"\x89\x80", b"\x88\x80", b"\x02\xfe", b"\x82\xff"] {
        assert_protocol_error(&mut client(), arrived, ProtocolError::MaskedFrame);
    }
    assert!(feed(&mut client(), &hello[..1]).is_empty());
}

/// C-49, C-51: every frame has a key of its own, so that the same payload always looks different.
#[test]
fn every_frame_has_a_fresh_key() {
    const PAYLOAD: &[u8] = b"the same payload";
    let mut conn = client();
    for number in 0..10_000 {
        match number % 4 {
            0 => conn.send_binary(PAYLOAD),
            1 => conn.ping(PAYLOAD),
            2 => conn.send_fragment(MessageKind::Binary, PAYLOAD, false),
            _ => conn.send_fragment(MessageKind::Binary, PAYLOAD, true),
        }
        .unwrap();
    }
    let bytes = drain(&mut conn);
    assert_eq!(bytes.len(), 10_000 * (2 + 4 + PAYLOAD.len()));
    let on_the_wire: HashSet<_> = bytes.chunks(2 + 4 + PAYLOAD.len()).map(|frame| &frame[6..]).collect();
    assert_eq!(on_the_wire.len(), 10_000);
    // 10,000 of 2³² may well contain the same twice by chance; with this seed they don't.
    let keys: HashSet<_> = crate::support::frames(&bytes).into_iter().map(|frame| frame.key.unwrap()).collect();
    assert_eq!(keys.len(), 10_000);
}

/// C-18, C-49, C-50: nonce and keys are the stream of `ChaCha`, each drawn once and none skipped: nothing weaker is
/// mixed in, and no key reveals the next.
#[test]
fn keys_are_drawn_from_a_strong_generator() {
    let mut stream = ChaCha12Rng::from_seed([7; 32]);
    let mut nonce = [0; 16];
    stream.fill_bytes(&mut nonce);
    let mut conn = Connection::client(client_request(), Config::new(), seed()).unwrap();
    assert_eq!(header_values(&drain(&mut conn), "Sec-WebSocket-Key"), [BASE64_STANDARD.encode(nonce)]);
    assert_eq!(feed(&mut conn, minimal_response().as_bytes()).len(), 1);
    for _ in 0..1000 {
        conn.send_text("text").unwrap();
        assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, b"")).len(), 1);
    }
    // After so much output the answer to a ping is deferred, with a key of its own.
    conn.send_binary(&vec![0; 100_000]).unwrap();
    assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, b"")).len(), 1);
    let mut frames = sent(&mut conn);
    frames.extend(sent(&mut conn));
    conn.close(CloseCode::NORMAL, "").unwrap();
    frames.extend(sent(&mut conn));
    assert_eq!(frames.len(), 1000 * 2 + 3);
    for sent in frames {
        assert_eq!(sent.key, Some(stream.next_u32().to_le_bytes()));
    }
}

/// C-51: a call that sends puts a whole frame into the output, so that nobody sees its key before the payload is given;
/// one that fails puts nothing there.
#[test]
fn a_chunk_is_a_whole_frame_with_its_own_key() {
    let mut conn = client();
    let mut keys = HashSet::new();
    for (chunk, last) in [("a", false), ("", false), ("bc", true)] {
        conn.send_fragment(MessageKind::Text, chunk.as_bytes(), last).unwrap();
        let [Sent { key: Some(key), payload, .. }] = &sent(&mut conn)[..] else { panic!("one masked frame") };
        assert_eq!(payload, chunk.as_bytes());
        assert!(keys.insert(*key));
    }
    assert_eq!(conn.send_fragment(MessageKind::Text, b"\xff", true), Err(SendError::InvalidUtf8));
    assert_eq!(conn.ping(&[0; 126]), Err(SendError::ControlTooLong));
    assert!(drain(&mut conn).is_empty());
}

/// S-42: whatever the frame, before its payload is there; what precedes it is delivered, what follows is not.
#[test]
fn an_unmasked_frame_ends_the_connection() {
    let before = frame(Role::Client, 0x81, b"before");
    let behind = frame(Role::Client, 0x81, b"behind");
    for first in [0x81, 0x82, 0x01, 0x88, 0x89, 0x8a] {
        for payload in [&b""[..], b"Hello"] {
            let unmasked = raw_frame(first, None, payload);
            let bytes = [&before[..], &unmasked, &behind].concat();
            for bytes in [&bytes[..], &bytes[..before.len() + 2]] {
                for chunks in every_cut(bytes) {
                    let mut conn = server();
                    let mut got = feed_all(&mut conn, &chunks);
                    assert!(matches!(&got.remove(0), Event::Text(text) if text == "before"));
                    assert_abnormal(&closed(got), Cause::Protocol(ProtocolError::UnmaskedFrame));
                    assert_eq!(conn.wants_shutdown(), None);
                    assert_eq!(sent(&mut conn), [close_frame(1002)]);
                    assert_closed(&mut conn, TransportShutdown::Graceful);
                }
            }
        }
    }
}

/// S-43: a long conversation of every kind of frame and length.
#[test]
fn a_server_never_masks() {
    let mut conn = server();
    let mut random = 0x9e37_79b9_u32;
    let mut expected = 0;
    for _ in 0..2000 {
        // Xorshift: any numbers will do if they are the same in every run.
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let payload = vec![b'a'; (random >> 8) as usize % [2, 126, 200, 6000][random as usize % 4]];
        let control = &payload[..payload.len().min(125)];
        expected += 1;
        match random >> 29 {
            0 => conn.send_text(str::from_utf8(&payload).unwrap()).unwrap(),
            1 => conn.send_binary(&payload).unwrap(),
            2 => conn.send(payload).unwrap(),
            3 => conn.ping(control).unwrap(),
            4 => conn.pong(control).unwrap(),
            5 => {
                conn.send_fragment(MessageKind::Text, &payload, false).unwrap();
                conn.send_fragment(MessageKind::Text, &payload, true).unwrap();
                expected += 1;
            }
            _ => assert_eq!(feed(&mut conn, &frame(Role::Client, 0x89, control)).len(), 1),
        }
        if random.is_multiple_of(16) {
            let sent = sent(&mut conn);
            assert!(sent.iter().all(|frame| frame.key.is_none()));
            expected -= sent.len();
        }
    }
    conn.close(CloseCode::NORMAL, "bye").unwrap();
    let sent = sent(&mut conn);
    assert!(sent.iter().all(|frame| frame.key.is_none()));
    assert_eq!(sent.len(), expected + 1);
}

/// S-44: the examples of RFC 6455 section 5.7, and every key, alignment and length that a fast unmasking loop may get
/// wrong.
#[test]
fn masks_are_taken_off() {
    let mut conn = server();
    let got =
        feed(&mut conn, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    assert!(matches!(&got[..], [Event::Text(text), Event::Pong(pong)] if text == "Hello" && pong[..] == *b"Hello"));
    for key in [[0; 4], [0xff; 4], [0x37, 0xfa, 0x21, 0x3d], [0, 0, 0, 1]] {
        for length in (0..=70).chain([125, 126, 127, 65_535, 65_536]) {
            let payload: Vec<_> = (0..length).map(|i: u32| i as u8 ^ (i >> 8) as u8).collect();
            let data = raw_frame(0x82, Some(key), &payload);
            for offset in 0..8 {
                // At another address in the receiver's memory.
                let mut bytes = [&vec![0; offset], &data[..]].concat();
                let event = conn.receive(&mut &mut bytes[offset..]);
                assert!(matches!(event, Some(Event::Binary(got)) if got == payload), "{key:?} {length} {offset}");
                // From another position in the payload on.
                let at = data.len() - payload.len() + offset.min(payload.len());
                let got = feed_all(&mut conn, &[&data[..at], &data[at..]]);
                assert!(matches!(&got[..], [Event::Binary(got)] if *got == payload), "{key:?} {length} {offset}");
            }
            if length < 126 {
                for chunk in [1, 3, 200] {
                    let ping = raw_frame(0x89, Some(key), &payload);
                    let got = feed_chunks(&mut conn, &ping, chunk);
                    assert!(matches!(&got[..], [Event::Ping(got)] if *got == payload), "{key:?} {length} {chunk}");
                }
            }
        }
    }
}
