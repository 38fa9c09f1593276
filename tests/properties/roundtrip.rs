//! Two endpoints connected in memory: each receives exactly what the other sends.

use std::collections::VecDeque;

use bytes::Buf;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use websocket_proto::{
    Cause, CloseCode, Config, Connection, Event, Message, MessageKind, PreparedMessage, Role, Scratch, State,
    TransportShutdown, server,
};

use crate::compression::{Compression, agreed, compression, switch};
use crate::generate::{Frame, LONG, Limits, cases, chunk_threshold, code, dial, encode, frames, reason};
use crate::reference::{Decoded, EventCollector, decode};
use crate::support::close_body;

/// An iteration of the loop of one of the endpoints.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Send,
    /// Write up to that many bytes, chunk by chunk.
    Write(usize),
    /// Take the next pending bytes with `take`.
    Take,
    /// Read up to that many bytes.
    Read(usize),
    /// Compress from the next message on, or don't.
    Compress(bool),
}

/// Selects the pair and the endpoint, the action, and whether a scratch is attached for it.
fn turn() -> impl Strategy<Value = (Index, usize, Turn, bool)> {
    let size = || prop_oneof![4 => 1..20usize, 2 => 1..300usize, 1 => Just(LONG)];
    let turn = prop_oneof![
        4 => Just(Turn::Send),
        4 => size().prop_map(Turn::Write),
        4 => Just(Turn::Take),
        4 => size().prop_map(Turn::Read),
        1 => any::<bool>().prop_map(Turn::Compress),
    ];
    (any::<Index>(), 0..2usize, turn, any::<bool>())
}

/// How a whole message is given to the connection.
#[derive(Clone, Copy, Debug)]
enum SendMethod {
    Borrowed,
    Owned,
    Prepared,
    PreparedCompressed,
}

/// A message or control frame, and the call that sends it.
#[derive(Clone, Debug)]
struct Script {
    frames: Vec<Frame>,
    close: Option<(CloseCode, String)>,
    /// From one message to the next, over and over.
    methods: Vec<SendMethod>,
    auto_pong: bool,
    chunk_threshold: u64,
    compression: Compression,
}

/// Two scripts, of which at least one ends with a Close frame.
fn scripts() -> impl Strategy<Value = [Script; 2]> {
    let script = |auto_pong| {
        // Every ping is answered while less than 64 KiB are pending.
        let frames = frames(if auto_pong { 5_000 } else { LONG });
        let methods = vec(
            select(
                &[SendMethod::Borrowed, SendMethod::Owned, SendMethod::Prepared, SendMethod::PreparedCompressed][..],
            ),
            1..4,
        );
        (frames, methods, chunk_threshold(), compression()).prop_map(
            move |(frames, methods, chunk_threshold, compression)| Script {
                frames,
                close: None,
                methods,
                auto_pong,
                chunk_threshold,
                compression,
            },
        )
    };
    let scripts = any::<bool>().prop_flat_map(move |auto_pong| (script(auto_pong), script(auto_pong)));
    let close = || (code(), reason());
    (scripts, 0..2usize, close(), option::of(close())).prop_map(|((one, two), first, close, other)| {
        let mut scripts = [one, two];
        scripts[first].close = Some(close);
        scripts[1 - first].close = other;
        scripts
    })
}

struct Endpoint {
    conn: Connection,
    script: VecDeque<Frame>,
    close: Option<(CloseCode, String)>,
    methods: Vec<SendMethod>,
    auto_pong: bool,
    compression: Compression,
    /// The negotiated compression, in `Debug` form.
    agreed: String,
    /// The kind of the fragmented message in progress.
    kind: MessageKind,
    sent: Vec<Frame>,
    received: EventCollector,
    /// Bytes that the other endpoint has written and this one hasn't read yet.
    arriving: Vec<u8>,
}

impl Endpoint {
    fn new(role: Role, script: Script) -> Self {
        let Script { frames, close, methods, auto_pong, chunk_threshold, compression } = script;
        let config = compression.config(Config::new().auto_pong(auto_pong).chunk_threshold(chunk_threshold));
        let conn = match role {
            Role::Client => dial(config),
            Role::Server => Connection::server(config),
        };
        Self {
            conn,
            script: frames.into(),
            close,
            methods,
            auto_pong,
            compression,
            agreed: String::new(),
            kind: MessageKind::Text,
            sent: Vec::new(),
            received: EventCollector::new(chunk_threshold),
            arriving: Vec::new(),
        }
    }

    /// Sends the next of the script. Returns false if nothing is left, or if nothing may be sent.
    fn send_next(&mut self) -> bool {
        if self.conn.state() != State::Open {
            return false;
        }
        if let Some(frame) = self.script.pop_front() {
            self.send(&frame);
            self.sent.push(frame);
        } else if let Some((code, reason)) = &self.close {
            self.conn.close(*code, reason).unwrap();
            self.sent.push(Frame { first: 0x88, payload: close_body(code.get(), reason) });
        } else {
            return false;
        }
        true
    }

    fn send(&mut self, Frame { first, payload }: &Frame) {
        let conn = &mut self.conn;
        let text = || str::from_utf8(payload).unwrap();
        let message = || match first {
            0x81 => Message::from(text().to_owned()),
            _ => Message::from(payload.clone()),
        };
        let sent = match first {
            0x81 | 0x82 => {
                let method = self.methods[0];
                self.methods.rotate_left(1);
                match method {
                    SendMethod::Borrowed if *first == 0x81 => conn.send_text(text()),
                    SendMethod::Borrowed => conn.send_binary(payload),
                    SendMethod::Owned => conn.send(message()),
                    SendMethod::Prepared => conn.send_prepared(&PreparedMessage::new(message())),
                    SendMethod::PreparedCompressed => conn.send_prepared(&self.compression.prepare(message())),
                }
            }
            0x89 => conn.ping(payload),
            0x8a => conn.pong(payload),
            first => {
                match first & 0x0f {
                    1 => self.kind = MessageKind::Text,
                    2 => self.kind = MessageKind::Binary,
                    _ => {}
                }
                conn.send_fragment(self.kind, payload, first & 0x80 != 0)
            }
        };
        sent.unwrap();
    }

    fn write(&mut self, turn: Turn) -> Vec<u8> {
        let output = self.conn.output();
        let mut written = Vec::new();
        match turn {
            Turn::Write(size) => {
                while written.len() < size && output.has_remaining() {
                    let chunk = output.chunk();
                    let count = chunk.len().min(size - written.len());
                    written.extend(&chunk[..count]);
                    output.advance(count);
                }
            }
            Turn::Take => written.extend(output.take().into_iter().flatten()),
            Turn::Send | Turn::Read(_) | Turn::Compress(_) => {}
        }
        written
    }

    fn read(&mut self, size: usize) -> bool {
        let mut chunk: Vec<_> = self.arriving.drain(..size.min(self.arriving.len())).collect();
        let mut input = &mut chunk[..];
        while let Some(event) = self.conn.receive(&mut input) {
            match &event {
                Event::Request(_) => {
                    self.conn.accept(server::Response::new().subprotocol("a")).unwrap();
                    self.agreed = format!("{:?}", agreed(&self.conn));
                }
                Event::Open(_) => self.agreed = format!("{:?}", agreed(&self.conn)),
                Event::Ping(payload) if self.auto_pong && self.conn.state() == State::Open => {
                    self.sent.push(Frame { first: 0x8a, payload: payload.to_vec() });
                }
                Event::Closed(closed) if closed.cause == Cause::Peer => {
                    self.sent.push(Frame { first: 0x88, payload: close_body(closed.code.get(), &closed.reason) });
                }
                _ => {}
            }
            self.received.push(event);
        }
        !chunk.is_empty()
    }
}

/// Runs an iteration of one endpoint. Returns whether that changed anything.
fn take_turn(ends: &mut [Endpoint; 2], who: usize, turn: Turn) -> bool {
    match turn {
        Turn::Send => ends[who].send_next(),
        Turn::Read(size) => ends[who].read(size),
        Turn::Compress(on) => {
            switch(&mut ends[who].conn, on);
            false
        }
        Turn::Write(_) | Turn::Take => {
            let written = ends[who].write(turn);
            ends[1 - who].arriving.extend(&written);
            !written.is_empty()
        }
    }
}

/// The same, with or without a scratch attached.
fn take_turn_with(ends: &mut [Endpoint; 2], who: usize, turn: Turn, lends: bool, scratch: &mut Option<Scratch>) {
    if lends {
        ends[who].conn.attach_scratch(scratch.take().unwrap());
    }
    take_turn(ends, who, turn);
    if lends {
        *scratch = ends[who].conn.detach_scratch();
    }
}

/// The expected events of a receiver of all of `sent`.
fn decode_frames(from: Role, sent: &[Frame]) -> Vec<Decoded> {
    decode(from, &encode(from, [0; 4], sent), &Limits::NONE)
}

proptest! {
    #![proptest_config(cases(600))]

    /// B-23, B-25, B-40, B-41, B-51, B-59, B-60, B-61, B-64, S-45, S-46: from the opening handshake on, everything that
    /// one endpoint sends, by any call and in any iterations and chunks, is received by the other in order, whole or in
    /// chunks, compressed with any parameters or not, with own buffers or the thread's; both close cleanly, with the
    /// same code, and the server shuts down first.
    #[test]
    fn what_one_says_the_other_hears(scripts in vec(scripts(), 1..3), turns in vec(turn(), 0..120)) {
        let closes: Vec<_> = scripts.iter().map(|scripts| scripts.each_ref().map(|script| script.close.clone())).collect();
        let mut pairs: Vec<_> = scripts
            .into_iter()
            .map(|[client, server]| [Endpoint::new(Role::Client, client), Endpoint::new(Role::Server, server)])
            .collect();
        let mut scratch = Some(Scratch::new());
        for (pair, who, turn, lends) in turns {
            take_turn_with(pair.get_mut(&mut pairs), who, turn, lends, &mut scratch);
        }
        let rest = [Turn::Send, Turn::Write(LONG), Turn::Read(LONG)].map(|turn| [(0, turn), (1, turn)]).concat();
        for (mut ends, closes) in pairs.into_iter().zip(closes) {
            while rest.iter().fold(false, |moved, (who, turn)| take_turn(&mut ends, *who, *turn) | moved) {}
            assert_clean_end(ends, closes)?;
        }
    }
}

/// Two endpoints that have sent everything, and how each wanted to close.
fn assert_clean_end(mut ends: [Endpoint; 2], closes: [Option<(CloseCode, String)>; 2]) -> Result<(), TestCaseError> {
    let [client, server] = &mut ends;
    prop_assert_eq!(server.received.decoded(), decode_frames(Role::Client, &client.sent));
    prop_assert_eq!(client.received.decoded(), decode_frames(Role::Server, &server.sent));
    prop_assert_eq!((client.conn.state(), server.conn.state()), (State::Closed, State::Closed));
    prop_assert_eq!((client.conn.subprotocol(), server.conn.subprotocol()), (Some("a"), Some("a")));
    prop_assert_eq!(&client.agreed, &server.agreed);
    prop_assert_eq!(client.agreed != "None", client.compression.is_on() && server.compression.is_on());

    let codes = [&*client, server].map(|end| match end.received.decoded().last() {
        Some(Decoded::Close(code, _)) => *code,
        other => panic!("{other:?}"),
    });
    match closes.map(|close| close.map(|(code, _)| code.get())) {
        [Some(one), Some(two)] if codes[0] != codes[1] => prop_assert_eq!(codes, [two, one], "at the same time"),
        closes => prop_assert!(codes[0] == codes[1] && closes.contains(&Some(codes[0]))),
    }

    prop_assert_eq!(
        (client.conn.wants_shutdown(), server.conn.wants_shutdown()),
        (None, Some(TransportShutdown::Graceful))
    );
    client.conn.receive_eof();
    prop_assert_eq!(client.conn.wants_shutdown(), Some(TransportShutdown::Graceful));
    Ok(())
}
