//! The memory of messages that are read directly into place: it follows the bytes that have arrived, and buffers are
//! reused.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use bytes::Buf;
use heap::{Counting, heap_of};
use support::{feed, frame};
use websocket_proto::{Config, Connection, Event, Role, Scratch};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const KIB: usize = 1 << 10;

fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|i| b'a' + (i * i % 23) as u8).collect()
}

/// The memory of a message follows the bytes that have arrived, at most four times that, however much is announced.
#[test]
fn the_room_grows_with_what_has_arrived() {
    let header = [0x82, 0xff, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0];
    let mut conn = support::server();
    let mut arrived = 4_000;
    let wire = [&header[..], &vec![b'x'; arrived]].concat();
    let ((), mut heap) = heap_of(|| assert!(feed(&mut conn, &wire).is_empty()));
    while arrived < 4_000_000 {
        let (filled, more) = heap_of(|| {
            let length = conn.read_buffer().unwrap().len();
            conn.commit_read(length)
        });
        assert!(filled > 0);
        heap.kept += more.kept;
        assert!(heap.kept <= (4 * arrived + 1_000).cast_signed(), "{heap:?} with {arrived} bytes arrived");
        arrived += filled;
    }
}

/// With a scratch that has a buffer, no message costs an allocation, and a message takes no more memory than it has
/// bytes.
#[test]
fn reading_directly_allocates_nothing() {
    let data = payload(500_000);
    let wire = frame(Role::Client, 0x82, &data);
    let mut conn = support::server();
    conn.attach_scratch(Scratch::new());
    let mut buffer = vec![0; 16 * KIB];
    let mut pass = || {
        let mut rest = &wire[..];
        while !rest.is_empty() {
            let count = match conn.read_buffer() {
                Some(space) => {
                    let count = rest.len().min(space.len());
                    space[..count].copy_from_slice(&rest[..count]);
                    rest = &rest[count..];
                    assert_eq!(conn.commit_read(count), count);
                    0
                }
                None => {
                    let count = rest.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&rest[..count]);
                    rest = &rest[count..];
                    count
                }
            };
            let mut input = &mut buffer[..count];
            while let Some(event) = conn.receive(&mut input) {
                let Event::Binary(received) = event else { panic!() };
                assert!(*received == *data);
                conn.recycle(received);
            }
        }
    };
    let ((), first) = heap_of(&mut pass);
    assert!((500_000..=520_000).contains(&first.kept), "{first:?}");
    pass();
    let ((), heap) = heap_of(|| {
        pass();
        pass();
    });
    assert_eq!((heap.allocations, heap.kept), (0, 0));
}

/// A large message that is sent back is moved into the output, and its buffer comes back when it is sent.
#[test]
fn sending_large_messages_back_allocates_nothing() {
    let wire = frame(Role::Client, 0x82, &payload(100_000));
    let mut conn = support::server();
    let mut scratch = Some(Scratch::new());
    for lends_for_each_turn in [true, false] {
        let mut pass = || {
            if let Some(scratch) = scratch.take() {
                conn.attach_scratch(scratch);
            }
            let mut sent = 0;
            let mut buffer = [0; 16 * KIB];
            for chunk in wire.chunks(16 * KIB) {
                let mut input = &mut buffer[..chunk.len()];
                input.copy_from_slice(chunk);
                while let Some(event) = conn.receive(&mut input) {
                    let Event::Binary(data) = event else { panic!() };
                    conn.send(data.into_owned()).unwrap();
                }
                while conn.output().has_remaining() {
                    let count = conn.output().chunk().len().min(30_000);
                    sent += count;
                    conn.output().advance(count);
                }
            }
            assert_eq!(sent, wire.len() - 4);
            if lends_for_each_turn {
                scratch = conn.detach_scratch();
            }
        };
        pass();
        pass();
        let ((), heap) = heap_of(pass);
        assert_eq!((heap.allocations, heap.kept), (0, 0));
    }
}

/// The buffer of a sent message is freed without a scratch, and if it is larger than a thread keeps.
#[test]
fn what_is_sent_is_freed_where_it_is_of_no_use() {
    let config = || Config::new().max_pending_output(256 << 20);
    let advance = |conn: &mut Connection, left: usize| {
        while conn.output().remaining() > left {
            let count = conn.output().chunk().len().min(conn.output().remaining() - left);
            conn.output().advance(count);
        }
    };
    let mut own = support::server_with(config());
    let ((), heap) = heap_of(|| {
        own.send(vec![b'x'; 64 << 20]).unwrap();
        own.send(vec![b'y'; 100_000]).unwrap();
        advance(&mut own, 100_000);
    });
    assert!(heap.kept < 200_000, "{heap:?}");

    let mut released = support::server_with(config());
    let ((), heap) = heap_of(|| {
        released.attach_scratch(Scratch::new());
        released.send(vec![b'x'; 64 << 20]).unwrap();
        released.send(vec![b'y'; 100_000]).unwrap();
        drop(released.detach_scratch());
        advance(&mut released, 100_000);
    });
    assert!(heap.kept < 200_000, "{heap:?}");

    let mut lent = support::server_with(config());
    let ((), heap) = heap_of(|| {
        lent.attach_scratch(Scratch::new());
        lent.send(vec![b'x'; 64 << 20]).unwrap();
        advance(&mut lent, 0);
    });
    assert!(heap.kept < 200_000, "{heap:?}");
}

/// A reused buffer may be much larger than what has arrived: it goes back to the thread.
#[test]
fn what_is_left_behind_is_what_has_arrived() {
    let large = frame(Role::Client, 0x82, &payload(3 << 20));
    let small = frame(Role::Client, 0x82, &payload(100_000));
    let ((conn, scratch), heap) = heap_of(|| {
        let mut conn = support::server();
        conn.attach_scratch(Scratch::new());
        for event in feed_and_give_back(&mut conn, &large) {
            assert_eq!(event, 3 << 20);
        }
        assert_eq!(feed_and_give_back(&mut conn, &small[..10_000]), []);
        assert!(conn.read_buffer().is_some());
        let scratch = conn.detach_scratch();
        (conn, scratch)
    });
    let ((), freed) = heap_of(|| drop(scratch));
    assert!(freed.kept <= -(3 << 20), "{freed:?}");
    assert!(heap.kept + freed.kept < 20_000, "{heap:?} {freed:?}");
    drop(conn);
}

fn feed_and_give_back(conn: &mut Connection, wire: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    for chunk in wire.chunks(16 * KIB) {
        let mut buffer = chunk.to_vec();
        let mut input = &mut buffer[..];
        while let Some(event) = conn.receive(&mut input) {
            let Event::Binary(data) = event else { panic!() };
            lengths.push(data.len());
            conn.recycle(data);
        }
    }
    lengths
}
