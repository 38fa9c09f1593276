//! How connections end.

use std::io::{Read, Write};
use std::thread;

use websocket_proto_blocking::{Cause, CloseCode, Config, Error, Message};

use crate::support::{open, server, tcp_pair};

#[test]
fn messages_before_the_close_are_received() {
    let (mut one, mut other) = open(tcp_pair(), &Config::new());
    let other = thread::spawn(move || {
        other.send("last words").unwrap();
        other.close(CloseCode::GOING_AWAY, "").unwrap();
    });
    assert_eq!(one.read().unwrap(), Some("last words".into()));
    assert_eq!(one.read().unwrap(), None);
    assert_eq!(one.closed().unwrap().code, CloseCode::GOING_AWAY);
    other.join().unwrap();
}

#[test]
fn a_peer_that_vanishes_is_an_error_after_its_messages() {
    let (stream, mut peer) = tcp_pair();
    peer.write_all(b"\x81\x82\0\0\0\0hi").unwrap();
    drop(peer);
    let mut ws = server(stream, Config::new());
    assert_eq!(ws.read().unwrap(), Some(Message::from("hi")));
    let error = ws.read().unwrap_err();
    assert!(matches!(&error, Error::Closed(closed) if closed.cause == Cause::Eof), "{error:?}");
    assert_eq!(ws.read().unwrap(), None);
}

#[test]
fn a_violation_is_answered_with_its_code() {
    let (stream, mut peer) = tcp_pair();
    // A server accepts no frame without a mask.
    peer.write_all(b"\x81\x02hi").unwrap();
    let peer = thread::spawn(move || {
        let mut received = Vec::new();
        peer.read_to_end(&mut received).unwrap();
        received
    });
    let mut ws = server(stream, Config::new());
    assert!(matches!(ws.read(), Err(Error::Closed(_))));
    drop(ws);
    assert_eq!(peer.join().unwrap(), b"\x88\x02\x03\xea");
}

#[test]
fn a_code_that_may_not_be_sent_changes_nothing() {
    let (mut one, _other) = open(tcp_pair(), &Config::new());
    assert!(matches!(one.close(CloseCode::MISSING_EXTENSION, ""), Err(Error::Send(_))));
    one.send("still open").unwrap();
}
