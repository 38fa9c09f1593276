//! A client accepts any bytes as response and frames: it never panics, ends once, and its output is well-formed.
//!
//! Input: one byte of choices (1: small limits), then the bytes received, where `@ACCEPT@` is replaced by the right
//! answer to the client's key.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, Event};
use websocket_proto_fuzz::{Watched, config, response};

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|data: &[u8]| {
    static ACCEPT: OnceLock<Vec<u8>> = OnceLock::new();
    let Some((choice, bytes)) = data.split_first() else { return };
    let small = choice & 1 != 0;
    let accept = ACCEPT.get_or_init(response::accept);
    let bytes = response::fill_in(bytes, accept);
    let mut conn = response::client(config(small));
    let request = conn.output().take().unwrap();
    let mut client = Watched::new(conn);
    let mut is_open = false;
    client.receive(&bytes, |conn, event| match event {
        Event::Open(response) => {
            is_open = true;
            assert_eq!(response.status(), 101);
            assert_eq!(response.header("Sec-WebSocket-Accept").map(str::as_bytes), Some(&accept[..]));
            assert_eq!(conn.subprotocol(), response.header("Sec-WebSocket-Protocol"));
        }
        Event::Rejected(response) => {
            assert_ne!(response.status(), 101);
            assert!(response.body().len() <= if small { 16 } else { 64 << 10 });
        }
        Event::Text(text) => _ = conn.send_text(&text),
        Event::Binary(data) => _ = conn.send(data),
        _ => {}
    });

    let rest = client.end();
    assert!(request.starts_with(b"GET /chat HTTP/1.1\r\n"));
    let sent = support::frames(&rest);
    assert!(is_open || sent.is_empty());
    assert!(sent.iter().all(|frame| frame.key.is_some()));
    let said_close = sent.last().is_some_and(|frame| frame.first == 0x88);
    assert_eq!(said_close, is_open && client.closed().unwrap().cause != Cause::Eof);
});
