//! Large compressed messages in chunks: one at a time, of a bounded length.

use std::time::Duration;

use websocket_proto::{Cause, Config, Event, MessageKind, Role};

use crate::deflate::{deflated, endpoint, settings, without_takeover};
use crate::heap::heap_of;
use crate::payloads::{BESIDE, CHUNK, MESSAGE, bomb, message};
use crate::receive;
use crate::support::{feed, frame};

/// The result of a message in chunks.
#[derive(Debug, Default)]
struct Received {
    total: usize,
    first: usize,
    longest: usize,
    longest_but_first: usize,
    complete: bool,
}

impl Received {
    fn add(&mut self, event: Event<'_>) {
        let Event::Chunk(chunk) = event else { panic!("{event:?}") };
        assert_eq!((chunk.is_first(), self.complete), (self.total == 0, false));
        assert!(chunk.is_last() || !chunk.is_empty());
        if chunk.is_first() {
            self.first = chunk.len();
        } else {
            self.longest_but_first = self.longest_but_first.max(chunk.len());
        }
        self.longest = self.longest.max(chunk.len());
        self.total += chunk.len();
        self.complete = chunk.is_last();
    }
}

/// However much an input inflates to, no chunk is longer than 64 KiB, and there is one at a time.
#[test]
fn chunks_are_of_64_kib_at_most() {
    const SOME: &[usize] = &[16 << 10];
    // The rest of an input is kept when a chunk is full.
    const MANY: &[usize] = &[1 << 20, 16 << 10, 100];
    let text = "好".repeat(200_000);
    for (kind, payload, total, sizes) in [
        (MessageKind::Binary, bomb(), MESSAGE, SOME),
        (MessageKind::Text, bomb(), MESSAGE, SOME),
        // Characters of three bytes, so that no chunk may end where it is full.
        (MessageKind::Text, &deflated(text.as_bytes())[..], text.len(), MANY),
        (MessageKind::Text, &deflated(["x", &text].concat().as_bytes()), text.len() + 1, MANY),
        (MessageKind::Text, &deflated("\u{10ffff}".repeat(100_000).as_bytes()), 400_000, MANY),
        (MessageKind::Binary, &deflated(&vec![0; 4 << 20]), 4 << 20, MANY),
    ] {
        let all = [settings(), without_takeover()];
        for (settings, &size) in all.iter().flat_map(|settings| sizes.iter().map(move |size| (settings, size))) {
            let mut conn = endpoint(Role::Server, Config::new().chunk_threshold(0), settings);
            let wire = message(Role::Client, kind, payload, payload.len());
            let (received, heap) = heap_of(|| {
                let mut received = Received::default();
                receive(&mut conn, &wire, size, |_, event| received.add(event));
                received
            });
            assert!(received.complete && received.total == total && received.longest <= CHUNK, "{received:?}");
            assert!(heap.peak <= CHUNK + 2 * wire.len().min(size) + BESIDE, "{heap:?}");
        }
    }
}

/// Frames after a message whose chunks are still being delivered come after these, whatever they are.
#[test]
fn what_follows_comes_behind_the_last_chunk() {
    for (first, follows) in [(0x81, "text"), (0x89, "ping"), (0xc1, "text"), (0x88, "closed"), (0x83, "closed")] {
        let payload = if first == 0xc1 { deflated(b"x") } else { Vec::new() };
        let last = frame(Role::Client, first, &payload);
        let wire =
            [message(Role::Client, MessageKind::Binary, &deflated(&vec![0; 200_000]), usize::MAX / 2), last].concat();
        for size in [1, wire.len()] {
            let mut conn = endpoint(Role::Server, Config::new().chunk_threshold(10), &settings());
            let mut events = Vec::new();
            let mut total = 0;
            receive(&mut conn, &wire, size, |_, event| {
                events.push(match event {
                    Event::Chunk(chunk) => {
                        total += chunk.len();
                        "chunk"
                    }
                    Event::Text(_) => "text",
                    Event::Ping(_) => "ping",
                    Event::Closed(_) => "closed",
                    other => panic!("{other:?}"),
                });
            });
            assert_eq!((events.pop(), total), (Some(follows), 200_000), "{first:x}");
            assert!(events.iter().all(|event| *event == "chunk"), "{events:?}");
        }
    }
}

/// A receiver that stops after any chunk misses none of them.
#[test]
fn a_receiver_may_stop_between_chunks() {
    let mut conn = endpoint(Role::Server, Config::new().chunk_threshold(0), &settings());
    let mut wire = message(Role::Client, MessageKind::Binary, &deflated(&vec![0; 1 << 20]), usize::MAX / 2);
    let mut input = &mut wire[..];
    let mut total = 0;
    let mut closed = None;
    for turn in 0..18 {
        conn.advance_time(Duration::from_secs(turn));
        if turn == 3 {
            conn.receive_eof();
        }
        match conn.receive(&mut input) {
            Some(Event::Chunk(chunk)) => total += chunk.len(),
            Some(Event::Closed(end)) => closed = Some(end.cause),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((closed, total), (Some(Cause::Eof), 1 << 20));
}

/// The same with as much as a debug build can do in a short time, and with a gibibyte in release.
#[test]
fn a_gibibyte_runs_in_constant_memory() {
    let blocks = if cfg!(debug_assertions) { 100 } else { 1024 };
    let mut client = endpoint(Role::Client, Config::new(), &settings().level(1));
    let mut server = endpoint(Role::Server, Config::new().chunk_threshold(0), &settings());
    let block = vec![0; 1 << 20];
    let mut buffer = vec![0; 16 << 10];
    let (received, heap) = heap_of(|| {
        let mut received = Received::default();
        for i in 1..=blocks {
            client.send_fragment(MessageKind::Binary, &block, i == blocks).unwrap();
            while let Some(bytes) = client.output().take() {
                for chunk in bytes.chunks(buffer.len()) {
                    let mut input = &mut buffer[..chunk.len()];
                    input.copy_from_slice(chunk);
                    while let Some(event) = server.receive(&mut input) {
                        received.add(event);
                    }
                }
            }
        }
        received
    });
    assert!(received.complete && received.total == blocks << 20 && received.longest <= CHUNK, "{received:?}");
    // The compressor has 256 KiB, and its output is drained late.
    assert!(heap.peak < 1 << 20, "{heap:?}");
}

/// The bytes inflated before a message turns out to be large come in one chunk, and the rest in small ones.
#[test]
fn whole_below_a_mebibyte_and_in_pieces_from_it() {
    let config = || Config::new().chunk_threshold(1 << 20);
    for (kind, size) in [(MessageKind::Binary, 1 << 20), (MessageKind::Text, 1000), (MessageKind::Binary, 1)] {
        let mut conn = endpoint(Role::Server, config(), &settings());
        let wire = message(Role::Client, kind, bomb(), bomb().len());
        let (received, heap) = heap_of(|| {
            let mut received = Received::default();
            receive(&mut conn, &wire, size, |_, event| received.add(event));
            received
        });
        assert!(received.complete && received.total == MESSAGE, "{received:?}");
        assert_eq!(received.first, 1 << 20, "{received:?}");
        assert!(received.longest_but_first <= CHUNK, "{received:?}");
        assert!(heap.peak <= (1 << 20) + CHUNK + 2 * wire.len().min(size) + BESIDE, "{heap:?}");

        let wire = message(Role::Client, MessageKind::Binary, &deflated(&vec![0; (1 << 20) - 1]), usize::MAX / 2);
        let mut conn = endpoint(Role::Server, config(), &settings());
        assert!(matches!(&feed(&mut conn, &wire)[..], [Event::Binary(data)] if data.len() == (1 << 20) - 1));
    }
}
