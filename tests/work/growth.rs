//! How the cost of ordinary work grows: `tests/work/growth` counts the instructions of each case, size by size.

use bytes::Buf;
use websocket_proto::{Config, Connection, Event, MessageKind, Negotiated, Seed, server};

fn main() {
    let Some(name) = std::env::args().nth(1) else {
        for case in CASES {
            let sizes: Vec<_> = case.sizes.iter().map(ToString::to_string).collect();
            println!("{}\t{}\t{}", case.name, case.axis, sizes.join(" "));
        }
        return;
    };
    let case = CASES.iter().find(|case| case.name == name).expect("a case of the list");
    for &size in case.sizes {
        let (mut work, units) = (case.prepare)(size);
        counted(&mut *work);
        println!("{units}");
    }
}

/// The counted part: the work, without its preparation.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

struct Case {
    name: &'static str,
    /// The quantity that grows, by which the cost is divided.
    axis: &'static str,
    sizes: &'static [usize],
    prepare: fn(usize) -> Work,
}

/// The work for a size, and its number of bytes or fragments.
type Work = (Box<dyn FnMut()>, usize);

const MESSAGES: &str = "message, bytes|per byte";
const FRAGMENTS: &str = "fragments|per fragment";
const INPUTS: &str = "input, bytes|per byte";
const HEADS: &str = "head, bytes|per byte";

const MESSAGE_SIZES: &[usize] = &[1, 16, 256, 4 << 10, 64 << 10, 1 << 20, 16 << 20];
/// One fragment is a whole message, which is borrowed from the input.
const FRAGMENT_COUNTS: &[usize] = &[2, 8, 64, 512, 4096, 32_768, 131_072];
const INPUT_SIZES: &[usize] = &[1, 16, 256, 4 << 10, 64 << 10, 1 << 20];
/// The smallest request has about 150 bytes.
const HEAD_SIZES: &[usize] = &[160, 256, 1 << 10, 4 << 10, 16 << 10];

/// The most that a read returns.
const READ: usize = 16 << 10;

const CASES: &[Case] = &[
    Case::new("receive binary, one input", MESSAGES, MESSAGE_SIZES, |size| receive(binary(size), usize::MAX, size)),
    Case::new("receive binary, inputs of 16 KiB", MESSAGES, MESSAGE_SIZES, |size| receive(binary(size), READ, size)),
    Case::new("receive ASCII, one input", MESSAGES, MESSAGE_SIZES, |size| receive(ascii(size), usize::MAX, size)),
    Case::new("receive ASCII, inputs of 16 KiB", MESSAGES, MESSAGE_SIZES, |size| receive(ascii(size), READ, size)),
    Case::new("receive Chinese, inputs of 16 KiB", MESSAGES, MESSAGE_SIZES, |size| receive(chinese(size), READ, size)),
    Case::new("server sends binary", MESSAGES, MESSAGE_SIZES, |size| send(server(), size)),
    Case::new("client sends binary", MESSAGES, MESSAGE_SIZES, |size| send(client(), size)),
    Case::new("binary fragments of 16 bytes", FRAGMENTS, FRAGMENT_COUNTS, |count| fragments(0x02, count)),
    Case::new("text fragments of 16 bytes", FRAGMENTS, FRAGMENT_COUNTS, |count| fragments(0x01, count)),
    Case::new("server sends fragments of 16 bytes", FRAGMENTS, FRAGMENT_COUNTS, send_fragments),
    Case::new("a binary message of 1 MiB", INPUTS, INPUT_SIZES, |input| receive(binary(1 << 20), input, 1 << 20)),
    Case::new("a Chinese text of 1 MiB", INPUTS, INPUT_SIZES, |input| receive(chinese(1 << 20), input, 1 << 20)),
    Case::new("messages of 64 bytes, 1 MiB of them", INPUTS, INPUT_SIZES, |input| {
        receive(binary(64).repeat((1 << 20) / 64), input, 1 << 20)
    }),
    Case::new("request, byte by byte", HEADS, HEAD_SIZES, |size| open(size, 1)),
    Case::new("request, whole", HEADS, HEAD_SIZES, |size| open(size, usize::MAX)),
    Case::new("request of one long header, byte by byte", HEADS, HEAD_SIZES, |size| open_long(size, 1)),
    Case::new("request of one long header, whole", HEADS, HEAD_SIZES, |size| open_long(size, usize::MAX)),
];

impl Case {
    const fn new(name: &'static str, axis: &'static str, sizes: &'static [usize], prepare: fn(usize) -> Work) -> Self {
        Self { name, axis, sizes, prepare }
    }
}

fn limits() -> Config {
    Config::new().max_frame_size(64 << 20).max_message_size(64 << 20).max_pending_output(64 << 20)
}

fn server() -> Connection {
    Connection::upgraded_server(Negotiated::new(), limits())
}

fn client() -> Connection {
    Connection::upgraded_client(Negotiated::new(), limits(), Seed::new([7; 32]))
}

/// Receives a wire, in inputs of so many bytes; its cost is divided by `units`.
fn receive(mut wire: Vec<u8>, input: usize, units: usize) -> Work {
    let mut conn = server();
    let work = move || {
        let mut messages = 0;
        let length = wire.len();
        for mut input in wire.chunks_mut(input.min(length)) {
            while let Some(event) = conn.receive(&mut input) {
                assert!(matches!(event, Event::Text(_) | Event::Binary(_)));
                messages += 1;
            }
        }
        assert_ne!(messages, 0);
    };
    (Box::new(work), units)
}

fn binary(size: usize) -> Vec<u8> {
    frame(0x82, &vec![7; size])
}

fn ascii(size: usize) -> Vec<u8> {
    frame(0x81, &vec![b'x'; size])
}

/// That many bytes, in characters of three bytes, except the last ones.
fn chinese(size: usize) -> Vec<u8> {
    frame(0x81, ("好".repeat(size / 3) + &"x".repeat(size % 3)).as_bytes())
}

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x12, 0x34, 0x56, 0x78];
    let mut frame = match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ ..126), _) => vec![first, 0x80 | length],
        (_, Ok(length)) => [&[first, 0xfe][..], &length.to_be_bytes()].concat(),
        _ => [&[first, 0xff][..], &(payload.len() as u64).to_be_bytes()].concat(),
    };
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

fn send(mut conn: Connection, size: usize) -> Work {
    let payload = vec![7; size];
    let work = move || {
        conn.send_binary(&payload).unwrap();
        drain(&mut conn);
    };
    (Box::new(work), size)
}

fn fragments(first: u8, count: usize) -> Work {
    let mut wire = Vec::new();
    for number in 1..=count {
        let opcode = if number == 1 { first } else { 0x00 };
        let fin = if number == count { 0x80 } else { 0x00 };
        wire.extend(frame(fin | opcode, &[b'x'; 16]));
    }
    receive(wire, READ, count)
}

fn send_fragments(count: usize) -> Work {
    let mut conn = server();
    let work = move || {
        for number in 1..=count {
            conn.send_fragment(MessageKind::Binary, &[7; 16], number == count).unwrap();
            drain(&mut conn);
        }
    };
    (Box::new(work), count)
}

fn drain(conn: &mut Connection) {
    while conn.output().has_remaining() {
        let length = conn.output().chunk().len();
        conn.output().advance(length);
    }
}

/// A request of that size, filled with headers such as a browser's.
fn open(size: usize, input: usize) -> Work {
    let mut lines = String::new();
    let (line, room) = ("X-Header: 0123456789 0123456\r\n", size - HEAD.len() - 2);
    while lines.len() + 2 * line.len() <= room {
        lines += line;
    }
    request(size, lines, input)
}

fn open_long(size: usize, input: usize) -> Work {
    request(size, String::new(), input)
}

/// The last header fills the rest.
fn request(size: usize, lines: String, input: usize) -> Work {
    let left = size - HEAD.len() - lines.len() - "X: \r\n\r\n".len();
    let mut wire = format!("{HEAD}{lines}X: {}\r\n\r\n", "x".repeat(left)).into_bytes();
    assert_eq!(wire.len(), size);
    let mut conn = Connection::server(Config::new().max_handshake_size(32 << 10).max_headers(1024));
    let work = move || {
        let length = wire.len();
        for mut input in wire.chunks_mut(input.min(length)) {
            while let Some(event) = conn.receive(&mut input) {
                assert!(matches!(event, Event::Request(_)));
                conn.accept(server::Response::new()).unwrap();
            }
        }
        drain(&mut conn);
        assert_eq!(conn.state(), websocket_proto::State::Open);
    };
    (Box::new(work), size)
}

const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
