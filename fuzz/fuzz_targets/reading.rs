//! Messages read directly into place, and through the input, in reads of any size: the same events, output and state as
//! when everything is received in one call.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{Config, Connection, Event, Negotiated, Role, Scratch, Seed};
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

/// One read, and whether a scratch is attached for it.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Reading {
    most: u16,
    buffer: u16,
    directly: bool,
    lends: bool,
    gives_back: bool,
    /// The number of bytes that are reported as read beyond those that fit.
    too_many: u8,
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
        let mut buffer = vec![0; usize::from(read.buffer) + 1];
        let most = wire.len().min(usize::from(read.most) + 1);
        let (count, rest) = match watched.conn.read_buffer().filter(|_| read.directly) {
            Some(space) => {
                let direct = most.min(space.len());
                let count = most.min(direct + buffer.len());
                space[..direct].copy_from_slice(&wire[..direct]);
                let claimed = if direct == space.len() { direct + usize::from(read.too_many) } else { direct };
                assert_eq!(watched.conn.commit_read(claimed), direct);
                (count, &wire[direct..count])
            }
            None => {
                let count = most.min(buffer.len());
                (count, &wire[..count])
            }
        };
        buffer[..rest.len()].copy_from_slice(rest);
        wire = &wire[count..];
        watched.receive(&buffer[..rest.len()], |conn, event| {
            tell(&event);
            if read.gives_back {
                conn.recycle(payload(event));
            }
        });
        scratch = watched.conn.detach_scratch().or(scratch);
    }
}

/// Events, with the chunks of a message joined.
fn tell(told: &mut Vec<(String, Vec<u8>)>, event: &Event<'_>) {
    match (told.last_mut(), event) {
        (Some((what, data)), Event::Chunk(chunk)) if what == "pieces" && !chunk.is_first() => {
            data.extend(chunk.parts().concat());
        }
        (_, Event::Chunk(chunk)) => told.push(("pieces".into(), chunk.parts().concat())),
        (_, Event::Text(text)) => told.push(("text".into(), text.as_bytes().to_vec())),
        (_, Event::Binary(data)) => told.push(("binary".into(), data.to_vec())),
        (_, event) => told.push((format!("{event:?}"), Vec::new())),
    }
}
