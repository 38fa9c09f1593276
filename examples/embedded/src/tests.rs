//! A server and a client, on a line of a few bytes.

extern crate std;

use core::time::Duration;
use std::borrow::ToOwned;
use std::string::String;
use std::vec::Vec;

use websocket_proto::{
    Cause, CloseCode, Closed, Connection, Deadline, Event, MessageKind, Seed, State, TransportShutdown, client,
};

use crate::echo::Echo;
use crate::endpoint::Endpoint;
use crate::limits;
use crate::wire::{End, MTU, Pipe};

struct Talk {
    server: Endpoint,
    echo: Echo,
    client: Endpoint,
    up: Pipe,
    down: Pipe,
    now: Duration,
    heard: Vec<u8>,
    server_closed: Option<Closed>,
}

impl Talk {
    fn new() -> Self {
        let request = client::Request::new("ws://localhost/".parse().unwrap());
        let client = Connection::client(request, limits::config(), Seed::new([1; 32])).unwrap();
        Self {
            server: Endpoint::new(Connection::server(limits::config())),
            echo: Echo::default(),
            client: Endpoint::new(client),
            up: Pipe::default(),
            down: Pipe::default(),
            now: Duration::ZERO,
            heard: Vec::new(),
            server_closed: None,
        }
    }

    fn open() -> Self {
        let mut this = Self::new();
        this.run(|talk| talk.client.conn.state() == State::Open);
        this
    }

    fn serve(&mut self) {
        let mut wire = End { incoming: &mut self.up, outgoing: &mut self.down };
        self.server.turn(self.now, &mut wire, |conn, event| match event {
            Event::Closed(closed) => self.server_closed = Some(*closed),
            event => self.echo.handle(conn, event),
        });
    }

    fn listen(&mut self) {
        let mut wire = End { incoming: &mut self.down, outgoing: &mut self.up };
        self.client.turn(self.now, &mut wire, |_, event| match event {
            Event::Text(text) => self.heard.extend(text.bytes()),
            Event::Binary(data) => self.heard.extend(&*data),
            Event::Chunk(chunk) => self.heard.extend(&*chunk.into_bytes()),
            _ => {}
        });
    }

    fn run(&mut self, is_done: impl Fn(&Self) -> bool) {
        for _ in 0..100_000 {
            self.serve();
            self.listen();
            if is_done(self) {
                return;
            }
        }
        panic!("nothing more happens");
    }
}

#[test]
fn echoes_what_is_small_and_what_is_larger_than_its_memory() {
    for length in [0, 1, 125, 126, limits::WHOLE - 1, limits::WHOLE, 10 * limits::ARENA] {
        let mut talk = Talk::open();
        let text: String = "再见 👋🏽".chars().cycle().take(length).collect();
        // Fragments that the client has memory for, wherever they split a character.
        for part in text.as_bytes().chunks(100) {
            talk.client.conn.send_fragment(MessageKind::Text, part, false).unwrap();
            talk.run(|talk| talk.client.conn.pending_output() == 0);
        }
        talk.client.conn.send_fragment(MessageKind::Text, b"", true).unwrap();
        talk.run(|talk| talk.heard.len() == text.len());
        assert!(talk.heard == text.as_bytes());
    }
}

#[test]
fn listens_to_nobody_who_does_not_read() {
    let mut talk = Talk::open();
    for _ in 0..1000 {
        if talk.client.conn.can_send() {
            talk.client.conn.send_binary(&[1; 100]).unwrap();
        }
        // This peer writes, and reads nothing.
        let mut nothing = Pipe::default();
        talk.client.turn(talk.now, &mut End { incoming: &mut nothing, outgoing: &mut talk.up }, |_, _| {});
        talk.serve();
    }
    assert!(talk.server.conn.pending_output() < 3 * MTU);
    assert!(!talk.server.wants_input());
}

#[test]
fn closes_as_it_is_closed() {
    let mut talk = Talk::open();
    talk.client.conn.close(CloseCode::NORMAL, "bye").unwrap();
    talk.run(|talk| talk.server.conn.wants_shutdown() == Some(TransportShutdown::Graceful));
    let closed = talk.server_closed.unwrap();
    assert_eq!((closed.code, closed.reason, closed.clean), (CloseCode::NORMAL, "bye".to_owned(), true));
    talk.up.has_ended = true;
    let mut wire = End { incoming: &mut talk.up, outgoing: &mut talk.down };
    while !talk.server.discard(&mut wire) {}
}

#[test]
fn gives_up_on_who_falls_silent() {
    let mut talk = Talk::open();
    for seconds in [30, 10] {
        assert!(talk.server_closed.is_none());
        talk.now += Duration::from_secs(seconds);
        // Iterations without a pause, as long as the connection asks for them.
        while talk.server_closed.is_none() && talk.server.conn.next_timeout().is_some_and(|at| at <= talk.now) {
            talk.serve();
        }
    }
    assert_eq!(talk.server_closed.unwrap().cause, Cause::Timeout(Deadline::Keepalive));
}
