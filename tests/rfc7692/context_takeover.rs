//! Final blocks, and references of a message: to the messages before it, or to nothing (RFC 7692 sections 7.1.1 and
//! 7.2.3.4).

use websocket_proto::{Config, Connection, DeflateConfig, Event, ProtocolError, Role, Scratch};

use crate::checks::{OwnedEvent, Script, binary, failed, peer, receive, text};
use crate::connections::{both_ways, open, open_with, upgraded};
use crate::inflate::Symbol::{Copy, Literal};
use crate::inflate::Writer;
use crate::receiving::{AGAIN, HELLO, keeps};
use crate::support::{ROLES, feed};

/// P-42, P-43, P-49: final blocks anywhere in a message. Each block may refer to anything before it, in this message
/// and earlier ones; and so may later messages.
#[test]
fn final_blocks_end_nothing() {
    let again = |last| Writer::default().fixed(last, [Copy(5, 5)]);
    let with = |writer: Writer, rest: &[u8]| [writer.bytes(), rest.to_vec()].concat();
    let cases: [(Vec<u8>, &str); 13] = [
        (Writer::default().literals(true, b"Hello").message(), "Hello"),
        (Writer::default().stored(true, b"Hello").message(), "Hello"),
        (again(true).message(), "Hello"),
        (again(true).fixed(true, [Copy(5, 5)]).message(), "HelloHello"),
        (
            again(true).fixed(false, [Copy(5, 10)]).stored(true, b"!").fixed(true, [Copy(6, 6)]).message(),
            "HelloHello!Hello!",
        ),
        (Writer::default().stored(true, b"").stored(true, b"").message(), ""),
        (again(false).literals(true, b"").message(), "Hello"),
        // A character that a final block splits can be referred to as well.
        (Writer::default().stored(true, b"\xe5\xa4").fixed(false, [Literal(0xa7), Copy(3, 3)]).message(), "大大"),
        // The stream ends, and nothing follows.
        (Writer::default().literals(true, b"Hello").bytes(), "Hello"),
        (again(true).bytes(), "Hello"),
        (Writer::default().stored(true, b"Hello").bytes(), "Hello"),
        // The empty block at the end may itself be final: of `01 00 00 ff ff` the first is sent.
        (b"\x01".to_vec(), ""),
        (with(Writer::default().stored(false, b"Hello"), b"\x01"), "Hello"),
    ];
    for role in ROLES {
        for (wire, inflated) in &cases {
            let script: Script = &[(0xc1, HELLO), (0xc1, wire), (0x81, b"plain"), (0xc1, HELLO), (0xc1, AGAIN)];
            let expected = [text("Hello"), text(inflated), text("plain"), text("Hello"), text("Hello")];
            let bytes = peer(role, script);
            assert_eq!(receive(&mut keeps(role), &bytes), expected, "{wire:02x?}");
            let mut slow = keeps(role);
            let received: Vec<_> = bytes.chunks(1).flat_map(|byte| receive(&mut slow, byte)).collect();
            assert_eq!(received, expected, "{wire:02x?}");
            for cut in 0..=wire.len() {
                let script: Script = &[(0xc1, HELLO), (0x42, &wire[..cut]), (0x00, b""), (0x80, &wire[cut..])];
                assert_eq!(
                    receive(&mut keeps(role), &peer(role, script)),
                    [text("Hello"), binary(inflated.as_bytes())]
                );
            }
            // Without context takeover, only the message itself can be referred to.
            let mut forgets = open(role, &both_ways(15, false));
            let second = if inflates_alone(wire) { text(inflated) } else { failed(ProtocolError::Deflate) };
            assert_eq!(receive(&mut forgets, &peer(role, &[(0xc1, HELLO), (0xc1, wire)])), [text("Hello"), second]);
        }
    }
}

fn inflates_alone(wire: &[u8]) -> bool {
    crate::inflate::inflate(wire, b"", 1 << 15).is_ok()
}

/// P-43, P-49: references after a final block reach beyond it, as far as the window.
#[test]
fn a_window_reaches_over_final_blocks() {
    for role in ROLES {
        for bits in [9, 12, 15] {
            let data: Vec<u8> = (0..1_usize << bits).map(|i| ((i * 31) >> 3) as u8).collect();
            let (first, second) = data.split_at(data.len() / 3);
            let split = Writer::default().stored(true, first).stored(true, second).message();
            let far = Writer::default().fixed(true, [Copy(10, data.len())]).message();
            let mut conn = open(role, &both_ways(bits, true));
            assert_eq!(receive(&mut conn, &peer(role, &[(0xc2, &split)])), [binary(&data)]);
            assert_eq!(receive(&mut conn, &peer(role, &[(0xc2, &far)])), [binary(&data[..10])]);
            assert_eq!(receive(&mut conn, &peer(role, &[(0xc2, &far)])), [binary(&data[10..20])]);
        }
    }
}

/// P-24, P-25, P-27, P-29, P-46: each direction keeps its window unless the answer says otherwise: a hint that wasn't
/// accepted changes nothing.
#[test]
fn takeover_is_kept_or_dropped_as_agreed() {
    let opened = |role, settings: &DeflateConfig, answer: &str| {
        let params = settings.check([answer.as_bytes()]).unwrap().unwrap();
        upgraded(role, params, Config::new().deflate(settings.clone()))
    };
    for (answer, server_keeps, client_keeps) in [
        ("permessage-deflate", true, true),
        ("permessage-deflate; server_no_context_takeover", false, true),
        ("permessage-deflate; client_no_context_takeover", true, false),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", false, false),
    ] {
        for (role, peer_keeps) in [(Role::Client, server_keeps), (Role::Server, client_keeps)] {
            let mut conn = opened(role, &DeflateConfig::new(), answer);
            let script: Script = &[(0xc1, HELLO), (0x81, b"Hello"), (0xc1, HELLO), (0xc1, AGAIN)];
            let last = if peer_keeps { text("Hello") } else { failed(ProtocolError::Deflate) };
            let receive_script = |conn: &mut Connection| receive(conn, &peer(role, script));
            let expected = [text("Hello"), text("Hello"), text("Hello"), last];
            assert_eq!(receive_script(&mut conn), expected, "{role:?} {answer}");

            // The same with a thread's scratch that passes from connection to connection.
            let mut scratch = Scratch::new();
            for _ in 0..2 {
                let mut conn = opened(role, &DeflateConfig::new(), answer);
                conn.attach_scratch(scratch);
                assert_eq!(receive_script(&mut conn), expected, "{role:?} {answer}");
                scratch = conn.detach_scratch().unwrap();
                let mut next = opened(role, &DeflateConfig::new(), answer);
                next.attach_scratch(scratch);
                assert_eq!(receive(&mut next, &peer(role, &[(0xc1, AGAIN)])), [failed(ProtocolError::Deflate)]);
                scratch = next.detach_scratch().unwrap();
            }
        }
    }
    // RFC 7692 section 7.1.1.2: a server that doesn't put it into its answer keeps the window, whatever the client
    // offered.
    let params = DeflateConfig::new().answer([&b"permessage-deflate; client_no_context_takeover"[..]]).unwrap().1;
    let hint = upgraded(Role::Server, params, Config::new());
    assert!(params.client_no_context_takeover(), "ours takes the hint up, and says so");
    assert_eq!(hint.deflate(), Some(params));
}

/// P-29, P-46: with context takeover, references reach back through the whole negotiated window over any number of
/// messages; attaching and detaching a scratch in between changes nothing.
#[test]
fn references_reach_as_far_as_the_window() {
    for role in ROLES {
        for lent in [false, true] {
            for bits in 9..=15 {
                let window = 1_usize << bits;
                let mut conn = open(role, &both_ways(bits, true));
                let mut other = open(role, &both_ways(bits, true));
                let mut scratch = lent.then(Scratch::new);
                let mut receive_lent = |conn: &mut Connection, payload: &[u8]| {
                    if let Some(scratch) = scratch.take() {
                        conn.attach_scratch(scratch);
                    }
                    let received = receive(conn, &peer(role, &[(0xc2, payload)]));
                    scratch = conn.detach_scratch();
                    received
                };
                let data: Vec<u8> = (0..window).map(|i| ((i * 131) >> 2) as u8).collect();
                for part in data.chunks(window / 5) {
                    let stored = Writer::default().stored(false, part).message();
                    assert_eq!(receive_lent(&mut conn, &stored), [binary(part)]);
                    assert_eq!(receive_lent(&mut other, HELLO), [binary(b"Hello")]);
                }
                let far = Writer::default().fixed(false, [Copy(10, window)]).message();
                assert_eq!(receive_lent(&mut conn, &far), [binary(&data[..10])], "{bits}");
                assert_eq!(receive_lent(&mut other, AGAIN), [binary(b"Hello")]);
            }
        }
    }
}

/// P-53: a reference beyond everything that was ever sent, or sent compressed, is invalid.
#[test]
fn references_to_nothing_are_refused() {
    for role in ROLES {
        let settings = both_ways(15, true);
        let beyond = Writer::default().fixed(false, [Copy(5, 6)]).message();
        let script: Script = &[(0xc1, HELLO), (0xc1, &beyond)];
        let mut conn = open_with(role, &settings, Config::new());
        assert_eq!(receive(&mut conn, &peer(role, script)), [text("Hello"), failed(ProtocolError::Deflate)]);
        let mut lent = open_with(role, &settings, Config::new());
        lent.attach_scratch(Scratch::new());
        assert_eq!(receive(&mut lent, &peer(role, &[(0xc1, HELLO)])), [text("Hello")]);
        let scratch = lent.detach_scratch().unwrap();
        let mut next = open_with(role, &settings, Config::new());
        next.attach_scratch(scratch);
        assert_eq!(
            receive(&mut next, &peer(role, &[(0xc1, AGAIN)])),
            [failed(ProtocolError::Deflate)],
            "another's window"
        );
        lent.attach_scratch(next.detach_scratch().unwrap());
        assert_eq!(receive(&mut lent, &peer(role, &[(0xc1, AGAIN)])), [text("Hello")]);
    }
}

/// The negotiated parameters are available until the connection is dropped, like the subprotocol.
#[test]
fn what_was_agreed_on_outlives_the_end() {
    for role in ROLES {
        let mut conn = open(role, &both_ways(10, false));
        let agreed = conn.deflate();
        assert!(agreed.is_some());
        conn.receive_eof();
        assert_eq!(crate::support::pending_events(&mut conn).len(), 1);
        assert_eq!(conn.deflate(), agreed);
    }
}

/// P-43: a stream after a final block may refer to data before it, but not endlessly often for a few bytes, because
/// each time copies the window. More data allows more copies, and streams that refer only to themselves need none.
#[test]
fn what_streams_after_final_blocks_copy_is_bounded() {
    let noise: Vec<u8> = (0..1_u32 << 15).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let ordinary = Writer::default().stored(false, &noise).message();
    let streams = |count: usize| {
        let mut writer = Writer::default();
        for _ in 0..count {
            writer = writer.fixed(true, [Copy(3, 30_000)]);
        }
        writer.bytes()
    };
    let alone = |count: usize| {
        let mut writer = Writer::default();
        for _ in 0..count {
            writer = writer.fixed(true, [Literal(b'a'), Copy(3, 1)]);
        }
        writer.bytes()
    };
    // 16 windows are free. 32 KiB that were received and inflated earn 128 more.
    for (count, is_accepted) in [(140, true), (150, false)] {
        let mut conn = open(Role::Server, &both_ways(15, true));
        let wire = peer(Role::Server, &[(0xc2, &ordinary), (0xc2, &streams(count))]);
        let received = receive(&mut conn, &wire);
        assert_eq!(matches!(received[1], OwnedEvent::Binary(_)), is_accepted, "{count}");
    }
    for role in ROLES {
        for is_lent in [true, false] {
            let mut conn = open(role, &both_ways(15, true));
            if is_lent {
                conn.attach_scratch(Scratch::new());
            }
            let mut lengths = |payload: &[u8]| {
                let received = receive(&mut conn, &peer(role, &[(0xc2, payload)]));
                let [event] = &received[..] else { panic!("{received:?}") };
                match event {
                    OwnedEvent::Binary(data) => Ok(data.len()),
                    other => Err(other.clone()),
                }
            };
            for _ in 0..3 {
                assert_eq!(lengths(&ordinary), Ok(1 << 15));
                assert_eq!(lengths(&streams(50)), Ok(150));
            }
            assert_eq!(lengths(&alone(10_000)), Ok(40_000));
            // In one message, or in as many messages.
            let refused = (0..2_000).find_map(|_| lengths(&streams(1)).err());
            assert_eq!(refused, Some(failed(ProtocolError::Deflate)), "{role:?}");
        }
    }
}

/// P-43: without context takeover, what the streams of a message may copy does not depend on other messages: neither on those of
/// other connections of the same thread, which share the inflater, nor on its own.
#[test]
fn other_messages_do_not_change_what_streams_may_copy() {
    let noise: Vec<u8> = (0..1_u32 << 15).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let message = |count: usize| {
        let mut writer = Writer::default().stored(false, &noise);
        for _ in 0..count {
            writer = writer.fixed(true, [Copy(3, 30_000)]);
        }
        writer.bytes()
    };
    // The numbers of `what_streams_after_final_blocks_copy_is_bounded`. The first earns more than it needs, the second less.
    for earlier in [&[][..], &[0; 5], &[140; 5]] {
        for (count, is_accepted) in [(140, true), (150, false)] {
            for is_lent in [true, false] {
                let mut scratch = is_lent.then(Scratch::new);
                let mut received = Vec::new();
                for &count in earlier.iter().chain([&count]) {
                    let mut conn = open(Role::Server, &both_ways(15, false));
                    if let Some(scratch) = scratch.take() {
                        conn.attach_scratch(scratch);
                    }
                    received = receive(&mut conn, &peer(Role::Server, &[(0xc2, &message(count))]));
                    scratch = conn.detach_scratch();
                }
                assert_eq!(matches!(received[..], [OwnedEvent::Binary(_)]), is_accepted, "{count} after {earlier:?}");
            }
        }
    }
}

/// P-43: if the inflater serves other connections in between, each iteration begins with the window, however the last
/// message ended.
#[test]
fn a_turn_that_begins_again_may_refer_back() {
    let noise: Vec<u8> = (0..1_u32 << 15).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let ordinary = Writer::default().stored(false, &noise).message();
    let ends_the_stream = Writer::default().fixed(true, [Copy(3, 30_000)]).bytes();
    for role in ROLES {
        let mut conn = open(role, &both_ways(15, true));
        let mut scratch = Some(Scratch::new());
        for turn in 0..1_000 {
            conn.attach_scratch(scratch.take().unwrap());
            let payload = if turn == 0 { &ordinary } else { &ends_the_stream };
            let received = receive(&mut conn, &peer(role, &[(0xc2, payload)]));
            assert!(matches!(&received[..], [OwnedEvent::Binary(_)]), "{turn}: {received:?}");
            scratch = conn.detach_scratch();
        }
    }
}

/// P-43: a message in chunks may refer back over a final block to a chunk that was delivered, also without context
/// takeover.
#[test]
fn references_reach_over_chunks_that_were_delivered() {
    let noise: Vec<u8> = (0..80_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (first, second) = noise.split_at(40_000);
    let payload = Writer::default().stored(false, first).stored(true, second).fixed(true, [Copy(10, 30_000)]).bytes();
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open_with(role, &both_ways(15, takeover), Config::new().chunk_threshold(0));
            let mut data: Vec<u8> = Vec::new();
            for event in feed(&mut conn, &peer(role, &[(0xc2, &payload)])) {
                let Event::Chunk(chunk) = event else { panic!("{event:?}") };
                data.extend(chunk.into_bytes().iter());
            }
            assert_eq!(data.len(), 80_010);
            assert_eq!(data[80_000..], noise[50_000..50_010]);
        }
    }
}
