//! Two endpoints connected in memory: what one says is what the other hears.

use std::collections::VecDeque;

use bytes::Buf;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use websocket_proto::{Cause, CloseCode, Config, Connection, Event, Kind, Response, Role, Shutdown, State};

use crate::generate::{Frame, LONG, Limits, cases, code, dial, encode, frames, reason};
use crate::reference::{Heard, decode};
use crate::support::close_body;

/// A turn of one of the endpoints.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Say,
    /// Write up to that many bytes, chunk by chunk.
    Write(usize),
    /// Hand over the next pending bytes.
    Take,
    /// Read up to that many bytes.
    Read(usize),
}

fn turn() -> impl Strategy<Value = (usize, Turn)> {
    let size = || prop_oneof![4 => 1..20usize, 2 => 1..300usize, 1 => Just(LONG)];
    let turn =
        prop_oneof![Just(Turn::Say), size().prop_map(Turn::Write), Just(Turn::Take), size().prop_map(Turn::Read)];
    (0..2usize, turn)
}

/// What an endpoint wants to say, and how.
#[derive(Clone, Debug)]
struct Script {
    frames: Vec<Frame>,
    close: Option<(CloseCode, String)>,
    /// Messages are handed over rather than lent.
    hands_over: bool,
    auto_pong: bool,
}

/// Two scripts, of which at least one ends with a Close frame.
fn scripts() -> impl Strategy<Value = [Script; 2]> {
    let script = |auto_pong| {
        // Every ping is answered as long as less than 64 KiB are pending.
        (frames(if auto_pong { 5_000 } else { LONG }), any::<bool>()).prop_map(move |(frames, hands_over)| Script {
            frames,
            close: None,
            hands_over,
            auto_pong,
        })
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
    hands_over: bool,
    auto_pong: bool,
    /// The kind of the fragmented message under way.
    kind: Kind,
    said: Vec<Frame>,
    heard: Vec<Heard>,
    /// What the other endpoint has written, and this one not yet read.
    arriving: Vec<u8>,
}

impl Endpoint {
    fn new(role: Role, script: Script) -> Self {
        let Script { frames, close, hands_over, auto_pong } = script;
        let config = Config::new().auto_pong(auto_pong);
        let conn = match role {
            Role::Client => dial(config),
            Role::Server => Connection::server(config),
        };
        Self {
            conn,
            script: frames.into(),
            close,
            hands_over,
            auto_pong,
            kind: Kind::Text,
            said: Vec::new(),
            heard: Vec::new(),
            arriving: Vec::new(),
        }
    }

    /// Says the next of the script; false when there is nothing to say, or when nothing may be said.
    fn say(&mut self) -> bool {
        if self.conn.state() != State::Open {
            return false;
        }
        if let Some(frame) = self.script.pop_front() {
            self.send(&frame);
            self.said.push(frame);
        } else if let Some((code, reason)) = &self.close {
            self.conn.close(*code, reason).unwrap();
            self.said.push(Frame { first: 0x88, payload: close_body(code.get(), reason) });
        } else {
            return false;
        }
        true
    }

    fn send(&mut self, Frame { first, payload }: &Frame) {
        let conn = &mut self.conn;
        let text = || str::from_utf8(payload).unwrap();
        let sent = match first {
            0x81 if self.hands_over => conn.send(text().to_owned()),
            0x81 => conn.send_text(text()),
            0x82 if self.hands_over => conn.send(payload.clone()),
            0x82 => conn.send_binary(payload),
            0x89 => conn.ping(payload),
            0x8a => conn.pong(payload),
            first => {
                match first & 0x0f {
                    1 => self.kind = Kind::Text,
                    2 => self.kind = Kind::Binary,
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
            Turn::Say | Turn::Read(_) => {}
        }
        written
    }

    fn read(&mut self, size: usize) -> bool {
        let mut piece: Vec<_> = self.arriving.drain(..size.min(self.arriving.len())).collect();
        let mut input = &mut piece[..];
        while let Some(event) = self.conn.receive(&mut input) {
            match &event {
                Event::Request(_) => self.conn.accept(Response::new().subprotocol("a")).unwrap(),
                Event::Ping(payload) if self.auto_pong && self.conn.state() == State::Open => {
                    self.said.push(Frame { first: 0x8a, payload: payload.to_vec() });
                }
                Event::Closed(closed) if closed.cause == Cause::Peer => {
                    self.said.push(Frame { first: 0x88, payload: close_body(closed.code.get(), "") });
                }
                _ => {}
            }
            self.heard.extend(Heard::of(event));
        }
        !piece.is_empty()
    }
}

/// Lets one of the endpoints have its turn; whether that changed anything.
fn take(ends: &mut [Endpoint; 2], who: usize, turn: Turn) -> bool {
    match turn {
        Turn::Say => ends[who].say(),
        Turn::Read(size) => ends[who].read(size),
        Turn::Write(_) | Turn::Take => {
            let written = ends[who].write(turn);
            ends[1 - who].arriving.extend(&written);
            !written.is_empty()
        }
    }
}

/// What is heard when all of `said` arrives.
fn arrives(from: Role, said: &[Frame]) -> Vec<Heard> {
    decode(from, &encode(from, [0; 4], said), &Limits::NONE)
}

proptest! {
    #![proptest_config(cases(600))]

    /// B-23, B-25, B-40, B-41, B-51, B-59, B-60, B-61, B-64, S-45, S-46: from the opening handshake on,
    /// whoever says what, in whatever turns and pieces, the other hears it in order; both end clean, with the same
    /// code, and the server shuts down first.
    #[test]
    fn what_one_says_the_other_hears([client, server] in scripts(), turns in vec(turn(), 0..120)) {
        let closes = [client.close.clone(), server.close.clone()];
        let mut ends = [Endpoint::new(Role::Client, client), Endpoint::new(Role::Server, server)];
        for (who, turn) in turns {
            take(&mut ends, who, turn);
        }
        let rest = [Turn::Say, Turn::Write(LONG), Turn::Read(LONG)].map(|turn| [(0, turn), (1, turn)]).concat();
        while rest.iter().fold(false, |moved, (who, turn)| take(&mut ends, *who, *turn) | moved) {}

        let [client, server] = &mut ends;
        prop_assert_eq!(&server.heard, &arrives(Role::Client, &client.said));
        prop_assert_eq!(&client.heard, &arrives(Role::Server, &server.said));
        prop_assert_eq!((client.conn.state(), server.conn.state()), (State::Closed, State::Closed));
        prop_assert_eq!((client.conn.subprotocol(), server.conn.subprotocol()), (Some("a"), Some("a")));

        let codes = [&*client, server].map(|end| match end.heard.last() {
            Some(Heard::Close(code, _)) => *code,
            other => panic!("{other:?}"),
        });
        match closes.map(|close| close.map(|(code, _)| code.get())) {
            [Some(one), Some(two)] if codes[0] != codes[1] => prop_assert_eq!(codes, [two, one], "at the same time"),
            closes => prop_assert!(codes[0] == codes[1] && closes.contains(&Some(codes[0]))),
        }

        prop_assert_eq!((client.conn.wants_shutdown(), server.conn.wants_shutdown()), (None, Some(Shutdown::Finish)));
        client.conn.receive_eof();
        prop_assert_eq!(client.conn.wants_shutdown(), Some(Shutdown::Finish));
    }
}
