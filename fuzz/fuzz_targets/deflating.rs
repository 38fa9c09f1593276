//! Two pairs of endpoints with any negotiated compression send anything in any way: neither finds fault with the other,
//! and everything arrives in order, while all four share the buffers, compressors and inflaters of one thread.
#![no_main]

use std::collections::VecDeque;

use arbitrary::Arbitrary;
use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{
    Config, Connection, DeflateConfig, Event, MessageKind, Negotiated, PreparedMessage, Scratch, Seed, SendError,
};
use websocket_proto_fuzz::Watched;

#[derive(Arbitrary, Debug)]
struct Script {
    pairs: [[Settings; 2]; 2],
    chunk_threshold: Option<u8>,
    actions: Vec<(Who, Action)>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Settings {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: u8,
    client_max_window_bits: u8,
    level: u8,
    memory_level: u8,
    min_size: u8,
}

/// Selects a pair and one of its endpoints, and whether it uses the thread's scratch.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Who {
    second_pair: bool,
    server: bool,
    lends: bool,
}

#[derive(Arbitrary, Debug)]
enum Action {
    Text(Data),
    Binary(Data),
    Owned(Data),
    /// True for a prepared message that has a compressed form as well.
    Prepared(bool, Data),
    Fragment {
        text: bool,
        data: Data,
        last: bool,
    },
    Compress(bool),
    Ping(u8),
    /// Moves at most so many bytes of the output to the peer, and reads them.
    Move(u16),
}

#[derive(Arbitrary, Debug)]
enum Data {
    Bytes(Vec<u8>),
    Repeated(u8, u16),
    /// Random bytes that repeat only each other.
    Stretch(u16, u16),
}

impl Data {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Repeated(byte, length) => vec![*byte; usize::from(*length)],
            Self::Stretch(from, length) => {
                let numbers =
                    std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
                let length = usize::from(*length) % 5_000;
                numbers.map(|number| (number >> 24) as u8 & 0x7f).skip(usize::from(*from)).take(length).collect()
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }
}

/// Bytes in transit to the other side.
#[derive(Debug, PartialEq)]
enum Sent {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
}

struct End {
    watched: Watched,
    settings: DeflateConfig,
    expected: VecDeque<Sent>,
    unfinished: Vec<u8>,
    /// The message that arrives in chunks.
    pieces: Vec<u8>,
    chunk_threshold: u64,
}

fuzz_target!(|script: Script| {
    let chunk_threshold = script.chunk_threshold.map_or(u64::MAX, u64::from);
    let mut pairs = script.pairs.map(|pair| ends(pair.map(deflate), chunk_threshold));
    let mut scratch = Some(Scratch::new());
    for (who, action) in script.actions {
        let pair = &mut pairs[usize::from(who.second_pair)];
        let [client, server] = pair;
        let (this, other) = if who.server { (server, client) } else { (client, server) };
        if who.lends {
            this.watched.conn.attach_scratch(scratch.take().unwrap());
        }
        act(this, other, action);
        if who.lends {
            scratch = this.watched.conn.detach_scratch();
        }
    }
    for [client, server] in &mut pairs {
        while client.moves(server, usize::MAX) | server.moves(client, usize::MAX) {}
        assert_eq!((&client.expected, &server.expected), (&VecDeque::new(), &VecDeque::new()));
        assert!(client.watched.closed().is_none() && server.watched.closed().is_none());
    }
});

fn deflate(settings: Settings) -> DeflateConfig {
    DeflateConfig::new()
        .server_no_context_takeover(settings.server_no_context_takeover)
        .client_no_context_takeover(settings.client_no_context_takeover)
        .server_max_window_bits(settings.server_max_window_bits)
        .client_max_window_bits(settings.client_max_window_bits)
        .level(settings.level)
        .memory_level(settings.memory_level)
        .min_size(settings.min_size.into())
}

/// A client and a server that negotiated compression.
fn ends([client, server]: [DeflateConfig; 2], chunk_threshold: u64) -> [End; 2] {
    let (answer, params) = server.answer([client.offer().as_bytes()]).unwrap();
    assert_eq!(client.check([answer.as_bytes()]), Ok(Some(params)));
    let negotiated = || Negotiated::new().deflate(params);
    let config = |settings: &DeflateConfig| Config::new().chunk_threshold(chunk_threshold).deflate(settings.clone());
    let ends = [
        (Connection::upgraded_client(negotiated(), config(&client), Seed::new([7; 32])), client),
        (Connection::upgraded_server(negotiated(), config(&server)), server),
    ];
    ends.map(|(conn, settings)| End {
        watched: Watched::new(conn),
        settings,
        expected: VecDeque::new(),
        unfinished: Vec::new(),
        pieces: Vec::new(),
        chunk_threshold,
    })
}

fn act(this: &mut End, other: &mut End, action: Action) {
    let conn = &mut this.watched.conn;
    let (result, message) = match &action {
        Action::Text(data) => (conn.send_text(&data.text()), (MessageKind::Text, data.text().into())),
        Action::Binary(data) => (conn.send_binary(&data.bytes()), (MessageKind::Binary, data.bytes())),
        Action::Owned(data) => (conn.send(data.bytes()), (MessageKind::Binary, data.bytes())),
        Action::Prepared(compressed, data) => {
            let message = if *compressed {
                PreparedMessage::compressed(data.text(), &this.settings)
            } else {
                PreparedMessage::new(data.text())
            };
            (conn.send_prepared(&message), (MessageKind::Text, data.text().into()))
        }
        Action::Fragment { text, data, last } => {
            let kind = if *text { MessageKind::Text } else { MessageKind::Binary };
            if conn.send_fragment(kind, &data.bytes(), *last).is_ok() {
                this.unfinished.extend(data.bytes());
                if *last {
                    other.expected.push_back(Sent::Message(kind, std::mem::take(&mut this.unfinished)));
                }
            }
            return;
        }
        Action::Compress(on) => return conn.set_compression(*on),
        Action::Ping(byte) => {
            if conn.ping(&[*byte]).is_ok() {
                other.expected.push_back(Sent::Ping(vec![*byte]));
            }
            return;
        }
        Action::Move(count) => {
            this.moves(other, (*count).into());
            return;
        }
    };
    match result {
        Ok(()) => other.expected.push_back(Sent::Message(message.0, message.1)),
        Err(error) => assert!(matches!(error, SendError::UnfinishedMessage | SendError::OutputFull), "{error}"),
    }
}

impl End {
    /// Moves at most so many bytes, chunk by chunk. Returns whether any moved.
    fn moves(&mut self, other: &mut Self, mut count: usize) -> bool {
        let output = self.watched.conn.output();
        let mut moved = false;
        while count > 0 && output.has_remaining() {
            let mut chunk = output.chunk()[..output.chunk().len().min(count)].to_vec();
            output.advance(chunk.len());
            count -= chunk.len();
            moved = true;
            let mut input = &mut chunk[..];
            while let Some(event) = other.watched.step(&mut input) {
                let (expected, pieces) = (&mut other.expected, &mut other.pieces);
                if let Some(used) = hear(expected, pieces, other.chunk_threshold, event) {
                    other.watched.conn.recycle(used);
                }
            }
        }
        moved
    }
}

/// Checks that the expected message arrives next. Returns the buffer of an assembled one.
fn hear(
    expected: &mut VecDeque<Sent>,
    pieces: &mut Vec<u8>,
    chunk_threshold: u64,
    event: Event<'_>,
) -> Option<Vec<u8>> {
    let (sent, used) = match event {
        Event::Text(text) => {
            assert!((text.len() as u64) < chunk_threshold);
            (Sent::Message(MessageKind::Text, text.as_bytes().to_vec()), Some(text.into_owned().into_bytes()))
        }
        Event::Binary(data) => {
            assert!((data.len() as u64) < chunk_threshold);
            (Sent::Message(MessageKind::Binary, data.to_vec()), Some(data.into_owned()))
        }
        Event::Chunk(chunk) => {
            assert_eq!(chunk.is_first(), pieces.is_empty());
            pieces.extend(chunk.parts().concat());
            if !chunk.is_last() {
                return None;
            }
            assert!(pieces.len() as u64 >= chunk_threshold);
            (Sent::Message(chunk.kind(), std::mem::take(pieces)), None)
        }
        Event::Ping(payload) => (Sent::Ping(payload.to_vec()), None),
        Event::Pong(_) => return None,
        event => panic!("{event:?}"),
    };
    assert_eq!(expected.pop_front(), Some(sent));
    used
}
