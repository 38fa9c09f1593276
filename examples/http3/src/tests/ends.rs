//! Every way in which a stream ends (RFC 9220 section 3, RFC 9114 sections 4.1 and 4.4).

use std::time::Duration;

use quiche::Shutdown;
use quiche::h3::{Event, Header, WireErrorCode};
use websocket_proto::CloseCode;

use super::pair::{CONNECT, Pair, frame};

const CANCELLED: Event = Event::Reset(WireErrorCode::RequestCancelled as u64);

#[test]
fn a_closing_handshake_ends_both_directions_and_the_stream_is_forgotten() {
    let mut pair = Pair::new();
    let stream = pair.open();
    pair.send(stream, &frame(0x81, "你好".as_bytes()));
    assert_eq!(pair.read(stream), [&[0x81, 6], "你好".as_bytes()].concat());
    pair.send(stream, &frame(0x88, b"\x0b\xb9bye"));
    assert_eq!(pair.http.recv_body(&mut pair.quic, stream, &mut [0; 9]), Err(quiche::h3::Error::Done));
    assert!(pair.events().contains(&(stream, Event::Data)));
    let mut data = [0; 9];
    assert_eq!(pair.http.recv_body(&mut pair.quic, stream, &mut data), Ok(7));
    assert_eq!(&data[..7], b"\x88\x05\x0b\xb9bye");
    assert_eq!(pair.events(), [(stream, Event::Finished)]);
    assert_eq!(pair.answers.closed, [CloseCode::new(3001).unwrap()]);
    assert!(!pair.server.is_idle(), "the client hasn't ended its side");
    pair.fin(stream);
    assert!(pair.server.is_idle());
    pair.open();
}

#[test]
fn a_fin_without_a_close_frame_is_the_end_of_the_transport() {
    let mut pair = Pair::new();
    let stream = pair.open();
    pair.send(stream, &frame(0x81, b"last"));
    pair.fin(stream);
    assert_eq!(pair.answers.closed, [CloseCode::ABNORMAL]);
    let _ = pair.events();
    assert_eq!(pair.http.recv_body(&mut pair.quic, stream, &mut [0; 9]), Ok(6), "the echo came first");
    assert_eq!(pair.events(), [(stream, Event::Finished)]);
    assert!(pair.server.is_idle());
}

#[test]
fn a_fin_with_the_request() {
    let mut pair = Pair::new();
    let list: Vec<_> = CONNECT.iter().map(|(name, value)| Header::new(name.as_bytes(), value.as_bytes())).collect();
    let stream = pair.http.send_request(&mut pair.quic, &list, true).unwrap();
    pair.run();
    assert_eq!(pair.answers.closed, [CloseCode::ABNORMAL]);
    assert!(pair.events().contains(&(stream, Event::Finished)));
    assert!(pair.server.is_idle());
}

#[test]
fn a_reset_is_an_abort_and_answered_by_one() {
    let mut pair = Pair::new();
    let (stream, other) = (pair.open(), pair.open());
    pair.reset(stream, Shutdown::Write);
    assert_eq!(pair.answers.closed, [CloseCode::ABNORMAL]);
    assert_eq!(pair.events(), [(stream, CANCELLED)]);
    pair.send(other, &frame(0x82, b"here"));
    assert_eq!(pair.read(other), b"\x82\x04here");
}

/// A peer that stops reading gets no answers any more, also if there is nothing to answer at the time.
#[test]
fn a_peer_that_stops_reading_is_lost() {
    let mut pair = Pair::new();
    let stream = pair.open();
    pair.reset(stream, Shutdown::Read);
    assert_eq!(pair.answers.closed, [CloseCode::ABNORMAL]);
}

#[test]
fn trailers_are_no_part_of_a_websocket() {
    let mut pair = Pair::new();
    let stream = pair.open();
    let trailers = [Header::new(b"a", b"b")];
    pair.http.send_additional_headers(&mut pair.quic, stream, &trailers, true, false).unwrap();
    pair.run();
    assert_eq!(pair.answers.closed, [CloseCode::ABNORMAL]);
    assert_eq!(pair.events(), [(stream, CANCELLED)]);
}

#[test]
fn a_malformed_request_is_a_stream_error() {
    let mut pair = Pair::new();
    let stream = pair.ask(&CONNECT[..4]);
    assert_eq!(pair.events(), [(stream, Event::Reset(WireErrorCode::MessageError as u64))]);
    pair.open();
}

#[test]
fn a_rejection_is_a_whole_response() {
    let mut pair = Pair::new();
    let stream = pair.ask(&[&CONNECT[..], &[("origin", "https://evil.example")]].concat());
    assert_eq!(pair.status(stream), "403");
    assert!(!pair.read(stream).is_empty());
    assert!(pair.quic.stream_finished(stream));
    let mut other = CONNECT;
    other[1].1 = "connect-udp";
    let stream = pair.ask(&other);
    assert_eq!(pair.status(stream), "501");
}

#[test]
fn the_end_of_the_connection_is_the_end_of_its_websockets() {
    let mut pair = Pair::new();
    pair.open();
    pair.open();
    pair.quic.close(true, WireErrorCode::NoError as u64, b"").unwrap();
    pair.run();
    assert_eq!(pair.answers.closed, [CloseCode::ABNORMAL; 2]);
    assert!(pair.server.is_idle());
}

/// The other side of the stream may never end: that is waited for, but not forever.
#[test]
fn a_stream_that_the_peer_leaves_half_open_is_reset_in_the_end() {
    let mut pair = Pair::new();
    let stream = pair.open();
    pair.send(stream, &frame(0x88, b""));
    pair.pass(Duration::from_millis(1_900));
    assert!(!pair.server.is_idle());
    pair.pass(Duration::from_millis(200));
    assert!(pair.server.is_idle());
    assert!(pair.http.send_body(&mut pair.quic, stream, b"x", false).is_err(), "no more is read");
}
