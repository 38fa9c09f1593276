//! Messages read directly into place, and through the input, in reads of any size: the same events, output and state as
//! when everything is received in one call.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{Config, Connection, Event, Negotiated, Role, Scratch, Seed};
use websocket_proto_fuzz::reading::{Reading, tell};
use websocket_proto_fuzz::{Watched, payload};

#[path = "../../tests/support/mod.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Script {
    client: bool,
    chunk_threshold: Option<u16>,
    max_message: Option<u32>,
    frames: Vec<(u8, u32)>,
    reads: Vec<Reading>,
}

/// The longest frame: several times the size from which messages are read directly.
const LONGEST: u32 = 100_000;

fuzz_target!(|script: Script| {
    if script.reads.is_empty() || script.frames.len() > 8 {
        return;
    }
    let mut config = Config::new();
    if let Some(from) = script.chunk_threshold {
        config = config.chunk_threshold(from.into());
    }
    if let Some(most) = script.max_message {
        config = config.max_message_size((most % (4 * LONGEST)).into());
    }
    let open = || match script.client {
        true => Connection::upgraded_client(Negotiated::new(), config.clone(), Seed::new([7; 32])),
        false => Connection::upgraded_server(Negotiated::new(), config.clone()),
    };
    let from = if script.client { Role::Server } else { Role::Client };
    let mut wire = Vec::new();
    for &(first, length) in &script.frames {
        let length = length % if first & 8 == 0 { LONGEST } else { 126 };
        let bytes: Vec<u8> = (0..length).map(|i| (i.wrapping_mul(i) % 251) as u8 & 0x7f).collect();
        wire.extend(support::frame(from, first, &bytes));
    }

    let mut whole = Watched::new(open());
    let mut expected = Vec::new();
    whole.receive(&wire, |_, event| tell(&mut expected, &event));
    let mut read = Watched::new(open());
    let mut told = Vec::new();
    run(&mut read, &wire, &script.reads, |event| tell(&mut told, event));
    assert_eq!(told, expected);
    assert_eq!((read.conn.state(), read.conn.wants_shutdown()), (whole.conn.state(), whole.conn.wants_shutdown()));
    assert_eq!(support::drain(&mut read.conn), support::drain(&mut whole.conn));
});

fn run(watched: &mut Watched, mut wire: &[u8], reads: &[Reading], mut tell: impl FnMut(&Event<'_>)) {
    let mut scratch = Some(Scratch::new());
    for read in reads.iter().cycle() {
        if wire.is_empty() {
            return;
        }
        if let Some(scratch) = scratch.take_if(|_| read.lends) {
            watched.conn.attach_scratch(scratch);
        }
        let (direct, count) = read.read(&mut watched.conn, wire);
        let rest = &wire[direct..count];
        wire = &wire[count..];
        watched.receive(rest, |conn, event| {
            tell(&event);
            if read.gives_back {
                conn.recycle(payload(event));
            }
        });
        scratch = watched.conn.detach_scratch().or(scratch);
    }
}
