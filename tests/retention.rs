//! Buffers and compressors that are kept for reuse: they are few, and go back to their thread.

#[cfg(feature = "deflate")]
#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Buf, Bytes};
use heap::{Counting, heap_of};
use support::server;
use websocket_proto::{Config, Role, Scratch};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A scratch keeps 8 spare buffers, however small they are.
#[test]
fn spare_buffers_are_few() {
    let mut conn = server();
    conn.attach_scratch(Scratch::new());
    let ((), heap) = heap_of(|| (0..100).for_each(|_| conn.recycle(vec![7; 10_000])));
    assert!(heap.kept >= 8 * 10_000 && heap.kept < 9 * 10_000, "{heap:?}");
}

/// A scratch keeps no more bytes than the caller allows.
#[test]
fn spare_buffers_are_bounded_by_the_caller() {
    for (most, kept) in [(0, 0), (9_999, 0), (10_000, 10_000), (30_000, 30_000)] {
        let mut conn = server();
        conn.attach_scratch(Scratch::new().keep(most));
        let ((), heap) = heap_of(|| (0..100).for_each(|_| conn.recycle(vec![7; 10_000])));
        assert!((kept..=kept + 500).contains(&heap.kept), "{most}: {heap:?}");
    }
}

/// `Bytes` are kept only if nothing else refers to them.
#[test]
fn shared_bytes_are_not_kept() {
    let kept = |is_shared: bool| {
        let mut conn = server();
        conn.attach_scratch(Scratch::new());
        let payload = Bytes::from(vec![7; 10_000]);
        let other = is_shared.then(|| payload.clone());
        conn.recycle(payload);
        drop(other);
        let ((), heap) = heap_of(|| drop(conn.detach_scratch()));
        heap.kept
    };
    assert!(kept(false) <= -10_000, "{}", kept(false));
    assert!(kept(true) > -10_000, "{}", kept(true));
}

/// The buffer of an aborted connection goes back to its thread, and serves the next connection.
#[test]
fn an_aborted_connection_returns_what_it_borrowed() {
    let mut scratch = Some(Scratch::new());
    let (copied, chained) = (vec![1; 100_000], Bytes::from(vec![2; 10_000]));
    let mut turn = |aborts: bool| {
        let mut conn = server();
        let ((), heap) = heap_of(|| {
            conn.attach_scratch(scratch.take().unwrap());
            conn.send_binary(&copied).unwrap();
            conn.send(chained.clone()).unwrap();
            if aborts {
                conn.abort();
            }
            let pending = conn.output().remaining();
            conn.output().advance(pending);
            scratch = conn.detach_scratch();
        });
        heap
    };
    turn(false);
    turn(true);
    let heap = turn(false);
    assert_eq!((heap.allocations, heap.kept), (0, 0));
}

/// A scratch that replaces another loses nothing of it: neither the buffers, nor what is pending.
#[test]
fn a_scratch_that_is_replaced_comes_back() {
    let mut conn = server();
    assert!(conn.attach_scratch(Scratch::new()).is_none());
    conn.recycle(vec![7; 10_000]);
    conn.send_binary(&[1; 100]).unwrap();
    let first = conn.attach_scratch(Scratch::new()).unwrap();
    assert_eq!(support::drain(&mut conn).len(), 102);
    assert!(conn.detach_scratch().is_some());
    assert!(conn.detach_scratch().is_none());
    let ((), heap) = heap_of(|| drop(first));
    assert!(heap.kept <= -10_000, "{heap:?}");
}

/// However the closure ends, the scratch comes back with its buffers, and one that was attached before is attached
/// again.
#[test]
fn a_scratch_cannot_be_lost() {
    let mut scratch = Scratch::new();
    let mut conn = server();
    let mut first = Scratch::new().keep(0);
    conn.with_scratch(&mut first, |conn| {
        let result: Result<(), ()> = conn.with_scratch(&mut scratch, |conn| {
            conn.recycle(vec![7; 10_000]);
            Err(())
        });
        assert!(result.is_err());
        assert!(conn.detach_scratch().is_some(), "the first is attached again");
    });
    assert!(conn.detach_scratch().is_none());
    let panicked = catch_unwind(AssertUnwindSafe(|| conn.with_scratch(&mut scratch, |_| panic!("on purpose"))));
    assert!(panicked.is_err());
    assert!(conn.detach_scratch().is_none());
    let ((), heap) = heap_of(|| drop(scratch));
    assert!(heap.kept <= -10_000, "{heap:?}");
}

/// A message in chunks returns the buffer that it didn't need.
#[test]
fn a_message_in_chunks_leaves_the_buffers_to_others() {
    let mut conn = support::open_with(Role::Server, Config::new().chunk_threshold(0));
    conn.attach_scratch(Scratch::new());
    conn.recycle(vec![7; 10_000]);
    for _ in 0..3 {
        assert_eq!(support::feed(&mut conn, &support::frame(Role::Client, 0x82, &[1; 1_000])).len(), 1);
    }
    let scratch = conn.detach_scratch().unwrap();
    let ((), heap) = heap_of(|| drop(scratch));
    assert!(heap.kept <= -10_000, "{heap:?}");
}

#[cfg(feature = "deflate")]
mod compression {
    use websocket_proto::{Config, Connection, Event, MessageKind, Role, Scratch};

    use super::deflate::{endpoint, settings, without_takeover};
    use super::heap::heap_of;
    use super::support::{ROLES, close_body, drain, feed, frame, other};

    fn end_it(conn: &mut Connection, role: Role) {
        let events = feed(conn, &frame(other(role), 0x88, &close_body(1000, "")));
        assert!(matches!(events[..], [Event::Closed(_)]));
        while conn.output().take().is_some() {}
    }

    /// A compressor takes 270 KB, and a closed connection may be kept for long.
    #[test]
    fn a_closed_connection_has_no_compressor() {
        for role in ROLES {
            let kept = |sends: bool| {
                let (_conn, heap) = heap_of(|| {
                    let mut conn = endpoint(role, Config::new(), &settings());
                    if sends {
                        conn.send_binary(&[0; 1000]).unwrap();
                        assert!(drain(&mut conn).len() < 100, "it is compressed");
                    }
                    end_it(&mut conn, role);
                    conn
                });
                heap.kept
            };
            assert_eq!(kept(true), kept(false), "{role:?}");
        }
    }

    /// A scratch keeps one spare compressor for the parameters that its connections negotiated, however many of them
    /// compressed at the same time.
    #[test]
    fn spare_compressors_of_one_kind_do_not_pile_up() {
        let kept = |count| {
            let mut conns: Vec<_> =
                (0..count).map(|_| endpoint(Role::Server, Config::new(), &without_takeover())).collect();
            let (_scratch, heap) = heap_of(|| {
                let mut scratch = Scratch::new();
                for last in [false, true] {
                    for conn in &mut conns {
                        conn.attach_scratch(scratch);
                        conn.send_fragment(MessageKind::Binary, &[1; 1000], last).unwrap();
                        drain(conn);
                        scratch = conn.detach_scratch().unwrap();
                    }
                }
                scratch
            });
            heap.kept
        };
        assert!(kept(1) > 100 << 10, "a compressor: {}", kept(1));
        assert_eq!(kept(5), kept(1));
    }
}
