//! Limits of a handshake's head, in both roles: its size, the number of its headers, and the work that it causes.

use bytes::Buf;
use websocket_proto::{Config, Connection, Event, HandshakeError, Role};

use crate::helpers::client::{awaiting_response, client_request, minimal_response, outcome, splits};
use crate::helpers::server::{assert_refused_by, request_of_size, with_header, with_header_added};
use crate::support::{feed, feed_chunks, frame, request, request_with};

/// S-40: the limit is exact, wherever the input is split; bytes after the head don't count.
#[test]
fn a_head_of_exactly_the_limit_passes() {
    for (config, limit) in [(Config::new().max_handshake_size(300), 300), (Config::new(), 16 << 10)] {
        let fits = request_of_size(limit);
        let too_long = request_of_size(limit + 1);
        for size in [1, 7, limit, limit + 1] {
            let mut conn = Connection::server(config.clone());
            assert!(matches!(feed_chunks(&mut conn, &fits, size)[..], [Event::Request(_)]));
            let chunks: Vec<_> = too_long.chunks(size).collect();
            assert_refused_by(Connection::server(config.clone()), &chunks, HandshakeError::HeadTooLarge);
        }
        let mut conn = Connection::server(config);
        let behind = frame(Role::Client, 0x81, b"Hello");
        assert!(matches!(feed(&mut conn, &[fits, behind].concat())[..], [Event::Request(_)]));
    }
}

/// S-40: the limit is exact; the request line is no header.
#[test]
fn exactly_as_many_headers_as_the_limit_pass() {
    // The request has five of its own.
    for (config, limit) in [(Config::new().max_headers(9), 9), (Config::new(), 128)] {
        let fits = request_with(&"a: b\r\n".repeat(limit - 5));
        let too_many = request_with(&"a: b\r\n".repeat(limit - 4));
        for size in [1, 7, too_many.len()] {
            let mut conn = Connection::server(config.clone());
            assert!(matches!(feed_chunks(&mut conn, &fits, size)[..], [Event::Request(_)]));
            let chunks: Vec<_> = too_many.chunks(size).collect();
            assert_refused_by(Connection::server(config.clone()), &chunks, HandshakeError::TooManyHeaders);
        }
    }
}

/// S-40: an empty line before the request line, which is skipped, is no header either.
#[test]
fn an_empty_line_in_front_does_not_count_as_a_header() {
    let mut conn = Connection::server(Config::new().max_headers(5));
    assert!(matches!(feed(&mut conn, &[b"\r\n", &request()[..]].concat())[..], [Event::Request(_)]));
}

/// S-40: with the greatest limits, every head passes.
#[test]
fn the_greatest_limits_let_every_head_pass() {
    let config = Config::new().max_headers(usize::MAX).max_handshake_size(usize::MAX);
    let mut conn = Connection::server(config);
    assert!(matches!(feed(&mut conn, &request())[..], [Event::Request(_)]));
}

/// S-40: an endless head is rejected at the limit. If each byte were examined more than once, byte by byte would take
/// hours.
#[test]
fn an_endless_head_is_refused_at_the_limit() {
    let limit = 1 << 20;
    for start in ["", "GET /", "GET / HTTP/1.1\r\nHost: a\r\na: "] {
        let mut conn = Connection::server(Config::new().max_handshake_size(limit));
        let endless = [start.as_bytes(), &vec![b'a'; limit + 1]].concat();
        assert!(feed_chunks(&mut conn, &endless[..limit - 1], 1).is_empty());
        assert!(!conn.output().has_remaining());
        assert_refused_by(conn, &[&endless[limit - 1..=limit]], HandshakeError::HeadTooLarge);
    }
    // Endless lines are rejected at their own limit.
    let mut conn = Connection::server(Config::new());
    let endless = ["GET / HTTP/1.1\r\n", &"a:\r\n".repeat(129)].concat();
    let (last, before) = endless.as_bytes().split_last().unwrap();
    assert!(feed_chunks(&mut conn, before, 1).is_empty());
    assert_refused_by(conn, &[&[*last]], HandshakeError::TooManyHeaders);
}

/// S-17, S-19: lists of a mebibyte. If they were read in more than linear time, this test would take minutes.
#[test]
fn long_lists_are_read_in_linear_time() {
    let config = || Config::new().max_handshake_size(2 << 20);
    let unclosed = format!("a; b=\"{}", "\\c".repeat(1 << 19));
    let names = (0..1 << 17).flat_map(|i| [format!("{i:06}"), ", ".to_owned()]).collect::<String>();
    for (request, error) in [
        (with_header_added("Sec-WebSocket-Extensions", &unclosed), HandshakeError::Extensions),
        (with_header_added("Sec-WebSocket-Protocol", &format!("{names}131071")), HandshakeError::Subprotocol),
        (with_header("Connection", &names), HandshakeError::Connection),
    ] {
        assert_refused_by(Connection::server(config()), &[&request], error);
    }
    let mut conn = Connection::server(config());
    let events = feed(&mut conn, &with_header_added("Sec-WebSocket-Protocol", &names));
    let [Event::Request(request)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(request.subprotocols().count(), 1 << 17);
    assert_eq!(request.select_subprotocol(&["none", "131071"]), Some("131071"));
}

/// C-38: the limits of a head apply to responses, exactly.
#[test]
fn a_response_beyond_the_limits_fails() {
    let response = minimal_response();
    for (config, expected) in [
        (Config::new().max_handshake_size(response.len()), Ok(None)),
        (Config::new().max_handshake_size(response.len() - 1), Err(HandshakeError::HeadTooLarge)),
        (Config::new().max_headers(3), Ok(None)),
        (Config::new().max_headers(2), Err(HandshakeError::TooManyHeaders)),
    ] {
        for chunks in splits(response.as_bytes()) {
            let mut conn = awaiting_response(client_request(), config.clone());
            assert_eq!(outcome(&mut conn, chunks), expected, "{config:?}");
        }
    }
}
