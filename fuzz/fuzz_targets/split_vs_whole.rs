//! The same bytes give the same events, output and state, whole and split anywhere, with a connection's own buffers and
//! with shared ones.
//!
//! Input: one byte of choices, four bytes of chunk lengths that are used over and over, then the bytes received. Bits
//! of the first byte: 1 small limits, 2 a client, 4 already open, 8 answer requests only after all bytes have arrived,
//! 64 large messages in chunks, 128 a scratch attached while the split bytes are received.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, Connection, Event, MessageKind, Negotiated, ProtocolError, Scratch, Seed, server};
use websocket_proto_fuzz::{PIECES_FROM, Watched, config, payload, pieces, response};

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|data: &[u8]| {
    static ACCEPT: OnceLock<Vec<u8>> = OnceLock::new();
    let Some((choice, rest)) = data.split_first() else { return };
    let Some((lengths, bytes)) = rest.split_first_chunk() else { return };
    let bytes = response::fill_in(bytes, ACCEPT.get_or_init(response::accept));
    let whole = run(*choice, &[&bytes], None);
    let scratch = (choice & 128 != 0).then(Scratch::new);
    let cut = run(*choice, &pieces(&bytes, *lengths), scratch);
    assert_eq!(whole, cut);
});

#[derive(Debug, PartialEq)]
enum Told {
    Thing(String),
    /// Chunks of a message with no event between them.
    Pieces {
        kind: MessageKind,
        first: bool,
        last: bool,
        data: Vec<u8>,
    },
}

fn run(choice: u8, pieces: &[&[u8]], mut scratch: Option<Scratch>) -> Vec<Told> {
    let [small, client, open, late, in_pieces] = [1, 2, 4, 8, 64].map(|bit| choice & bit != 0);
    let config = config(small);
    let config = if in_pieces { config.chunk_threshold(PIECES_FROM) } else { config };
    let seed = Seed::new([7; 32]);
    let mut conn = Watched::new(match (client, open) {
        (false, false) => Connection::server(config),
        (true, false) => response::client(config),
        (false, true) => Connection::upgraded_server(Negotiated::new(), config),
        (true, true) => Connection::upgraded_client(Negotiated::new(), config, seed),
    });
    let mut told = Vec::new();
    for piece in pieces {
        if let Some(scratch) = scratch.take() {
            conn.conn.attach_scratch(scratch);
        }
        conn.receive(piece, |conn, event| {
            tell(&mut told, &event);
            if matches!(event, Event::Request(_)) && !late {
                conn.accept(server::Response::new()).unwrap();
            }
            conn.recycle(payload(event));
        });
        scratch = conn.conn.detach_scratch();
    }
    if late {
        told.push(Told::Thing(format!("{:?}", conn.conn.accept(server::Response::new()))));
        conn.receive(&[], |_, event| tell(&mut told, &event));
    }
    let (state, shutdown) = (conn.conn.state(), conn.conn.wants_shutdown());
    told.extend(
        [
            format!("{state:?} {shutdown:?} {:?}", conn.conn.subprotocol()),
            format!("{:02x?}", support::drain(&mut conn.conn)),
            format!("{:02x?}", conn.end()),
            format!("{:?}", conn.closed()),
        ]
        .map(Told::Thing),
    );
    told
}

fn tell(told: &mut Vec<Told>, event: &Event<'_>) {
    match (told.last_mut(), event) {
        (Some(Told::Pieces { kind, last: last @ false, data, .. }), Event::Chunk(chunk)) => {
            assert_eq!((chunk.is_first(), chunk.kind()), (false, *kind));
            data.extend(chunk.parts().concat());
            *last = chunk.is_last();
        }
        (_, Event::Chunk(chunk)) => told.push(Told::Pieces {
            kind: chunk.kind(),
            first: chunk.is_first(),
            last: chunk.is_last(),
            data: chunk.parts().concat(),
        }),
        (end, event) => {
            // How much is delivered before invalid text depends on where the input is split.
            if matches!(event, Event::Closed(closed) if closed.cause == Cause::Protocol(ProtocolError::InvalidUtf8))
                && matches!(end, Some(Told::Pieces { last: false, .. }))
            {
                told.pop();
            }
            told.push(Told::Thing(describe(event)));
        }
    }
}

fn describe(event: &Event<'_>) -> String {
    let headers: Vec<(&str, &[u8])> = match event {
        Event::Request(request) | Event::HttpRequest(request) => request.headers().collect(),
        Event::Open(response) | Event::Rejected(response) => response.headers().collect(),
        _ => Vec::new(),
    };
    format!("{event:?} {headers:?}")
}
