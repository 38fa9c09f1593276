//! A client in its opening handshake: its requests, and the responses to them.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};
use websocket_proto::{
    Cause, CloseCode, Closed, Config, Connection, Event, HandshakeError, ProtocolError, RequestError, Role, Seed,
    SendError, State, TransportShutdown, client,
};

use crate::helpers::{assert_nothing_can_be_sent, closed};
use crate::support::{close_body, drain, feed, frame, pending_events, seed, sent};

/// A whole message, where none should be read.
pub(crate) const FRAME: &[u8] = b"\x81\x02hi";

/// A request without offers.
pub(crate) fn plain_request() -> client::Request {
    client::Request::new("ws://localhost".parse().unwrap())
}

/// A request that offers the subprotocols `a` and `b`.
pub(crate) fn client_request() -> client::Request {
    plain_request().subprotocol("a").subprotocol("b")
}

/// The bytes of a request.
pub(crate) fn request_bytes(request: client::Request) -> Vec<u8> {
    drain(&mut Connection::client(request, Config::new(), seed()).unwrap())
}

pub(crate) fn request_bytes_for(uri: &str) -> Vec<u8> {
    request_bytes(client::Request::new(uri.parse().unwrap()))
}

/// The reason why a request can't be sent.
pub(crate) fn request_error(request: client::Request) -> RequestError {
    Connection::client(request, Config::new(), seed()).unwrap_err()
}

pub(crate) fn first_line(request: &[u8]) -> &str {
    str::from_utf8(request).unwrap().lines().next().unwrap()
}

/// The values of all lines of that name in a request, as an independent parser reads them.
pub(crate) fn header_values(request: &[u8], name: &str) -> Vec<String> {
    let mut slots = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Request::new(&mut slots);
    assert_eq!(parsed.parse(request), Ok(httparse::Status::Complete(request.len())));
    let named = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| String::from_utf8(header.value.to_vec()).unwrap()).collect()
}

pub(crate) fn numbered_seed(number: u32) -> Seed {
    let mut entropy = [0; 32];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    Seed::new(entropy)
}

/// The key that a client with that seed sends.
pub(crate) fn key_of(seed: Seed) -> String {
    let request = drain(&mut Connection::client(client_request(), Config::new(), seed).unwrap());
    header_values(&request, "Sec-WebSocket-Key").remove(0)
}

/// The answer to a key: RFC 6455 section 4.2.2, item 5.4.
pub(crate) fn accept_value_of(key: impl AsRef<[u8]>) -> String {
    let hash = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    BASE64_STANDARD.encode(hash)
}

/// The answer that the clients of these tests wait for.
pub(crate) fn expected_accept() -> String {
    accept_value_of(key_of(seed()))
}

/// The smallest response that a client accepts.
pub(crate) fn minimal_response() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        expected_accept()
    )
}

/// A client that waits for its response.
pub(crate) fn awaiting_response(request: client::Request, config: Config) -> Connection {
    let mut conn = Connection::client(request, config, seed()).unwrap();
    drain(&mut conn);
    conn
}

pub(crate) fn connecting() -> Connection {
    awaiting_response(client_request(), Config::new())
}

/// Every way to cut the bytes in two.
pub(crate) fn splits(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    (0..=bytes.len()).map(|cut| bytes.split_at(cut))
}

/// The result of the smallest response with one part replaced.
pub(crate) fn outcome_of_replacing(part: &str, by: &str) -> Result<Option<String>, HandshakeError> {
    let response = minimal_response();
    assert!(response.contains(part), "{part:?}");
    outcome_at_every_split(&response.replacen(part, by, 1))
}

/// The result of the smallest response with further lines of that name.
pub(crate) fn outcome_with_header(name: &str, values: &[&str]) -> Result<Option<String>, HandshakeError> {
    let lines: String = values.iter().flat_map(|value| [name, ": ", value, "\r\n"]).collect();
    outcome_of_replacing("\r\n\r\n", &format!("\r\n{lines}\r\n"))
}

/// The result of a response: the same at every split.
pub(crate) fn outcome_at_every_split(response: &str) -> Result<Option<String>, HandshakeError> {
    let whole = outcome(&mut connecting(), (response.as_bytes(), b""));
    for chunks in splits(response.as_bytes()) {
        assert_eq!(outcome(&mut connecting(), chunks), whole, "{chunks:?}");
    }
    whole
}

/// The result of a response in two chunks: an open connection with its subprotocol, or a failed handshake.
pub(crate) fn outcome(
    conn: &mut Connection,
    (first, second): (&[u8], &[u8]),
) -> Result<Option<String>, HandshakeError> {
    let mut events = feed(conn, first);
    assert!(second.is_empty() || conn.state() != State::Open, "open before the head is whole");
    events.extend(feed(conn, second));
    match &events[..] {
        [Event::Open(response)] => {
            assert_eq!((response.status(), conn.state()), (101, State::Open));
            assert_eq!(conn.wants_shutdown(), None);
            Ok(conn.subprotocol().map(str::to_owned))
        }
        [Event::Closed(closed)] => {
            assert_handshake_failed(conn, closed);
            match closed.cause {
                Cause::Handshake(error) => Err(error),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

/// The rejection in a response in two chunks, and the way it ends.
pub(crate) fn rejected_response(
    config: &Config,
    chunks: (&[u8], &[u8]),
    end: impl Fn(&mut Connection),
) -> client::Response {
    let mut conn = awaiting_response(client_request(), config.clone());
    let mut received = feed(&mut conn, chunks.0);
    received.extend(feed(&mut conn, chunks.1));
    end(&mut conn);
    received.extend(pending_events(&mut conn));
    match <[Event; 2]>::try_from(received) {
        Ok([Event::Rejected(response), Event::Closed(closed)]) => {
            assert_eq!(closed.cause, Cause::Rejected(response.status()));
            assert_handshake_failed(&mut conn, &closed);
            *response
        }
        other => panic!("{other:?}, of {}", [chunks.0, chunks.1].concat().escape_ascii()),
    }
}

pub(crate) fn pass_the_handshake_deadline(conn: &mut Connection) {
    conn.advance_time(Duration::ZERO);
    conn.advance_time(Duration::from_secs(10));
    assert!(pending_events(conn).is_empty(), "a turn to read in");
    conn.advance_time(Duration::from_secs(10));
}

/// The opening handshake has failed: nothing is left to send or to receive, and the transport is to be closed
/// immediately.
pub(crate) fn assert_handshake_failed(conn: &mut Connection, closed: &Closed) {
    assert_eq!((closed.code, &closed.reason[..], closed.clean), (CloseCode::ABNORMAL, "", false));
    assert!(feed(conn, &frame(Role::Server, 0x89, b"ping")).is_empty());
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(TransportShutdown::Abort)));
    assert!(drain(conn).is_empty());
}

/// The end of the transport is reported once, as the end of the connection.
pub(crate) fn assert_ends_at_eof(conn: &mut Connection, shutdown: TransportShutdown) {
    conn.receive_eof();
    conn.receive_eof();
    let closed = closed(pending_events(conn));
    let expected = (CloseCode::ABNORMAL, "", false, Cause::Eof);
    assert_eq!((closed.code, &closed.reason[..], closed.clean, closed.cause), expected);
    conn.receive_eof();
    assert!(pending_events(conn).is_empty());
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(shutdown)));
    assert_nothing_can_be_sent(conn, SendError::Closed);
}

/// The bytes break the protocol, and are answered with the right Close frame.
pub(crate) fn assert_protocol_error(conn: &mut Connection, bytes: &[u8], error: ProtocolError) {
    let closed = closed(feed(conn, bytes));
    let expected = (CloseCode::ABNORMAL, false, Cause::Protocol(error));
    assert_eq!((closed.code, closed.clean, closed.cause), expected, "{bytes:02x?}");
    assert_masked(conn, &[(0x88, close_body(1002, ""))]);
    assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Graceful));
}

/// The output is exactly these frames, each masked.
pub(crate) fn assert_masked(conn: &mut Connection, expected: &[(u8, Vec<u8>)]) {
    let sent = sent(conn);
    assert!(sent.iter().all(|frame| frame.key.is_some()));
    let frames: Vec<_> = sent.into_iter().map(|frame| (frame.first, frame.payload)).collect();
    assert!(frames == expected, "frames are sent as asked for");
}
