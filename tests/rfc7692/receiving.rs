//! Compressed messages that are received (RFC 7692 sections 6 and 7.2.2).

use websocket_proto::{Cause, Config, Connection, Event, ProtocolError, Role};

use crate::checks::{OwnedEvent, Script, binary, failed, peer, ping, receive, text};
use crate::connections::{both_ways, fails, open, open_with};
use crate::inflate::Symbol::{Copy, Literal};
use crate::inflate::Writer;
use crate::support::{ROLES, drain, feed};

/// "Hello", as RFC 7692 7.2.3.1 has it, and again as a reference to that (7.2.3.2).
pub(crate) const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
pub(crate) const AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

/// The examples of RFC 7692 section 7.2.3, with their text.
const EXAMPLES: [(&[u8], &str); 7] = [
    (HELLO, "Hello"),
    (AGAIN, "Hello"),
    (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello"),
    (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello"),
    (AGAIN, "Hello"),
    (b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello"),
    (b"\x00", ""),
];

/// An endpoint that negotiated windows of 32 KiB with context takeover.
pub(crate) fn keeps(role: Role) -> Connection {
    open(role, &both_ways(15, true))
}

/// P-13, P-45, P-46, P-47, P-48, P-49, P-50, P-51: the examples, wherever the input is split.
#[test]
fn the_examples_at_every_split() {
    for role in ROLES {
        for first in [0xc1, 0xc2] {
            let wire: Vec<u8> = EXAMPLES.iter().flat_map(|(payload, _)| peer(role, &[(first, payload)])).collect();
            let expected: Vec<_> = EXAMPLES
                .iter()
                .map(|(_, inflated)| if first == 0xc1 { text(inflated) } else { binary(inflated.as_bytes()) })
                .collect();
            for cut in 0..=wire.len() {
                let mut conn = keeps(role);
                let mut received = receive(&mut conn, &wire[..cut]);
                received.extend(receive(&mut conn, &wire[cut..]));
                assert_eq!(received, expected, "{cut}");
            }
            for size in 1..8 {
                let mut conn = keeps(role);
                let received: Vec<_> = wire.chunks(size).flat_map(|chunk| receive(&mut conn, chunk)).collect();
                assert_eq!(received, expected, "{size}");
            }
        }
    }
}

/// P-12, P-13, P-47: the examples split into fragments at every set of places, with empty ones and pings between them.
#[test]
fn the_examples_in_every_fragmentation() {
    for role in ROLES {
        let mut conn = keeps(role);
        for (payload, inflated) in EXAMPLES.into_iter().filter(|(payload, _)| payload.len() <= 8) {
            for cuts in 0_u32..1 << (payload.len() - 1) {
                receive(&mut conn, &peer(role, &[(0xc1, HELLO)]));
                let mut parts = vec![Vec::new()];
                for (i, byte) in payload.iter().enumerate() {
                    parts.last_mut().unwrap().push(*byte);
                    if cuts >> i & 1 == 1 {
                        parts.push(Vec::new());
                    }
                }
                for empty in [false, true] {
                    let mut script: Vec<(u8, &[u8])> = Vec::new();
                    for part in &parts {
                        script.push((0x00, part));
                        if empty {
                            script.extend([(0x89, &b"ping"[..]), (0x00, b"")]);
                        }
                    }
                    script[0].0 |= 0x41;
                    script.last_mut().unwrap().0 |= 0x80;
                    let mut received = receive(&mut conn, &peer(role, &script));
                    assert_eq!(received.pop(), Some(text(inflated)), "{script:02x?}");
                    assert!(received.iter().all(|event| *event == ping(b"ping")));
                    assert_eq!(received.len(), if empty { parts.len() } else { 0 });
                    receive(&mut conn, &peer(role, &[(0xc1, HELLO)]));
                }
            }
        }
        // The fragments may be empty at the beginning, too.
        let script: Script = &[(0x41, b""), (0x00, b""), (0x89, b"1"), (0x00, HELLO), (0x80, b"")];
        assert_eq!(receive(&mut conn, &peer(role, script)), [ping(b"1"), text("Hello")]);
    }
}

/// B-04, P-06, P-07, P-08: RSV1 is allowed on the first frame of a message and nowhere else; RSV2 and RSV3 are
/// undefined. The first byte of the frame shows it.
#[test]
fn reserved_bits_out_of_place_are_refused() {
    let cases: [(Script, u8); 16] = [
        (&[], 0xc8),
        (&[], 0xc9),
        (&[], 0xca),
        (&[(0x41, b"")], 0xc9),
        (&[(0x41, HELLO)], 0xc0),
        (&[(0x41, HELLO)], 0x40),
        (&[(0x01, b"Hel")], 0xc0),
        (&[(0x02, b"Hel")], 0x40),
        (&[], 0xc0),
        (&[], 0xa1),
        (&[], 0x91),
        (&[], 0xe1),
        (&[], 0xd2),
        (&[], 0xf2),
        (&[(0x41, HELLO)], 0x90),
        (&[(0x41, HELLO)], 0xa9),
    ];
    for role in ROLES {
        for (before, first) in cases {
            let before = peer(role, before);
            let bytes = [&before[..], &peer(role, &[(first, HELLO)])].concat();
            let (received, needed) = fails(|| keeps(role), &bytes, ProtocolError::ReservedBits);
            assert_eq!((received, needed), (vec![], before.len() + 1), "{bytes:02x?}");
        }
        for first in [0xc1, 0x41, 0xc2, 0x42] {
            let bytes = peer(role, &[(first, HELLO)]);
            let (_, needed) = fails(|| crate::support::open(role), &bytes, ProtocolError::ReservedBits);
            assert_eq!(needed, 1, "nothing was agreed on");
        }
    }
}

/// P-10, P-14: plain messages between compressed ones are delivered as they are, and are in no window.
#[test]
fn compressed_and_plain_messages_alternate() {
    for role in ROLES {
        let mut conn = keeps(role);
        assert_eq!(receive(&mut conn, &peer(role, &[(0x81, b"Hello"), (0xc1, HELLO)])), [text("Hello"), text("Hello")]);
        for plain in [&b"xyzzy"[..], &[0xff; 300], &vec![0; 40_000]] {
            let script: Script = &[(0x82, plain), (0x02, plain), (0x80, plain), (0xc1, AGAIN)];
            assert_eq!(
                receive(&mut conn, &peer(role, script)),
                [binary(plain), binary(&plain.repeat(2)), text("Hello")]
            );
        }
        let mut unseen = keeps(role);
        let received = receive(&mut unseen, &peer(role, &[(0x81, b"Hello"), (0xc1, AGAIN)]));
        assert_eq!(received, [text("Hello"), failed(ProtocolError::Deflate)]);
    }
}

/// P-09, P-11: the kind is that of the opcode, and only text has to be UTF-8, once it is inflated.
#[test]
fn text_is_checked_once_it_is_inflated() {
    let chinese = "大家好，世界 👋🏽 ".repeat(30);
    for role in ROLES {
        for (wire, inflated) in [
            (Writer::default().literals(false, chinese.as_bytes()).message(), chinese.as_str()),
            (Writer::default().stored(false, chinese.as_bytes()).message(), &chinese),
            // Bytes that aren't UTF-8 give some that are.
            (HELLO.to_vec(), "Hello"),
        ] {
            let mut conn = keeps(role);
            for cut in 0..wire.len() {
                let script: Script = &[(0x41, &wire[..cut]), (0x89, b""), (0x80, &wire[cut..])];
                assert_eq!(receive(&mut conn, &peer(role, script)), [ping(b""), text(inflated)]);
            }
            assert_eq!(receive(&mut conn, &peer(role, &[(0xc2, &wire)])), [binary(inflated.as_bytes())]);
        }
        let noise: Vec<u8> = (0..=255).collect();
        let wire = Writer::default().literals(false, &noise).message();
        assert_eq!(receive(&mut keeps(role), &peer(role, &[(0xc2, &wire)])), [binary(&noise)]);
        fails(|| keeps(role), &peer(role, &[(0xc1, &wire)]), ProtocolError::InvalidUtf8);
    }
}

/// P-11: text that can't be UTF-8 fails at the first byte that shows it, in one frame or many.
#[test]
fn inflated_text_is_refused_at_its_first_impossible_byte() {
    for role in ROLES {
        for (bytes, at) in [
            (&b"\x80"[..], 0),
            (b"ab\xff", 2),
            (b"\xc3\x28", 1),
            (b"\xe2\x82(", 2),
            (b"\xed\xa0\x80", 1),
            (b"\xf0\x9f\x98(", 3),
            (b"\xf4\x90\x80\x80", 1),
        ] {
            let data = [bytes, b" and more"].concat();
            let wire = Writer::default().stored(false, &data).message();
            // The data is preceded by the frame's header and five bytes of the block's.
            let whole = peer(role, &[(0xc1, &wire)]);
            let (received, needed) = fails(|| keeps(role), &whole, ProtocolError::InvalidUtf8);
            assert_eq!((received, needed), (vec![], whole.len() - wire.len() + 5 + at + 1), "{bytes:02x?}");

            let mut parts = peer(role, &[(0x41, &wire[..5])]);
            let mut expected = 0;
            for (i, byte) in wire[5..].iter().enumerate() {
                parts.extend(peer(role, &[(0x00, &[*byte])]));
                if i == at {
                    expected = parts.len();
                }
                parts.extend(peer(role, &[(0x00, b""), (0x8a, b"")]));
            }
            let mut conn = keeps(role);
            receive(&mut conn, &parts[..expected - 1]);
            assert_eq!(receive(&mut conn, &parts[expected - 1..]), [failed(ProtocolError::InvalidUtf8)]);
        }
    }
}

/// P-11: a character that lacks its last bytes at the end of the message is none, in one frame or several, and in a final block.
#[test]
fn inflated_text_does_not_end_inside_a_character() {
    for role in ROLES {
        for cut in ["é", "大", "👋"].iter().flat_map(|c| (1..c.len()).map(|end| &c.as_bytes()[..end])) {
            let data = [b"text ", cut].concat();
            for wire in [
                Writer::default().literals(false, &data).message(),
                Writer::default().literals(true, &data).message(),
                Writer::default().stored(false, b"text ").stored(true, cut).message(),
            ] {
                let whole = peer(role, &[(0xc1, &wire)]);
                assert_eq!(fails(|| keeps(role), &whole, ProtocolError::InvalidUtf8), (vec![], whole.len()));
                let parts: Script = &[(0x41, &wire[..3]), (0x00, &wire[3..]), (0x80, b"")];
                fails(|| keeps(role), &peer(role, parts), ProtocolError::InvalidUtf8);
                assert_eq!(receive(&mut keeps(role), &peer(role, &[(0xc2, &wire)])), [binary(&data)]);
            }
        }
    }
}

/// P-42: many blocks of every kind, the empty ones among them, which are only blocks.
#[test]
fn blocks_of_every_kind_make_one_message() {
    for role in ROLES {
        let mut conn = keeps(role);
        let mut writer = Writer::default();
        for _ in 0..1000 {
            writer = writer.stored(false, b"");
        }
        assert_eq!(receive(&mut conn, &peer(role, &[(0xc1, &writer.clone().message())])), [text("")]);
        let many =
            writer.literals(false, b"Hello").literals(false, b"").stored(false, b", ").fixed(false, [Copy(5, 7)]);
        let wire = many.message();
        assert_eq!(receive(&mut conn, &peer(role, &[(0xc1, &wire)])), [text("Hello, Hello")]);
        for size in [1, 3, 1000] {
            let mut frames: Vec<(u8, &[u8])> = wire.chunks(size).map(|chunk| (0x00, chunk)).collect();
            frames[0].0 = 0x41;
            frames.last_mut().unwrap().0 |= 0x80;
            assert_eq!(receive(&mut conn, &peer(role, &frames)), [text("Hello, Hello")]);
        }
        let letters: Vec<_> = (b'a'..=b'z').cycle().take(2000).collect();
        let one_each = letters.iter().fold(Writer::default(), |writer, letter| writer.fixed(false, [Literal(*letter)]));
        assert_eq!(receive(&mut conn, &peer(role, &[(0xc2, &one_each.message())])), [binary(&letters)]);
    }
}

/// P-54: the limit of a message applies to the inflated bytes, exactly, and is detected before the whole input has
/// arrived.
#[test]
fn the_size_of_what_comes_out_is_limited() {
    let longest = 100_000;
    let bomb = |length: usize| {
        let runs = (0..(length - 1) / 10).map(|_| Copy(10, 1));
        let rest = (0..(length - 1) % 10).map(|_| Literal(b'a'));
        Writer::default().fixed(false, [Literal(b'a')].into_iter().chain(runs).chain(rest)).message()
    };
    for role in ROLES {
        let open = || open_with(role, &both_ways(15, true), Config::new().max_message_size(longest));
        for first in [0xc1, 0xc2] {
            let received = receive(&mut open(), &peer(role, &[(first, &bomb(longest as usize))]));
            assert!(matches!(&received[..], [OwnedEvent::Text(_) | OwnedEvent::Binary(_)]));
            let wire = peer(role, &[(first, &bomb(longest as usize + 1))]);
            fails(open, &wire, ProtocolError::MessageTooLarge);
            let wire = peer(role, &[(first, &bomb(2 * longest as usize))]);
            assert!(wire.len() < longest as usize, "the frame isn't too long");
            let (received, needed) = fails(open, &wire, ProtocolError::MessageTooLarge);
            assert!(received.is_empty() && needed < wire.len() * 6 / 10, "{needed} of {}", wire.len());
        }
    }
}

/// P-13: a compressed message in chunks is the same message.
#[test]
fn compressed_messages_come_in_pieces() {
    let long = "大家好".repeat(40_000);
    for role in ROLES {
        let settings = both_ways(12, true);
        let mut sender = open(crate::support::other(role), &settings);
        let mut conn = open_with(role, &settings, Config::new().chunk_threshold(0));
        for kind in [1, 2] {
            match kind {
                1 => sender.send_text(&long).unwrap(),
                _ => sender.send_binary(long.as_bytes()).unwrap(),
            }
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for event in feed(&mut conn, &crate::support::drain(&mut sender)) {
                let Event::Chunk(chunk) = event else { panic!("{event:?}") };
                assert_eq!(chunk.is_first(), bytes.is_empty());
                ends.push(chunk.is_last());
                bytes.extend(chunk.parts().concat());
            }
            assert_eq!(bytes, long.as_bytes());
            assert!(ends.len() > 3 && ends.iter().rposition(|last| !last) == Some(ends.len() - 2));
            assert_eq!(ends.last(), Some(&true));
        }
    }
}

/// The bytes of a compressed message can't be read directly into place: they are for the inflater.
#[test]
fn compressed_messages_are_not_read_directly() {
    let noise: Vec<u8> = (0..60_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let payload = Writer::default().stored(false, &noise).message();
    for role in ROLES {
        let mut conn = keeps(role);
        let wire = peer(role, &[(0xc2, &payload)]);
        for part in wire.chunks(5_000) {
            assert_eq!(conn.read_buffer(), None);
            for event in feed(&mut conn, part) {
                assert_eq!(event, Event::Binary(noise.clone().into()));
            }
            assert_eq!(conn.commit_read(1_000), 0);
        }
    }
}

/// DEFLATE may make a message larger: its frames may be an eighth and 8 KiB larger than the limit of messages. What
/// is larger fails the connection at its header, before it occupies memory.
#[test]
fn compressed_bytes_have_their_own_limit() {
    const LIMIT: u64 = 100_003;
    const MOST: usize = 100_003 + 100_003 / 8 + 8192;
    for role in ROLES {
        let new =
            || open_with(role, &both_ways(15, true), Config::new().max_frame_size(1 << 20).max_message_size(LIMIT));
        let header = |first, length| {
            let wire = peer(role, &[(first, &vec![0; length])]);
            wire[..wire.len() - length].to_vec()
        };
        assert_eq!(receive(&mut new(), &header(0xc2, MOST)), []);
        assert_eq!(receive(&mut new(), &header(0xc2, MOST + 1)), [failed(ProtocolError::MessageTooLarge)]);
        // The limit applies to all fragments together. An empty block has five bytes.
        for (more, events) in [(0, vec![]), (1, vec![failed(ProtocolError::MessageTooLarge)])] {
            let mut conn = new();
            assert_eq!(receive(&mut conn, &peer(role, &[(0x42, b"\0\0\0\xff\xff")])), []);
            assert_eq!(receive(&mut conn, &header(0x00, MOST - 5 + more)), events);
        }
    }
}

/// Bytes that come out only after the last input is consumed are part of the message: a copy of 258 bytes may be the end
/// of a message, and is cut wherever the space for it ends.
#[test]
fn what_comes_out_after_the_input_is_consumed_counts() {
    let settings = both_ways(15, false).min_size(0);
    let mut sender = open_with(Role::Client, &settings, Config::new());
    let mut receiver = open_with(Role::Server, &settings, Config::new());
    for length in 2_040..2_320 {
        let letters = "x".repeat(length);
        sender.send_text(&letters).unwrap();
        sender.send_binary(letters.as_bytes()).unwrap();
        let expected = [text(&letters), binary(letters.as_bytes())];
        assert_eq!(receive(&mut receiver, &drain(&mut sender)), expected, "{length}");
    }
}

/// P-12: a message in chunks may have any number of fragments; one that is assembled may not. The size after inflating decides,
/// as for every message.
#[test]
fn what_fragments_inflate_to_decides_their_number() {
    const TOO_MANY: Cause = Cause::Protocol(ProtocolError::TooManyFragments);
    let fails = |fragments: &[&[u8]]| {
        let config = Config::new().max_fragments(3).chunk_threshold(5);
        let mut conn = open_with(Role::Server, &both_ways(15, true), config);
        let first = peer(Role::Server, &[(0x42, fragments[0])]);
        let others: Vec<_> = fragments[1..].iter().map(|part| peer(Role::Server, &[(0x00, part)])).collect();
        let events = feed(&mut conn, &[first, others.concat()].concat());
        matches!(events.last(), Some(Event::Closed(closed)) if closed.cause == TOO_MANY)
    };
    let block = |data: &[u8]| Writer::default().stored(false, data).bytes();
    assert!(fails(&[&block(b"four"), b"", b"", b""]));
    assert!(!fails(&[&block(b"five!"), b"", b"", b"", b""]));
    assert!(fails(&[&block(b"1234"), b"", b"", &block(b"5")]));
    assert!(!fails(&[&block(b"1234"), b"", &block(b"5"), b"", b""]));
    // 50 bytes that inflate to nothing.
    assert!(fails(&[&block(b"").repeat(10), b"", b"", b""]));
}
