//! Compressed messages built block by block, with any codes, cut at any bit, with damage and with garbage after them, are
//! delivered or refused as RFC 7692 section 7.2.2 says: by what the blocks mean, by a naive inflater that is strict about the
//! end of a message, and by the decoder of `miniz_oxide`.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use websocket_proto::{
    Cause, Config, Connection, DeflateConfig, Event, Negotiated, ProtocolError, Role, Scratch, Seed,
};
use websocket_proto_fuzz::deflate::{Block, Writer, expand, resolve};
use websocket_proto_fuzz::{Watched, pieces};

#[path = "../../tests/support/inflate.rs"]
mod inflate;
#[path = "../../tests/support/mod.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Input {
    client: bool,
    takeover: bool,
    /// The negotiated window, from 8 to 15 bits.
    window: u8,
    lends: bool,
    /// Lengths of the chunks that the input is split into, used over and over.
    lengths: [u8; 4],
    messages: Vec<Message>,
}

#[derive(Arbitrary, Debug)]
struct Message {
    blocks: Vec<Block>,
    end: Option<End>,
    /// The lengths of its fragments. The rest is in a last one.
    fragments: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
enum End {
    /// The last so many bits are missing.
    Cut(u16),
    /// Bits that are inverted.
    Damaged(Vec<u16>),
    Garbage(Vec<u8>),
    /// No empty block.
    NoEnd,
}

/// More than a script can inflate to, unless damage makes it so.
const MOST: u64 = 4 << 20;

/// The longest payload that is judged.
const LONGEST: usize = 80_000;

/// The number of final blocks that are followed by a stream which may refer to everything before it. The engine copies no
/// more than that for a peer that sends little else.
const MOST_FINAL: usize = 16;

fuzz_target!(|input: Input| {
    let mut input = input;
    let mut past = 0;
    for message in &mut input.messages {
        past = resolve(&mut message.blocks, if input.takeover { past.min(1 << (8 + input.window % 8)) } else { 0 });
    }
    let payloads: Vec<_> = input.messages.iter().map(Message::payload).collect();
    if payloads.iter().any(|payload| payload.len() > LONGEST) {
        return;
    }
    let from = if input.client { Role::Server } else { Role::Client };
    let mut bytes = Vec::new();
    for (message, payload) in input.messages.iter().zip(&payloads) {
        bytes.extend(message.frames(from, payload));
    }
    let whole = run(&input, &[&bytes], None);
    let keeps_to_window = judge(&input, &payloads, &whole);
    if bytes.len() < 10_000 {
        let cut = run(&input, &pieces(&bytes, input.lengths), input.lends.then(Scratch::new));
        assert_eq!(judge(&input, &payloads, &cut), keeps_to_window);
        assert!(whole == cut || !keeps_to_window);
    }
});

impl Message {
    fn payload(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.blocks.iter().for_each(|block| writer.block(block));
        if !matches!(self.end, Some(End::NoEnd)) {
            writer.end();
        }
        let bits = writer.bits();
        match &self.end {
            None | Some(End::NoEnd) => writer.into_bytes(bits),
            Some(End::Cut(missing)) => writer.into_bytes(bits - usize::from(*missing) % (bits + 1)),
            Some(End::Damaged(places)) => {
                let mut bytes = writer.into_bytes(bits);
                for &place in places {
                    let place = usize::from(place) % bits;
                    bytes[place / 8] ^= 1 << (place % 8);
                }
                bytes
            }
            Some(End::Garbage(garbage)) => [&writer.into_bytes(bits)[..], garbage].concat(),
        }
    }

    /// What its blocks inflate to, if nothing was done to them.
    fn meaning(&self, past: &[u8], window: usize) -> Option<Vec<u8>> {
        let mut all = past.to_vec();
        expand(&self.blocks, &mut all, window)?;
        self.end.is_none().then(|| all.split_off(past.len()))
    }

    fn frames(&self, from: Role, mut payload: &[u8]) -> Vec<u8> {
        let mut frames = Vec::new();
        let mut first = 0x42;
        for &length in &self.fragments {
            let (fragment, rest) = payload.split_at(payload.len().min(length.into()));
            frames.extend(support::frame(from, first, fragment));
            (first, payload) = (0, rest);
        }
        frames.extend(support::frame(from, first | 0x80, payload));
        frames
    }
}

impl Input {
    fn window(&self) -> u8 {
        8 + self.window % 8
    }
}

type Told = Result<Vec<u8>, Cause>;

fn run(input: &Input, pieces: &[&[u8]], mut scratch: Option<Scratch>) -> Vec<Told> {
    let settings = DeflateConfig::new()
        .server_no_context_takeover(!input.takeover)
        .client_no_context_takeover(!input.takeover)
        .server_max_window_bits(input.window())
        .client_max_window_bits(input.window());
    let (_, params) = settings.answer([settings.offer().as_bytes()]).unwrap();
    let negotiated = Negotiated::new().deflate(params);
    let config = Config::new().max_message_size(MOST).deflate(settings);
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
        conn.receive(piece, |conn, event| match event {
            Event::Binary(data) => {
                told.push(Ok(data.to_vec()));
                conn.recycle(data);
            }
            Event::Closed(closed) => told.push(Err(closed.cause)),
            event => panic!("{event:?}"),
        });
        scratch = conn.conn.detach_scratch();
    }
    told
}

/// Returns whether no message refers to others from beyond the negotiated window. One that does may be delivered or refused: a
/// connection has such bytes as long as its inflater serves no other.
fn judge(input: &Input, payloads: &[Vec<u8>], told: &[Told]) -> bool {
    let (window, mut past, mut finals) = (1 << input.window(), Vec::new(), 0);
    let (mut other, mut keeps_to_window) = (Other::default(), true);
    for ((message, payload), told) in input.messages.iter().zip(payloads).zip(told) {
        let near = &past[past.len().saturating_sub(window)..];
        let inflated = inflated(payload, &past);
        keeps_to_window &= inflated == self::inflated(payload, near);
        match (told, inflated) {
            (Ok(told), Ok((bytes, final_blocks))) => {
                assert_eq!(told, &bytes);
                finals += final_blocks;
                if let Some(meaning) = message.meaning(near, window) {
                    assert_eq!(told, &meaning);
                }
                if !payload.is_empty() {
                    other.check(payload, told, finals > 0);
                }
            }
            (Err(Cause::Protocol(ProtocolError::Deflate)), Err(_)) => {
                assert_eq!(message.meaning(near, window), None);
                return keeps_to_window;
            }
            // How much came out before the fault is not known.
            (Err(Cause::Protocol(ProtocolError::MessageTooLarge)), inflated) => {
                assert!(inflated.is_err() || inflated.is_ok_and(|(bytes, _)| bytes.len() as u64 > MOST));
                return keeps_to_window;
            }
            (Err(Cause::Protocol(ProtocolError::Deflate)), Ok((_, final_blocks))) => {
                assert!(!keeps_to_window || finals + final_blocks > MOST_FINAL, "it is valid");
                return false;
            }
            (told, inflated) => panic!("{told:?}, but {:?}", inflated.err()),
        }
        if input.takeover {
            past.extend(told.as_ref().unwrap());
            past.drain(..past.len().saturating_sub(32_768));
        } else {
            past.clear();
            other = Other::default();
        }
    }
    let failed = told.last().is_some_and(Result::is_err);
    assert!(failed || told.len() == input.messages.len());
    keeps_to_window
}

/// The bytes of a message, and the number of its final blocks.
fn inflated(payload: &[u8], past: &[u8]) -> Result<(Vec<u8>, usize), inflate::Fault> {
    // An empty payload is an empty message, and there is nothing to inflate.
    if payload.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let inflated = inflate::inflate(payload, past, 32_768)?;
    Ok((inflated.bytes, inflated.blocks.iter().filter(|block| block.last).count()))
}

/// A decoder that none of us has written, and what it has inflated of the messages with one context.
#[derive(Default)]
struct Other {
    compressed: Vec<u8>,
    inflated: Vec<u8>,
    has_final: bool,
}

impl Other {
    fn check(&mut self, payload: &[u8], told: &[u8], has_final: bool) {
        self.has_final |= has_final;
        self.compressed.extend([payload, &inflate::TAIL].concat());
        self.inflated.extend(told);
        // It stops after a final block.
        if self.has_final || self.inflated.len() > 1 << 18 {
            return;
        }
        let mut space = vec![0; self.inflated.len() + 300];
        let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
        let (status, _, written) = decompress(&mut DecompressorOxide::new(), &self.compressed, &mut space, 0, flags);
        assert_eq!((status, &space[..written]), (TINFLStatus::NeedsMoreInput, &self.inflated[..]));
    }
}
