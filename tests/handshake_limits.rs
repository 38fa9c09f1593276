//! The exact limits of the opening handshake that can't be configured: the number of headers that need no allocation,
//! and the size line of a chunk.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use bytes::Buf;
use heap::{Counting, heap_of};
use support::{drain, feed, request_with};
use websocket_proto::{Config, Connection, Event, client, server};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The parser has space for 26 headers, and the positions of as many lines, without an allocation. The first line and
/// the empty one are lines, too.
const INLINE: usize = 26;

#[test]
fn a_request_of_few_headers_allocates_nothing_for_them() {
    let config = Arc::new(Config::new());
    // The shortest request has five headers.
    let accept = |headers: usize| {
        let mut bytes = request_with(&"X: 1\r\n".repeat(headers - 5));
        let ((), heap) = heap_of(|| {
            let mut conn = Connection::server(Arc::clone(&config));
            let event = conn.receive(&mut &mut bytes[..]);
            assert!(matches!(event, Some(Event::Request(_))));
            conn.accept(server::Response::new()).unwrap();
            let pending = conn.output().remaining();
            conn.output().advance(pending);
        });
        heap.allocations
    };
    assert_one_more_each(accept, 5);
}

#[test]
fn a_response_of_few_headers_allocates_nothing_for_them() {
    let config = Arc::new(Config::new());
    let request = request();
    let connect = || Connection::client(request.clone(), Arc::clone(&config), support::seed()).unwrap();
    let mut server = Connection::server(Config::new());
    feed(&mut server, &drain(&mut connect()));
    server.accept(server::Response::new()).unwrap();
    let response = String::from_utf8(drain(&mut server)).unwrap();
    // The shortest response has three headers.
    let open = |headers: usize| {
        let lines = format!("\r\n{}\r\n", "X: 1\r\n".repeat(headers - 3));
        let mut bytes = response.replace("\r\n\r\n", &lines).into_bytes();
        let ((), heap) = heap_of(|| {
            let mut conn = connect();
            assert!(matches!(conn.receive(&mut &mut bytes[..]), Some(Event::Open(_))));
        });
        heap.allocations
    };
    assert_one_more_each(open, 3);
}

/// With 25 headers, the positions of the lines need an allocation, and with 27 the parser's headers another.
fn assert_one_more_each(allocations: impl Fn(usize) -> usize, fewest: usize) {
    let least = allocations(fewest);
    for headers in fewest..=INLINE - 2 {
        assert_eq!(allocations(headers), least, "{headers} headers");
    }
    for headers in INLINE - 1..=INLINE {
        assert_eq!(allocations(headers), least + 1, "{headers} headers");
    }
    for headers in INLINE + 1..=2 * INLINE {
        assert_eq!(allocations(headers), least + 2, "{headers} headers");
    }
}

fn request() -> client::Request {
    client::Request::new("ws://a/".parse().unwrap())
}

/// A client that waits for the response.
fn client() -> Connection {
    Connection::client(request(), Config::new(), support::seed()).unwrap()
}

/// The body that a client reads from a chunked response, whose first size line has that many bytes before its LF.
fn body_after_size_line(length: usize) -> Vec<u8> {
    let mut conn = client();
    let line = format!("5;{}\r", "x".repeat(length - 3));
    assert_eq!(line.len(), length);
    let response = format!(
        "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n{line}\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    );
    match &feed(&mut conn, response.as_bytes())[..] {
        [Event::Rejected(response), Event::Closed(_)] => response.body().to_vec(),
        events => panic!("{events:?}"),
    }
}

/// A line of 256 bytes before its LF is the longest. A longer one ends the body.
#[test]
fn the_line_before_a_chunk_has_an_exact_limit() {
    for length in [3, 255, 256] {
        assert_eq!(body_after_size_line(length), b"hello world", "{length}");
    }
    for length in [257, 258, 10_000] {
        assert_eq!(body_after_size_line(length), b"", "{length}");
    }
}

/// However many chunks a body has, their lines share one allocation. The others are for the growing body.
#[test]
fn chunks_cost_no_allocation_each() {
    let mut bytes = b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    bytes.extend(b"1\r\nx\r\n".repeat(10_000));
    bytes.extend(b"0\r\n\r\n");
    let mut conn = client();
    let (event, heap) = heap_of(|| conn.receive(&mut &mut bytes[..]));
    let Some(Event::Rejected(response)) = event else { panic!("{event:?}") };
    assert_eq!(response.body().len(), 10_000);
    assert!(heap.allocations < 40, "{heap:?}");
}

/// A server may not send a body with 205 (RFC 9110 section 15.3.6), but a client reads the one that such a response
/// announces. It reads none after 204 and 304, whatever they announce (RFC 9112 section 6.3).
#[test]
fn two_statuses_have_no_body_for_a_client() {
    for (status, expected) in [(204, ""), (205, "why"), (304, ""), (403, "why")] {
        for framing in ["Content-Length: 3\r\n\r\nwhy", "Transfer-Encoding: chunked\r\n\r\n3\r\nwhy\r\n0\r\n\r\n"] {
            let mut conn = client();
            let events = feed(&mut conn, format!("HTTP/1.1 {status} X\r\n{framing}").as_bytes());
            let [Event::Rejected(response), Event::Closed(_)] = &events[..] else { panic!("{events:?}") };
            assert_eq!((response.status(), response.body()), (status, expected.as_bytes()));
        }
    }
}
