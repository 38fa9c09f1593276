//! The cost of compression, and the most that a peer can make it cost: memory counted, limits to the byte.

mod bombs;
mod chunks;
#[path = "../support/deflate.rs"]
mod deflate;
#[path = "../support/heap.rs"]
mod heap;
#[path = "../support/inflate.rs"]
mod inflate;
mod memory;
mod payloads;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod windows;

use heap::Counting;
use websocket_proto::{Connection, Event};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Receives `wire` in inputs of at most `size` bytes, all in the same buffer as in a real loop; `each` sees every
/// event.
fn receive(conn: &mut Connection, wire: &[u8], size: usize, mut each: impl FnMut(&mut Connection, Event<'_>)) {
    let mut buffer = vec![0; size.min(wire.len())];
    for chunk in wire.chunks(size) {
        let mut input = &mut buffer[..chunk.len()];
        input.copy_from_slice(chunk);
        while let Some(event) = conn.receive(&mut input) {
            each(conn, event);
        }
        assert!(input.is_empty());
    }
}
