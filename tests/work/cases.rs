//! One case of hostile or large input, of a given size, for counting instructions: `tests/work/run` compares sizes.

use bytes::Buf;
use websocket_proto::{Config, Connection, DeflateConfig, Event, MessageKind, Negotiated, Scratch};

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(case), Some(size)) = (args.next(), args.next().and_then(|size| size.parse().ok())) else {
        for (name, limit, _) in CASES {
            println!("{name} {limit}");
        }
        return;
    };
    let (_, _, run) = CASES.iter().find(|(name, ..)| *name == case).expect("a case of the list");
    run(size);
}

/// A name, the most instructions that a byte may cost, and the work of a size in bytes, which must grow no faster than the size.
type Case = (&'static str, u64, fn(usize));

/// The limits are half as much again as what was counted, in round numbers. Where a case is a message for each few bytes, or an
/// input or a turn for each byte, that is what a byte costs there.
const CASES: [Case; 46] = [
    ("head-byte-by-byte", 450, |size| head(1, &format!("X: {}\r\n", "x".repeat(size)))),
    ("head-at-once", 3, |size| head(usize::MAX, &format!("X: {}\r\n", "x".repeat(size)))),
    ("headers-of-one-byte", 100, |size| head(64, &"a:\r\n".repeat(size / 4))),
    ("spaces-in-a-list", 17, |size| head(64, &format!("Sec-WebSocket-Protocol: a{}b\r\n", " ".repeat(size)))),
    ("commas-in-a-list", 10, |size| head(64, &format!("Connection: {}\r\n", ",".repeat(size)))),
    ("many-subprotocols", 300, |size| head(64, &format!("Sec-WebSocket-Protocol: {}\r\n", numbers(size)))),
    ("offers-that-are-declined", 40, |size| {
        head(64, &format!("Sec-WebSocket-Extensions: {}x\r\n", DECLINED.repeat(size / DECLINED.len())));
    }),
    ("parameters-of-an-offer", 65, |size| {
        head(64, &format!("Sec-WebSocket-Extensions: permessage-deflate{}\r\n", ";a=b".repeat(size / 4)));
    }),
    ("unclosed-quote", 25, |size| head(64, &format!("Sec-WebSocket-Extensions: a;b=\"{}\r\n", "\\c".repeat(size / 2)))),
    ("binary-message-byte-by-byte", 600, |size| message(0x82, size, 1)),
    ("text-message-byte-by-byte", 800, |size| message(0x81, size, 1)),
    ("text-message-in-pieces", 3, |size| message(0x81, size, 1000)),
    ("fragments-of-one-byte", 150, |size| fragments(0x02, b"x", size / 7)),
    ("text-fragments-of-one-byte", 150, |size| fragments(0x01, b"x", size / 7)),
    ("fragments-byte-by-byte", 450, |size| fragments_in(0x02, b"x", size / 7, 1)),
    ("text-in-turns-of-one-byte", 1_100, |size| turns(0x81, size)),
    ("binary-in-turns-of-one-byte", 1_100, |size| turns(0x82, size)),
    ("direct-reads-of-16-bytes", 350, direct_reads),
    ("pings-byte-by-byte", 500, |size| pings_in(0, b"", size / 6, 1)),
    ("pings-with-a-full-output", 8, |size| pings_in(256 << 10, &[b'p'; 125], size / 131, usize::MAX)),
    ("turns-with-a-long-chain", 200, |size| turns_with_a_chain(size / 8, false)),
    ("turns-with-a-long-chain-closing", 200, |size| turns_with_a_chain(size / 8, true)),
    ("large-payloads-sent-byte-by-byte", 150, sent_byte_by_byte),
    ("pings-undrained", 150, |size| pings(size / 6)),
    ("large-payloads-taken", 50, |size| payloads(size / 16)),
    ("compressed-byte-by-byte", 1_700, |size| {
        inflate(true, &[&compressed(MessageKind::Binary, &noise(size))], size, 1)
    }),
    ("compressed-letters-byte-by-byte", 1_600, |size| {
        inflate(true, &[&compressed(MessageKind::Text, &letters(size))], size, 1);
    }),
    ("compressed-fragments-of-one-byte", 400, |size| {
        inflate(true, &[&compressed(MessageKind::Binary, &noise(size / 7))], 1, 4096);
    }),
    ("compressed-zeros-whole", 500, |size| {
        inflate(true, &[&compressed(MessageKind::Binary, &vec![0; 100 * size])], size, 1000);
    }),
    ("compressed-zeros-in-pieces", 5_200, |size| pieces(&compressed(MessageKind::Binary, &vec![0; 1000 * size]))),
    ("compressed-text-in-pieces", 6_900, |size| pieces(&compressed(MessageKind::Text, &vec![b'x'; 1000 * size]))),
    // Inflating costs next to nothing, so copies of the input that is left would show.
    ("stored-blocks-in-pieces", 650, |size| pieces(&[stored(256 * size), vec![0]].concat())),
    ("empty-blocks", 50, |size| inflate(true, &[&[b"\0\0\0\xff\xff".repeat(size / 5), vec![0]].concat()], size, 1000)),
    ("stored-blocks-of-one-byte", 55, |size| {
        inflate(true, &[&[STORED.repeat(size / STORED.len()), vec![0]].concat()], size, 1000);
    }),
    ("blocks-with-tables", 60, |size| {
        let block = [&compressed(MessageKind::Binary, &letters(200))[..], b"\0\0\xff\xff"].concat();
        inflate(true, &[&[block.repeat(size / block.len()), vec![0]].concat()], 1 << 17, 1000);
    }),
    ("compressed-in-turns-of-one-byte", 2_500, |size| {
        inflate_in_turns(&compressed(MessageKind::Binary, &noise(size)));
    }),
    // Ordinary data: messages of about 1 KiB that shrink to a half.
    ("compressed-prose", 60, |size| {
        let message = compressed(MessageKind::Binary, &prose(1000));
        inflate(true, &vec![&message[..]; size / message.len()], 1 << 30, 16 << 10);
    }),
    // Text, which is inflated into blocks before it is checked.
    ("tiny-compressed-texts", 450, |size| {
        inflate_kind(MessageKind::Text, &vec![&b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..]; size / 13]);
    }),
    ("compressed-prose-as-text", 2_800, |size| {
        inflate_kind(MessageKind::Text, &[&compressed(MessageKind::Text, &prose(16 * size))]);
    }),
    // Each of them may refer to the window and to the message so far. It costs two calls of zlib, as the smallest ordinary message
    // does, and no copy of the window.
    ("streams-that-end", 650, |size| {
        let streams = [&window()[..], b"\0\0\xff\xff", &b"\x03\0".repeat(size / 2), b"\0"].concat();
        inflate(true, &[&window(), &streams], 1 << 30, 1000);
    }),
    ("messages-that-end-streams", 600, |size| {
        inflate(true, &[vec![&window()[..]], vec![b"\x03\0"; size / 8]].concat(), 1 << 17, 1000);
    }),
    // Zeros inflate to so much that each message may copy its window 80 times, and no more.
    ("short-messages-that-end-streams", 1_150, |size| {
        let zeros = compressed(MessageKind::Binary, &vec![0; 32 << 10]);
        let message = [&zeros[..], b"\0\0\xff\xff", &b"\x03\0".repeat(200), b"\0"].concat();
        inflate(false, &vec![&message[..]; size / message.len()], 1 << 30, 1000);
    }),
    ("stored-streams-that-end", 200, |size| {
        let stream = [&[1], &STORED[1..]].concat();
        let streams = [&window()[..], b"\0\0\xff\xff", &stream.repeat(size / stream.len()), b"\0"].concat();
        inflate(true, &[&window(), &streams], 1 << 30, 1000);
    }),
    ("streams-that-end-in-chunks", 650, |size| pieces_of(&b"\x03\0".repeat(size / 2))),
    ("tiny-compressed-messages", 750, |size| inflate(true, &vec![&b"\0"[..]; size / 7], 1, 1000)),
    ("tiny-messages-without-takeover", 4_200, |size| inflate(false, &vec![&b"\0"[..]; size / 7], 1, 1000)),
];

/// An offer that a server has to decline.
const DECLINED: &str = "permessage-deflate;server_max_window_bits=8,";

/// A stored block of one byte (RFC 1951 section 3.2.4).
const STORED: [u8; 6] = [0, 1, 0, 0xfe, 0xff, b'x'];

/// Stored blocks of 32 KiB.
fn stored(size: usize) -> Vec<u8> {
    [&[0, 0, 0x80, 0xff, 0x7f][..], &[b'x'; 32 << 10]].concat().repeat(size >> 15)
}

fn head(chunk: usize, lines: &str) {
    let limits = Config::new().max_handshake_size(1 << 30).max_headers(1 << 30);
    let mut conn = Connection::server(limits.deflate(DeflateConfig::new()));
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

/// A frame with a mask of zeros, so that the payload is on the wire as it is.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u64;
    let header = match length {
        ..126 => vec![first, 0x80 | length as u8],
        126..65_536 => [&[first, 0xfe][..], &(length as u16).to_be_bytes()].concat(),
        65_536.. => [&[first, 0xff][..], &length.to_be_bytes()].concat(),
    };
    [&header[..], &[0; 4], payload].concat()
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
    fragments_in(first, payload, count, usize::MAX);
}

fn fragments_in(first: u8, payload: &[u8], count: usize, chunk: usize) {
    let mut conn = open();
    let frame = |first: u8| [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat();
    let mut wire = [frame(first), frame(0).repeat(count), frame(0x80)].concat();
    let length = wire.len();
    let mut messages = 0;
    for mut input in wire.chunks_mut(chunk.min(length)) {
        while let Some(event) = conn.receive(&mut input) {
            messages += usize::from(matches!(event, Event::Text(_) | Event::Binary(_)));
        }
    }
    assert_eq!(messages, 1);
}

fn pings(count: usize) {
    pings_in(0, b"", count, usize::MAX);
}

/// Pings with that payload, while so many bytes are pending.
fn pings_in(pending: usize, payload: &[u8], count: usize, chunk: usize) {
    let mut conn = open();
    conn.send(vec![0; pending]).unwrap();
    let mut wire = [&[0x89, 0x80 | payload.len() as u8, 0, 0, 0, 0][..], payload].concat().repeat(count);
    let length = wire.len();
    let mut events = 0;
    for mut input in wire.chunks_mut(chunk.min(length)) {
        while conn.receive(&mut input).is_some() {
            events += 1;
        }
    }
    assert_eq!(events, count);
    assert!(conn.output().has_remaining());
}

/// A message whose bytes arrive in turns of their own, with the scratch of a thread.
fn turns(first: u8, size: usize) {
    let mut conn = open();
    let mut wire = frame(first, &vec![b'x'; size]);
    assert_eq!(in_turns(&mut conn, &mut wire), 1);
}

fn in_turns(conn: &mut Connection, wire: &mut [u8]) -> usize {
    let (mut scratch, mut events) = (Scratch::new(), 0);
    for mut input in wire.chunks_mut(1) {
        conn.with_scratch(&mut scratch, |conn| {
            while conn.receive(&mut input).is_some() {
                events += 1;
            }
        });
    }
    events
}

/// A message that is read where it is assembled.
fn direct_reads(size: usize) {
    let mut conn = open();
    let length = 16 * size;
    let mut wire = frame(0x82, &vec![0; length]);
    // Space follows what has arrived.
    let mut read = 16 << 10;
    assert!(conn.receive(&mut &mut wire[..read]).is_none());
    while let Some(buffer) = conn.read_buffer() {
        let count = buffer.len().min(16);
        read += conn.commit_read(count);
    }
    // The last bytes are not worth a read of their own.
    assert!(read > length - (16 << 10), "{read}");
}

/// Pongs that arrive in turns of their own, while payloads are pending that the peer does not read.
fn turns_with_a_chain(count: usize, is_closing: bool) {
    let limits = Config::new().max_pending_output(usize::MAX);
    let mut conn = Connection::upgraded_server(Negotiated::new(), limits);
    for _ in 0..count {
        conn.send(bytes::Bytes::from_static(&[0; 4096])).unwrap();
    }
    assert!(conn.output().take().is_some());
    if is_closing {
        conn.close(None, "").unwrap();
    }
    let mut scratch = Scratch::new();
    for _ in 0..count {
        let mut pong = [0x8a, 0x80, 0, 0, 0, 0];
        conn.with_scratch(&mut scratch, |conn| assert!(conn.receive(&mut &mut pong[..]).is_some()));
    }
    conn.abort();
}

fn sent_byte_by_byte(size: usize) {
    let mut conn = open();
    for _ in 0..size / 2048 {
        conn.send(bytes::Bytes::from_static(&[0; 2048])).unwrap();
        conn.ping(b"").unwrap();
    }
    while conn.output().has_remaining() {
        conn.output().advance(1);
    }
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
            wire.extend(frame(first, data));
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

/// A compressed message whose bytes arrive in turns of their own.
fn inflate_in_turns(payload: &[u8]) {
    let mut conn = agreed(true, Config::new());
    let mut wire = frame(0xc2, payload);
    assert_eq!(in_turns(&mut conn, &mut wire), 1);
}

/// Streams that end, in a message that comes out in chunks, after one that fills the window.
fn pieces_of(streams: &[u8]) {
    pieces(&[&window()[..], b"\0\0\xff\xff", streams, b"\0"].concat());
}

/// A message that comes out in chunks.
fn pieces(payload: &[u8]) {
    let mut conn = agreed(true, Config::new().chunk_threshold(0));
    let mut wire = frame(0xc2, payload);
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
