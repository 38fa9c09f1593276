//! The result of a compressed message doesn't depend on where it is split, whatever is in it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::{array, option};
use websocket_proto::{Config, Connection, DeflateConfig, MessageKind, Role};

use crate::chunking::{Accept, Outcome, PLAIN, Received, outcome, turns};
use crate::compression::settings;
use crate::deflate::{endpoint_with, negotiate};
use crate::generate::{Frame, bytes, cases, chunks, cuts, damaged, encode, frames, limits, role};
use crate::inflate::{Symbol, Writer};
use crate::support::{self, drain, other};

/// Messages that a peer sends.
#[derive(Clone, Debug)]
enum Part {
    /// Valid messages, which a connection compresses.
    Compressed(Vec<Frame>),
    /// Frames as they are.
    Frames(Vec<Frame>),
}

/// The frame, the byte and the bit that are damaged.
type Damage = (Index, Index, u8);

/// Possibly invalid messages, or only those that a connection makes.
fn parts(wild: bool) -> impl Strategy<Value = Vec<Part>> {
    let large = (select(&[0x81, 0x82][..]), 0..200_000usize).prop_map(|(first, length)| {
        // Much more than a chunk.
        Part::Compressed(vec![Frame { first, payload: vec![b'x'; length] }])
    });
    let right = prop_oneof![3 => frames(5_000).prop_map(Part::Compressed), 1 => large];
    let part = if wild {
        prop_oneof![4 => right, 3 => made().prop_map(Part::Frames), 1 => frames(20).prop_map(Part::Frames)].boxed()
    } else {
        right.boxed()
    };
    vec(part, 1..4)
}

/// The negotiated parameters, the peer's messages, and where they are damaged.
///
/// A wild message may refer to anything before it. Whether that is known beyond the negotiated window depends on who
/// used the inflater meanwhile and on what was delivered, so the window is the largest then.
fn scenes() -> impl Strategy<Value = ([DeflateConfig; 2], Vec<Part>, Option<Damage>)> {
    any::<bool>().prop_flat_map(|wild| {
        let settings = settings().prop_map(move |settings| {
            if wild { settings.server_max_window_bits(15).client_max_window_bits(15) } else { settings }
        });
        let damage = option::of((any::<Index>(), any::<Index>(), 0..8u8));
        let damage = damage.prop_map(move |damage| damage.filter(|_| wild));
        (array::uniform2(settings.boxed()), parts(wild), damage)
    })
}

/// A message of hand-made blocks, split anywhere into fragments; often a valid one.
fn made() -> impl Strategy<Value = Vec<Frame>> {
    let payload = (vec(block(), 0..8), prop::bool::weighted(0.9)).prop_map(|(blocks, ends)| {
        let blocks = blocks.into_iter().fold(Writer::default(), |all, (block, last)| match block {
            Block::Stored(data) => all.stored(last, &data),
            Block::Literals(data) => all.literals(last, &data),
            Block::Copy(distance) => all.fixed(last, [Symbol::Copy(3, distance)]),
        });
        if ends { blocks.message() } else { blocks.bytes() }
    });
    let payload = payload.boxed();
    let payload = prop_oneof![2 => payload.clone(), 1 => damaged(payload)].boxed();
    (select(&[0x41, 0x42][..]), payload, vec(any::<Index>(), 0..3)).prop_map(|(mut first, mut rest, cuts)| {
        let mut frames = Vec::new();
        for cut in cuts {
            let behind = rest.split_off(cut.index(rest.len() + 1));
            frames.push(Frame { first, payload: rest });
            (first, rest) = (0, behind);
        }
        frames.push(Frame { first: 0x80 | first, payload: rest });
        frames
    })
}

#[derive(Clone, Debug)]
enum Block {
    Stored(Vec<u8>),
    Literals(Vec<u8>),
    Copy(usize),
}

/// A block, and whether it is the last of its stream.
fn block() -> impl Strategy<Value = (Block, bool)> {
    let distance = prop_oneof![3 => 5..20usize, 1 => 5..=32_768usize, 1 => select(&[512, 513, 32_768][..])];
    let block = prop_oneof![
        1 => Just(Block::Stored(Vec::new())),
        2 => bytes(1_000).prop_map(Block::Stored),
        2 => bytes(50).prop_map(Block::Literals),
        2 => distance.prop_map(Block::Copy),
    ];
    (block, prop::bool::weighted(0.3))
}

/// The frames that a peer with these settings makes from the parts.
fn compress(from: Role, client: &DeflateConfig, server: &DeflateConfig, parts: Vec<Part>) -> Vec<Frame> {
    let own = if from == Role::Client { client } else { server };
    let config = Config::new().deflate(own.clone()).max_pending_output(usize::MAX);
    let mut conn = endpoint_with(from, config, negotiate(client, server));
    let mut all = Vec::new();
    for part in parts {
        match part {
            Part::Frames(frames) => all.extend(frames),
            Part::Compressed(frames) => {
                send(&mut conn, &frames);
                let sent = support::frames(&drain(&mut conn)).into_iter();
                all.extend(sent.map(|frame| Frame { first: frame.first, payload: frame.payload }));
            }
        }
    }
    all
}

fn send(conn: &mut Connection, frames: &[Frame]) {
    let mut kind = MessageKind::Text;
    for Frame { first, payload } in frames {
        match first & 0x0f {
            1 => kind = MessageKind::Text,
            2 => kind = MessageKind::Binary,
            _ => {}
        }
        match first {
            0x89 => conn.ping(payload),
            0x8a => conn.pong(payload),
            first => conn.send_fragment(kind, payload, first & 0x80 != 0),
        }
        .unwrap();
    }
}

/// The number of chunks delivered of an invalid message depends on where it is split.
fn without_part(mut outcome: Outcome) -> Outcome {
    if let [.., Received::Chunks { last: false, .. }, Received::Event(_)] = &outcome.received[..] {
        let end = outcome.received.pop();
        outcome.received.pop();
        outcome.received.extend(end);
    }
    outcome
}

proptest! {
    #![proptest_config(cases(700))]

    /// Compressed messages with any parameters, however they are fragmented, whole or in chunks; damaged ones; streams
    /// that end and begin again, empty blocks, references to data that was never sent; with own buffers and with a
    /// scratch.
    #[test]
    fn a_compressed_stream_gives_the_same_however_it_is_cut(
        role in role(),
        ([client, server], parts, damage) in scenes(),
        key in array::uniform4(any::<u8>()),
        limits in limits(),
        cuts in cuts(),
        turns in turns(),
    ) {
        let peer = other(role);
        let mut frames = compress(peer, &client, &server, parts);
        if let Some((frame, at, bit)) = damage.filter(|_| !frames.is_empty()) {
            let payload = &mut frame.get_mut(&mut frames).payload;
            if !payload.is_empty() {
                *at.get_mut(payload) ^= 1 << bit;
            }
        }
        let stream = encode(peer, key, &frames);
        let own = if role == Role::Client { &client } else { &server };
        let conn = || endpoint_with(role, limits.config().deflate(own.clone()), negotiate(&client, &server));
        let whole = outcome(conn(), [&stream[..]].into_iter(), Accept::AtOnce, PLAIN);
        let cut = outcome(conn(), chunks(&stream, &cuts), Accept::AtOnce, &turns);
        prop_assert_eq!(without_part(cut), without_part(whole));
    }
}
