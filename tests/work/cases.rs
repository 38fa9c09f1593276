//! One case of hostile or large input, of a given size, for counting instructions: `tests/work/run` compares sizes.

use bytes::Buf;
use websocket_proto::{Config, Connection, DeflateConfig, Event, MessageKind, Negotiated};

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(case), Some(size)) = (args.next(), args.next().and_then(|size| size.parse().ok())) else {
        for (name, _) in CASES {
            println!("{name}");
        }
        return;
    };
    let (_, run) = CASES.iter().find(|(name, _)| *name == case).expect("a case of the list");
    run(size);
}

type Case = (&'static str, fn(usize));

/// Each case takes a size in bytes; its work must grow no faster than the size.
const CASES: [Case; 28] = [
    ("head-byte-by-byte", |size| head(1, &format!("X: {}\r\n", "x".repeat(size)))),
    ("head-at-once", |size| head(usize::MAX, &format!("X: {}\r\n", "x".repeat(size)))),
    ("headers-of-one-byte", |size| head(64, &"a:\r\n".repeat(size / 4))),
    ("spaces-in-a-list", |size| head(64, &format!("Sec-WebSocket-Protocol: a{}b\r\n", " ".repeat(size)))),
    ("commas-in-a-list", |size| head(64, &format!("Connection: {}\r\n", ",".repeat(size)))),
    ("many-subprotocols", |size| head(64, &format!("Sec-WebSocket-Protocol: {}\r\n", numbers(size)))),
    ("unclosed-quote", |size| head(64, &format!("Sec-WebSocket-Extensions: a;b=\"{}\r\n", "\\c".repeat(size / 2)))),
    ("binary-message-byte-by-byte", |size| message(0x82, size, 1)),
    ("text-message-byte-by-byte", |size| message(0x81, size, 1)),
    ("text-message-in-pieces", |size| message(0x81, size, 1000)),
    ("fragments-of-one-byte", |size| fragments(0x02, b"x", size / 7)),
    ("text-fragments-of-one-byte", |size| fragments(0x01, b"x", size / 7)),
    ("pings-undrained", |size| pings(size / 6)),
    ("large-payloads-taken", |size| payloads(size / 16)),
    ("compressed-byte-by-byte", |size| inflate(true, &[&compressed(MessageKind::Binary, &noise(size))], size, 1)),
    ("compressed-letters-byte-by-byte", |size| {
        inflate(true, &[&compressed(MessageKind::Text, &letters(size))], size, 1);
    }),
    ("compressed-fragments-of-one-byte", |size| {
        inflate(true, &[&compressed(MessageKind::Binary, &noise(size / 7))], 1, 4096);
    }),
    ("compressed-zeros-whole", |size| {
        inflate(true, &[&compressed(MessageKind::Binary, &vec![0; 100 * size])], size, 1000);
    }),
    ("compressed-zeros-in-pieces", |size| pieces(&compressed(MessageKind::Binary, &vec![0; 1000 * size]))),
    ("compressed-text-in-pieces", |size| pieces(&compressed(MessageKind::Text, &vec![b'x'; 1000 * size]))),
    ("empty-blocks", |size| inflate(true, &[&[b"\0\0\0\xff\xff".repeat(size / 5), vec![0]].concat()], size, 1000)),
    // Ordinary data: messages of about 1 KiB that shrink to a half.
    ("compressed-prose", |size| {
        let message = compressed(MessageKind::Binary, &prose(1000));
        inflate(true, &vec![&message[..]; size / message.len()], 1 << 30, 16 << 10);
    }),
    // Text, which is inflated into blocks before it is checked.
    ("tiny-compressed-texts", |size| {
        inflate_kind(MessageKind::Text, &vec![&b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..]; size / 13]);
    }),
    ("compressed-prose-as-text", |size| {
        inflate_kind(MessageKind::Text, &[&compressed(MessageKind::Text, &prose(16 * size))]);
    }),
    // Each of them may refer to the window and to the message so far.
    ("streams-that-end", |size| {
        let streams = [&window()[..], b"\0\0\xff\xff", &b"\x03\0".repeat(size / 2), b"\0"].concat();
        inflate(true, &[&window(), &streams], 1 << 30, 1000);
    }),
    ("messages-that-end-streams", |size| {
        inflate(true, &[vec![&window()[..]], vec![b"\x03\0"; size / 8]].concat(), 1 << 17, 1000);
    }),
    ("tiny-compressed-messages", |size| inflate(true, &vec![&b"\0"[..]; size / 7], 1, 1000)),
    ("tiny-messages-without-takeover", |size| inflate(false, &vec![&b"\0"[..]; size / 7], 1, 1000)),
];

fn head(chunk: usize, lines: &str) {
    let mut conn = Connection::server(Config::new().max_handshake_size(1 << 30).max_headers(1 << 30));
    let mut head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
    .into_bytes();
    let length = head.len();
    for mut input in head.chunks_mut(chunk.min(length)) {
        while conn.receive(&mut input).is_some() {}
    }
}

fn numbers(size: usize) -> String {
    (0..size / 8).map(|i| format!("{i:07}")).collect::<Vec<_>>().join(",")
}

fn open() -> Connection {
    let limits = Config::new().max_fragments(u32::MAX).max_message_size(1 << 40).max_frame_size(1 << 40);
    Connection::upgraded_server(Negotiated::new(), limits)
}

/// A message of up to 64 KiB with a mask of zeros, so that the payload is on the wire as it is.
fn message(first: u8, size: usize, chunk: usize) {
    let mut conn = open();
    let payload = "好".repeat(size / 3);
    let length = u16::try_from(payload.len()).expect("a size below 64 KiB");
    let mut wire = [&[first, 0xfe][..], &length.to_be_bytes(), &[0; 4], payload.as_bytes()].concat();
    let mut messages = 0;
    for mut input in wire.chunks_mut(chunk) {
        while let Some(event) = conn.receive(&mut input) {
            messages += usize::from(matches!(event, Event::Text(_) | Event::Binary(_)));
        }
    }
    assert_eq!(messages, 1);
}

fn fragments(first: u8, payload: &[u8], count: usize) {
    let mut conn = open();
    let frame = |first: u8| [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat();
    let mut wire = [frame(first), frame(0).repeat(count), frame(0x80)].concat();
    let mut input = &mut wire[..];
    assert!(matches!(conn.receive(&mut input), Some(Event::Text(_) | Event::Binary(_))));
}

fn pings(count: usize) {
    let mut conn = open();
    let mut wire = [0x89, 0x80, 0, 0, 0, 0].repeat(count);
    let mut input = &mut wire[..];
    while conn.receive(&mut input).is_some() {}
    assert!(conn.output().has_remaining());
}

fn payloads(count: usize) {
    let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new().max_pending_output(usize::MAX));
    let payload = bytes::Bytes::from_static(&[0; 4096]);
    for _ in 0..count {
        conn.send(payload.clone()).unwrap();
    }
    while conn.output().take().is_some() {}
}

/// Messages with these payloads, in fragments of that many bytes and inputs of so many.
fn inflate(takeover: bool, payloads: &[&[u8]], fragment: usize, chunk: usize) {
    inflate_with(agreed(takeover, Config::new()), MessageKind::Binary, payloads, fragment, chunk);
}

/// Messages of a kind with these payloads, each in a frame of its own.
fn inflate_kind(kind: MessageKind, payloads: &[&[u8]]) {
    inflate_with(agreed(true, Config::new()), kind, payloads, 1 << 30, 16 << 10);
}

fn inflate_with(mut conn: Connection, kind: MessageKind, payloads: &[&[u8]], fragment: usize, chunk: usize) {
    let begin = match kind {
        MessageKind::Text => 0x41,
        MessageKind::Binary => 0x42,
    };
    let mut wire = Vec::new();
    for payload in payloads {
        let count = payload.len().div_ceil(fragment);
        for (i, data) in payload.chunks(fragment).enumerate() {
            let first = if i == 0 { begin } else { 0x00 } | if i + 1 == count { 0x80 } else { 0x00 };
            match u16::try_from(data.len()) {
                Ok(length @ ..126) => wire.extend([first, 0x80 | length as u8]),
                Ok(length) => wire.extend([&[first, 0xfe][..], &length.to_be_bytes()].concat()),
                Err(_) => wire.extend([&[first, 0xff][..], &(data.len() as u64).to_be_bytes()].concat()),
            }
            wire.extend([&[0; 4], data].concat());
        }
    }
    let mut messages = 0;
    for mut input in wire.chunks_mut(chunk) {
        while let Some(event) = conn.receive(&mut input) {
            assert!(matches!(event, Event::Text(_) | Event::Binary(_)));
            messages += 1;
        }
    }
    assert_eq!(messages, payloads.len());
}

/// A message that comes out in chunks.
fn pieces(payload: &[u8]) {
    let mut conn = agreed(true, Config::new().chunk_threshold(0));
    let length = (payload.len() as u64).to_be_bytes();
    let mut wire = [&[0xc2, 0xff][..], &length, &[0; 4], payload].concat();
    let mut input = &mut wire[..];
    let mut last = false;
    while let Some(event) = conn.receive(&mut input) {
        let Event::Chunk(chunk) = event else { panic!("{event:?}") };
        last = chunk.is_last();
    }
    assert!(last);
}

/// An endpoint that negotiated compression.
fn agreed(takeover: bool, config: Config) -> Connection {
    let settings = DeflateConfig::new().client_no_context_takeover(!takeover).level(1);
    let (_, params) = settings.answer([&b"permessage-deflate"[..]]).expect("an answer");
    let config = config.max_fragments(u32::MAX).max_message_size(1 << 40).max_frame_size(1 << 40);
    Connection::upgraded_server(
        Negotiated::new().deflate(params),
        config.max_pending_output(usize::MAX).deflate(settings),
    )
}

/// The payload of a compressed message.
fn compressed(kind: MessageKind, data: &[u8]) -> Vec<u8> {
    let mut conn = agreed(true, Config::new());
    conn.send_fragment(kind, data, true).unwrap();
    let frame = conn.output().take().unwrap();
    let header = match frame[1] {
        ..126 => 2,
        126 => 4,
        _ => 10,
    };
    frame[header..].to_vec()
}

/// A message that fills the window.
fn window() -> Vec<u8> {
    compressed(MessageKind::Binary, &noise(40_000))
}

/// Words of a small language.
fn prose(size: usize) -> Vec<u8> {
    let letters = letters(4000);
    let words: Vec<&[u8]> = letters.chunks(11).map(|word| &word[..2 + usize::from(word[0] % 8)]).collect();
    let numbers = noise(2 * size);
    let order = numbers.chunks(2).map(|pair| usize::from(pair[0]) * usize::from(pair[1]) % words.len());
    order.flat_map(|word| words[word].iter().copied().chain([b' '])).take(size).collect()
}

fn noise(size: usize) -> Vec<u8> {
    let numbers = std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
    numbers.map(|number| (number >> 24) as u8).take(size).collect()
}

fn letters(size: usize) -> Vec<u8> {
    noise(size).into_iter().map(|byte| b'a' + byte % 26).collect()
}
