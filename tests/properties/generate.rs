//! Generators: frames and streams of them, damage, heads, chunk sizes, limits.

use std::env;
use std::iter;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::{array, option};
use websocket_proto::{CloseCode, Config, Connection, Role, client, server};

use crate::support::{ROLES, close_body, drain, feed, other, raw_frame, request_with, seed};

/// That many cases, or as many as `PROPTEST_CASES` says.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let config = ProptestConfig::default();
    if env::var_os("PROPTEST_CASES").is_some() { config } else { ProptestConfig { cases, ..config } }
}

pub(crate) fn role() -> impl Strategy<Value = Role> {
    select(&ROLES[..])
}

/// A length that needs the 64-bit form.
pub(crate) const LONG: usize = 65_540;

/// Mostly short, often around 125, rarely almost `longest`.
fn length(longest: usize) -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..20usize, 4 => 120..130usize, 6 => 0..300usize, 1 => longest - 10..=longest]
}

/// At most `longest` bytes: a few, again and again, or a stretch of the noise, which repeats nothing but itself.
pub(crate) fn bytes(longest: usize) -> BoxedStrategy<Vec<u8>> {
    let few = (vec(any::<u8>(), 1..8), length(longest))
        .prop_map(|(bytes, length)| bytes.into_iter().cycle().take(length).collect());
    let stretch = (stretch(), length(longest)).prop_map(|(from, length)| noise().skip(from).take(length).collect());
    prop_oneof![few, stretch].boxed()
}

/// At most `longest` bytes of text: a few characters, again and again, or a stretch of many.
pub(crate) fn text(longest: usize) -> BoxedStrategy<String> {
    let character = prop_oneof![any::<char>(), select(&['a', 'ß', '好', '\u{10ffff}'][..])];
    let few = vec(character, 1..6).prop_map(|characters| (characters, None));
    let many = stretch().prop_map(|from| (('a'..='z').chain('α'..='ω').chain('一'..='仿').collect(), Some(from)));
    let text = (prop_oneof![few, many], length(longest)).prop_map(|((characters, stretch), length)| {
        let mut text: String = match stretch {
            None => characters.into_iter().cycle().take(length).collect(),
            Some(from) => {
                noise().skip(from).take(length).map(|byte| characters[usize::from(byte) % characters.len()]).collect()
            }
        };
        while text.len() > length {
            text.pop();
        }
        text
    });
    text.boxed()
}

/// The beginning of a stretch of the noise: often one of a few places, so that messages repeat each other at any
/// distance.
fn stretch() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0), 1 => 0..1000usize, 1 => 0..70_000usize]
}

/// Endless bytes in which nothing repeats.
fn noise() -> impl Iterator<Item = u8> {
    let numbers = iter::successors(Some(0x9e37_79b9_u32), |number| {
        Some(number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223))
    });
    numbers.map(|number| (number >> 24) as u8)
}

/// A frame before it has a mask.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// FIN and opcode.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

/// The frames of a few messages, fragmented or not, with pings and pongs between and inside them.
pub(crate) fn frames(longest: usize) -> impl Strategy<Value = Vec<Frame>> {
    vec(prop_oneof![1 => control().prop_map(|control| vec![control]), 3 => message(longest)], 0..8)
        .prop_map(|parts| parts.concat())
}

fn control() -> impl Strategy<Value = Frame> {
    (select(&[0x89, 0x8a][..]), vec(any::<u8>(), 0..=125)).prop_map(|(first, payload)| Frame { first, payload })
}

/// A message, split anywhere into fragments, with control frames between them.
fn message(longest: usize) -> impl Strategy<Value = Vec<Frame>> {
    let message =
        prop_oneof![text(longest).prop_map(|text| (1, text.into_bytes())), bytes(longest).prop_map(|data| (2, data))];
    let cuts = vec((any::<Index>(), option::of(control())), 0..4);
    (message, cuts).prop_map(|((mut opcode, mut rest), cuts)| {
        let mut frames = Vec::new();
        for (cut, control) in cuts {
            let behind = rest.split_off(cut.index(rest.len() + 1));
            frames.push(Frame { first: opcode, payload: rest });
            frames.extend(control);
            (opcode, rest) = (0, behind);
        }
        frames.push(Frame { first: 0x80 | opcode, payload: rest });
        frames
    })
}

pub(crate) fn code() -> impl Strategy<Value = CloseCode> {
    let numbers = prop_oneof![1000..=1003u16, 1007..=1009u16, 1011..=1014u16, 3000..=4999u16];
    numbers.prop_map(|code| CloseCode::new(code).unwrap())
}

pub(crate) fn reason() -> impl Strategy<Value = String> {
    text(123).prop_filter("at most 123 bytes", |reason| reason.len() <= 123)
}

fn close() -> impl Strategy<Value = Frame> {
    let body = option::of((code(), reason()));
    body.prop_map(|body| {
        let payload = body.map(|(code, reason)| close_body(code.get(), &reason)).unwrap_or_default();
        Frame { first: 0x88, payload }
    })
}

/// Frames as a peer of that role sends them, each with a masking key of its own.
pub(crate) fn encode(from: Role, key: [u8; 4], frames: &[Frame]) -> Vec<u8> {
    let keys = iter::successors(Some(key), |key| Some(key.map(|byte| byte.wrapping_mul(5).wrapping_add(1))));
    let masks = keys.map(|key| (from == Role::Client).then_some(key));
    frames.iter().zip(masks).flat_map(|(frame, mask)| raw_frame(frame.first, mask, &frame.payload)).collect()
}

/// A valid stream: messages, perhaps a Close frame, perhaps more after it.
fn valid(from: Role) -> impl Strategy<Value = Vec<u8>> {
    (frames(LONG), option::of((close(), frames(20))), array::uniform4(any::<u8>())).prop_map(
        move |(mut frames, end, key)| {
            if let Some((close, more)) = end {
                frames.push(close);
                frames.extend(more);
            }
            encode(from, key, &frames)
        },
    )
}

/// A frame that is seldom valid: any first byte, mask and length, in any of the three forms.
fn crooked(from: Role) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![select(&[0x00, 0x01, 0x80, 0x81, 0x82, 0x88, 0x89][..]), any::<u8>()];
    let masked = prop::bool::weighted(if from == Role::Client { 0.9 } else { 0.1 });
    let length = prop_oneof![
        (0..=127u8).prop_map(|length| vec![length]),
        select(&[0u16, 125, 126, 127, 255, 256, u16::MAX][..])
            .prop_map(|length| [&[126][..], &length.to_be_bytes()].concat()),
        select(&[0u64, 125, 65_535, 65_536, 1 << 32, 1 << 63, u64::MAX][..]).prop_map(|length| [
            &[127][..],
            &length.to_be_bytes()
        ]
        .concat()),
    ];
    let behind = vec(any::<u8>(), 0..20);
    (first, masked, length, behind).prop_map(|(first, masked, mut length, behind)| {
        length[0] |= u8::from(masked) << 7;
        [vec![first], length, behind].concat()
    })
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(u8),
    Insert(u8),
    Delete,
}

fn damage() -> impl Strategy<Value = (Index, Damage)> {
    let damage = prop_oneof![
        (0..8u8).prop_map(|bit| Damage::Flip(1 << bit)),
        any::<u8>().prop_map(Damage::Insert),
        Just(Damage::Delete),
    ];
    (any::<Index>(), damage)
}

fn apply((at, damage): (Index, Damage), bytes: &mut Vec<u8>) {
    match damage {
        Damage::Insert(byte) => bytes.insert(at.index(bytes.len() + 1), byte),
        _ if bytes.is_empty() => {}
        Damage::Flip(bit) => *at.get_mut(bytes) ^= bit,
        Damage::Delete => drop(bytes.remove(at.index(bytes.len()))),
    }
}

/// The same bytes after up to three of them were flipped, inserted or deleted.
pub(crate) fn damaged(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, vec(damage(), 0..=3)).prop_map(|(mut bytes, damages)| {
        for damage in damages {
            apply(damage, &mut bytes);
        }
        bytes
    })
}

/// Valid frames, then a Close frame of any code, after one of their payloads was damaged: a text, often.
fn spoiled(from: Role) -> impl Strategy<Value = Vec<u8>> {
    let edges = [0, 999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 1016, 2999, 3000, 4999, 5000, u16::MAX];
    let body = (select(edges.to_vec()), text(20)).prop_map(|(code, reason)| close_body(code, &reason));
    let damage = option::of((any::<Index>(), damage()));
    (frames(20), body, damage).prop_map(move |(mut frames, payload, damage)| {
        frames.push(Frame { first: 0x88, payload });
        if let Some((which, damage)) = damage {
            apply(damage, &mut which.get_mut(&mut frames).payload);
        }
        encode(from, [0x37, 0xfa, 0x21, 0x3d], &frames)
    })
}

/// Bytes after the opening handshake: valid, damaged, spoiled, malformed or plain noise.
pub(crate) fn stream(from: Role) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..60),
        3 => valid(from),
        5 => damaged(valid(from)),
        3 => spoiled(from),
        3 => (option::of(message(20)), array::uniform4(any::<u8>()), crooked(from)).prop_map(
            move |(message, key, crooked)| [encode(from, key, &message.unwrap_or_default()), crooked].concat()
        ),
    ]
}

/// A role, and a stream of bytes from its peer.
pub(crate) fn role_and_stream() -> impl Strategy<Value = (Role, Vec<u8>)> {
    role().prop_flat_map(|role| (Just(role), stream(other(role))))
}

/// A request's head, perhaps damaged, perhaps one that asks for no upgrade.
pub(crate) fn request_head() -> impl Strategy<Value = Vec<u8>> {
    let lines = select(&["", "Sec-WebSocket-Protocol: a, b\r\n", "Cookie: id=7\r\nOrigin: null\r\n"][..]);
    let plain = b"GET /page?x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let whole = prop_oneof![5 => lines.prop_map(request_with), 1 => Just(plain.to_vec())];
    prop_oneof![whole.clone(), damaged(whole)]
}

/// A response to [`dial`], perhaps damaged: one that opens the connection, or one that rejects, its body framed in any
/// way.
pub(crate) fn response_head() -> impl Strategy<Value = Vec<u8>> {
    let refusals = [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\n\r\nuntil the end",
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n there\r\n0\r\n\r\n",
    ];
    let whole = prop_oneof![
        3 => Just(response()),
        1 => Just([&b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"[..], &response()].concat()),
        1 => Just(answer(|server| server.reject(server::Rejection::new(401).body("who are you?\n")).unwrap())),
        2 => select(refusals.map(|refusal| refusal.as_bytes().to_vec()).to_vec()),
    ];
    prop_oneof![whole.clone(), damaged(whole)]
}

/// A client with its request in the output, always the same.
pub(crate) fn dial(config: Config) -> Connection {
    let request = client::Request::new("ws://localhost/".parse().unwrap()).subprotocol("a");
    Connection::client(request, config, seed()).unwrap()
}

/// The response that opens the connection of [`dial`].
pub(crate) fn response() -> Vec<u8> {
    answer(|server| server.accept(server::Response::new().subprotocol("a")).unwrap())
}

fn answer(how: impl Fn(&mut Connection)) -> Vec<u8> {
    let mut server = Connection::server(Config::new());
    feed(&mut server, &drain(&mut dial(Config::new())));
    how(&mut server);
    drain(&mut server)
}

/// The sizes of the chunks into which bytes are split; they are used over and over.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    let size = prop_oneof![4 => 0..6usize, 2 => 0..150usize, 1 => Just(LONG)];
    vec(size, 0..8).prop_map(|mut sizes| {
        sizes.push(1);
        sizes
    })
}

/// The chunks of `bytes`, some of them empty.
pub(crate) fn chunks<'b>(mut bytes: &'b [u8], cuts: &[usize]) -> impl Iterator<Item = &'b [u8]> {
    cuts.iter().cycle().map_while(move |&size| {
        let (chunk, rest) = bytes.split_at_checked(size).unwrap_or((bytes, &[]));
        let more = !bytes.is_empty();
        bytes = rest;
        more.then_some(chunk)
    })
}

/// The limits of frames and messages, and the size from which on messages come in chunks.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) frame: u64,
    pub(crate) message: u64,
    pub(crate) fragments: u32,
    pub(crate) chunk_threshold: u64,
    pub(crate) piecewise: u64,
}

impl Limits {
    pub(crate) const NONE: Self =
        Self { frame: u64::MAX, message: u64::MAX, fragments: u32::MAX, chunk_threshold: WHOLE, piecewise: u64::MAX };

    pub(crate) fn config(&self) -> Config {
        let config = Config::new().chunk_threshold(self.chunk_threshold).max_chunked_message_size(self.piecewise);
        config.max_frame_size(self.frame).max_message_size(self.message).max_fragments(self.fragments)
    }

    /// The shortest message that comes in chunks; too long ones do as well, if any does.
    pub(crate) fn in_pieces_from(&self) -> u64 {
        if self.chunk_threshold == WHOLE { WHOLE } else { self.chunk_threshold.min(self.message.saturating_add(1)) }
    }

    /// The longest frame and the longest message; if large messages come in chunks, others are just shorter.
    pub(crate) fn sizes(&self) -> (u64, u64) {
        if self.chunk_threshold == WHOLE {
            return (self.frame, self.message);
        }
        let longest = self.piecewise.max(self.in_pieces_from().saturating_sub(1));
        (longest, longest)
    }
}

/// No message comes in chunks.
const WHOLE: u64 = u64::MAX;

/// The size from which messages come in chunks: none, all, or those above a few bytes.
pub(crate) fn chunk_threshold() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(WHOLE), 1 => Just(0), 3 => 1..20u64, 1 => select(&[126, 4_096, 65_535][..])]
}

pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    let size = || select(&[0, 1, 12, 125, 126, 200, 65_535, 65_536][..]);
    let small = (size(), size(), 1..4u32, prop_oneof![Just(u64::MAX), size()]).prop_map(
        |(frame, message, fragments, piecewise)| Limits { frame, message, fragments, piecewise, ..Limits::NONE },
    );
    let limits = prop_oneof![Just(Limits::NONE), small];
    (limits, chunk_threshold()).prop_map(|(limits, chunk_threshold)| Limits { chunk_threshold, ..limits })
}
