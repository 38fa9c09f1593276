//! Tests at scale: 10 GiB through two connected endpoints, and a broadcast to 10,000 connections.
//!
//! ```text
//! cargo run --release -p tools --bin scale
//! ```

#[path = "../support/heap.rs"]
mod heap;

use std::sync::Arc;
use std::time::Instant;

use bytes::Buf;
use heap::{Counting, heap_of};
use websocket_proto::{Config, Connection, Event, MessageKind, Negotiated, PreparedMessage, Seed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const INPUT: usize = 16 << 10;

fn main() {
    stream(10 << 30);
    broadcast(10_000, 64 << 10);
}

/// Sends one message of that many bytes, fragment by fragment, to an endpoint that receives it in chunks.
fn stream(size: u64) {
    let mut client = Connection::upgraded_client(Negotiated::new(), Config::new(), Seed::new([1; 32]));
    let mut server = Connection::upgraded_server(Negotiated::new(), Config::new().chunk_threshold(0));
    let block = vec![7; 64 << 10];
    let mut buffer = vec![0; INPUT];
    let start = Instant::now();
    let (received, heap) = heap_of(|| {
        let (mut sent, mut received) = (0, 0);
        while sent < size {
            sent += block.len() as u64;
            client.send_fragment(MessageKind::Binary, &block, sent >= size).unwrap();
            while client.output().has_remaining() {
                let length = client.output().chunk().len().min(INPUT);
                client.output().copy_to_slice(&mut buffer[..length]);
                let mut input = &mut buffer[..length];
                while let Some(event) = server.receive(&mut input) {
                    let Event::Chunk(chunk) = event else { panic!("{event:?}") };
                    received += chunk.len() as u64;
                }
            }
        }
        received
    });
    assert_eq!(received, size);
    println!(
        "{} GiB in one message: {:.1} s, at most {} KiB of heap in both endpoints together",
        size >> 30,
        start.elapsed().as_secs_f64(),
        heap.peak >> 10
    );
}

/// The same message to many connections: prepared once, and sent to each like any other.
fn broadcast(count: usize, size: usize) {
    let config = Arc::new(Config::new());
    let open = || -> Vec<_> {
        (0..count).map(|_| Connection::upgraded_server(Negotiated::new(), Arc::clone(&config))).collect()
    };
    let payload = vec![7; size];
    let (mut prepared, mut ordinary) = (open(), open());

    let start = Instant::now();
    let ((), heap) = heap_of(|| {
        let message = PreparedMessage::new(payload.clone());
        for conn in &mut prepared {
            conn.send_prepared(&message).unwrap();
        }
    });
    let time = start.elapsed().as_secs_f64();
    println!("{size} bytes to {count}, prepared: {:.1} ms, {} KiB of heap", 1e3 * time, heap.kept >> 10);

    let start = Instant::now();
    let ((), heap) = heap_of(|| {
        for conn in &mut ordinary {
            conn.send_binary(&payload).unwrap();
        }
    });
    let longer = start.elapsed().as_secs_f64();
    println!("{size} bytes to {count}, one by one: {:.1} ms, {} KiB of heap", 1e3 * longer, heap.kept >> 10);
    println!("prepared takes {:.1} % of the time", 100.0 * time / longer);
    assert!(prepared.iter_mut().all(|conn| conn.output().remaining() == 10 + size));
}
