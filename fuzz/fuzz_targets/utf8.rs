//! Text in arbitrary fragments is accepted exactly if the standard library accepts it as UTF-8, and rejected at the
//! first byte that no continuation can make valid; the same holds for text that is sent in fragments.
//!
//! Input: one byte of choices (1: the receiver is a client, 2: pings between the fragments), four bytes of fragment
//! lengths that are used over and over, then the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, Event, MessageKind, ProtocolError, Role, SendError};
use websocket_proto_fuzz::{Watched, first_impossible, pieces};

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let Some((lengths, text)) = rest.split_first_chunk() else { return };
    let role = if choice & 1 != 0 { Role::Client } else { Role::Server };
    let fragments = pieces(text, *lengths);
    receive(role, &fragments, choice & 2 != 0, text);
    send(role, &fragments, text);
});

/// Byte by byte, to find the byte at which the text is rejected.
fn receive(role: Role, fragments: &[&[u8]], pings: bool, text: &[u8]) {
    let mut conn = Watched::new(support::open(role));
    let from = support::other(role);
    let impossible = first_impossible(text);
    let mut seen = 0;
    for (i, fragment) in fragments.iter().enumerate() {
        let first = u8::from(i == 0);
        let frame = support::frame(from, first, fragment);
        let (header, payload) = frame.split_at(frame.len() - fragment.len());
        conn.receive(header, |_, event| panic!("{event:?}"));
        for byte in payload {
            seen += 1;
            let mut refused = false;
            conn.receive(&[*byte], |_, event| {
                refused = true;
                let Event::Closed(closed) = event else { panic!("{event:?}") };
                assert_eq!(closed.cause, Cause::Protocol(ProtocolError::InvalidUtf8));
            });
            assert_eq!(refused, impossible == Some(seen), "at byte {seen}");
            if refused {
                return;
            }
        }
        if pings {
            let mut pinged = false;
            let ping = support::frame(from, 0x89, &[0xff]);
            conn.receive(&ping, |_, event| pinged = matches!(event, Event::Ping(_)));
            assert!(pinged);
        }
    }

    let mut outcome = None;
    let last = support::frame(from, if fragments.is_empty() { 0x81 } else { 0x80 }, b"");
    conn.receive(&last, |_, event| outcome = Some(event.into_owned()));
    match (outcome, std::str::from_utf8(text)) {
        (Some(Event::Text(received)), Ok(text)) => assert_eq!(received, text),
        (Some(Event::Closed(closed)), Err(_)) => assert_eq!(closed.cause, Cause::Protocol(ProtocolError::InvalidUtf8)),
        (outcome, expected) => panic!("{outcome:?} for {expected:?}"),
    }
}

fn send(role: Role, fragments: &[&[u8]], text: &[u8]) {
    let mut conn = support::open(role);
    let impossible = first_impossible(text);
    let mut seen = 0;
    for fragment in fragments {
        seen += fragment.len();
        let is_possible = impossible.is_none_or(|at| seen < at);
        let sent = conn.send_fragment(MessageKind::Text, fragment, false);
        assert_eq!(sent, if is_possible { Ok(()) } else { Err(SendError::InvalidUtf8) });
        if !is_possible {
            break;
        }
    }
    if impossible.is_none() {
        let is_text = std::str::from_utf8(text).is_ok();
        let sent = conn.send_fragment(MessageKind::Text, b"", true);
        assert_eq!(sent, if is_text { Ok(()) } else { Err(SendError::InvalidUtf8) });
        let payloads: Vec<u8> = support::sent(&mut conn).into_iter().flat_map(|frame| frame.payload).collect();
        assert_eq!(payloads, text, "what was refused left nothing behind");
    }
}
