//! The memory that stays with a connection after an iteration of its loop, whatever its thread has done before. The
//! table in the guide's chapter on memory has the figures measured here.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use bytes::Buf;
use heap::{Counting, heap_of};
use support::{ROLES, drain, feed, feed_chunks, frame, open, other};
use websocket_proto::{Config, Connection, Event, Negotiated, Role, Scratch, Seed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A state after an iteration: its name in the table, and a function that causes it.
type Leaving = (&'static str, fn(&mut Connection));

const LEAVINGS: [Leaving; 7] = [
    ("nothing", |_| {}),
    ("7 bytes of a binary message", |conn| begin_message(conn, 0x02, 7)),
    ("7 bytes of a text message", |conn| begin_message(conn, 0x01, 7)),
    ("100,000 bytes of a binary message", |conn| begin_message(conn, 0x02, 100_000)),
    ("7 bytes of output", |conn| leave_output(conn, 7)),
    ("100,000 bytes of output", |conn| leave_output(conn, 100_000)),
    ("half a ping", |conn| {
        let ping = frame(other(conn.role()), 0x89, &[b'p'; 100]);
        assert!(feed(conn, &ping[..50]).is_empty());
    }),
];

/// The table of `src/guide/memory.md`, line by line.
#[test]
fn the_table_of_the_guide_is_what_is_measured() {
    let guide = std::fs::read_to_string("src/guide/memory.md").unwrap();
    let expected: Vec<String> = LEAVINGS
        .iter()
        .map(|&(name, leave)| {
            let [with, without] = [true, false].map(|is_lent| grouped(retained(Role::Server, is_lent, leave)));
            format!("| {name} | {with} | {without} |")
        })
        .collect();
    let table: Vec<&str> = guide
        .lines()
        .filter(|line| LEAVINGS.iter().any(|(name, _)| line.starts_with(&format!("| {name} |"))))
        .collect();
    assert_eq!(table, expected);
    assert_eq!(retained(Role::Client, true, |_| {}), 320, "a client's generator of masking keys");
}

/// With a scratch, a buffer keeps no more than four times what is needed, or 4 KiB, for either role, plus a few small
/// boxes.
#[test]
fn what_stays_fits_what_is_there() {
    for role in ROLES {
        for (name, leave) in LEAVINGS {
            let there = if name.starts_with("100,000") { 100_000 } else { 7 };
            let kept = retained(role, true, leave);
            let keys = if role == Role::Client { 512 } else { 0 };
            assert!(kept <= keys + (4 * there).max(4096) + 160, "{role:?}, {name}: {kept} bytes");
        }
    }
}

/// A message that a program keeps has a buffer of at most four times its size, or 4 KiB, although the thread's buffers are
/// large. Otherwise a queue of short messages could hold a mebibyte for each.
#[test]
fn a_message_that_is_kept_does_not_keep_a_large_buffer() {
    for role in ROLES {
        let short = |first| frame(other(role), first, b"short");
        let fragments = |first| [frame(other(role), first, b"short"), frame(other(role), 0x80, b" message")].concat();
        for wire in [short(0x81), short(0x82), fragments(0x01), fragments(0x02)] {
            for is_lent in [true, false] {
                let mut scratch = is_lent.then(Scratch::new);
                let mut conn = open(role);
                let mut kept = Vec::new();
                for _ in 0..20 {
                    turn(&mut conn, &mut scratch, |conn| {
                        echo(conn, &frame(other(role), 0x82, &vec![b'x'; 200_000]));
                        kept.extend(feed_chunks(conn, &wire, 3));
                    });
                }
                assert_eq!(kept.len(), 20);
                let queue = kept.capacity() * size_of::<Event<'_>>();
                let ((), heap) = heap_of(|| drop(kept));
                let held = heap.kept.unsigned_abs();
                assert!(held <= queue + 20 * 4096, "{role:?}, {is_lent}, {wire:x?}: {held} bytes");
            }
        }
    }
}

/// The heap that a connection owns after an iteration that leaves something. Before that, its thread has echoed
/// messages of 1 MiB over this connection and others; with a scratch, they share it.
fn retained(role: Role, is_lent: bool, leave: fn(&mut Connection)) -> isize {
    let mut scratch = is_lent.then(Scratch::new);
    let config = Arc::new(Config::new());
    let mut conns = [(); 3].map(|()| match role {
        Role::Server => Connection::upgraded_server(Negotiated::new(), Arc::clone(&config)),
        Role::Client => Connection::upgraded_client(Negotiated::new(), Arc::clone(&config), Seed::new([7; 32])),
    });
    for conn in &mut conns {
        turn(conn, &mut scratch, |conn| {
            for first in [0x82, 0x81] {
                let large = frame(other(conn.role()), first, &vec![b'x'; 1 << 20]);
                echo(conn, &large);
            }
        });
    }
    let [mut conn, ..] = conns;
    turn(&mut conn, &mut scratch, leave);
    let ((), heap) = heap_of(|| drop(conn));
    -heap.kept
}

fn turn(conn: &mut Connection, scratch: &mut Option<Scratch>, work: impl FnOnce(&mut Connection)) {
    if let Some(scratch) = scratch.take() {
        conn.attach_scratch(scratch);
        work(conn);
    } else {
        work(conn);
    }
    *scratch = conn.detach_scratch();
}

/// Receives a message in inputs of 64 KiB, sends it back, and drains the output.
fn echo(conn: &mut Connection, wire: &[u8]) {
    for chunk in wire.chunks(64 << 10) {
        let mut chunk = chunk.to_vec();
        let mut input = &mut chunk[..];
        while let Some(event) = conn.receive(&mut input) {
            match event {
                Event::Binary(data) => {
                    conn.send_binary(&data).unwrap();
                    conn.recycle(data);
                }
                Event::Text(text) => {
                    conn.send_text(&text).unwrap();
                    conn.recycle(text);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // The last message has a size at which its buffer is kept.
    drain(conn);
    conn.send_binary(&[b'x'; 16_000]).unwrap();
    drain(conn);
}

/// Receives the first fragment of a message.
fn begin_message(conn: &mut Connection, first: u8, length: usize) {
    let fragment = frame(other(conn.role()), first, &vec![b'x'; length]);
    for chunk in fragment.chunks(16 << 10) {
        assert!(feed(conn, chunk).is_empty());
    }
}

/// Sends a message and leaves that many of its bytes in the output.
fn leave_output(conn: &mut Connection, length: usize) {
    conn.send_binary(&vec![b'x'; length.max(1000)]).unwrap();
    let pending = conn.output().remaining();
    conn.output().advance(pending - length);
}

fn grouped(number: isize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
