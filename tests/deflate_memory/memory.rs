//! The memory that compression keeps between messages, and its cost for a steady connection.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Buf;
use websocket_proto::{
    Config, Connection, DeflateConfig, Event, MessageKind, Negotiated, PreparedMessage, Role, Scratch, server,
};

use crate::deflate::{deflated, endpoint, endpoint_with, negotiate, noise, settings, without_takeover};
use crate::heap::{Heap, heap_of};
use crate::support::{ROLES, drain, feed, frame, frames, other, request_with, seed};

const NOTHING: Heap = Heap { allocations: 0, kept: 0, peak: 0 };

/// A server that negotiated compression owns nothing until there is something to compress.
#[test]
fn a_server_that_agreed_and_had_no_traffic_owns_nothing() {
    let config = Arc::new(Config::new().deflate(DeflateConfig::new()));
    let params = negotiate(&DeflateConfig::new(), &DeflateConfig::new());
    let (_conn, heap) = heap_of(|| Connection::upgraded_server(Negotiated::new().deflate(params), Arc::clone(&config)));
    assert_eq!(heap, NOTHING);

    let request = request_with(&format!("Sec-WebSocket-Extensions: {}\r\n", DeflateConfig::new().offer()));
    let (conn, heap) = heap_of(|| {
        let mut conn = Connection::server(Arc::clone(&config));
        feed(&mut conn, &request);
        conn.accept(server::Response::new()).unwrap();
        assert!(!drain(&mut conn).is_empty());
        conn
    });
    assert_eq!(conn.deflate(), Some(params));
    assert_eq!(heap.kept, 0);
}

/// A message that a program keeps has a buffer of at most four times its size, or 4 KiB, although those of the thread are
/// large.
#[test]
fn a_compressed_message_that_is_kept_does_not_keep_a_large_buffer() {
    for role in ROLES {
        for settings in [settings(), without_takeover()] {
            for (first, size) in [(0xc1, 10), (0xc2, 10), (0xc2, 5000)] {
                let payload = deflated(&vec![b'x'; size]);
                let mut conn = endpoint(role, Config::new(), &settings);
                let mut scratch = Scratch::new();
                let mut kept = Vec::new();
                for _ in 0..10 {
                    conn.attach_scratch(scratch);
                    let mut large = frame(other(role), 0x82, &vec![b'x'; 200_000]);
                    for chunk in large.chunks_mut(64 << 10) {
                        let mut input = &mut *chunk;
                        while let Some(Event::Binary(data)) = conn.receive(&mut input) {
                            conn.recycle(data);
                        }
                    }
                    kept.extend(feed(&mut conn, &frame(other(role), first, &payload)));
                    scratch = conn.detach_scratch().unwrap();
                }
                assert_eq!(kept.len(), 10);
                let queue = kept.capacity() * size_of::<Event<'_>>();
                let ((), heap) = heap_of(|| drop(kept));
                assert!(heap.kept.unsigned_abs() <= queue + 10 * (4 * size).max(4096), "{role:?}, {size}: {heap:?}");
            }
        }
    }
}

/// A plain message allocates nothing for compression in either direction, and a compressed message only in its own.
#[test]
fn a_direction_without_compressed_messages_owns_nothing() {
    for role in ROLES {
        let settings = DeflateConfig::new();
        let mut measured = Measured::new(role, Config::new(), &settings, false);
        let prepared = PreparedMessage::compressed("x".repeat(1000), &settings);
        let plain = [frame(other(role), 0x82, &[b'x'; 1000]), frame(other(role), 0x02, b"a")].concat();
        measured.receive(&[plain, frame(other(role), 0x80, b"b")].concat(), 100);
        measured.send(b"shorter than 64 bytes");
        measured.turn(|conn| {
            conn.set_compression(false);
            conn.send_binary(&[0; 1000]).unwrap();
            conn.send_fragment(MessageKind::Text, b"fragment", false).unwrap();
            conn.send_fragment(MessageKind::Text, b"", true).unwrap();
            conn.set_compression(true);
            // A prepared message needs no compressor, either.
            conn.send_prepared(&prepared).unwrap();
            assert!(frames(&drain(conn)).iter().any(|frame| frame.first == 0xc1));
            // `take` removes the drained buffer, which would be kept otherwise.
            conn.ping(b"").unwrap();
            drop(conn.output().take());
        });
        assert_eq!(measured.owned(), bare(role), "{role:?}");

        let mut measured = Measured::new(role, Config::new(), &settings, false);
        measured.send(&[0; 1000]);
        let sending = measured.owned() - bare(role);
        assert!(sending > 256 << 10, "a compressor: {sending}");
        let mut measured = Measured::new(role, Config::new(), &settings, false);
        measured.receive(&frame(other(role), 0xc2, &deflated(&[0; 1000])), 10);
        let receiving = measured.owned() - bare(role);
        assert!(receiving > 32 << 10 && receiving < 64 << 10, "an inflater: {receiving}");
    }
}

/// Without context takeover, a message leaves nothing: whole, fragmented or in chunks, with a scratch and without.
#[test]
fn without_takeover_nothing_is_left_of_a_message() {
    for role in ROLES {
        for lends in [false, true] {
            for data in [&noise(100)[..], &[b'x'; 1000], &vec![0; 40_000], &vec![0; 1 << 20], b""] {
                for size in [1000, usize::MAX] {
                    let config = Config::new().chunk_threshold(50_000);
                    let mut measured = Measured::new(role, config, &without_takeover(), lends);
                    let mut peer = endpoint(other(role), Config::new(), &without_takeover());
                    let (head, tail) = data.split_at(data.len() / 3);
                    for _ in 0..2 {
                        peer.send_fragment(MessageKind::Binary, head, false).unwrap();
                        peer.send_fragment(MessageKind::Binary, tail, true).unwrap();
                        peer.send_binary(data).unwrap();
                        measured.receive(&drain(&mut peer), size);
                        measured.send(data);
                        measured.turn(|conn| conn.send_fragment(MessageKind::Binary, head, false).unwrap());
                        measured.turn(|conn| conn.send_fragment(MessageKind::Binary, tail, true).unwrap());
                        measured.turn(|conn| while conn.output().take().is_some() {});
                    }
                    assert_eq!(measured.owned(), bare(role), "{role:?}: {} bytes, lent: {lends}", data.len());
                }
            }
        }
    }
}

/// 1,000 connections without context takeover that exchanged compressed messages and are idle own nothing.
#[test]
fn idle_connections_without_takeover_own_nothing() {
    let settings = without_takeover();
    let config = Arc::new(Config::new().deflate(settings.clone()));
    let params = negotiate(&settings, &settings);
    let traffic = &traffic(Role::Client, &settings, 1, 1_000)[0];
    let mut scratch = Some(Scratch::new());
    let mut buffer = vec![0; 1 << 10];
    let (conns, heap) = heap_of(|| {
        let mut conns = Vec::with_capacity(1000);
        for _ in 0..1000 {
            let mut conn = endpoint_with(Role::Server, Arc::clone(&config), params);
            echo(&mut conn, &mut scratch, traffic, &mut buffer);
            conns.push(conn);
        }
        scratch = None;
        conns
    });
    let connections = conns.capacity() * size_of::<Connection>();
    assert_eq!(heap.kept, connections.cast_signed());
}

/// An echo of compressed messages that lie whole in the input, straddle two inputs or come in fragments allocates
/// nothing once its buffers exist, whatever was negotiated.
#[test]
fn a_steady_echo_of_compressed_messages_costs_no_allocation() {
    for role in ROLES {
        for settings in [
            settings(),
            without_takeover(),
            settings().server_no_context_takeover(true),
            settings().client_no_context_takeover(true),
            settings().client_max_window_bits(10).server_max_window_bits(12).memory_level(3),
        ] {
            let turns = traffic(other(role), &settings, 12, 10_000);
            let mut conn = endpoint(role, Config::new(), &settings);
            let mut scratch = Some(Scratch::new());
            let mut buffer = vec![0; 16 << 10];
            let (first, rest) = turns.split_at(3);
            for turn in first {
                echo(&mut conn, &mut scratch, turn, &mut buffer);
            }
            let ((), heap) = heap_of(|| rest.iter().for_each(|turn| echo(&mut conn, &mut scratch, turn, &mut buffer)));
            assert_eq!(heap, NOTHING, "{role:?}: {settings:?}");
        }
    }
}

/// The same with connections with and without context takeover that share the scratch.
#[test]
fn a_steady_echo_of_unlike_connections_costs_no_allocation() {
    let all = [settings(), without_takeover(), settings().server_no_context_takeover(true)];
    let mut conns = all.each_ref().map(|settings| endpoint(Role::Server, Config::new(), settings));
    let turns = all.each_ref().map(|settings| traffic(Role::Client, settings, 12, 10_000));
    let mut scratch = Some(Scratch::new());
    let mut buffer = vec![0; 16 << 10];
    let mut turn = |turn: usize| {
        for (conn, turns) in conns.iter_mut().zip(&turns) {
            echo(conn, &mut scratch, &turns[turn], &mut buffer);
        }
    };
    (0..2).for_each(&mut turn);
    let ((), heap) = heap_of(|| (2..12).for_each(&mut turn));
    assert_eq!(heap, NOTHING);
}

/// With context takeover and a scratch, a connection keeps the window for receiving, and a little more.
#[test]
fn with_a_scratch_receiving_keeps_the_window() {
    for role in ROLES {
        for bits in 9..=15 {
            let settings = settings().client_max_window_bits(bits).server_max_window_bits(bits);
            let kept = kept_for_receiving(role, &settings, true);
            assert!(kept >= 1 << bits && kept <= (1 << bits) + 256, "{kept} bytes for {bits} bits");
        }
    }
}

/// With context takeover and a scratch, a connection keeps a small window for sending, and a little more.
#[test]
fn with_a_scratch_sending_keeps_small_windows() {
    for role in ROLES {
        for bits in 9..=15 {
            let settings = settings().client_max_window_bits(bits).server_max_window_bits(bits);
            let kept = kept_for_sending(role, &settings, true);
            if bits <= 12 {
                assert!(kept >= 1 << bits && kept <= (1 << bits) + 512, "{kept} bytes for {bits} bits");
            } else {
                assert!(kept > 256 << 10);
            }
        }
    }
}

/// The table in the documentation of `DeflateConfig`; `MEMORY=write cargo test --features deflate --test
/// deflate_memory` rewrites it.
#[test]
#[cfg(target_pointer_width = "64")]
fn the_table_says_what_is_measured() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/deflate/memory.md");
    let text = fs::read_to_string(&place).unwrap();
    let is_row = |line: &&str| line.starts_with("| ") && line[2..].starts_with(|first: char| first.is_ascii_digit());
    let measured: Vec<_> = (9..=15).map(row).collect();
    let mut rows = measured.iter();
    let mut written = String::new();
    for line in text.lines() {
        // Replaces each row that exists, or adds all of them after the head if there is none.
        if !is_row(&line) {
            written.extend([line, "\n"]);
        }
        if line.starts_with("|---") {
            rows.by_ref().for_each(|row| written.extend([row, "\n"]));
        }
    }
    if std::env::var("MEMORY").is_ok_and(|wish| wish == "write") {
        fs::write(&place, &written).unwrap();
    }
    assert_eq!(text.lines().filter(is_row).collect::<Vec<_>>(), measured);
}

/// The memory of a connection where both windows have that many bits.
fn row(bits: u8) -> String {
    let settings = settings().server_max_window_bits(bits).client_max_window_bits(bits);
    let sending =
        [1, 4, 8, 9].map(|level| kept_for_sending(Role::Server, &settings.clone().memory_level(level), false));
    let lent = kept_for_sending(Role::Server, &settings, true);
    let receiving = [false, true].map(|lends| kept_for_receiving(Role::Server, &settings, lends));
    let cells: Vec<_> = sending.iter().chain([&lent]).chain(&receiving).map(|bytes| thousands(*bytes)).collect();
    format!("| {bits} | {} |", cells.join(" | "))
}

fn thousands(bytes: usize) -> String {
    if bytes < 1000 { bytes.to_string() } else { format!("{},{:03}", bytes / 1000, bytes % 1000) }
}

/// A connection that shares its configuration, and a scratch if one is attached for each iteration.
struct Measured {
    conn: Connection,
    scratch: Option<Scratch>,
    _config: Arc<Config>,
}

impl Measured {
    fn new(role: Role, config: Config, settings: &DeflateConfig, lends: bool) -> Self {
        let config = Arc::new(config.deflate(settings.clone()));
        Self {
            conn: endpoint_with(role, Arc::clone(&config), negotiate(settings, settings)),
            scratch: lends.then(Scratch::new),
            _config: config,
        }
    }

    fn turn(&mut self, work: impl FnOnce(&mut Connection)) {
        if let Some(scratch) = self.scratch.take() {
            self.conn.attach_scratch(scratch);
        }
        work(&mut self.conn);
        self.scratch = self.conn.detach_scratch();
    }

    fn send(&mut self, data: &[u8]) {
        self.turn(|conn| {
            conn.send_binary(data).unwrap();
            drop(conn.output().take());
        });
    }

    fn receive(&mut self, wire: &[u8], size: usize) {
        for chunk in wire.to_vec().chunks_mut(size) {
            self.turn(|conn| {
                let mut input = chunk;
                while let Some(event) = conn.receive(&mut input) {
                    match event {
                        Event::Binary(data) => conn.recycle(data),
                        Event::Chunk(chunk) => conn.recycle(chunk.into_bytes()),
                        other => panic!("{other:?}"),
                    }
                }
            });
        }
    }

    /// The bytes that are freed with the connection: the generator of a client's masking keys, and kept buffers.
    fn owned(self) -> usize {
        let Self { conn, .. } = self;
        let ((), heap) = heap_of(|| drop(conn));
        heap.kept.unsigned_abs()
    }
}

/// The memory of a connection without compression.
fn bare(role: Role) -> usize {
    let config = Arc::new(Config::new());
    let mut conn = match role {
        Role::Client => Connection::upgraded_client(Negotiated::new(), Arc::clone(&config), seed()),
        Role::Server => Connection::upgraded_server(Negotiated::new(), Arc::clone(&config)),
    };
    conn.send_text("text").unwrap();
    drop(conn.output().take());
    let ((), heap) = heap_of(|| drop(conn));
    heap.kept.unsigned_abs()
}

/// More data than any window has, some of it compressible.
fn much() -> Vec<u8> {
    [noise(100_000), vec![0; 100_000]].concat()
}

/// The memory kept after sending much, apart from the output.
fn kept_for_sending(role: Role, settings: &DeflateConfig, lends: bool) -> usize {
    let mut measured = Measured::new(role, Config::new(), settings, lends);
    measured.send(&much());
    measured.send(&much());
    measured.owned() - bare(role)
}

/// The memory kept after receiving much.
fn kept_for_receiving(role: Role, settings: &DeflateConfig, lends: bool) -> usize {
    let mut peer = endpoint(other(role), Config::new(), settings);
    let mut measured = Measured::new(role, Config::new(), settings, lends);
    for _ in 0..2 {
        peer.send_binary(&much()).unwrap();
        measured.receive(&drain(&mut peer), 16 << 10);
    }
    measured.owned() - bare(role)
}

/// The peer's messages in as many iterations: compressed messages whole, straddling two inputs, and fragmented, of
/// about `size` bytes; text and binary; pings among them.
fn traffic(from: Role, settings: &DeflateConfig, turns: usize, size: usize) -> Vec<Vec<u8>> {
    let mut conn = endpoint(from, Config::new(), settings);
    let noise = noise(4 * size);
    (0..turns)
        .map(|_| {
            conn.send_text("你好").unwrap();
            conn.send_binary(&vec![1; size]).unwrap();
            conn.send_text(&"聊".repeat(size / 3)).unwrap();
            conn.send_fragment(MessageKind::Binary, &noise[..3 * size], false).unwrap();
            conn.ping(b"ping").unwrap();
            conn.send_fragment(MessageKind::Binary, b"some", false).unwrap();
            conn.send_fragment(MessageKind::Binary, &[3; 3000], true).unwrap();
            conn.send_binary(&noise).unwrap();
            drain(&mut conn)
        })
        .collect()
}

/// An iteration of a loop for each input: attaches the scratch, echoes (text whole, binary in fragments), drains,
/// detaches it.
fn echo(conn: &mut Connection, scratch: &mut Option<Scratch>, wire: &[u8], buffer: &mut [u8]) {
    for chunk in wire.chunks(buffer.len()) {
        conn.attach_scratch(scratch.take().unwrap());
        let mut input = &mut buffer[..chunk.len()];
        input.copy_from_slice(chunk);
        while let Some(event) = conn.receive(&mut input) {
            match event {
                Event::Text(text) => {
                    conn.send_text(&text).unwrap();
                    conn.recycle(text);
                }
                Event::Binary(data) => {
                    conn.send_binary(&data).unwrap();
                    conn.send_fragment(MessageKind::Binary, &data[..data.len() / 2], false).unwrap();
                    conn.send_fragment(MessageKind::Binary, &data[data.len() / 2..], true).unwrap();
                    conn.recycle(data);
                }
                Event::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        }
        let pending = conn.output().remaining();
        conn.output().advance(pending);
        *scratch = conn.detach_scratch();
    }
}
