//! A hostile peer: bounds on memory, counted, and exact limits. `tests/work/run` counts the instructions of the work
//! that it can cause.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use bytes::Buf;
use heap::{Counting, heap_of};
use support::{close_body, drain, feed, frame, raw_frame, sent, server, server_with};
use websocket_proto::{
    Cause, CloseCode, Closed, Config, Connection, Event, HandshakeError, Negotiated, ProtocolError, Role, State,
    TransportShutdown, client,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The default limit of a head.
const HEAD: usize = 16 << 10;

/// S-40: a head that never ends costs at most its limit, twice over while it grows.
#[test]
fn an_endless_head_byte_by_byte() {
    let mut conn = Connection::server(Config::new());
    let start = b"GET / HTTP/1.1\r\nHost: a\r\nX: ";
    let (events, heap) = heap_of(|| {
        let mut events = Vec::new();
        for i in 0..HEAD {
            assert!(events.is_empty(), "refused after {i} bytes");
            events.extend(feed(&mut conn, &[*start.get(i).unwrap_or(&b'x')]));
        }
        events
    });
    assert_eq!(closed(&events).cause, Cause::Handshake(HandshakeError::HeadTooLarge));
    assert!(heap.peak < 4 * HEAD, "{heap:?}");
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 431 "));
}

/// S-40: more headers than the limit are rejected at the line that exceeds it.
#[test]
fn a_hundred_thousand_headers_of_one_byte() {
    let config = Config::new().max_handshake_size(1 << 20);
    let mut conn = Connection::server(config);
    let head = [b"GET / HTTP/1.1\r\n".to_vec(), b"a:\r\n".repeat(100_000)].concat();
    let (position, memory) =
        heap_of(|| head.iter().position(|&byte| !feed(&mut conn, &[byte]).is_empty()).expect("it is refused"));
    assert_eq!(position + 1, 16 + 4 * 129, "the 129th header is one too many");
    assert!(memory.peak < 16 << 10, "{memory:?}");
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 431 "));
}

/// S-17, S-19: long header values are read once, and rejected if they are malformed.
#[test]
fn long_header_values() {
    let spaces = format!("Sec-WebSocket-Protocol: a{}b\r\n", " ".repeat(50_000));
    let unclosed = format!("Sec-WebSocket-Extensions: a; b=\"{}\r\n", "\\c".repeat(50_000));
    let commas = format!("Sec-WebSocket-Protocol: {}\r\n", "a,".repeat(50_000));
    for (lines, error) in [
        (spaces, HandshakeError::Subprotocol),
        (unclosed, HandshakeError::Extensions),
        (commas, HandshakeError::Subprotocol),
    ] {
        let mut conn = Connection::server(Config::new().max_handshake_size(1 << 20));
        let events = feed(&mut conn, &support::request_with(&lines));
        assert_eq!(closed(&events).cause, Cause::Handshake(error));
        assert!(drain(&mut conn).starts_with(b"HTTP/1.1 400 "));
    }
}

/// B-05, B-08, B-09, B-90: an announced length costs nothing, and is never cut down to a smaller type.
#[test]
fn absurd_lengths() {
    for (length, error) in [
        (1 << 63, ProtocolError::LengthTopBit),
        (u64::MAX, ProtocolError::LengthTopBit),
        (u64::MAX - 13, ProtocolError::LengthTopBit),
        ((1 << 63) - 1, ProtocolError::FrameTooLarge),
        ((1 << 32) + 5, ProtocolError::FrameTooLarge),
        ((16 << 20) + 1, ProtocolError::FrameTooLarge),
    ] {
        for opcode in [0x82, 0x81, 0x02, 0x01] {
            let mut conn = server();
            let header = [&[opcode, 0xff][..], &u64::to_be_bytes(length)].concat();
            let (events, heap) = heap_of(|| feed(&mut conn, &header));
            assert_eq!(closed(&events).cause, Cause::Protocol(error), "{length:x}");
            assert!(heap.peak < 2048, "{heap:?}");
            assert_eq!(sent(&mut conn)[0].payload, error.close_code().get().to_be_bytes());
        }
    }
}

/// 10,000 connections, to each of which 1 GiB is announced and nothing is sent.
#[test]
fn a_gibibyte_announced_ten_thousand_times() {
    let config = Arc::new(Config::new().max_frame_size(1 << 30).max_message_size(1 << 30));
    let header = [&[0x82, 0xff][..], &u64::to_be_bytes(1 << 30), &[1, 2, 3, 4]].concat();
    let (conns, heap) = heap_of(|| {
        let mut conns = Vec::with_capacity(10_000);
        for _ in 0..10_000 {
            let mut conn = Connection::upgraded_server(Negotiated::new(), Arc::clone(&config));
            assert!(feed(&mut conn, &header).is_empty());
            conns.push(conn);
        }
        conns
    });
    let connections = conns.capacity() * size_of::<Connection>();
    assert_eq!(heap.kept, connections.cast_signed(), "nothing but the connections themselves");
}

/// B-28, B-89: fragments count even where they are empty; the limit is exact.
#[test]
fn ten_million_empty_continuations() {
    let mut conn = server();
    let empty = frame(Role::Client, 0x00, b"");
    let many = empty.repeat(10_000);
    assert!(feed(&mut conn, &frame(Role::Client, 0x02, b"")).is_empty());
    let mut buffer = many.clone();
    let (events, heap) = heap_of(|| {
        let mut events = Vec::new();
        for _ in 0..1000 {
            buffer.copy_from_slice(&many);
            let mut input = &mut buffer[..];
            while let Some(event) = conn.receive(&mut input) {
                events.push(event.into_owned());
            }
        }
        events
    });
    assert_eq!(closed(&events).cause, Cause::Protocol(ProtocolError::TooManyFragments));
    assert!(heap.peak < 2048, "{heap:?}");
}

/// A million fragments of one byte are one message in one buffer, if the limit allows them.
#[test]
fn a_million_fragments_of_one_byte() {
    for opcode in [0x01, 0x02] {
        let mut conn = server_with(Config::new().max_fragments(1_000_002));
        assert!(feed(&mut conn, &frame(Role::Client, opcode, b"")).is_empty());
        let many = frame(Role::Client, 0x00, b"x").repeat(1000);
        let mut buffer = many.clone();
        let ((), heap) = heap_of(|| {
            for _ in 0..1000 {
                buffer.copy_from_slice(&many);
                assert!(conn.receive(&mut &mut buffer[..]).is_none());
            }
        });
        // Growing holds the old buffer and the new one for a moment.
        assert!(heap.kept <= 4_000_000 && heap.peak <= 6_000_000, "{heap:?}");
        assert!(heap.allocations < 40, "{heap:?}");
        let length = match &feed(&mut conn, &frame(Role::Client, 0x80, b""))[..] {
            [Event::Text(text)] => text.len(),
            [Event::Binary(data)] => data.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(length, 1_000_000);
    }
}

/// B-52: pings that are never drained make nothing grow; the newest is answered in the end.
#[test]
fn a_million_pings_with_nothing_drained() {
    for role in support::ROLES {
        let mut conn = support::open(role);
        let peer = support::other(role);
        let pings: Vec<u8> = (0..1000).flat_map(|i| frame(peer, 0x89, format!("{i:0>125}").as_bytes())).collect();
        let mut buffer = pings.clone();
        let ((), heap) = heap_of(|| {
            for _ in 0..1000 {
                buffer.copy_from_slice(&pings);
                let mut input = &mut buffer[..];
                while let Some(event) = conn.receive(&mut input) {
                    assert!(matches!(event, Event::Ping(_)));
                }
            }
        });
        assert!(heap.peak < 256 << 10, "{heap:?}");
        // The pending ones were answered in order; after them comes the newest, and no other.
        let answers = sent(&mut conn);
        assert!(answers.iter().enumerate().all(|(i, pong)| pong.payload.ends_with((i % 1000).to_string().as_bytes())));
        let newest = sent(&mut conn);
        assert_eq!(newest.len(), 1);
        assert_eq!((newest[0].first, &newest[0].payload[122..]), (0x8a, &b"999"[..]));
    }
}

/// B-71: bytes after a violation are discarded, however many.
#[test]
fn a_gibibyte_of_garbage_behind_a_violation() {
    let mut conn = server();
    let events = feed(&mut conn, b"\x81\x05Hello");
    assert_eq!(closed(&events).cause, Cause::Protocol(ProtocolError::UnmaskedFrame));
    let mut garbage = vec![0x81; 1 << 20];
    let ((), heap) = heap_of(|| {
        for _ in 0..1024 {
            let mut input = &mut garbage[..];
            assert!(conn.receive(&mut input).is_none());
            assert!(input.is_empty());
        }
    });
    assert_eq!(heap.peak, 0);
}

/// Valid events before a violation in the same input are delivered first.
#[test]
fn a_violation_behind_valid_frames() {
    let mut conn = server();
    let bytes = [
        frame(Role::Client, 0x81, b"one"),
        frame(Role::Client, 0x89, b"two"),
        raw_frame(0x82, None, b"unmasked"),
        frame(Role::Client, 0x81, b"never"),
    ]
    .concat();
    let events = feed(&mut conn, &bytes);
    assert!(matches!(&events[..], [Event::Text(_), Event::Ping(_), Event::Closed(_)]), "{events:?}");
    let sent = sent(&mut conn);
    assert_eq!((sent[0].first, sent[1].first, sent.len()), (0x8a, 0x88, 2));
    assert_eq!(sent[1].payload, close_body(1002, ""));
}

/// The limits, reached exactly and then exceeded by one.
#[test]
fn exact_limits() {
    let config = || Config::new().max_frame_size(1000).max_message_size(1500).max_fragments(3);
    let message = |sizes: &[usize]| -> Vec<u8> {
        let last = sizes.len() - 1;
        let fragment = |(i, &size): (usize, &usize)| {
            let first = if i == 0 { 0x02 } else { 0x00 } | if i == last { 0x80 } else { 0x00 };
            frame(Role::Client, first, &vec![1; size])
        };
        sizes.iter().enumerate().flat_map(fragment).collect()
    };
    for (sizes, error) in [
        (&[1000][..], None),
        (&[1001], Some(ProtocolError::FrameTooLarge)),
        (&[1000, 500], None),
        (&[1000, 501], Some(ProtocolError::MessageTooLarge)),
        (&[1, 1, 1], None),
        (&[1, 1, 1, 1], Some(ProtocolError::TooManyFragments)),
        (&[0, 0, 0, 0], Some(ProtocolError::TooManyFragments)),
    ] {
        let mut conn = server_with(config());
        let events = feed(&mut conn, &message(sizes));
        match error {
            None => assert!(matches!(&events[..], [Event::Binary(_)]), "{sizes:?}: {events:?}"),
            Some(error) => {
                assert_eq!(closed(&events).cause, Cause::Protocol(error), "{sizes:?}");
                assert_eq!(sent(&mut conn)[0].payload, close_body(1009, ""));
            }
        }
    }
}

/// A client flooded with interim responses: the limit of a head holds for all of them together.
#[test]
fn a_flood_of_interim_responses() {
    let mut conn = client();
    let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut fed = 0;
    let (events, heap) = heap_of(|| {
        loop {
            let events = feed(&mut conn, interim);
            fed += interim.len();
            if !events.is_empty() {
                return events;
            }
        }
    });
    assert_eq!(closed(&events).cause, Cause::Handshake(HandshakeError::HeadTooLarge));
    assert!(fed <= HEAD + interim.len() && fed > HEAD - interim.len());
    assert!(heap.peak < 8192, "{heap:?}");
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
}

/// A client whose request is rejected with an endless body keeps as much as the limit allows, and reports that.
#[test]
fn an_endless_refusal() {
    for framing in ["", "Transfer-Encoding: chunked\r\n", "Content-Length: 9999999999999\r\n"] {
        let mut conn = client();
        assert!(feed(&mut conn, format!("HTTP/1.1 503 No\r\n{framing}\r\n").as_bytes()).is_empty());
        let chunk = format!("{:x}\r\n{}\r\n", 1000, "n".repeat(1000));
        let (events, heap) = heap_of(|| {
            loop {
                let events = feed(&mut conn, chunk.as_bytes());
                if !events.is_empty() {
                    return events;
                }
            }
        });
        let [Event::Rejected(response), Event::Closed(closed)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((response.status(), response.body().len()), (503, 64 << 10));
        assert_eq!((closed.cause, closed.code), (Cause::Rejected(503), CloseCode::ABNORMAL));
        assert!(heap.peak < 4 * (64 << 10), "{heap:?}");
        assert!(feed(&mut conn, &vec![b'n'; 1 << 20]).is_empty());
        assert_eq!(conn.state(), State::Closed);
    }
}

/// S-38: bytes that a client sends before its request is answered are kept up to the limit, and rejected beyond it.
#[test]
fn bytes_ahead_of_the_answer() {
    for (size, refused) in [(HEAD, false), (HEAD + 1, true)] {
        let mut conn = Connection::server(Config::new());
        assert!(matches!(feed(&mut conn, &support::request())[..], [Event::Request(_)]));
        let (events, heap) = heap_of(|| support::feed_chunks(&mut conn, &vec![0; size], 100));
        assert_eq!(!events.is_empty(), refused);
        if refused {
            assert_eq!(closed(&events).cause, Cause::Handshake(HandshakeError::EarlyData));
        }
        assert!(heap.peak < 4 * HEAD, "{heap:?}");
    }
}

/// The memory that a stalled peer can cause is bounded, in both directions.
#[test]
fn a_stalled_peer() {
    let mut conn = support::server_with(Config::new().max_pending_output(100_000));
    let mut sent = 0;
    while conn.can_send() {
        conn.send_binary(&[0; 1000]).unwrap();
        sent += 1;
    }
    assert_eq!(sent, 100);
    assert!(conn.pending_output() >= 100_000 && conn.pending_output() < 101_100);
    // What it sends is still received, and its pings cost no more.
    let before = conn.pending_output();
    for _ in 0..1000 {
        assert_eq!(feed(&mut conn, &frame(Role::Client, 0x89, b"ping")).len(), 1);
    }
    assert_eq!(conn.pending_output(), before);
    // Closing is possible all the same.
    conn.close(CloseCode::GOING_AWAY, "").unwrap();
    assert!(conn.pending_output() > before);
}

fn client() -> Connection {
    let request = client::Request::new("ws://localhost/".parse().unwrap());
    let mut conn = Connection::client(request, Config::new(), support::seed()).unwrap();
    let pending = conn.output().remaining();
    conn.output().advance(pending);
    conn
}

fn closed(events: &[Event<'_>]) -> Closed {
    match events {
        [.., Event::Closed(closed)] => (**closed).clone(),
        other => panic!("not closed: {other:?}"),
    }
}
