//! Messages that were compressed before they are sent, and state that connections share through a scratch.

use websocket_proto::{Config, Connection, MessageKind, PreparedMessage, Role, Scratch};

use crate::checks::Rng;
use crate::connections::{both_ways, open, open_with, params, upgraded};
use crate::inflate::{Fault, Inflater};
use crate::reference_receiver::{Message, Receiver};
use crate::sending::{noise, prose};
use crate::support::{ROLES, sent};

/// P-10, P-24, P-35: a prepared message between others, with context takeover and without: compressed if its window
/// fits, and the messages around it stay in step.
#[test]
fn prepared_messages_between_others() {
    for role in ROLES {
        for takeover in [true, false] {
            for bits in 9..=15 {
                for lent in [true, false] {
                    let settings = both_ways(bits, takeover);
                    let mut conn = open(role, &settings);
                    if lent {
                        conn.attach_scratch(Scratch::new());
                    }
                    let mut receiver = Receiver::new(bits, takeover);
                    let news = PreparedMessage::compressed(prose(5000, 1), &settings);
                    let image = PreparedMessage::compressed(noise(2000, 1), &settings);
                    let mut rng = Rng(u64::from(bits));
                    for round in 0..40 {
                        let message = match rng.below(5) {
                            0 => {
                                conn.send_prepared(&news).unwrap();
                                let message = receiver.message(&mut conn);
                                assert!(message.compressed);
                                (message, prose(5000, 1).into_bytes())
                            }
                            1 => {
                                conn.send_prepared(&image).unwrap();
                                let message = receiver.message(&mut conn);
                                assert!(!message.compressed, "it would only grow");
                                (message, noise(2000, 1))
                            }
                            2 => {
                                conn.set_compression(false);
                                conn.send_prepared(&news).unwrap();
                                conn.set_compression(true);
                                let message = receiver.message(&mut conn);
                                assert!(!message.compressed);
                                (message, prose(5000, 1).into_bytes())
                            }
                            3 => {
                                conn.send_fragment(MessageKind::Text, prose(700, round % 3).as_bytes(), false).unwrap();
                                assert!(conn.send_prepared(&news).is_err());
                                conn.send_fragment(MessageKind::Text, b"", true).unwrap();
                                (receiver.message(&mut conn), prose(700, round % 3).into_bytes())
                            }
                            _ => {
                                conn.send_text(&prose(700, round % 3)).unwrap();
                                (receiver.message(&mut conn), prose(700, round % 3).into_bytes())
                            }
                        };
                        let (Message { bytes, .. }, expected) = message;
                        assert_eq!(bytes, expected, "{role:?} {settings:?} {round}");
                        if lent && rng.below(2) == 0 {
                            let scratch = conn.detach_scratch().unwrap();
                            conn.attach_scratch(scratch);
                        }
                    }
                }
            }
        }
    }
}

/// P-32, P-35, P-40: a connection whose window is smaller than the one the message was prepared for sends it plain,
/// unless the whole message fits.
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
                    let message = Receiver::new(agreed, true).message(&mut conn);
                    assert_eq!(message.compressed, fits, "{length} of {made_in} in {agreed}");
                    assert_eq!(message.bytes, text.as_bytes());
                }
            }
        }
    }
}

/// P-10: a connection without compression gets the plain form; a message below the minimum size has no other; all share
/// the same bytes.
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
    assert_eq!((news.kind(), news.payload()), (MessageKind::Text, prose(100, 1).as_bytes()));
}

/// P-10: a message is prepared in a compressed form as well if that is smaller.
#[test]
fn prepared_messages_are_compressed_if_that_makes_them_smaller() {
    let settings = both_ways(15, true).min_size(0);
    let new = || open_with(Role::Server, &settings, Config::new());
    let mut equal = 0;
    for length in 1..20 {
        let text = "a".repeat(length);
        // With context takeover, every message is compressed, even if it grows.
        let (mut always, mut prepared) = (new(), new());
        always.send_text(&text).unwrap();
        prepared.send_prepared(&PreparedMessage::compressed(text, &settings)).unwrap();
        let compressed = sent(&mut always)[0].payload.len();
        let is_smaller = compressed < length;
        assert_eq!(sent(&mut prepared)[0].first, if is_smaller { 0xc1 } else { 0x81 }, "{length}");
        equal += usize::from(compressed == length);
    }
    assert!(equal > 0, "the limit was tried");
}

/// P-24, P-28, P-44: what one connection leaves in a thread's scratch doesn't affect the next, whatever each
/// negotiated.
#[test]
fn connections_that_share_a_scratch_share_no_window() {
    let mut scratch = Scratch::new();
    let mut ends = Vec::new();
    for role in ROLES {
        for (bits, takeover) in [(9, true), (9, false), (12, true), (12, false), (15, true), (15, false)] {
            let settings = both_ways(bits, takeover).min_size(0);
            let conn = upgraded(role, params(&settings), Config::new().deflate(settings));
            ends.push((conn, Receiver::new(bits, takeover)));
        }
    }
    let mut rng = Rng(3);
    for _ in 0..600 {
        let at = rng.below(ends.len());
        let (conn, receiver) = &mut ends[at];
        conn.attach_scratch(scratch);
        let text = prose(600, rng.below(3) as u64);
        if rng.below(4) == 0 {
            conn.send_fragment(MessageKind::Text, text.as_bytes(), false).unwrap();
            let lent = conn.detach_scratch().unwrap();
            conn.attach_scratch(lent);
            conn.send_fragment(MessageKind::Text, b"", true).unwrap();
        } else {
            conn.send_text(&text).unwrap();
        }
        assert_eq!(receiver.message(conn).bytes, text.as_bytes());
        scratch = conn.detach_scratch().unwrap();
    }
}

/// The receiver of the other tests notices it: one that forgets what should be kept, or has a smaller window, can't
/// read the messages.
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
