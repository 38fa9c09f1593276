//! Compressed messages of any bytes give the same events whole and split anywhere, with the connection's own inflater
//! and a shared one, and those that a naive inflater gives, which is written from RFC 1951 alone.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{
    Cause, CloseCode, Config, Connection, DeflateConfig, Event, MessageKind, Negotiated, ProtocolError, Role, Scratch,
    Seed,
};
use websocket_proto_fuzz::{PIECES_FROM, Watched, payload, pieces};

#[path = "../../tests/support/inflate.rs"]
mod inflate;
#[path = "../../tests/support/mod.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Input {
    client: bool,
    takeover: bool,
    /// Limits messages to a few bytes.
    small: bool,
    in_pieces: bool,
    lends: bool,
    /// Lengths of the chunks that the input is split into, used over and over.
    lengths: [u8; 4],
    messages: Vec<Message>,
}

#[derive(Arbitrary, Debug)]
struct Message {
    text: bool,
    plain: bool,
    /// Adds a ping after each fragment.
    pings: bool,
    /// Repeats the payload so many times, in the fragments between.
    times: u8,
    fragments: Vec<Vec<u8>>,
    /// Appends the header bits of an empty block, as messages end.
    ends: bool,
}

/// The longest message, with small limits and without.
const SMALL: u64 = 40;
const LARGE: u64 = 200_000;

/// The largest message that the naive inflater is asked for.
const MOST: usize = 1 << 20;

fuzz_target!(|input: Input| {
    let from = if input.client { Role::Server } else { Role::Client };
    let bytes: Vec<u8> = input.messages.iter().flat_map(|message| wire(from, message)).collect();
    let whole = run(&input, &[&bytes], None);
    let cut = run(&input, &pieces(&bytes, input.lengths), input.lends.then(Scratch::new));
    assert_eq!(without_part(whole.clone()), without_part(cut));
    judge(&input, &whole);
});

#[derive(Clone, Debug, PartialEq)]
enum Told {
    Message(MessageKind, Vec<u8>),
    /// The chunks received of an incomplete message.
    Part(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Closed(Cause),
}

fn wire(from: Role, message: &Message) -> Vec<u8> {
    let payloads = payloads(message);
    let mut bytes = Vec::new();
    for (i, payload) in payloads.iter().enumerate() {
        let kind = if message.text { 1 } else { 2 };
        let first = if i == 0 { kind | if message.plain { 0 } else { 0x40 } } else { 0 };
        let fin = if i + 1 == payloads.len() { 0x80 } else { 0 };
        bytes.extend(support::frame(from, first | fin, payload));
        if message.pings {
            bytes.extend(support::frame(from, 0x89, b"?"));
        }
    }
    bytes
}

/// The payloads of the message's frames.
fn payloads(message: &Message) -> Vec<Vec<u8>> {
    let mut payloads: Vec<_> =
        message.fragments.iter().map(|fragment| fragment.repeat(1 + usize::from(message.times))).collect();
    if message.ends || payloads.is_empty() {
        payloads.push(vec![0]);
    }
    payloads
}

fn run(input: &Input, pieces: &[&[u8]], mut scratch: Option<Scratch>) -> Vec<Told> {
    let settings =
        DeflateConfig::new().server_no_context_takeover(!input.takeover).client_no_context_takeover(!input.takeover);
    let (_, params) = settings.answer([settings.offer().as_bytes()]).unwrap();
    let negotiated = Negotiated::new().deflate(params);
    let limit = limit(input);
    let config = Config::new().max_message_size(limit).max_chunked_message_size(limit).deflate(settings);
    let config = if input.in_pieces { config.chunk_threshold(PIECES_FROM) } else { config };
    let mut conn = Watched::new(if input.client {
        Connection::upgraded_client(negotiated, config, Seed::new([7; 32]))
    } else {
        Connection::upgraded_server(negotiated, config)
    });
    let mut told = Vec::new();
    for piece in pieces {
        if let Some(scratch) = scratch.take() {
            conn.conn.attach_scratch(scratch);
        }
        conn.receive(piece, |conn, event| {
            tell(&mut told, &event, input.in_pieces);
            conn.recycle(payload(event));
        });
        scratch = conn.conn.detach_scratch();
    }
    if conn.closed().is_none() {
        conn.conn.close(CloseCode::NORMAL, "").unwrap();
    }
    conn.end();
    told
}

fn limit(input: &Input) -> u64 {
    if input.small { SMALL } else { LARGE }
}

fn tell(told: &mut Vec<Told>, event: &Event<'_>, in_pieces: bool) {
    let whole = |data: &[u8]| assert!(!in_pieces || (data.len() as u64) < PIECES_FROM);
    let next = match event {
        Event::Text(text) => {
            whole(text.as_bytes());
            Told::Message(MessageKind::Text, text.as_bytes().to_vec())
        }
        Event::Binary(data) => {
            whole(data);
            Told::Message(MessageKind::Binary, data.to_vec())
        }
        Event::Chunk(chunk) => {
            assert!(in_pieces);
            let mut data = Vec::new();
            if !chunk.is_first() {
                // Pings may appear between chunks.
                let at = told.iter().rposition(|told| matches!(told, Told::Part(..))).unwrap();
                let Told::Part(kind, before) = told.remove(at) else { unreachable!() };
                assert_eq!(kind, chunk.kind());
                data = before;
            }
            data.extend(chunk.parts().concat());
            let make = if chunk.is_last() { Told::Message } else { Told::Part };
            assert!(!chunk.is_last() || data.len() as u64 >= PIECES_FROM);
            make(chunk.kind(), data)
        }
        Event::Ping(payload) => Told::Ping(payload.to_vec()),
        Event::Closed(closed) => Told::Closed(closed.cause),
        event => panic!("{event:?}"),
    };
    told.push(next);
}

/// The chunks delivered of an invalid message before the error depend on where the input is split, and so does the
/// position of the pings between them.
fn without_part(mut told: Vec<Told>) -> Vec<Told> {
    told.retain(|told| !matches!(told, Told::Part(..)));
    told
}

/// The result that RFC 1951 requires, message by message.
fn judge(input: &Input, told: &[Told]) {
    let mut inflater = inflate::Inflater::new(15, input.takeover);
    let mut told = told.iter().filter(|told| !matches!(told, Told::Ping(_) | Told::Part(..)));
    let limit = limit(input) as usize;
    for message in &input.messages {
        let payload = payloads(message).concat();
        let compressed = !message.plain;
        let told = told.next();
        if let Some(Told::Closed(Cause::Protocol(ProtocolError::FrameTooLarge | ProtocolError::TooManyFragments))) =
            told
        {
            return assert!(payload.len() > limit);
        }
        // Skips payloads that might inflate to more than `MOST`: DEFLATE shrinks by a factor of up to 1,032.
        if compressed && payload.len() > MOST / 1032 {
            return;
        }
        // The inflater sees nothing of an empty payload.
        let data = if compressed && !payload.is_empty() {
            inflater.message(&payload).map(|inflated| inflated.bytes)
        } else {
            Ok(payload.clone())
        };
        let kind = if message.text { MessageKind::Text } else { MessageKind::Binary };
        match (told, data) {
            (Some(Told::Message(told_kind, told)), Ok(data)) => {
                assert_eq!((*told_kind, told), (kind, &data));
                assert!(data.len() <= limit);
                assert!(!message.text || std::str::from_utf8(&data).is_ok());
            }
            (Some(Told::Closed(Cause::Protocol(error))), data) => {
                return match (error, data) {
                    (ProtocolError::MessageTooLarge, Ok(data)) => assert!(data.len() > limit || payload.len() > limit),
                    (ProtocolError::InvalidUtf8, Ok(data)) => {
                        assert!(message.text && std::str::from_utf8(&data).is_err());
                    }
                    // How much came out before the fault is not known.
                    (ProtocolError::Deflate | ProtocolError::MessageTooLarge, Err(_)) => assert!(compressed),
                    (ProtocolError::InvalidUtf8, Err(_)) => assert!(compressed && message.text),
                    (error, data) => panic!("{error}, but {data:?}"),
                };
            }
            (told, data) => panic!("{told:?}, but {data:?}"),
        }
    }
    assert!(matches!(told.next(), None | Some(Told::Closed(_))));
}
