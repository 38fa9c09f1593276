//! Two connected endpoints run any script over a wire that splits their bytes anywhere: neither finds fault with the
//! other, messages arrive in order, whole or in chunks, and all of them arrive unless a transport is cut off.
#![no_main]

use std::collections::VecDeque;
use std::time::Duration;

use arbitrary::Arbitrary;
use bytes::{Buf, Bytes};
use libfuzzer_sys::fuzz_target;
use websocket_proto::{
    Cause, Chunk, CloseCode, Config, Connection, Event, MessageKind, PreparedMessage, Scratch, Seed, State,
    TransportShutdown, client, server,
};
use websocket_proto_fuzz::Watched;

#[derive(Arbitrary, Debug)]
struct Script {
    small_output: bool,
    keepalive: bool,
    /// In seconds.
    handshake_timeout: Option<u8>,
    close_timeout: Option<u8>,
    /// Completes the opening handshake before the first action.
    open: bool,
    chunk_threshold: Option<u8>,
    /// Attaches the thread's scratch for each action.
    lends: bool,
    /// Encodes owned messages in advance, as prepared messages.
    prepares: bool,
    actions: Vec<(Side, Action)>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Side {
    Client,
    Server,
}

#[derive(Arbitrary, Debug)]
enum Action {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    /// An owned message of that many bytes (up to a limit).
    Owned(u16),
    Fragment {
        text: bool,
        data: Vec<u8>,
        last: bool,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close {
        code: u16,
        reason: Vec<u8>,
    },
    Abort,
    /// The transport ends for this side.
    Eof,
    /// Puts at most so many bytes of the output on the wire.
    Write(u16),
    WriteVectored(u16),
    Take,
    /// Reads at most so many bytes from the wire, for one event or for as many as there are.
    Read(u16),
    ReadOne(u16),
    /// So many milliseconds pass for this side, which runs its loop.
    Time(u16),
    /// The same, but the loop doesn't run: it is late.
    Late(u16),
    /// This side has paused reading.
    Pause,
}

/// Bytes in transit to the other side.
#[derive(Debug, PartialEq)]
enum Sent {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
}

/// Large enough for several payloads that are chained into the output, small enough to be fast.
const MAX_OWNED: usize = 16 << 10;

struct End {
    watched: Watched,
    /// Bytes that arrived and aren't read yet.
    wire: Vec<u8>,
    /// Messages that the other side has sent and that haven't arrived yet.
    expected: VecDeque<Sent>,
    /// The fragmented message that this side is sending.
    unfinished: Vec<u8>,
    chunk_threshold: u64,
    /// The message that arrives in chunks.
    pieces: Option<Vec<u8>>,
    now: Duration,
    keepalive: bool,
}

fuzz_target!(|script: Script| {
    let seconds = |seconds: u8| Duration::from_secs(seconds.into());
    let mut config = Config::new()
        .handshake_timeout(script.handshake_timeout.map(seconds))
        .close_timeout(script.close_timeout.map(seconds));
    if script.small_output {
        config = config.max_pending_output(256);
    }
    if script.keepalive {
        config = config.keepalive(Duration::from_secs(3), Duration::from_secs(2));
    }
    if let Some(size) = script.chunk_threshold {
        config = config.chunk_threshold(size.into());
    }
    let request = client::Request::new("ws://localhost/".parse().unwrap()).subprotocol("chat");
    let client = Connection::client(request, config.clone(), Seed::new([7; 32])).unwrap();
    let mut ends = Ends {
        client: End::new(client, &script),
        server: End::new(Connection::server(config), &script),
        prepares: script.prepares,
        scratch: script.lends.then(Scratch::new),
    };
    if script.open {
        ends.settle();
        assert_eq!(ends.client.watched.conn.state(), State::Open);
        assert_eq!(ends.server.watched.conn.state(), State::Open);
    }
    for (side, action) in script.actions {
        ends.act(side, action);
    }
    ends.settle();
    ends.check();
});

struct Ends {
    client: End,
    server: End,
    prepares: bool,
    scratch: Option<Scratch>,
}

impl Ends {
    fn sides(&mut self, side: Side) -> (&mut End, &mut End) {
        match side {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        }
    }

    fn act(&mut self, side: Side, action: Action) {
        let prepares = self.prepares;
        let scratch = self.scratch.take();
        let (this, other) = self.sides(side);
        let conn = &mut this.watched.conn;
        if let Some(scratch) = scratch {
            conn.attach_scratch(scratch);
        }
        match action {
            Action::Text(data) => {
                let text = String::from_utf8_lossy(&data);
                if conn.send_text(&text).is_ok() {
                    other.expected.push_back(Sent::Text(text.into_owned().into()));
                }
            }
            Action::Binary(data) => {
                if conn.send_binary(&data).is_ok() {
                    other.expected.push_back(Sent::Binary(data));
                }
            }
            Action::Owned(length) => {
                let data = Bytes::from(vec![length as u8; usize::from(length) % MAX_OWNED]);
                let sent = if prepares {
                    conn.send_prepared(&PreparedMessage::new(data.clone()))
                } else {
                    conn.send(data.clone())
                };
                if sent.is_ok() {
                    other.expected.push_back(Sent::Binary(data.into()));
                }
            }
            Action::Fragment { text, data, last } => {
                let kind = if text { MessageKind::Text } else { MessageKind::Binary };
                if conn.send_fragment(kind, &data, last).is_ok() {
                    this.unfinished.extend(data);
                    if last {
                        let message = std::mem::take(&mut this.unfinished);
                        other.expected.push_back(if text { Sent::Text(message) } else { Sent::Binary(message) });
                    }
                }
            }
            Action::Ping(payload) => {
                if conn.ping(&payload).is_ok() {
                    other.expected.push_back(Sent::Ping(payload));
                }
            }
            Action::Pong(payload) => _ = conn.pong(&payload),
            Action::Close { code, reason } => {
                let code = CloseCode::new(code).unwrap_or(CloseCode::NORMAL);
                let was_open = conn.state() == State::Open;
                if conn.close(code, &String::from_utf8_lossy(&reason)).is_ok() {
                    assert!(was_open);
                    assert_eq!(conn.state(), State::Closing);
                }
            }
            Action::Abort => {
                conn.abort();
                assert_eq!(conn.wants_shutdown(), Some(TransportShutdown::Abort));
                assert!(!conn.output().has_remaining());
            }
            Action::Eof => conn.receive_eof(),
            Action::Write(count) => this.write(count.into(), other),
            Action::WriteVectored(count) => this.write_vectored(count.into(), other),
            Action::Take => {
                let before = conn.output().remaining();
                if let Some(bytes) = conn.output().take() {
                    assert!(!bytes.is_empty() && bytes.len() <= before);
                    other.wire.extend(bytes);
                }
            }
            Action::Read(count) => this.read(count.into(), false),
            Action::ReadOne(count) => this.read(count.into(), true),
            Action::Time(millis) => {
                this.now += Duration::from_millis(millis.into());
                this.turns();
            }
            Action::Late(millis) => {
                let state = conn.state();
                this.now += Duration::from_millis(millis.into());
                conn.advance_time(this.now);
                assert_eq!(conn.state(), state, "setting the time ends no connection");
            }
            Action::Pause => conn.reading_paused(),
        }
        self.scratch = self.sides(side).0.watched.conn.detach_scratch();
    }

    /// Moves everything that is pending, until nothing moves.
    fn settle(&mut self) {
        loop {
            self.client.write(usize::MAX, &mut self.server);
            self.server.write(usize::MAX, &mut self.client);
            let is_quiet = self.client.wire.is_empty() && self.server.wire.is_empty();
            self.client.read(usize::MAX, false);
            self.server.read(usize::MAX, false);
            if is_quiet && !self.client.has_output() && !self.server.has_output() {
                break;
            }
        }
    }

    fn check(&mut self) {
        if self.client.is_cut_off() || self.server.is_cut_off() {
            return;
        }
        assert_eq!(self.client.expected, []);
        assert_eq!(self.server.expected, []);
        assert_eq!(self.client.watched.conn.subprotocol(), Some("chat"));
        let (client, server) = (&mut self.client.watched, &mut self.server.watched);
        assert_eq!(client.conn.state(), server.conn.state());
        if client.conn.state() == State::Open {
            assert_eq!((client.conn.wants_shutdown(), server.conn.wants_shutdown()), (None, None));
            return;
        }
        let (at_client, at_server) = (client.closed().unwrap(), server.closed().unwrap());
        assert!(at_client.clean && at_server.clean);
        for (here, there) in [(at_client, at_server), (at_server, at_client)] {
            // The code of the side that closed first is repeated.
            if let (Cause::Local(code), Cause::Peer) = (here.cause, there.cause) {
                assert_eq!((here.code, there.code), (code, code));
            }
        }
        assert_eq!(server.conn.wants_shutdown(), Some(TransportShutdown::Graceful));
        client.conn.receive_eof();
        assert_eq!(client.conn.wants_shutdown(), Some(TransportShutdown::Graceful));
    }
}

impl End {
    fn new(conn: Connection, script: &Script) -> Self {
        Self {
            watched: Watched::new(conn),
            wire: Vec::new(),
            expected: VecDeque::new(),
            unfinished: Vec::new(),
            chunk_threshold: script.chunk_threshold.map_or(u64::MAX, u64::from),
            pieces: None,
            now: Duration::ZERO,
            keepalive: script.keepalive,
        }
    }

    /// Iterations of the loop at this time, until no deadline is due.
    fn turns(&mut self) {
        for _ in 0..6 {
            self.watched.conn.advance_time(self.now);
            let next = self.watched.conn.next_timeout();
            assert!(next.is_none_or(|at| at >= self.now));
            if next.is_none_or(|at| at > self.now) {
                return;
            }
            // A deadline takes effect when there is nothing left to read.
            self.read(0, false);
        }
        panic!("the loop spins");
    }

    fn write(&mut self, mut count: usize, other: &mut End) {
        let output = self.watched.conn.output();
        while count > 0 && output.has_remaining() {
            let chunk = output.chunk();
            let chunk = &chunk[..chunk.len().min(count)];
            assert!(!chunk.is_empty());
            other.wire.extend_from_slice(chunk);
            count -= chunk.len();
            let length = chunk.len();
            output.advance(length);
        }
    }

    fn write_vectored(&mut self, count: usize, other: &mut End) {
        let output = self.watched.conn.output();
        let mut slices = [std::io::IoSlice::new(&[]); 3];
        let filled = output.chunks_vectored(&mut slices);
        let bytes: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.iter().copied()).take(count).collect();
        assert_eq!(filled == 0, !output.has_remaining());
        output.advance(bytes.len());
        other.wire.extend(bytes);
    }

    fn read(&mut self, count: usize, only_one: bool) {
        let count = count.min(self.wire.len());
        let mut bytes: Vec<u8> = self.wire.drain(..count).collect();
        let mut input = &mut bytes[..];
        while let Some(event) = self.watched.step(&mut input) {
            self.arrived(event);
            if only_one {
                break;
            }
        }
        self.wire.splice(..0, input.iter().copied());
    }

    fn arrived(&mut self, event: Event<'_>) {
        let arrived = match event {
            Event::Request(request) => {
                let chosen = request.select_subprotocol(&["chat"]);
                return self.watched.conn.accept(server::Response::new().subprotocol(chosen)).unwrap();
            }
            Event::Text(text) => self.whole(Sent::Text(text.into_owned().into())),
            Event::Binary(data) => self.whole(Sent::Binary(data.into_owned())),
            Event::Chunk(chunk) => match self.piece(&chunk) {
                Some(message) => message,
                None => return,
            },
            Event::Ping(payload) => {
                let sent = Sent::Ping(payload.into_owned());
                let is_keepalive = self.keepalive && self.expected.front() != Some(&sent);
                if is_keepalive && matches!(&sent, Sent::Ping(payload) if payload.len() == 4) {
                    return;
                }
                sent
            }
            Event::Open(_) | Event::Pong(_) => return,
            // A server reports by its status that the time is over.
            Event::Rejected(response) => return assert_eq!(response.status(), 408),
            Event::Closed(closed) => {
                return assert!(!matches!(closed.cause, Cause::Protocol(_) | Cause::Handshake(_)), "{closed}");
            }
            event => panic!("{event:?}"),
        };
        assert_eq!(self.expected.pop_front().as_ref(), Some(&arrived));
        let (Sent::Text(payload) | Sent::Binary(payload) | Sent::Ping(payload)) = arrived;
        self.watched.conn.recycle(payload);
    }

    fn whole(&self, message: Sent) -> Sent {
        assert!(self.pieces.is_none());
        assert!(
            matches!(&message, Sent::Text(data) | Sent::Binary(data) if (data.len() as u64) < self.chunk_threshold)
        );
        message
    }

    /// The message whose last chunk this is.
    fn piece(&mut self, chunk: &Chunk<'_>) -> Option<Sent> {
        assert_eq!(chunk.is_first(), self.pieces.is_none());
        let data = self.pieces.get_or_insert_default();
        data.extend(chunk.parts().concat());
        if !chunk.is_last() {
            return None;
        }
        assert!(data.len() as u64 >= self.chunk_threshold);
        let kind = chunk.kind();
        self.pieces.take().map(|data| if kind == MessageKind::Text { Sent::Text(data) } else { Sent::Binary(data) })
    }

    fn has_output(&mut self) -> bool {
        self.watched.conn.output().has_remaining()
    }

    /// Some output was discarded on purpose.
    fn is_cut_off(&self) -> bool {
        let ended = self.watched.closed().is_some_and(|closed| !closed.clean);
        ended || self.watched.conn.wants_shutdown() == Some(TransportShutdown::Abort)
    }
}
