//! A server accepts any bytes from the handshake on: it never panics, ends once, and its output is well-formed.
//!
//! Input: one byte of choices, then the bytes received. Bits of the first byte: 1 small limits, 2 answer plain HTTP
//! with a page, 4 reject requests, 8 answer only after all bytes have arrived.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, Connection, Event, State, server};
use websocket_proto_fuzz::{Watched, config, split_head};

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let [small, page, reject, late] = [1, 2, 4, 8].map(|bit| choice & bit != 0);
    let mut server = Watched::new(Connection::server(config(small)));
    let answer = |conn: &mut Connection, chosen: Option<&str>| {
        if reject {
            conn.reject(server::Rejection::new(403).body("no")).unwrap();
        } else {
            conn.accept(server::Response::new().subprotocol(chosen)).unwrap();
        }
    };

    let mut waits = None;
    server.receive(bytes, |conn, event| match event {
        Event::Request(request) => {
            let chosen = request.subprotocols().last();
            if late {
                waits = Some(chosen.map(str::to_owned));
            } else {
                answer(conn, chosen);
                assert_eq!(conn.subprotocol(), chosen.filter(|_| !reject));
            }
        }
        Event::HttpRequest(_) => {
            assert!(conn.accept(server::Response::new()).is_err());
            if page {
                conn.reject(server::Rejection::new(200).body("page")).unwrap();
            }
        }
        event => echo(conn, event),
    });
    if let Some(chosen) = waits.filter(|_| server.conn.state() == State::Connecting) {
        answer(&mut server.conn, chosen.as_deref());
        server.receive(&[], echo);
    }

    let output = server.end();
    let Some((head, rest)) = split_head(&output) else {
        assert!(output.is_empty());
        return;
    };
    assert!(head.starts_with(b"HTTP/1.1 "));
    if head.starts_with(b"HTTP/1.1 101 ") {
        let sent = support::frames(rest);
        assert!(sent.iter().all(|frame| frame.key.is_none()));
        let said_close = sent.last().is_some_and(|frame| frame.first == 0x88);
        assert_eq!(said_close, server.closed().unwrap().cause != Cause::Eof);
    } else {
        assert!(matches!(server.closed().unwrap().cause, Cause::Handshake(_) | Cause::Rejected(_)));
    }
});

fn echo(conn: &mut Connection, event: Event<'_>) {
    // A full output rejects the message, and is not drained here.
    let _ = match event {
        Event::Text(text) => conn.send_text(&text),
        Event::Binary(data) => conn.send(data),
        _ => return,
    };
}
