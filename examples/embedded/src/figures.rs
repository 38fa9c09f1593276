//! Measures how much of the arena a server and a client use while they talk over a line of a few bytes in each
//! direction.
//!
//! ```text
//! cargo run --release --manifest-path examples/embedded/Cargo.toml --bin example-embedded-figures
//! ```

#![no_std]
#![no_main]

use core::mem;

use example_embedded::board::Board;
use example_embedded::echo::Echo;
use example_embedded::endpoint::Endpoint;
use example_embedded::wire::{End, MTU, Pipe};
use example_embedded::{limits, program};
use websocket_proto::{CloseCode, Connection, Event, MessageKind, Seed, State, TransportShutdown, client};

program!(measure);

fn measure(board: &mut Board) {
    board.log(format_args!("bytes of the arena in use:        server: at most    after   client: at most    after"));
    let cookie = [b'c'; limits::HEAD - 256];
    let mut talk = Talk::new(board, str::from_utf8(&cookie).expect("letters"));
    talk.open(board);
    talk.report(board, "a cookie of bytes:", cookie.len());
    drop(talk);

    let mut talk = Talk::new(board, "");
    talk.report(board, "connection", 0);
    talk.open(board);
    talk.report(board, "opening handshake", 0);
    talk.run(board, |_| true);
    talk.report(board, "idle", 0);
    for length in [1, 125, 500, limits::WHOLE - 1, limits::WHOLE, 100_000] {
        (talk.length, talk.unsaid, talk.heard) = (length, length, 0);
        talk.run(board, |talk| talk.heard == length);
        talk.report(board, "echo of bytes:", length);
    }
    talk.client.work(|endpoint| endpoint.conn.close(CloseCode::NORMAL, "bye")).expect("an open connection");
    talk.run(board, |talk| talk.server.endpoint.conn.wants_shutdown() == Some(TransportShutdown::Graceful));
    talk.report(board, "closing handshake", 0);
    let (outside, reach, size) = (size_of::<Connection>(), ARENA.reach(), limits::ARENA);
    board.log(format_args!("figures: both used the first {reach} of {size} bytes, and {outside} each outside of it"));
}

/// A server and a client, and the line between them.
struct Talk {
    server: Side,
    echo: Echo,
    client: Side,
    up: Pipe,
    down: Pipe,
    /// The length of the client's message, how much of it is still to be sent, and how much of the answer has arrived.
    length: usize,
    unsaid: usize,
    heard: usize,
}

impl Talk {
    fn new(board: &mut Board, cookie: &str) -> Self {
        let seed = Seed::new(board.entropy());
        let client = || {
            let uri = "ws://device.example/echo".parse().expect("an address");
            let request = client::Request::new(uri).header("Cookie", cookie);
            Connection::client(request, limits::config(), seed).expect("a request")
        };
        Self {
            server: Side::new(|| Connection::server(limits::config())),
            echo: Echo::default(),
            client: Side::new(client),
            up: Pipe::default(),
            down: Pipe::default(),
            length: 0,
            unsaid: 0,
            heard: 0,
        }
    }

    fn open(&mut self, board: &mut Board) {
        self.run(board, |talk| talk.client.endpoint.conn.state() == State::Open);
    }

    fn run(&mut self, board: &mut Board, is_done: impl Fn(&Self) -> bool) {
        loop {
            let now = board.now();
            let Self { server, echo, client, up, down, length, unsaid, heard } = self;
            server.work(|endpoint| {
                let mut wire = End { incoming: up, outgoing: down };
                endpoint.turn(now, &mut wire, |conn, event| echo.handle(conn, event));
            });
            client.work(|endpoint| {
                say(&mut endpoint.conn, *length, unsaid);
                let mut wire = End { incoming: down, outgoing: up };
                endpoint.turn(now, &mut wire, |_, event| *heard += heard_of(&event));
            });
            if is_done(self) {
                break;
            }
        }
    }

    fn report(&mut self, board: &mut Board, what: &str, length: usize) {
        let (server, client) = (&mut self.server, &mut self.client);
        board.log(format_args!(
            "{what:18} {length:7} {:23} {:8} {:18} {:8}",
            server.most(),
            server.live,
            client.most(),
            client.live
        ));
    }
}

/// Sends all of a message that may be whole, else a fragment if there is space for one.
fn say(conn: &mut Connection, length: usize, unsaid: &mut usize) {
    if *unsaid == 0 || conn.pending_output() >= MTU {
        return;
    }
    let data = &[0; limits::WHOLE];
    let said = if length < limits::WHOLE {
        conn.send_binary(&data[..mem::take(unsaid)])
    } else {
        let fragment = MTU.min(*unsaid);
        *unsaid -= fragment;
        conn.send_fragment(MessageKind::Binary, &data[..fragment], *unsaid == 0)
    };
    said.expect("an open connection");
}

fn heard_of(event: &Event<'_>) -> usize {
    match event {
        Event::Binary(data) => data.len(),
        Event::Chunk(chunk) => chunk.len(),
        _ => 0,
    }
}

/// An endpoint, and the part of the arena that it uses.
struct Side {
    endpoint: Endpoint,
    live: usize,
    most: usize,
}

impl Side {
    fn new(make: impl FnOnce() -> Connection) -> Self {
        let before = ARENA.used();
        ARENA.most();
        let endpoint = Endpoint::new(make());
        Self { endpoint, live: ARENA.used() - before, most: ARENA.most() - before }
    }

    /// Runs it and counts the memory: nothing else runs meanwhile.
    fn work<T>(&mut self, work: impl FnOnce(&mut Endpoint) -> T) -> T {
        let others = ARENA.used() - self.live;
        ARENA.most();
        let done = work(&mut self.endpoint);
        self.most = self.most.max(ARENA.most() - others);
        self.live = ARENA.used() - others;
        done
    }

    /// The most memory that it used since this was last called.
    fn most(&mut self) -> usize {
        mem::replace(&mut self.most, self.live)
    }
}
