//! Messages that aren't DEFLATE, or are incomplete (RFC 7692 section 7.2.2 and RFC 1951): the connection fails with
//! 1007, and nothing of the message is delivered.

use websocket_proto::{Cause, ProtocolError};

use crate::checks::{OwnedEvent, Rng, binary, failed, peer, ping, receive, text};
use crate::connections::{both_ways, ended, fails, open};
use crate::inflate::Symbol::Copy;
use crate::inflate::{Inflater, Writer};
use crate::receiving::{HELLO, keeps};
use crate::reference_receiver::Receiver;
use crate::sending::prose;
use crate::support::{ROLES, sent};

/// P-42, P-52, P-53: messages that end inside a block, and invalid blocks.
#[test]
fn what_is_no_message_fails_the_connection() {
    let cases: [&[u8]; 21] = [
        b"\xf2",
        b"\xf2\x48",
        b"\xf2\x48\xcd\xc9\xc9\x07",
        b"\xf3\x48",
        b"\x03",
        // After the end of the message: a block without a header, a whole tail, a header alone.
        b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00",
        b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff",
        b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff",
        b"\x00\x05",
        b"\x00\x05\x00\xfa\xff\x48",
        b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f",
        // The omitted bytes would be data of these.
        b"\x00\x04\x00\xfb\xff",
        b"\x00\x09\x00\xf6\xff\x48\x65\x6c\x6c\x6f",
        b"\x04",
        b"\x04\xc0\x81\x08\x00\x00\x00\x00\x20\x7f\xeb",
        b"\x06",
        b"\x07",
        b"\x00\x05\x00\x05\x00",
        b"\xf2\x40\x30\x01\x00",
        b"\xff\xff\xff\xff",
        b"\x05\xff\xff\xff",
    ];
    for role in ROLES {
        for payload in cases {
            for first in [0xc1, 0xc2] {
                let whole = [peer(role, &[(0xc1, HELLO)]), peer(role, &[(first, payload)])].concat();
                let (received, _) = fails(|| keeps(role), &whole, ProtocolError::Deflate);
                assert_eq!(received, [text("Hello")], "{payload:02x?}");
                let parts = peer(role, &[(first & !0x80, b""), (0x89, b"1"), (0x00, payload), (0x80, b"")]);
                let (received, _) = fails(|| keeps(role), &parts, ProtocolError::Deflate);
                assert_eq!(received, [ping(b"1")], "{payload:02x?}");
                let mut forgets = open(role, &both_ways(12, false));
                assert_eq!(receive(&mut forgets, &peer(role, &[(first, payload)])), [failed(ProtocolError::Deflate)]);
            }
        }
    }
}

/// P-51: a compressed message without a byte is an empty one after every message, however its stream ended, and the
/// next may refer to the messages before.
#[test]
fn a_payload_of_nothing_is_an_empty_message() {
    let before: [&[u8]; 5] =
        [HELLO, b"\x00", b"\x01", b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x01", b"\xf3\x48\xcd\xc9\xc9\x07\x00"];
    for role in ROLES {
        for takeover in [true, false] {
            for payload in before {
                for nothing in [&[(0xc2, &b""[..])][..], &[(0x42, b""), (0x00, b""), (0x80, b"")]] {
                    let more: [(u8, &[u8]); 2] = [(0xc1, b"\xf2\x00\x11\x00\x00"), (0xc1, HELLO)];
                    let script = [
                        &[(0xc1, HELLO), (0xc2, payload)][..],
                        nothing,
                        nothing,
                        if takeover { &more[..] } else { &more[1..] },
                    ];
                    let mut conn = open(role, &both_ways(15, takeover));
                    let received = receive(&mut conn, &peer(role, &script.concat()));
                    let Some((first, rest)) = received.split_first() else { panic!("nothing") };
                    assert_eq!(
                        (first, &rest[1..3]),
                        (&text("Hello"), &[binary(b""), binary(b"")][..]),
                        "{payload:02x?}"
                    );
                    let last = received.last().unwrap();
                    assert_eq!(
                        (received.len(), last),
                        (if takeover { 6 } else { 5 }, &text("Hello")),
                        "{payload:02x?}"
                    );
                }
            }
        }
    }
}

/// P-53: an invalid block is rejected when its bytes have arrived, before the frame is complete.
#[test]
fn corrupt_blocks_are_refused_at_once() {
    for role in ROLES {
        let good = Writer::default().stored(false, b"good").bytes();
        for bad in [&b"\x06"[..], b"\x00\x05\x00\x05\x00"] {
            let payload = [&good[..], bad, &vec![0; 50_000]].concat();
            let whole = peer(role, &[(0xc2, &payload)]);
            let (_, needed) = fails(|| keeps(role), &whole, ProtocolError::Deflate);
            assert_eq!(needed, whole.len() - 50_000, "{bad:02x?}");
        }
    }
}

/// P-42, P-43, P-45, P-52, P-53: a message that is changed, cut off or made up gives the result of the plain inflater,
/// or fails as that does; and so does the next one.
#[test]
fn it_agrees_with_the_plain_inflater() {
    let mut wires = vec![
        HELLO.to_vec(),
        Writer::default().literals(true, b"He").stored(true, b"llo").fixed(true, [Copy(5, 5)]).message(),
        Writer::default().stored(false, b"a").stored(false, b"").literals(false, b"b").message(),
    ];
    for (level, text) in [(1, "abcabcabd ".repeat(5)), (9, prose(400, 1)), (9, "大家好".repeat(30)), (0, prose(30, 1))]
    {
        let mut conn = open(websocket_proto::Role::Server, &both_ways(15, true).level(level));
        conn.send_text(&text).unwrap();
        wires.push(sent(&mut conn).remove(0).payload);
    }
    let mut cases = Vec::new();
    for wire in &wires {
        cases.extend((0..=wire.len()).map(|end| wire[..end].to_vec()));
        cases.extend((0..8 * wire.len()).map(|bit| {
            let mut changed = wire.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        }));
    }
    cases.extend((0..=u16::MAX).step_by(29).map(|start| start.to_le_bytes().to_vec()));
    let mut rng = Rng(8);
    cases.extend((0..1500).map(|_| (0..rng.below(12)).map(|_| rng.below(256) as u8).collect()));

    let mut count = [0, 0];
    for (i, payload) in cases.iter().enumerate() {
        let role = ROLES[i % 2];
        let mut plain = Inflater::new(15, true);
        let mut expected = Vec::new();
        let mut fault = None;
        for payload in [HELLO, payload, payload, HELLO] {
            // The inflater sees nothing of an empty payload.
            if payload.is_empty() {
                expected.push(OwnedEvent::Binary(Vec::new()));
                continue;
            }
            match plain.message(payload) {
                Ok(inflated) => expected.push(OwnedEvent::Binary(inflated.bytes)),
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        let script = [(0xc2, HELLO), (0x42, payload), (0x80, b""), (0xc2, payload), (0xc2, HELLO)];
        let mut conn = keeps(role);
        let wire = peer(role, &script);
        let received = wire.chunks([1, 2, 5, 1 << 20][i / 2 % 4]).flat_map(|chunk| receive(&mut conn, chunk)).collect();
        let cause = fault.map(|_| Cause::Protocol(ProtocolError::Deflate));
        assert_eq!(ended(received), (expected, cause), "{payload:02x?} {fault:?}");
        count[usize::from(fault.is_some())] += 1;
    }
    assert!(count.iter().all(|count| *count > 1000), "both outcomes are common: {count:?}");
}

/// P-41, P-45: everything that one endpoint sends is received by the other, in step over many messages in both
/// directions.
#[test]
fn both_ends_understand_each_other() {
    for (bits, takeover) in [(9, true), (9, false), (13, true), (15, true), (15, false)] {
        let settings = both_ways(bits, takeover);
        let [mut client, mut server] = ROLES.map(|role| open(role, &settings));
        let mut rng = Rng(u64::from(bits));
        for round in 0..100 {
            let message = prose(rng.below(3000), round % 11);
            let (from, to) = if rng.below(2) == 0 { (&mut client, &mut server) } else { (&mut server, &mut client) };
            from.send_text(&message).unwrap();
            let wire = crate::support::drain(from);
            let received: Vec<_> = wire.chunks(1 + rng.below(2000)).flat_map(|chunk| receive(to, chunk)).collect();
            assert_eq!(received, [text(&message)]);
            assert_eq!(Receiver::new(bits, takeover).messages(to), []);
        }
    }
}

/// P-53: a message ends with an empty stored block, not inside the header of a dynamic one that the omitted bytes
/// happen to complete. The next message would be inflated from the middle of a byte.
#[test]
fn a_message_that_ends_inside_a_block_is_corrupt() {
    let inside_a_header = b"\x04\xc0\x81\x1c\x80\x51\x10\x83\x70\xd6\xbf\xfb\xef\xf7\xfb\xfd\x7e";
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open(role, &both_ways(15, takeover));
            let script: [(u8, &[u8]); 3] = [(0xc1, HELLO), (0xc2, inside_a_header), (0xc1, HELLO)];
            let events = receive(&mut conn, &peer(role, &script));
            assert_eq!(events.len(), 2, "{events:?}");
            assert_eq!(events[0], text("Hello"));
            assert_eq!(events[1], failed(ProtocolError::Deflate));
        }
    }
}
