//! One case of hostile or large input, of a given size, for counting instructions: `tests/work/run` compares sizes.

use bytes::Buf;
use websocket_proto::{Config, Connection, Event, Negotiated};

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

/// Each takes a size in bytes and does work that must grow no faster.
const CASES: [Case; 14] = [
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

/// A message of up to 64 KiB whose mask is zero, so that the payload stands in the wire as it is.
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
