//! The same bytes give the same events, output and state, in one piece and cut anywhere.
//!
//! Input: one byte of choices, four bytes of piece lengths that are used over and over, then what arrives. Bits of the
//! first byte: 1 small limits, 2 a client, 4 already open, 8 answer requests only when all has arrived.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Connection, Event, Negotiated, Response, Seed};
use websocket_proto_fuzz::{Watched, config, pieces, response};

#[path = "../../tests/support/mod.rs"]
mod support;

fuzz_target!(|data: &[u8]| {
    static ACCEPT: OnceLock<Vec<u8>> = OnceLock::new();
    let Some((choice, rest)) = data.split_first() else { return };
    let Some((lengths, bytes)) = rest.split_first_chunk() else { return };
    let bytes = response::fill_in(bytes, ACCEPT.get_or_init(response::accept));
    let whole = run(*choice, &[&bytes]);
    let cut = run(*choice, &pieces(&bytes, *lengths));
    assert_eq!(whole, cut);
});

fn run(choice: u8, pieces: &[&[u8]]) -> Vec<String> {
    let [small, client, open, late] = [1, 2, 4, 8].map(|bit| choice & bit != 0);
    let config = config(small);
    let seed = Seed::new([7; 32]);
    let mut conn = Watched::new(match (client, open) {
        (false, false) => Connection::server(config),
        (true, false) => response::client(config),
        (false, true) => Connection::upgraded_server(Negotiated::new(), config),
        (true, true) => Connection::upgraded_client(Negotiated::new(), config, seed),
    });
    let mut told = Vec::new();
    for piece in pieces {
        conn.receive(piece, |conn, event| {
            told.push(describe(&event));
            if matches!(event, Event::Request(_)) && !late {
                conn.accept(Response::new()).unwrap();
            }
        });
    }
    if late {
        told.push(format!("{:?}", conn.conn.accept(Response::new())));
        conn.receive(&[], |_, event| told.push(describe(&event)));
    }
    let (state, shutdown) = (conn.conn.state(), conn.conn.wants_shutdown());
    told.push(format!("{state:?} {shutdown:?} {:?}", conn.conn.subprotocol()));
    told.push(format!("{:02x?}", support::drain(&mut conn.conn)));
    told.push(format!("{:02x?}", conn.end()));
    told.push(format!("{:?}", conn.closed()));
    told
}

fn describe(event: &Event<'_>) -> String {
    let headers: Vec<(&str, &[u8])> = match event {
        Event::Request(request) | Event::HttpRequest(request) => request.headers().collect(),
        Event::Open(response) | Event::Rejected(response) => response.headers().collect(),
        _ => Vec::new(),
    };
    format!("{event:?} {headers:?}")
}
