//! Messages that are compressed and sent in fragments (RFC 7692 section 6.1).

use websocket_proto::MessageKind;

use crate::checks::Rng;
use crate::connections::{both_ways, open};
use crate::reference_receiver::Receiver;
use crate::sending::{noise, prose};
use crate::support::ROLES;

/// P-07, P-09, P-12: a compressed message in fragments: RSV1 on its first frame, and no frame for a chunk that produces
/// no output.
#[test]
fn fragments_of_a_compressed_message() {
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open(role, &both_ways(12, takeover));
            let mut receiver = Receiver::new(12, takeover);
            for size in [1, 7, 100, 5000, 20_000, 100_000] {
                let text = prose(30_000, size as u64);
                let bytes = text.as_bytes();
                let mut wire = Vec::new();
                for (i, part) in bytes.chunks(size).enumerate() {
                    let last = (i + 1) * size >= bytes.len();
                    conn.send_fragment(MessageKind::Text, part, last).unwrap();
                    if i % 100 == 0 {
                        conn.ping(b"between").unwrap();
                    }
                    wire.extend(crate::support::drain(&mut conn));
                }
                let [message] = &receiver.decode(role, &wire)[..] else { panic!("one message") };
                assert!(message.compressed);
                assert_eq!((message.opcode, &message.bytes[..]), (1, bytes));
                let [_, between @ .., _] = &message.frames[..] else { continue };
                assert!(between.iter().all(|payload| !payload.is_empty()));
                assert!(message.frames.len() < 50, "parts of nothing are no frames");
            }
        }
    }
}

/// P-07, P-12: fragments of every sort, empty ones and those that don't shrink among them, between other messages.
#[test]
fn fragments_between_messages() {
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open(role, &both_ways(10, takeover).level(1));
            let mut receiver = Receiver::new(10, takeover);
            let mut rng = Rng(5);
            for round in 0..40 {
                let parts: Vec<_> =
                    (0..rng.below(6)).map(|i| noise(rng.below(3) * rng.below(6000), i as u64)).collect();
                for part in &parts {
                    conn.send_fragment(MessageKind::Binary, part, false).unwrap();
                }
                conn.send_fragment(MessageKind::Binary, b"", true).unwrap();
                conn.send_text(&prose(500, round % 5)).unwrap();
                let messages = receiver.messages(&mut conn);
                assert_eq!(messages[0].bytes, parts.concat());
                assert_eq!(messages[1].bytes, prose(500, round % 5).as_bytes());
            }
        }
    }
}

/// P-10: whether a message is compressed is decided with its first frame, and stays so.
#[test]
fn a_message_stays_as_it_began() {
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open(role, &both_ways(15, takeover));
            let mut receiver = Receiver::new(15, takeover);
            for begins in [true, false, true, false] {
                conn.set_compression(begins);
                conn.send_fragment(MessageKind::Text, prose(900, 1).as_bytes(), false).unwrap();
                conn.set_compression(!begins);
                conn.send_fragment(MessageKind::Text, prose(900, 2).as_bytes(), false).unwrap();
                conn.set_compression(begins);
                conn.send_fragment(MessageKind::Text, prose(900, 3).as_bytes(), false).unwrap();
                conn.set_compression(!begins);
                conn.send_fragment(MessageKind::Text, b"", true).unwrap();
                let message = receiver.message(&mut conn);
                assert_eq!(message.compressed, begins);
                assert_eq!(message.bytes, [prose(900, 1), prose(900, 2), prose(900, 3)].concat().as_bytes());
                if !begins {
                    assert_eq!(message.frames.len(), 4);
                }
                conn.send_text(&prose(900, 1)).unwrap();
                assert_eq!(receiver.message(&mut conn).compressed, !begins);
            }
        }
    }
}
