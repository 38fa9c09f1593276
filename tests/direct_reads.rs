//! Messages that are read directly into place: the same events as through the input.

#[path = "support/mod.rs"]
mod support;

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use support::{ROLES, close_body, feed, frame, open_with, other, sent};
use websocket_proto::{Cause, CloseCode, Config, Connection, Event, ProtocolError, Role, Scratch};

const KIB: usize = 1 << 10;

/// The bytes of one read, and what the thread does around it.
#[derive(Clone, Debug)]
struct Turn {
    most: usize,
    buffer: usize,
    /// Reads into the read buffer, if there is one.
    directly: bool,
    lends: bool,
    gives_back: bool,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let sizes = || prop_oneof![1..100usize, 1..20_000usize, 1..100_000usize];
    let turn = (sizes(), sizes(), prop::bool::weighted(0.8), any::<bool>(), any::<bool>());
    vec(
        turn.prop_map(|(most, buffer, directly, lends, gives_back)| Turn { most, buffer, directly, lends, gives_back }),
        1..8,
    )
}

/// A frame's first byte and length: some make a valid sequence, and some don't.
fn frames() -> impl Strategy<Value = Vec<(u8, usize)>> {
    let length = prop_oneof![0..200usize, 0..20_000usize, 8_000..200_000usize];
    vec((select(vec![0x82, 0x02, 0x00, 0x80, 0x81, 0x01, 0x89, 0x88, 0x83]), length), 1..8)
}

fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|i| b'a' + (i * i % 23) as u8).collect()
}

/// Reads the wire as a loop does that uses the read buffer. Returns the events, and how many bytes were read directly.
fn read(mut conn: Connection, mut wire: &[u8], turns: &[Turn]) -> (Vec<String>, Connection, usize) {
    let (mut events, mut direct) = (Vec::new(), 0);
    let mut scratch = Some(Scratch::new());
    for turn in turns.iter().cycle() {
        if wire.is_empty() {
            break;
        }
        if turn.lends
            && let Some(scratch) = scratch.take()
        {
            conn.attach_scratch(scratch);
        }
        let mut buffer = vec![0; turn.buffer];
        let count = match conn.read_buffer().filter(|_| turn.directly) {
            Some(space) => {
                let count = turn.most.min(wire.len()).min(space.len() + buffer.len());
                let (front, back) = wire[..count].split_at(count.min(space.len()));
                space[..front.len()].copy_from_slice(front);
                buffer[..back.len()].copy_from_slice(back);
                assert_eq!(conn.commit_read(count), front.len());
                direct += front.len();
                wire = &wire[count..];
                back.len()
            }
            None => {
                let count = turn.most.min(wire.len()).min(buffer.len());
                buffer[..count].copy_from_slice(&wire[..count]);
                wire = &wire[count..];
                count
            }
        };
        let mut input = &mut buffer[..count];
        while let Some(event) = conn.receive(&mut input) {
            events.push(format!("{event:?}"));
            match event {
                Event::Binary(data) if turn.gives_back => conn.recycle(data),
                Event::Text(text) if turn.gives_back => conn.recycle(text),
                _ => {}
            }
        }
        scratch = conn.detach_scratch().or(scratch);
    }
    (events, conn, direct)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever arrives in whatever reads, the result is the same as when all is received in one call.
    #[test]
    fn reading_directly_makes_no_difference(
        role in select(ROLES.to_vec()),
        frames in frames(),
        turns in turns(),
        max_message in select(vec![300 * KIB, 64 * KIB]),
        chunk_threshold in select(vec![None, None, Some(20 * KIB), Some(100 * KIB)]),
    ) {
        let mut config = Config::new().max_message_size(max_message as u64);
        if let Some(from) = chunk_threshold {
            config = config.chunk_threshold(from as u64);
        }
        let mut wire = Vec::new();
        for (first, length) in frames {
            let length = if first & 8 == 0 { length } else { length % 126 };
            let body = if first == 0x88 { close_body(1000, "bye") } else { payload(length) };
            wire.extend(frame(other(role), first, &body));
        }
        let mut expected = open_with(role, config.clone());
        let events: Vec<_> = feed(&mut expected, &wire).iter().map(|event| format!("{event:?}")).collect();
        let (got, mut conn, _) = read(open_with(role, config), &wire, &turns);
        if chunk_threshold.is_none() {
            prop_assert_eq!(got, events);
        } else {
            // The chunks of a message may differ; everything else is the same.
            let others = |events: Vec<String>| events.into_iter().filter(|events| !events.starts_with("Chunk")).collect::<Vec<_>>();
            prop_assert_eq!(others(got), others(events));
        }
        prop_assert_eq!(conn.state(), expected.state());
        prop_assert_eq!(sent(&mut conn), sent(&mut expected));
    }
}

const PLAIN: Turn = Turn { most: 16 * KIB, buffer: 16 * KIB, directly: true, lends: false, gives_back: false };

/// Nearly all of a large message is read directly, even if it is fragmented.
#[test]
fn most_of_a_large_message_is_read_directly() {
    for role in ROLES {
        let data = payload(1 << 20);
        let wire = frame(other(role), 0x82, &data);
        let (events, _, direct) = read(open_with(role, Config::new()), &wire, &[PLAIN]);
        assert_eq!(events, [format!("{:?}", Event::Binary(data.as_slice().into()))]);
        assert!(direct > data.len() - 40 * KIB, "{direct} bytes");
        let fragments =
            [frame(other(role), 0x02, &data[..300_000]), frame(other(role), 0x80, &data[300_000..])].concat();
        let (events, _, direct) = read(open_with(role, Config::new()), &fragments, &[PLAIN]);
        assert_eq!(events, [format!("{:?}", Event::Binary(data.as_slice().into()))]);
        assert!(direct > data.len() - 60 * KIB, "{direct} bytes");
    }
}

/// There is a read buffer only if a large payload of an uncompressed binary message comes next.
#[test]
fn there_is_room_only_for_much_payload_of_binary_messages() {
    let begun = |first: u8, length: usize, arrived: usize| {
        let mut conn = support::server();
        let wire = frame(Role::Client, first, &payload(length));
        assert!(feed(&mut conn, &wire[..wire.len() - length + arrived]).is_empty());
        conn
    };
    assert_eq!(support::server().read_buffer().map(|space| space.len()), None);
    assert_eq!(Connection::server(Config::new()).read_buffer().map(|space| space.len()), None);
    assert_eq!(begun(0x82, 60_000, 0).read_buffer().map(|space| space.len()), None);
    assert_eq!(begun(0x81, 60_000, 20_000).read_buffer().map(|space| space.len()), None);
    assert_eq!(begun(0x82, 60_000, 20_000).read_buffer().map(|space| space.len()), Some(40_000));
    assert_eq!(begun(0x02, 60_000, 20_000).read_buffer().map(|space| space.len()), Some(40_000));
    assert_eq!(begun(0x82, 60_000, 60_000 - 8 * KIB).read_buffer().map(|space| space.len()), Some(8 * KIB));
    assert_eq!(begun(0x82, 60_000, 60_001 - 8 * KIB).read_buffer().map(|space| space.len()), None);
    // It grows with the bytes that have arrived: four times that, and at most 64 KiB at a time are zeroed.
    assert_eq!(begun(0x82, 1 << 20, 4_000).read_buffer().map(|space| space.len()), Some(12_000));
    assert_eq!(begun(0x82, 1 << 20, 2_000).read_buffer().map(|space| space.len()), None, "6,000 are not worthwhile");
    assert_eq!(begun(0x82, 1 << 20, 400_000).read_buffer().map(|space| space.len()), Some(64 * KIB));

    // A reused buffer is filled before it grows.
    for (arrived, space) in [(20_000 - 8 * KIB, 8 * KIB), (20_001 - 8 * KIB, 3 * (20_001 - 8 * KIB))] {
        let mut conn = support::server();
        conn.attach_scratch(Scratch::new());
        conn.recycle(Vec::with_capacity(20_000));
        assert!(feed(&mut conn, &frame(Role::Client, 0x82, &payload(100_000))[..14 + arrived]).is_empty());
        assert_eq!(conn.read_buffer().map(|space| space.len()), Some(space));
    }

    // The limit of a message that is delivered in chunks is not one of memory.
    let mut conn = support::server_with(Config::new().chunk_threshold(20_000));
    assert!(feed(&mut conn, &frame(Role::Client, 0x02, &payload(15_000))).is_empty());
    assert!(feed(&mut conn, &frame(Role::Client, 0x80, &payload(60_000))[..8]).is_empty());
    assert_eq!(conn.read_buffer().map(|space| space.len()), None);

    let mut conn = begun(0x82, 60_000, 20_000);
    conn.abort();
    assert_eq!(conn.read_buffer().map(|space| space.len()), None);
    assert_eq!(conn.commit_read(10), 0);
}

/// A count larger than the read buffer is reduced to its size; without a read buffer, it is zero.
#[test]
fn no_more_is_filled_than_fits() {
    let mut conn = support::server();
    let wire = frame(Role::Client, 0x82, &payload(60_000));
    let (front, back) = wire.split_at(20_008);
    assert!(feed(&mut conn, front).is_empty());
    conn.read_buffer().unwrap().copy_from_slice(back);
    assert_eq!(conn.commit_read(usize::MAX), 40_000);
    assert_eq!(conn.commit_read(1), 0);
    assert_eq!(conn.read_buffer().map(|space| space.len()), None);
    // The message is complete; it is reported as usual.
    let [Event::Binary(data)] = &feed(&mut conn, &[])[..] else { panic!() };
    assert!(**data == *payload(60_000));
    assert!(feed(&mut conn, &[]).is_empty());
}

/// Only bytes that were read into the buffer that was returned last, and while it is unchanged, count as payload: other
/// bytes may belong to another message.
#[test]
fn what_was_not_shown_is_not_filled() {
    let data = payload(60_000);
    let wire = frame(Role::Client, 0x82, &data);
    let begun = || {
        let mut conn = support::server();
        conn.attach_scratch(Scratch::new());
        // A buffer that belonged to another message.
        conn.recycle(vec![b'!'; 4 << 20]);
        assert_eq!(conn.read_buffer().map(|space| space.len()), None);
        assert!(feed(&mut conn, &wire[..20_008]).is_empty());
        conn
    };
    let finish = |mut conn: Connection, rest: &[u8]| {
        let [Event::Binary(received)] = &feed(&mut conn, rest)[..] else { panic!() };
        assert!(**received == *data);
    };

    let mut never_shown = begun();
    assert_eq!(never_shown.commit_read(20_008), 0);
    finish(never_shown, &wire[20_008..]);

    let mut released = begun();
    released.read_buffer().unwrap()[..40_000].copy_from_slice(&wire[20_008..]);
    let scratch = released.detach_scratch().unwrap();
    released.attach_scratch(scratch);
    assert_eq!(released.commit_read(40_000), 0);
    finish(released, &wire[20_008..]);

    let mut received = begun();
    received.read_buffer().unwrap()[..1_000].fill(b'!');
    assert!(feed(&mut received, &wire[20_008..20_108]).is_empty());
    assert_eq!(received.commit_read(1_000), 0);
    finish(received, &wire[20_108..]);

    // Without input, nothing has changed.
    let mut asked = begun();
    asked.read_buffer().unwrap()[..1_000].copy_from_slice(&wire[20_008..21_008]);
    assert!(feed(&mut asked, &[]).is_empty());
    assert_eq!(asked.commit_read(1_000), 1_000);
    finish(asked, &wire[21_008..]);
}

/// An unclean end in the middle of a message.
#[test]
fn the_transport_ends_within_a_message() {
    let mut conn = support::server();
    let wire = frame(Role::Client, 0x82, &payload(60_000));
    assert!(feed(&mut conn, &wire[..20_008]).is_empty());
    conn.read_buffer().unwrap()[..5].copy_from_slice(&wire[20_008..20_013]);
    assert_eq!(conn.commit_read(5), 5);
    conn.receive_eof();
    let [Event::Closed(closed)] = &feed(&mut conn, &[])[..] else { panic!() };
    assert_eq!((closed.code, closed.clean), (CloseCode::ABNORMAL, false));
}

/// A fragment that makes the message too large fails the connection at its header, as usual.
#[test]
fn limits_hold() {
    let mut conn = support::server_with(Config::new().max_message_size(100_000));
    let wire = [frame(Role::Client, 0x02, &payload(60_000)), frame(Role::Client, 0x80, &payload(60_000))].concat();
    let (front, back) = wire.split_at(20_008);
    assert!(feed(&mut conn, front).is_empty());
    conn.read_buffer().unwrap().copy_from_slice(&back[..40_000]);
    assert_eq!(conn.commit_read(40_000), 40_000);
    let [Event::Closed(closed)] = &feed(&mut conn, &back[40_000..])[..] else { panic!() };
    assert_eq!(closed.cause, Cause::Protocol(ProtocolError::MessageTooLarge));
}

/// Bytes that are read directly count as received: a peer isn't dropped in the middle of a large message.
#[test]
fn what_is_read_directly_is_heard() {
    let second = Duration::from_secs(1);
    let mut conn = support::server_with(Config::new().keepalive(30 * second, 10 * second));
    let wire = frame(Role::Client, 0x82, &payload(1_000_000));
    conn.advance_time(Duration::ZERO);
    assert!(feed(&mut conn, &wire[..20_000]).is_empty());
    for now in (5..200).step_by(5) {
        conn.advance_time(now * second);
        conn.read_buffer().unwrap()[..100].fill(b'x');
        assert_eq!(conn.commit_read(100), 100);
        assert!(feed(&mut conn, &[]).is_empty(), "after {now} s");
    }
    assert_eq!(conn.pending_output(), 0, "no ping was needed");
}

/// A read that returns nothing takes the buffer from none of the reads after it.
#[test]
fn a_read_of_nothing_changes_nothing() {
    let data = payload(60_000);
    let wire = frame(Role::Client, 0x82, &data);
    let mut conn = support::server();
    let (front, back) = wire.split_at(20_008);
    assert!(feed(&mut conn, front).is_empty());
    conn.read_buffer().unwrap()[..10_000].copy_from_slice(&back[..10_000]);
    assert_eq!(conn.commit_read(0), 0);
    assert_eq!(conn.commit_read(10_000), 10_000);
    assert_eq!(feed(&mut conn, &back[10_000..]), [Event::Binary(data.into())]);
}

/// Bytes that are reported without a buffer for them were not received: the peer is as silent as before.
#[test]
fn what_is_not_consumed_is_not_heard() {
    let second = Duration::from_secs(1);
    let mut conn = support::server_with(Config::new().keepalive(30 * second, 10 * second));
    conn.advance_time(Duration::ZERO);
    conn.advance_time(29 * second);
    assert_eq!(conn.commit_read(100), 0);
    conn.advance_time(30 * second);
    assert_eq!(conn.pending_output(), 6, "a ping");
}

/// While a scratch is attached, what was in a buffer is not set to zero before it is shown, which takes time. A message holds
/// only what was received.
#[test]
fn a_reused_buffer_keeps_its_bytes_and_no_message_holds_them() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new());
        conn.attach_scratch(Scratch::new());
        for (round, length) in [100 * KIB, 90 * KIB, 120 * KIB, 70 * KIB].into_iter().enumerate() {
            let content = vec![b'0' + round as u8; length];
            let wire = frame(other(role), 0x82, &content);
            assert!(feed(&mut conn, &wire[..20 * KIB]).is_empty());
            let space = conn.read_buffer().unwrap();
            assert!(round == 0 || !space.contains(&0), "{role:?}");
            space[..10 * KIB].copy_from_slice(&wire[20 * KIB..30 * KIB]);
            assert_eq!(conn.commit_read(10 * KIB), 10 * KIB);
            let mut rest = wire[30 * KIB..].to_vec();
            let Some(Event::Binary(data)) = conn.receive(&mut &mut rest[..]) else { panic!() };
            assert_eq!(data, content, "{role:?}, {round}");
            conn.recycle(data);
        }
    }
}

/// A message that outgrows a reused buffer holds only its own bytes, too.
#[test]
fn a_message_outgrows_a_reused_buffer() {
    for role in ROLES {
        let mut conn = open_with(role, Config::new());
        conn.attach_scratch(Scratch::new());
        conn.recycle(vec![b'!'; 100]);
        let wire = [frame(other(role), 0x02, &[b'1'; 60]), frame(other(role), 0x80, &[b'2'; 200])].concat();
        let [Event::Binary(data)] = &feed(&mut conn, &wire)[..] else { panic!() };
        assert_eq!(**data, [&[b'1'; 60][..], &[b'2'; 200]].concat());
    }
}

/// A reused buffer shows nothing of the connection before. If more bytes are reported than were read, the message has
/// zeros, not bytes of that connection.
#[test]
fn a_read_buffer_shows_nothing_of_another_connection() {
    for role in ROLES {
        let mut scratch = Scratch::new();
        for shown in [false, true] {
            let mut first = open_with(role, Config::new());
            first.attach_scratch(scratch);
            let secret = frame(other(role), 0x82, &vec![b's'; 1 << 20]);
            for chunk in secret.chunks(64 * KIB) {
                let mut chunk = chunk.to_vec();
                let mut input = &mut chunk[..];
                while let Some(event) = first.receive(&mut input) {
                    let Event::Binary(data) = event else { panic!() };
                    first.recycle(data);
                }
                if shown && let Some(space) = first.read_buffer() {
                    // Bytes that were read there and discarded are another connection's secret as well.
                    space.fill(b's');
                }
            }
            // An unfinished message returns its buffer, too.
            assert!(feed(&mut first, &secret[..100 * KIB]).is_empty());
            scratch = first.detach_scratch().unwrap();

            let mut second = open_with(role, Config::new());
            second.attach_scratch(scratch);
            let wire = frame(other(role), 0x82, &vec![b'x'; 300 * KIB]);
            assert!(feed(&mut second, &wire[..20 * KIB]).is_empty());
            let space = second.read_buffer().unwrap();
            assert!(space.len() >= 8 * KIB && space.iter().all(|byte| *byte == 0), "{role:?}");
            let claimed = space.len();
            assert_eq!(second.commit_read(claimed), claimed);
            let events = feed(&mut second, &wire[20 * KIB + claimed..]);
            let [Event::Binary(data)] = &events[..] else { panic!("{events:?}") };
            // A server unmasks the zeros.
            assert!(role == Role::Server || !data.contains(&b's'));
            scratch = second.detach_scratch().unwrap();
        }
    }
}
