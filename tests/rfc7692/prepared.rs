//! Messages that are sent in fragments, and those that were compressed before.

use websocket_proto::{Config, Connection, Kind, PreparedMessage, Role, Scratch};

use crate::checks::Dice;
use crate::connections::{both_ways, open, open_with, params, upgraded};
use crate::inflate::{Fault, Inflater};
use crate::reference_receiver::{Message, Peer};
use crate::sending::{noise, prose};
use crate::support::{ROLES, sent};

/// P-07, P-09, P-12: a compressed message in fragments: RSV1 on its first frame, and no frame for a piece of which nothing
/// comes out.
#[test]
fn fragments_of_a_compressed_message() {
    for role in ROLES {
        for takeover in [true, false] {
            let mut conn = open(role, &both_ways(12, takeover));
            let mut receiver = Peer::new(12, takeover);
            for size in [1, 7, 100, 5000, 20_000, 100_000] {
                let text = prose(30_000, size as u64);
                let bytes = text.as_bytes();
                let mut wire = Vec::new();
                for (i, piece) in bytes.chunks(size).enumerate() {
                    let last = (i + 1) * size >= bytes.len();
                    conn.send_fragment(Kind::Text, piece, last).unwrap();
                    if i % 100 == 0 {
                        conn.ping(b"between").unwrap();
                    }
                    wire.extend(crate::support::drain(&mut conn));
                }
                let [message] = &receiver.take(role, &wire)[..] else { panic!("one message") };
                assert!(message.compressed);
                assert_eq!((message.opcode, &message.bytes[..]), (1, bytes));
                let [_, between @ .., _] = &message.frames[..] else { continue };
                assert!(between.iter().all(|payload| !payload.is_empty()));
                assert!(message.frames.len() < 50, "pieces of nothing are no frames");
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
            let mut receiver = Peer::new(10, takeover);
            let mut dice = Dice(5);
            for round in 0..40 {
                let pieces: Vec<_> =
                    (0..dice.roll(6)).map(|i| noise(dice.roll(3) * dice.roll(6000), i as u64)).collect();
                for piece in &pieces {
                    conn.send_fragment(Kind::Binary, piece, false).unwrap();
                }
                conn.send_fragment(Kind::Binary, b"", true).unwrap();
                conn.send_text(&prose(500, round % 5)).unwrap();
                let messages = receiver.hear(&mut conn);
                assert_eq!(messages[0].bytes, pieces.concat());
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
            let mut receiver = Peer::new(15, takeover);
            for begins in [true, false, true, false] {
                conn.set_compression(begins);
                conn.send_fragment(Kind::Text, prose(900, 1).as_bytes(), false).unwrap();
                conn.set_compression(!begins);
                conn.send_fragment(Kind::Text, prose(900, 2).as_bytes(), false).unwrap();
                conn.set_compression(begins);
                conn.send_fragment(Kind::Text, prose(900, 3).as_bytes(), false).unwrap();
                conn.set_compression(!begins);
                conn.send_fragment(Kind::Text, b"", true).unwrap();
                let message = receiver.hear_one(&mut conn);
                assert_eq!(message.compressed, begins);
                assert_eq!(message.bytes, [prose(900, 1), prose(900, 2), prose(900, 3)].concat().as_bytes());
                if !begins {
                    assert_eq!(message.frames.len(), 4);
                }
                conn.send_text(&prose(900, 1)).unwrap();
                assert_eq!(receiver.hear_one(&mut conn).compressed, !begins);
            }
        }
    }
}

/// P-10, P-24, P-35: a prepared message between others, with takeover and without: compressed where its window fits, and
/// the messages around it stay in step.
#[test]
fn prepared_messages_between_others() {
    for role in ROLES {
        for takeover in [true, false] {
            for bits in 9..=15 {
                for lent in [true, false] {
                    let settings = both_ways(bits, takeover);
                    let mut conn = open(role, &settings);
                    if lent {
                        conn.lend(Box::new(Scratch::new()));
                    }
                    let mut receiver = Peer::new(bits, takeover);
                    let news = PreparedMessage::compressed(prose(5000, 1), &settings);
                    let image = PreparedMessage::compressed(noise(2000, 1), &settings);
                    let mut dice = Dice(u64::from(bits));
                    for round in 0..40 {
                        let message = match dice.roll(5) {
                            0 => {
                                conn.send_prepared(&news).unwrap();
                                let message = receiver.hear_one(&mut conn);
                                assert!(message.compressed);
                                (message, prose(5000, 1).into_bytes())
                            }
                            1 => {
                                conn.send_prepared(&image).unwrap();
                                let message = receiver.hear_one(&mut conn);
                                assert!(!message.compressed, "it would only grow");
                                (message, noise(2000, 1))
                            }
                            2 => {
                                conn.set_compression(false);
                                conn.send_prepared(&news).unwrap();
                                conn.set_compression(true);
                                let message = receiver.hear_one(&mut conn);
                                assert!(!message.compressed);
                                (message, prose(5000, 1).into_bytes())
                            }
                            3 => {
                                conn.send_fragment(Kind::Text, prose(700, round % 3).as_bytes(), false).unwrap();
                                assert!(conn.send_prepared(&news).is_err());
                                conn.send_fragment(Kind::Text, b"", true).unwrap();
                                (receiver.hear_one(&mut conn), prose(700, round % 3).into_bytes())
                            }
                            _ => {
                                conn.send_text(&prose(700, round % 3)).unwrap();
                                (receiver.hear_one(&mut conn), prose(700, round % 3).into_bytes())
                            }
                        };
                        let (Message { bytes, .. }, expected) = message;
                        assert_eq!(bytes, expected, "{role:?} {settings:?} {round}");
                        if lent && dice.roll(2) == 0 {
                            let scratch = conn.release().unwrap();
                            conn.lend(scratch);
                        }
                    }
                }
            }
        }
    }
}

/// P-32, P-35, P-40: a window that is smaller than what a message was prepared in takes it plain, unless all of the message
/// fits.
#[test]
fn prepared_messages_fit_the_window() {
    for role in ROLES {
        for made_in in 9..=15 {
            let settings = both_ways(made_in, true);
            for agreed in 9..=15 {
                for (length, fits) in
                    [(400, true), (512, true), (513, agreed >= 10 || made_in == 9), (40_000, agreed >= made_in)]
                {
                    let text = prose(length, 1);
                    let news = PreparedMessage::compressed(text.clone(), &settings);
                    let mut conn = open_with(role, &both_ways(agreed, true), Config::new());
                    conn.send_prepared(&news).unwrap();
                    let message = Peer::new(agreed, true).hear_one(&mut conn);
                    assert_eq!(message.compressed, fits, "{length} of {made_in} in {agreed}");
                    assert_eq!(message.bytes, text.as_bytes());
                }
            }
        }
    }
}

/// P-10: who agreed on nothing gets the plain form; a message below the least size has no other; all share the same bytes.
#[test]
fn prepared_messages_where_nothing_was_agreed_on() {
    let settings = both_ways(15, true).min_size(100);
    let news = PreparedMessage::compressed(prose(100, 1), &settings);
    let short = PreparedMessage::compressed(prose(99, 1), &settings);
    let firsts = |conn: &mut Connection| {
        conn.send_prepared(&news).unwrap();
        conn.send_prepared(&short).unwrap();
        conn.send_prepared(&PreparedMessage::new(prose(1000, 1))).unwrap();
        sent(conn).iter().map(|frame| frame.first).collect::<Vec<_>>()
    };
    for role in ROLES {
        assert_eq!(firsts(&mut crate::support::open(role)), [0x81, 0x81, 0x81]);
        assert_eq!(firsts(&mut open_with(role, &settings, Config::new())), [0xc1, 0x81, 0x81]);
    }
    assert_eq!((news.kind(), news.payload()), (Kind::Text, prose(100, 1).as_bytes()));
}

/// P-24, P-28, P-44: what one connection leaves in a thread's scratch is nothing to the next, whatever each agreed on.
#[test]
fn connections_that_share_a_scratch_share_no_window() {
    let mut scratch = Box::new(Scratch::new());
    let mut ends = Vec::new();
    for role in ROLES {
        for (bits, takeover) in [(9, true), (9, false), (12, true), (12, false), (15, true), (15, false)] {
            let settings = both_ways(bits, takeover).min_size(0);
            let conn = upgraded(role, params(&settings), Config::new().deflate(settings));
            ends.push((conn, Peer::new(bits, takeover)));
        }
    }
    let mut dice = Dice(3);
    for _ in 0..600 {
        let at = dice.roll(ends.len());
        let (conn, receiver) = &mut ends[at];
        conn.lend(scratch);
        let text = prose(600, dice.roll(3) as u64);
        if dice.roll(4) == 0 {
            conn.send_fragment(Kind::Text, text.as_bytes(), false).unwrap();
            let lent = conn.release().unwrap();
            conn.lend(lent);
            conn.send_fragment(Kind::Text, b"", true).unwrap();
        } else {
            conn.send_text(&text).unwrap();
        }
        assert_eq!(receiver.hear_one(conn).bytes, text.as_bytes());
        scratch = conn.release().unwrap();
    }
}

/// The other tests' receiver can tell: one that forgets what was agreed to be kept, or has less of a window, reads nothing.
#[test]
fn a_receiver_that_is_out_of_step_fails() {
    let mut conn = open(Role::Server, &both_ways(15, true));
    let mut payload = |data: &[u8]| {
        conn.send_binary(data).unwrap();
        sent(&mut conn).remove(0).payload
    };
    let (first, second) = (payload(&noise(5000, 1)), payload(&noise(5000, 1)));
    let (mut forgets, mut small) = (Inflater::new(15, false), Inflater::new(12, true));
    for inflater in [&mut forgets, &mut small] {
        inflater.message(&first).unwrap();
        assert_eq!(inflater.message(&second), Err(Fault::Distance));
    }
}
