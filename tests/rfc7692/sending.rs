//! Compressed messages that are sent (RFC 7692 sections 6.1 and 7.2.1).

use websocket_proto::{CloseCode, Config, Connection, DeflateConfig, MessageKind, PreparedMessage, Role, SendError};

use crate::checks::{Rng, peer, receive};
use crate::connections::{both_ways, open, open_with};
use crate::reference_receiver::Receiver;
use crate::support::{ROLES, drain, frames, sent};

/// Random bytes, which don't shrink.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut rng = Rng(seed);
    (0..length).map(|_| rng.below(256) as u8).collect()
}

/// Typical text of that many bytes, which repeats itself a little.
pub(crate) fn prose(length: usize, seed: u64) -> String {
    let mut rng = Rng(seed);
    let words = [
        "{\"id\":",
        "\"name\"",
        "\"大家好\"",
        "[1,2,3]",
        "true,",
        "你好，世界",
        "the ",
        "window ",
        "\u{1f44b}",
        "0.25}",
    ];
    let mut text = String::new();
    while text.len() < length {
        text.push_str(words[rng.below(words.len())]);
        text.push_str(&rng.below(1000).to_string());
    }
    text.truncate((0..=length).rfind(|end| text.is_char_boundary(*end)).unwrap_or_default());
    let lacking = length - text.len();
    text + &"x".repeat(lacking)
}

/// The same bytes again after that distance, at the ends of noise.
fn apart(distance: usize) -> Vec<u8> {
    let again = noise(100.min(distance), 77);
    [&again[..], &noise(distance - again.len(), 78), &again].concat()
}

fn samples() -> Vec<Vec<u8>> {
    vec![
        prose(1500, 1).into_bytes(),
        "大家好，这是一条消息。".repeat(20).into_bytes(),
        vec![0; 1200],
        noise(700, 2),
        prose(300, 1).into_bytes(),
        b"a".to_vec(),
        apart(600),
    ]
}

/// P-24, P-28, P-35, P-40, P-41, P-44: whatever the window, the level and the memory, a sent message inflates in
/// exactly the negotiated window, without the tail that it ended with.
#[test]
fn every_window_level_and_memory_level_is_kept_to() {
    let samples = samples();
    for bits in 9..=15 {
        for level in 0..=9 {
            for memory in 1..=9 {
                let takeover = (bits + level + memory) % 2 == 0;
                let role = if (level + memory) % 3 == 0 { Role::Client } else { Role::Server };
                let settings = both_ways(bits, takeover).level(level).memory_level(memory);
                let mut conn = open(role, &settings);
                let mut receiver = Receiver::new(bits, takeover);
                for sample in &samples {
                    conn.send_binary(sample).unwrap();
                    let message = receiver.message(&mut conn);
                    assert_eq!(message.bytes, *sample, "{role:?} {settings:?}");
                    assert_eq!((message.opcode, message.frames.len()), (2, 1));
                }
            }
        }
    }
}

/// P-32, P-35, P-40: repetitions at the edge of the window and beyond it, within a message and from one before.
#[test]
fn repeats_around_the_edge_of_the_window() {
    for role in ROLES {
        for bits in 9..=15 {
            let window = 1_usize << bits;
            for distance in [window / 2, window - 263, window - 262, window - 261, window - 1, window, window + 1] {
                for level in [1, 9] {
                    let data = apart(distance);
                    let settings = both_ways(bits, true).level(level);
                    let mut conn = open(role, &settings);
                    let mut receiver = Receiver::new(bits, true);
                    conn.send_binary(&data).unwrap();
                    for part in data.chunks(distance) {
                        conn.send_binary(part).unwrap();
                    }
                    let messages = receiver.messages(&mut conn);
                    assert!(messages.iter().all(|message| message.compressed));
                    assert_eq!(messages[0].bytes, data, "{role:?} {bits} {distance}");
                    assert_eq!([&messages[1].bytes[..], &messages[2].bytes].concat(), data);
                    if distance == window / 2 && bits > 9 {
                        assert!(messages[2].payload().len() < 30, "within the window it is used");
                    }
                }
            }
        }
    }
}

/// P-06, P-09, P-41: messages of every form of length, in the shortest form of their frame, of either kind, by every call.
#[test]
fn messages_of_every_length() {
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open(role, &both_ways(15, takeover).level(6));
            let mut receiver = Receiver::new(15, takeover);
            for length in (0..140).chain([65_535, 65_536, 65_537]) {
                let text = prose(length, length as u64);
                conn.ping(b"before").unwrap();
                drain(&mut conn);
                conn.send_text(&text).unwrap();
                let wire = drain(&mut conn);
                let payload = frames(&wire)[0].payload.len();
                let mask = if role == Role::Client { 4 } else { 0 };
                let shortest = [2, 4, 10][usize::from(payload > 125) + usize::from(payload > 65_535)];
                assert_eq!(wire.len(), shortest + mask + payload);
                let mut messages = receiver.decode(role, &wire);

                conn.ping(b"between").unwrap();
                conn.send_text(&text).unwrap();
                conn.send(text.clone()).unwrap();
                conn.pong(b"").unwrap();
                conn.send(noise(length, 3)).unwrap();
                conn.send_binary(&vec![0; length]).unwrap();
                messages.extend(receiver.messages(&mut conn));
                let (kinds, bytes): (Vec<_>, Vec<_>) =
                    messages.into_iter().map(|message| (message.opcode, message.bytes)).unzip();
                assert_eq!(kinds, [1, 1, 1, 2, 2]);
                let text = text.into_bytes();
                assert_eq!(bytes, [text.clone(), text.clone(), text, noise(length, 3), vec![0; length]]);
            }
        }
    }
}

/// P-41: frames whose payload needs a longer header form because it grows by being compressed, which moves it.
#[test]
fn headers_fit_what_came_out() {
    for role in ROLES {
        for level in [0, 1, 6] {
            for length in (110..130).chain((65_515..65_540).step_by(4)) {
                let mut conn = open(role, &both_ways(15, true).level(level));
                let data = noise(length, length as u64);
                conn.send_binary(&data).unwrap();
                let message = Receiver::new(15, true).message(&mut conn);
                assert!(
                    message.compressed && message.payload().len() >= length,
                    "takeover keeps step, whatever it takes"
                );
                assert_eq!(message.bytes, data);
            }
        }
    }
}

/// P-41: wherever the output's capacity ends, one flush ends the message.
#[test]
fn the_end_of_the_room_is_not_seen() {
    for length in 0..700 {
        let mut conn = open(Role::Server, &both_ways(15, true).level(1));
        conn.send_binary(&noise(length, 5)).unwrap();
        conn.send_text(&prose(length, 6)).unwrap();
        assert_eq!(Receiver::new(15, true).messages(&mut conn).len(), 2, "{length}");
    }
}

/// P-51: an empty message is the octet 0, and is sent plain if that is shorter and safe.
#[test]
fn an_empty_message_is_one_octet() {
    for (takeover, whole) in [(true, b"\xc1\x01\x00".to_vec()), (false, b"\x81\x00".to_vec())] {
        let mut conn = open(Role::Server, &both_ways(15, takeover));
        for _ in 0..2 {
            conn.send_text("").unwrap();
            assert_eq!(drain(&mut conn), whole);
            conn.send_fragment(MessageKind::Text, b"", true).unwrap();
            assert_eq!(drain(&mut conn), b"\xc1\x01\x00");
            conn.send_fragment(MessageKind::Binary, b"", false).unwrap();
            conn.send_fragment(MessageKind::Binary, b"", false).unwrap();
            conn.send_fragment(MessageKind::Binary, b"", true).unwrap();
            assert_eq!(drain(&mut conn), b"\x42\x00\x80\x01\x00");
            conn.send_text(&prose(200, 1)).unwrap();
            Receiver::new(15, takeover).message(&mut conn);
            conn = open(Role::Server, &both_ways(15, takeover));
        }
    }
}

/// P-10: messages shorter than the minimum size are plain, and so is everything while compression is off; plain
/// messages are in no window.
#[test]
fn each_message_is_compressed_or_not() {
    for role in ROLES {
        let settings = both_ways(12, true).min_size(100);
        let mut conn = open_with(role, &settings, Config::new());
        let mut receiver = Receiver::new(12, true);
        let mut rng = Rng(9);
        for round in 0..300 {
            let on = rng.below(3) > 0;
            conn.set_compression(on);
            let text = prose([99, 100, 101, 1000][rng.below(4)], round % 7);
            match rng.below(2) {
                0 => conn.send_text(&text).unwrap(),
                _ => conn.send(text.clone()).unwrap(),
            }
            let message = receiver.message(&mut conn);
            assert_eq!(message.compressed, on && text.len() >= 100, "{round}");
            assert_eq!(message.bytes, text.as_bytes());
        }
    }
}

/// P-24, P-28: without takeover equal messages are sent in equal bytes; with it the second refers to the first.
#[test]
fn equal_messages_without_takeover_are_equal() {
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open(role, &both_ways(15, takeover));
            let mut receiver = Receiver::new(15, takeover);
            let mut payload = |text: &str| {
                conn.send_text(text).unwrap();
                let message = receiver.message(&mut conn);
                assert!(message.compressed);
                message.payload()
            };
            let text = prose(2000, 4);
            let (first, other, second) = (payload(&text), payload(&prose(500, 5)), payload(&text));
            assert_ne!(first, other);
            if takeover {
                assert!(second.len() < first.len() / 4);
            } else {
                assert_eq!(second, first);
            }
        }
    }
}

/// P-10: without context takeover nothing grows: a message that doesn't shrink is sent as it is.
#[test]
fn messages_that_would_grow_are_plain() {
    for role in ROLES {
        let mut conn = open(role, &both_ways(15, false));
        let mut receiver = Receiver::new(15, false);
        for length in [1, 2, 10, 64, 125, 126, 1000, 65_536, 100_000] {
            conn.send_binary(&noise(length, 1)).unwrap();
            conn.send(noise(length, 1)).unwrap();
            for message in receiver.messages(&mut conn) {
                assert!(!message.compressed);
                assert_eq!(message.bytes, noise(length, 1));
            }
            // The compressor has forgotten what wasn't sent.
            conn.send_text(&prose(1000, 1)).unwrap();
            conn.send_binary(&[&noise(length, 1)[..], &[0; 500]].concat()).unwrap();
            assert!(receiver.messages(&mut conn).iter().all(|message| message.compressed));
        }
    }
}

/// P-22: there is no compressor for a window of 256 bytes, so that a client which is asked for one sends plain messages.
#[test]
fn a_window_of_256_bytes_is_not_compressed_in() {
    let settings = DeflateConfig::new();
    let params = settings.check([&b"permessage-deflate; client_max_window_bits=8"[..]]).unwrap().unwrap();
    let mut conn =
        crate::connections::upgraded(Role::Client, params, Config::new().deflate(settings.clone().min_size(0)));
    let text = prose(1000, 1);
    conn.set_compression(true);
    conn.send_text(&text).unwrap();
    conn.send(text.clone()).unwrap();
    conn.send_fragment(MessageKind::Text, text.as_bytes(), false).unwrap();
    conn.send_fragment(MessageKind::Text, b"", true).unwrap();
    conn.send_prepared(&PreparedMessage::compressed(text.clone(), &settings)).unwrap();
    let messages = Receiver::new(8, true).messages(&mut conn);
    assert_eq!(messages.len(), 4);
    assert!(messages.iter().all(|message| !message.compressed && message.bytes == text.as_bytes()));
    assert_eq!(receive(&mut conn, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"), [crate::checks::text("Hello")]);
}

/// P-06: after a Close nothing is sent, compressed or not, and an abort leaves nothing.
#[test]
fn nothing_is_compressed_behind_the_end() {
    type Call = fn(&mut Connection) -> Result<(), SendError>;
    let calls: [Call; 5] = [
        |conn| conn.send_text(&prose(1000, 1)),
        |conn| conn.send(vec![0; 1000]),
        |conn| conn.send_fragment(MessageKind::Text, prose(1000, 1).as_bytes(), true),
        |conn| conn.send_fragment(MessageKind::Text, b"", false),
        |conn| conn.send_prepared(&PreparedMessage::compressed(prose(1000, 1), &DeflateConfig::new())),
    ];
    for role in ROLES {
        for in_message in [true, false] {
            let opened = || {
                let mut conn = open(role, &both_ways(15, true));
                if in_message {
                    conn.send_fragment(MessageKind::Text, prose(1000, 2).as_bytes(), false).unwrap();
                    drain(&mut conn);
                }
                conn
            };
            for call in calls {
                let mut closing = opened();
                closing.close(CloseCode::NORMAL, "").unwrap();
                assert_eq!(call(&mut closing), Err(SendError::Closed));
                assert_eq!(sent(&mut closing).iter().map(|frame| frame.first).collect::<Vec<_>>(), [0x88]);

                let mut closed = opened();
                receive(&mut closed, &peer(role, &[(0x88, b"")]));
                assert_eq!(call(&mut closed), Err(SendError::Closed));
                assert_eq!(sent(&mut closed).iter().map(|frame| frame.first).collect::<Vec<_>>(), [0x88]);

                let mut aborted = opened();
                call(&mut opened()).ok();
                aborted.abort();
                assert_eq!(call(&mut aborted), Err(SendError::Closed));
                assert_eq!(drain(&mut aborted), b"");
            }
        }
    }
}

/// P-41: a full output rejects a message before it is compressed: nothing of it is in the window.
#[test]
fn a_refused_message_leaves_no_trace() {
    let settings = both_ways(15, true).min_size(0);
    let mut conn = open_with(Role::Server, &settings, Config::new().max_pending_output(10));
    let mut receiver = Receiver::new(15, true);
    let (first, second) = (prose(500, 1), prose(500, 2));
    conn.send_text(&first).unwrap();
    assert_eq!(conn.send_text(&second), Err(SendError::OutputFull));
    assert_eq!(conn.send(second.clone()), Err(SendError::OutputFull));
    assert_eq!(conn.send_fragment(MessageKind::Text, second.as_bytes(), false), Err(SendError::OutputFull));
    assert_eq!(receiver.message(&mut conn).bytes, first.as_bytes());
    conn.send_fragment(MessageKind::Text, second.as_bytes(), false).unwrap();
    assert_eq!(receiver.messages(&mut conn), []);
    assert_eq!(conn.send_text(&first), Err(SendError::UnfinishedMessage));
    assert_eq!(conn.send(first.clone()), Err(SendError::UnfinishedMessage));
    conn.send_fragment(MessageKind::Text, b"", true).unwrap();
    assert_eq!(receiver.message(&mut conn).bytes, second.as_bytes());
}
