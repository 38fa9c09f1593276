//! The memory that connections use, counted.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use bytes::{Buf, Bytes};
use heap::{Counting, heap_of};
use support::{drain, feed, frame, request, server, server_with};
use websocket_proto::{Config, Connection, Event, Negotiated, PreparedMessage, Role, Scratch, client, server};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NOTHING: heap::Heap = heap::Heap { allocations: 0, kept: 0, peak: 0 };

#[test]
fn sizes() {
    assert!(size_of::<Connection>() <= 256);
    assert!(size_of::<Event<'_>>() <= 32);
    assert!(size_of::<Option<Event<'_>>>() <= 32);
}

#[test]
fn a_server_that_had_no_traffic_owns_nothing() {
    let config = Arc::new(Config::new());
    let (_waiting, heap) = heap_of(|| Connection::server(Arc::clone(&config)));
    assert_eq!(heap, NOTHING);
    let (_open, heap) = heap_of(|| Connection::upgraded_server(Negotiated::new(), Arc::clone(&config)));
    assert_eq!(heap, NOTHING);
}

/// Also if the opening handshake came in chunks, and nothing followed it.
#[test]
fn an_opened_server_that_had_no_traffic_owns_nothing() {
    let config = Arc::new(Config::new());
    for size in [1, 100, 1000] {
        let request = request();
        let (_conn, heap) = heap_of(|| {
            let mut conn = Connection::server(Arc::clone(&config));
            for chunk in request.chunks(size) {
                let mut chunk = chunk.to_vec();
                let mut input = &mut chunk[..];
                while let Some(event) = conn.receive(&mut input) {
                    assert!(matches!(event, Event::Request(_)));
                    conn.accept(server::Response::new()).unwrap();
                }
            }
            while conn.output().has_remaining() {
                conn.output().advance(7);
            }
            conn
        });
        assert_eq!(heap.kept, 0, "a head in chunks of {size}");
        assert!(heap.allocations > 0);
    }
}

/// A server's opening handshake allocates the request (its head, and the event's box), the part that is kept until it
/// is answered, and the response, for which a scratch has a buffer.
#[test]
fn accepting_takes_three_allocations() {
    let config = Arc::new(Config::new());
    let mut scratch = Some(Scratch::new());
    let many = "X-Header: some value\r\n".repeat(12);
    let mut accept = |request: &[u8], is_lent: bool| {
        let mut input = request.to_vec();
        let ((), heap) = heap_of(|| {
            let mut conn = Connection::server(Arc::clone(&config));
            if is_lent {
                conn.attach_scratch(scratch.take().unwrap());
            }
            let Some(Event::Request(_)) = conn.receive(&mut &mut input[..]) else { panic!("no request") };
            conn.accept(server::Response::new()).unwrap();
            let pending = conn.output().remaining();
            conn.output().advance(pending);
            if is_lent {
                scratch = conn.detach_scratch();
            }
        });
        heap.allocations
    };
    // The scratch has a buffer after its first use.
    accept(&request(), true);
    assert_eq!(accept(&request(), true), 3);
    assert_eq!(accept(&support::request_with(&many), true), 3);
    assert_eq!(accept(&request(), false), 4);
}

/// A client's opening handshake allocates its generator, the request, the state that waits for the response, and the
/// response (its head, and the event's box).
#[test]
fn connecting_takes_five_allocations() {
    let config = Arc::new(Config::new());
    let request = client::Request::new("ws://localhost:8080/chat?room=1".parse().unwrap());
    let connect = || Connection::client(request.clone(), Arc::clone(&config), support::seed()).unwrap();
    let mut server = Connection::server(Config::new());
    feed(&mut server, &drain(&mut connect()));
    server.accept(server::Response::new()).unwrap();
    let mut response = drain(&mut server);
    let ((), heap) = heap_of(|| {
        let mut conn = connect();
        let pending = conn.output().remaining();
        conn.output().advance(pending);
        let Some(Event::Open(_)) = conn.receive(&mut &mut response[..]) else { panic!("no response") };
    });
    assert_eq!(heap.allocations, 5);
}

/// Messages, pings and pongs that lie whole in the input are borrowed from it; answers go into an existing buffer.
#[test]
fn what_lies_whole_in_the_input_costs_no_allocation() {
    for role in support::ROLES {
        let peer = support::other(role);
        let mut conn = support::open(role);
        let mut bytes = Vec::new();
        for size in [0, 1, 16, 125, 126, 1000, 65_535, 65_536, 100_000] {
            bytes.extend(frame(peer, 0x82, &vec![7; size]));
            bytes.extend(frame(peer, 0x81, "好".repeat(size / 3).as_bytes()));
            bytes.extend(frame(peer, 0x89, b"ping"));
            bytes.extend(frame(peer, 0x8a, b"pong"));
        }
        // The first iteration makes the buffer of the output.
        feed(&mut conn, &frame(peer, 0x89, &[0; 125]));
        drain(&mut conn);
        let mut input = &mut bytes[..];
        let (count, heap) = heap_of(|| {
            let mut count = 0;
            while let Some(event) = conn.receive(&mut input) {
                count += 1;
                assert!(!matches!(event, Event::Closed(_)));
                let pending = conn.output().remaining();
                conn.output().advance(pending);
            }
            count
        });
        assert_eq!(count, 4 * 9, "{role:?}");
        assert_eq!(heap, NOTHING, "{role:?}");
    }
}

/// Sending into an output that is drained allocates nothing, either.
#[test]
fn sending_into_a_drained_output_costs_no_allocation() {
    for role in support::ROLES {
        let mut conn = support::open(role);
        let text = "你好".repeat(1000);
        let mut turn = || {
            conn.send_text(&text).unwrap();
            conn.send_binary(&[1; 1000]).unwrap();
            conn.ping(b"ping").unwrap();
            let pending = conn.output().remaining();
            conn.output().advance(pending);
        };
        turn();
        let ((), heap) = heap_of(|| (0..100).for_each(|_| turn()));
        assert_eq!(heap, NOTHING, "{role:?}");
    }
}

/// A single large message doesn't pin its memory for the life of a connection.
#[test]
fn a_drained_output_gives_large_buffers_back() {
    let mut conn = server();
    let ((), heap) = heap_of(|| {
        conn.send_binary(&vec![0; 1 << 20]).unwrap();
        let pending = conn.output().remaining();
        conn.output().advance(pending);
    });
    assert_eq!(heap.kept, 0);
}

/// Large owned payloads are chained into the output, not copied.
#[test]
fn an_owned_payload_is_not_copied() {
    let mut conn = server();
    let payload = vec![5; 1 << 20];
    let (sent, heap) = heap_of(|| {
        let place = payload.as_ptr();
        conn.send(payload).unwrap();
        conn.output().advance(10);
        let sent = conn.output().take().unwrap();
        (sent.as_ptr() == place, sent.len())
    });
    assert_eq!(sent, (true, 1 << 20));
    assert!(heap.peak < 4096, "{heap:?}");
}

/// A payload of 2 KiB is chained into the output, and a prepared message of 2 KiB with its header. Smaller ones are copied.
#[test]
fn payloads_are_chained_from_2_kib() {
    for (length, is_chained) in [(100, false), (2047, false), (2048, true), (2049, true)] {
        let mut conn = server();
        conn.send(vec![1; length]).unwrap();
        let header = if length < 126 { 2 } else { 4 };
        assert_eq!(conn.output().chunk().len(), if is_chained { header } else { header + length });
        assert_eq!(drain(&mut conn).len(), header + length);
    }
    for (length, is_chained) in [(100, false), (2043, false), (2044, true), (2045, true)] {
        let mut conn = server();
        let message = PreparedMessage::binary(vec![1; length]);
        conn.send_prepared(&message).unwrap();
        let header = if length < 126 { 2 } else { 4 };
        let payload = conn.output().chunk()[header..].as_ptr();
        assert_eq!(payload == message.payload().as_ptr(), is_chained, "{length}");
        assert_eq!(drain(&mut conn).len(), header + length);
    }
}

/// A client masks a large payload in place if it owns it alone. Other owners keep theirs unmasked.
#[test]
fn a_client_copies_only_a_payload_that_has_other_owners() {
    for is_shared in [false, true] {
        let mut conn = support::open(Role::Client);
        let payload = Bytes::from(vec![5; 1 << 20]);
        let place = payload.as_ptr();
        let other = is_shared.then(|| payload.clone());
        let ((), heap) = heap_of(|| conn.send(payload).unwrap());
        assert_eq!(heap.peak < 4096, !is_shared, "{heap:?}");
        let sent = drain(&mut conn);
        // RFC 6455 section 5.2: the header has 14 bytes, and the key is the last four of them.
        assert_eq!((&sent[..10], sent.len()), (&b"\x82\xff\0\0\0\0\0\x10\0\0"[..], 14 + (1 << 20)));
        assert!(sent[14..].iter().zip(sent[10..14].iter().cycle()).all(|(byte, key)| byte ^ key == 5));
        if let Some(other) = other {
            assert_eq!(other.as_ptr(), place);
            assert!(other.iter().all(|byte| *byte == 5));
        }
    }
}

/// B-05, B-08: an announced length costs nothing; memory follows what arrived, at most four times that.
#[test]
fn memory_follows_what_arrived() {
    let mut conn = server();
    let announced = 16 << 20;
    let whole = frame(Role::Client, 0x82, &vec![9; announced]);
    let (header, payload) = whole.split_at(14);
    let ((), heap) = heap_of(|| assert!(feed(&mut conn, header).is_empty()));
    assert_eq!(heap.kept, 0);
    let mut arrived = 0;
    let mut held = 0;
    for chunk in payload.chunks(10_000) {
        arrived += chunk.len();
        let mut chunk = chunk.to_vec();
        let (events, heap) = heap_of(|| {
            let mut input = &mut chunk[..];
            conn.receive(&mut input).map(Event::into_owned)
        });
        held += heap.kept;
        assert!(held.unsigned_abs() <= (4 * arrived).min(announced), "{held} bytes held for {arrived}");
        assert_eq!(events.is_some(), arrived == announced);
        if let Some(Event::Binary(data)) = events {
            assert_eq!(data.len(), announced);
        }
    }
}

/// A message in several inputs is delivered in the buffer in which it was assembled.
#[test]
fn assembled_messages_are_handed_over_without_a_copy() {
    let mut conn = server();
    let bytes = frame(Role::Client, 0x82, &vec![3; 50_000]);
    let (first, last) = bytes.split_at(20_000);
    feed(&mut conn, first);
    let mut last = last.to_vec();
    let mut input = &mut last[..];
    let (event, heap) = heap_of(|| conn.receive(&mut input));
    let Some(Event::Binary(data)) = event else { panic!("no message") };
    assert_eq!(data.len(), 50_000);
    // It grew once, to the length announced.
    assert!(heap.allocations <= 1, "{heap:?}");
}

/// Once the last frame has declared the size of a message, its buffer has that capacity, whatever the splits.
#[test]
fn an_assembled_message_has_no_spare_capacity() {
    for splits in [&[20_000][..], &[5_000, 20_000], &[1, 4, 5, 20_000]] {
        for first in [0x81, 0x82] {
            let mut conn = server();
            let mut rest = &frame(Role::Client, first, &vec![b'x'; 50_000])[..];
            for &length in splits {
                let chunk;
                (chunk, rest) = rest.split_at(length);
                assert_eq!(feed(&mut conn, chunk), []);
            }
            let capacity = match feed(&mut conn, rest).pop() {
                Some(Event::Text(text)) => text.into_owned().capacity(),
                Some(Event::Binary(data)) => data.into_owned().capacity(),
                other => panic!("{other:?}"),
            };
            assert_eq!(capacity, 50_000, "{first:02x} {splits:?}");
        }
    }
}

/// A message that grows moves to a spare buffer of exactly the size that it needs.
#[test]
fn a_growing_message_moves_to_a_spare_buffer_that_fits() {
    for first in [0x01, 0x02] {
        let mut conn = server();
        conn.attach_scratch(Scratch::new());
        feed(&mut conn, &frame(Role::Client, first, &[b'x'; 100]));
        conn.recycle(Vec::with_capacity(300));
        let mut second = frame(Role::Client, 0x00, &[b'x'; 200]);
        let ((), heap) = heap_of(|| assert_eq!(conn.receive(&mut &mut second[..]), None));
        assert_eq!(heap, NOTHING);
    }
}

/// Each byte of a message of many fragments is copied a few times at most: the buffer doubles.
#[test]
fn many_fragments_cause_few_allocations() {
    for first in [0x01, 0x02] {
        let mut conn = server_with(Config::new().max_fragments(u32::MAX));
        feed(&mut conn, &frame(Role::Client, first, b"x"));
        let fragment = frame(Role::Client, 0x00, &[b'x'; 100]);
        let mut bytes = fragment.clone();
        let ((), heap) = heap_of(|| {
            for _ in 0..10_000 {
                bytes.copy_from_slice(&fragment);
                assert_eq!(conn.receive(&mut &mut bytes[..]), None);
            }
        });
        assert!(heap.allocations <= 20, "{heap:?}");
        assert!(heap.peak <= 2 * 1_000_100, "{heap:?}");
    }
}

/// 10,000 connections that had traffic of every sort and are idle own nothing: their thread's scratch has all buffers.
#[test]
fn idle_connections_that_had_traffic_own_nothing() {
    let config = Arc::new(Config::new());
    let traffic = traffic();
    let mut scratch = Some(Scratch::new());
    let mut buffer = vec![0; 16 << 10];
    let (conns, heap) = heap_of(|| {
        let mut conns = Vec::with_capacity(10_000);
        for _ in 0..10_000 {
            let mut conn = Connection::server(Arc::clone(&config));
            echo(&mut conn, &mut scratch, &request(), &mut buffer);
            echo(&mut conn, &mut scratch, &traffic, &mut buffer);
            conns.push(conn);
        }
        scratch = None;
        conns
    });
    let connections = conns.capacity() * size_of::<Connection>();
    assert_eq!(heap.kept, connections.cast_signed());
}

/// An echo of messages that lie whole in the input, straddle two inputs, or come in fragments allocates nothing once
/// its buffers exist.
#[test]
fn a_steady_echo_costs_no_allocation() {
    for role in support::ROLES {
        let mut conn = support::open(role);
        let traffic = traffic_of(support::other(role));
        let mut scratch = Some(Scratch::new());
        let mut buffer = vec![0; 16 << 10];
        for _ in 0..2 {
            echo(&mut conn, &mut scratch, &traffic, &mut buffer);
        }
        let ((), heap) = heap_of(|| (0..10).for_each(|_| echo(&mut conn, &mut scratch, &traffic, &mut buffer)));
        assert_eq!(heap, NOTHING, "{role:?}");
    }
}

/// Pending output and incomplete messages stay with the connection when the scratch is detached, and nothing is lost.
#[test]
fn what_is_pending_stays_behind() {
    let mut conn = server();
    conn.attach_scratch(Scratch::new());
    conn.send_text("pending").unwrap();
    let wire = frame(Role::Client, 0x82, &vec![4; 30_000]);
    assert!(feed(&mut conn, &wire[..20_000]).is_empty());
    assert!(conn.detach_scratch().is_some());
    assert!(conn.detach_scratch().is_none());
    assert_eq!(drain(&mut conn), b"\x81\x07pending");
    conn.attach_scratch(Scratch::new());
    let events = feed(&mut conn, &wire[20_000..]);
    assert!(matches!(&events[..], [Event::Binary(data)] if data.len() == 30_000));
}

/// The memory that stays is in proportion to what is pending, however large the scratch's buffers are; and nothing
/// stays with a closed connection.
#[test]
fn little_stays_behind_where_little_is_pending() {
    let lent = || {
        let mut conn = server();
        let mut scratch = Scratch::new();
        conn.attach_scratch(scratch);
        let large = frame(Role::Client, 0x82, &vec![1; 3 << 20]);
        let (first, last) = large.split_at(1 << 20);
        assert!(feed(&mut conn, first).is_empty());
        let Some(Event::Binary(data)) = feed(&mut conn, last).pop() else { panic!("no message") };
        conn.recycle(data);
        scratch = conn.detach_scratch().unwrap();
        (conn, scratch)
    };
    let (mut conn, scratch) = lent();
    let (_scratch, heap) = heap_of(|| {
        conn.attach_scratch(scratch);
        conn.send_text("some").unwrap();
        assert!(feed(&mut conn, &frame(Role::Client, 0x02, b"x")).is_empty());
        let scratch = conn.detach_scratch();
        drop(drain(&mut conn));
        scratch
    });
    assert!(heap.kept < 1024, "{heap:?}");

    let mut conn = server();
    let ((), heap) = heap_of(|| {
        assert!(feed(&mut conn, &frame(Role::Client, 0x02, &vec![1; 8 << 20])).is_empty());
        assert!(matches!(feed(&mut conn, b"\xff")[..], [Event::Closed(_)]));
        drop(drain(&mut conn));
    });
    assert!(heap.kept < 1024, "{heap:?}");
}

fn traffic() -> Vec<u8> {
    traffic_of(Role::Client)
}

/// Messages whole, straddling two inputs of 16 KiB, and fragmented; text and binary; pings among them.
fn traffic_of(from: Role) -> Vec<u8> {
    [
        frame(from, 0x81, "你好".as_bytes()),
        frame(from, 0x82, &[1; 10_000]),
        frame(from, 0x81, "聊".repeat(4000).as_bytes()),
        frame(from, 0x02, &[2; 3000]),
        frame(from, 0x89, b"ping"),
        frame(from, 0x80, &[3; 3000]),
        frame(from, 0x82, &vec![4; 100_000]),
    ]
    .concat()
}

/// An iteration of a loop for each input: attaches the scratch, echoes, drains, and detaches it.
fn echo(conn: &mut Connection, scratch: &mut Option<Scratch>, wire: &[u8], buffer: &mut [u8]) {
    for chunk in wire.chunks(buffer.len()) {
        conn.attach_scratch(scratch.take().unwrap());
        let mut input = &mut buffer[..chunk.len()];
        input.copy_from_slice(chunk);
        while let Some(event) = conn.receive(&mut input) {
            match event {
                Event::Request(_) => conn.accept(server::Response::new()).unwrap(),
                Event::Text(text) => {
                    conn.send_text(&text).unwrap();
                    conn.recycle(text);
                }
                Event::Binary(data) => {
                    conn.send_binary(&data).unwrap();
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

/// Owned payloads cost no allocation if a scratch is attached: neither their bytes nor their place in the output.
#[test]
fn handing_over_costs_no_allocation() {
    let payload = bytes::Bytes::from(vec![7; 64 << 10]);
    let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    let mut scratch = Some(Scratch::new());
    let mut turn = || {
        conn.attach_scratch(scratch.take().unwrap());
        for _ in 0..3 {
            conn.send(payload.clone()).unwrap();
        }
        conn.ping(b"behind").unwrap();
        assert_eq!(conn.pending_output(), 3 * (10 + payload.len()) + 8);
        while conn.output().has_remaining() {
            let length = conn.output().chunk().len();
            conn.output().advance(length.min(50_000));
        }
        scratch = conn.detach_scratch();
    };
    turn();
    let ((), heap) = heap_of(|| (0..5).for_each(|_| turn()));
    assert_eq!(heap, NOTHING);
}
