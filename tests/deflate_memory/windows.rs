//! The window that a message may refer to: that of its own connection, as negotiated, and no other.

use websocket_proto::{
    Cause, Config, Connection, DeflateConfig, Event, MessageKind, PreparedMessage, ProtocolError, Role, Scratch,
};

use crate::deflate::{deflated, endpoint, endpoint_with, negotiate, noise, settings, without_takeover};
use crate::inflate::{Symbol, Writer};
use crate::support::{ROLES, drain, feed, frame, frames, other};

const SECRET: &[u8] = b"a secret of 24 letters..";

/// The result of a message that refers to a place before its beginning.
fn refers_back(conn: &mut Connection, distance: usize) -> Result<Vec<u8>, Cause> {
    let wire = frame(other(conn.role()), 0xc2, &Writer::default().fixed(false, [Symbol::Copy(3, distance)]).message());
    match feed(conn, &wire).pop() {
        Some(Event::Binary(data)) => Ok(data.into_owned()),
        Some(Event::Closed(closed)) => Err(closed.cause),
        event => panic!("{event:?}"),
    }
}

/// A message refers to those before it with takeover, and to none without.
#[test]
fn a_message_refers_to_those_before_it_with_takeover_only() {
    for role in ROLES {
        for (settings, result) in
            [(settings(), Ok(b"a s".to_vec())), (without_takeover(), Err(Cause::Protocol(ProtocolError::Deflate)))]
        {
            let mut conn = endpoint(role, Config::new(), &settings);
            feed(&mut conn, &frame(other(role), 0xc2, &deflated(SECRET)));
            assert_eq!(refers_back(&mut conn, SECRET.len()), result, "{role:?}");
        }
    }
}

/// No message can refer to data of other connections that used a thread's inflater before.
#[test]
fn a_lent_inflater_forgets_the_connection_before() {
    let all = [settings(), without_takeover()];
    for role in ROLES {
        for (before, after) in all.iter().flat_map(|before| all.iter().map(move |after| (before, after))) {
            for others in [&[before][..], &[before, before], &[after, before]] {
                let mut scratch = Scratch::new();
                for settings in others {
                    let mut conn = endpoint(role, Config::new(), settings);
                    conn.attach_scratch(scratch);
                    feed(&mut conn, &frame(other(role), 0xc2, &deflated(SECRET)));
                    scratch = conn.detach_scratch().unwrap();
                }
                let mut conn = endpoint(role, Config::new(), after);
                conn.attach_scratch(scratch);
                let refused = Err(Cause::Protocol(ProtocolError::Deflate));
                assert_eq!(refers_back(&mut conn, SECRET.len()), refused, "{role:?}: {others:?}, then {after:?}");
            }
        }
    }
}

/// The same inflater, shared between the messages of a connection, knows its window and nothing beyond.
#[test]
fn a_lent_inflater_knows_the_window_agreed_on() {
    let lends = |conn: &mut Connection, scratch: &mut Option<Scratch>, payload: &[u8]| {
        conn.attach_scratch(scratch.take().unwrap());
        feed(conn, &frame(Role::Client, 0xc2, payload));
        *scratch = conn.detach_scratch();
    };
    for bits in 9..=15 {
        let small = settings().client_max_window_bits(bits);
        let params = negotiate(&small, &small);
        let window = 1 << bits;
        for (distance, known) in [(window, true), (window + 1, false)] {
            // DEFLATE can't express a distance larger than 32 KiB.
            if distance > 1 << 15 {
                continue;
            }
            let mut scratch = Some(Scratch::new());
            let mut conn = endpoint_with(Role::Server, Config::new(), params);
            let mut another = endpoint(Role::Server, Config::new(), &settings());
            lends(&mut conn, &mut scratch, &deflated(&vec![b'x'; 3 * window]));
            lends(&mut another, &mut scratch, &deflated(SECRET));
            conn.attach_scratch(scratch.take().unwrap());
            assert_eq!(refers_back(&mut conn, distance).is_ok(), known, "{distance} back in {window}");
        }
    }
}

/// A sender refers only to the negotiated window: after each message, a receiver that has just this window understands
/// the next.
#[test]
fn a_sender_keeps_to_the_window() {
    let noise = noise(100_000);
    for bits in 9..=15 {
        let small = DeflateConfig::new().server_max_window_bits(bits).level(9);
        let params = negotiate(&small, &small);
        let mut sender = endpoint_with(Role::Server, Config::new().deflate(small), params);
        let mut receiver = endpoint_with(Role::Client, Config::new(), params);
        let mut scratch = Some(Scratch::new());
        // Repetitions at every distance around the window's size.
        for step in ((1 << bits) - 300..(1 << bits) + 300).step_by(7) {
            let data = [&noise[..step], &noise[..300]].concat();
            sender.send_binary(&data).unwrap();
            receiver.attach_scratch(scratch.take().unwrap());
            let wire = drain(&mut sender);
            assert!(matches!(&feed(&mut receiver, &wire)[..], [Event::Binary(got)] if *got == data));
            scratch = receiver.detach_scratch();
        }
    }
}

/// A stream that ends inside a message is followed by another that can refer to data before it: of this message, of
/// earlier ones, and of chunks that were delivered.
#[test]
fn a_stream_that_begins_anew_knows_the_messages_before() {
    for chunk_threshold in [u64::MAX, 0] {
        for size in [1, usize::MAX] {
            let mut conn = endpoint(Role::Server, Config::new().chunk_threshold(chunk_threshold), &settings());
            let blocks = Writer::default().stored(true, b"here").stored(true, b"");
            let again = blocks
                .fixed(true, [Symbol::Copy(3, SECRET.len() + 4)])
                .fixed(false, [Symbol::Copy(3, SECRET.len() + 4)])
                .message();
            let wire = [frame(Role::Client, 0xc2, &deflated(SECRET)), frame(Role::Client, 0xc2, &again)].concat();
            let mut received = Vec::new();
            crate::receive(&mut conn, &wire, size, |_, event| match event {
                Event::Binary(data) => received.extend(data.into_owned()),
                Event::Chunk(chunk) => received.extend(chunk.parts().concat()),
                other => panic!("{other:?}"),
            });
            assert_eq!(received, [SECRET, b"herea secr"].concat(), "pieces from {chunk_threshold}, inputs of {size}");
        }
    }
}

/// A new stream knows the window that was kept with the connection: what repeats an earlier message stays small.
#[test]
fn a_new_stream_knows_the_window_that_was_kept() {
    let settings = settings().server_max_window_bits(12);
    let noise = noise(2_000);
    let mut sender = endpoint(Role::Server, Config::new(), &settings);
    let mut peer = endpoint(Role::Client, Config::new(), &settings);
    for round in 0..3 {
        // Each time that of another thread, which has no stream.
        sender.attach_scratch(Scratch::new());
        sender.send_binary(&noise).unwrap();
        sender.detach_scratch();
        let wire = drain(&mut sender);
        assert_eq!(wire.len() < 100, round > 0, "{} bytes", wire.len());
        assert!(matches!(&feed(&mut peer, &wire)[..], [Event::Binary(data)] if **data == noise[..]));
    }
}

/// After a prepared message, which its compressor hasn't seen, a sender refers to nothing before it.
#[test]
fn a_sender_refers_to_nothing_before_a_prepared_message() {
    let noise = noise(20_000);
    for role in ROLES {
        let mut sender = endpoint(role, Config::new(), &settings());
        let mut peer = endpoint(other(role), Config::new(), &settings());
        let prepared = PreparedMessage::compressed("prepared ".repeat(1000), &settings());
        for _ in 0..3 {
            sender.send_binary(&noise).unwrap();
            sender.send_prepared(&prepared).unwrap();
            sender.send_fragment(MessageKind::Binary, &noise, true).unwrap();
            let wire = drain(&mut sender);
            assert!(frames(&wire).iter().all(|frame| frame.first & 0x40 != 0));
            let events = feed(&mut peer, &wire);
            let [Event::Binary(first), Event::Text(_), Event::Binary(second)] = &events[..] else {
                panic!("{events:?}")
            };
            assert!(**first == noise[..] && **second == noise[..]);
        }
    }
}

/// A shared compressor refers to no message of the connection before, nor to an earlier one of this connection.
#[test]
fn a_lent_compressor_refers_to_no_message_before() {
    let text = "a message that everybody sends ".repeat(10);
    for role in ROLES {
        let mut scratch = Some(Scratch::new());
        for _ in 0..3 {
            let mut sender = endpoint(role, Config::new(), &without_takeover());
            for _ in 0..2 {
                sender.attach_scratch(scratch.take().unwrap());
                sender.send_text(&text).unwrap();
                scratch = sender.detach_scratch();
                let wire = drain(&mut sender);
                assert_eq!(frames(&wire)[0].first, 0xc1);
                let mut peer = endpoint(other(role), Config::new(), &without_takeover());
                assert!(matches!(&feed(&mut peer, &wire)[..], [Event::Text(got)] if *got == text));
            }
        }
    }
}

/// A message may end with a last block that is completed by the omitted bytes: the next begins another stream, whether
/// the inflater was shared meanwhile or not.
#[test]
fn a_stream_may_end_with_what_is_not_sent() {
    // The header of a stored last block: 00 00 ff ff makes it an empty one.
    const LAST: &[u8] = b"\x01";
    for lends in [false, true] {
        for (next, result) in [
            // Without the header of a block, 00 00 ff ff isn't one: such a message is empty without it.
            (Vec::new(), &b""[..]),
            (vec![0], b""),
            (Writer::default().fixed(false, [Symbol::Copy(3, SECRET.len())]).message(), b"a s"),
        ] {
            let mut conn = endpoint(Role::Server, Config::new(), &settings());
            let mut scratch = Scratch::new();
            let mut events = Vec::new();
            for payload in [&deflated(SECRET), LAST, &next] {
                if lends {
                    conn.attach_scratch(scratch);
                }
                events.extend(feed(&mut conn, &frame(Role::Client, 0xc2, payload)));
                scratch = conn.detach_scratch().unwrap_or_default();
            }
            let [Event::Binary(_), Event::Binary(empty), last] = &events[..] else { panic!("{events:?}") };
            assert!(empty.is_empty());
            assert!(matches!(last, Event::Binary(data) if **data == *result), "{last:?}, not {result:?}");
        }
    }
}
