//! Deadlines, and the end of the server.

use std::time::Duration;

use quiche::h3::{Event, WireErrorCode};
use websocket_proto::CloseCode;

use super::pair::{CONNECT, Pair, frame};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_client_without_a_request_is_sent_away() {
    let mut pair = Pair::new();
    pair.pass(9 * SECOND);
    assert!(!pair.quic.is_draining());
    pair.pass(2 * SECOND);
    assert!(pair.quic.is_draining());
    assert_eq!(pair.quic.peer_error().map(|error| (error.is_app, error.error_code)), Some((true, 0x100)));
}

#[test]
fn a_client_with_a_websocket_stays() {
    let mut pair = Pair::new();
    let stream = pair.open();
    pair.pass(100 * SECOND);
    assert!(!pair.quic.is_draining());
    pair.send(stream, &frame(0x88, b""));
    pair.fin(stream);
    pair.pass(9 * SECOND);
    assert!(!pair.quic.is_draining(), "the time begins with the end of the last");
    pair.pass(2 * SECOND);
    assert!(pair.quic.is_draining());
}

#[test]
fn a_server_that_stops_closes_every_websocket_and_takes_no_more() {
    let mut pair = Pair::new();
    let stream = pair.open();
    pair.server.stop(pair.now);
    pair.run();
    let events = pair.events();
    assert!(events.iter().any(|(id, event)| (*id, event) == (4, &Event::GoAway)), "{events:?}");
    let mut close = [0; 32];
    let count = pair.http.recv_body(&mut pair.quic, stream, &mut close).unwrap();
    assert_eq!(&close[..count], b"\x88\x12\x03\xe9the server stops");
    assert!(!pair.quic.is_draining());
    pair.send(stream, &frame(0x88, b"\x03\xe9"));
    assert_eq!(pair.answers.closed, [CloseCode::GOING_AWAY]);
    pair.fin(stream);
    assert!(pair.quic.is_draining());
}

/// A request may have been on its way when the server stopped.
#[test]
fn a_request_after_that_is_rejected_unprocessed() {
    let mut pair = Pair::new();
    pair.open();
    pair.server.stop(pair.now);
    let late = pair.ask(&CONNECT);
    assert!(pair.events().contains(&(late, Event::Reset(WireErrorCode::RequestRejected as u64))));
}
