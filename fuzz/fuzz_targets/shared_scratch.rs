//! Several connections that share one scratch, with messages of any size: they report and send what connections with buffers of
//! their own do, and after every turn they hold no more memory than the guide's chapter on it says.
#![no_main]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use arbitrary::Arbitrary;
use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{CloseCode, Config, Connection, Event, MessageKind, Negotiated, Role, Scratch, Seed};
use websocket_proto_fuzz::payload;

#[path = "../../tests/support/mod.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Script {
    /// The capacity that the scratch keeps, if it isn't the default.
    keep: Option<u32>,
    chunk_threshold: Option<u16>,
    connections: [bool; 3],
    turns: Vec<Turn>,
}

/// A turn of one connection, with the scratch.
#[derive(Arbitrary, Debug)]
struct Turn {
    which: u8,
    actions: Vec<Action>,
    gives_back: bool,
}

#[derive(Arbitrary, Debug)]
enum Action {
    /// The peer sends a message, in so many fragments and with pings between them.
    Message {
        text: bool,
        length: Length,
        fragments: u8,
        pings: bool,
    },
    Ping(u8),
    PeerClose,
    /// So many bytes of that arrive.
    Receive(Length),
    Text(Length),
    Owned(Length),
    Fragment(Length, bool),
    Close,
    Write(Length),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Short(u8),
    Long(u16),
    /// In units of 16 bytes.
    Huge(u16),
}

/// The most bytes on the wire of a connection, so that a run takes milliseconds.
const MOST_WIRE: usize = 3 << 20;

/// The capacity that a scratch keeps by default, in buffers of its pool.
const POOLED: usize = 4 << 20;

/// A buffer that stays with a connection is at most four times as large as its contents, or that if it is more.
const SMALL: usize = 4 << 10;

/// An incomplete control frame (136 bytes), a pong that is put off (152 bytes), and the event `Closed`.
const EXTRAS: usize = 136 + 152 + 256;

/// A client's generator of masking keys.
const GENERATOR: usize = 320;

/// The scratch itself, with the list of its buffers and that of large payloads, both of which are empty.
const SCRATCH: usize = 4 << 10;

/// A large payload in the output: where it is, and its owner.
const CHAINED: usize = 256;

fuzz_target!(|script: Script| {
    let mut config = Config::new();
    if let Some(from) = script.chunk_threshold {
        config = config.chunk_threshold(from.into());
    }
    let config = Arc::new(config);
    let mut ends = script.connections.map(|client| End::new(client, &config));
    let mut scratch = Scratch::new();
    if let Some(bytes) = script.keep {
        scratch = scratch.keep(bytes as usize % (2 * POOLED));
    }
    let pooled = script.keep.map_or(POOLED, |bytes| bytes as usize % (2 * POOLED));
    let mut held: isize = 0;
    for turn in script.turns.iter().take(24) {
        let end = &mut ends[usize::from(turn.which) % 3];
        for action in &turn.actions {
            end.prepare(action);
        }
        let before = LIVE.load(Relaxed) as isize;
        let seen = end.shared.turn(turn, &end.wire, Some(&mut scratch));
        held += LIVE.load(Relaxed) as isize - before;
        assert_eq!(seen, end.own.turn(turn, &end.wire, None));
        assert_eq!(end.shared.conn.state(), end.own.conn.state());
        assert_eq!(end.shared.conn.wants_shutdown(), end.own.conn.wants_shutdown());

        let most: usize = ends.iter_mut().map(End::most).sum();
        assert!(held <= (SCRATCH + pooled + most) as isize, "{held} bytes are held, instead of {pooled} and {most}");
        if pooled == 0 && ends.iter_mut().all(End::is_idle) {
            assert!(held <= SCRATCH as isize, "{held} bytes are held of nothing");
        }
    }
});

/// A connection that uses the scratch, and one that doesn't.
struct End {
    shared: Side,
    own: Side,
    /// The bytes that the peer has sent, and where its messages begin and end in them.
    wire: Vec<u8>,
    messages: Vec<(usize, usize)>,
}

struct Side {
    conn: Connection,
    arrived: usize,
    /// The number of large payloads that were sent, and their total size.
    owned: usize,
    owned_bytes: usize,
}

impl End {
    fn new(client: bool, config: &Arc<Config>) -> Self {
        let side = || Side {
            conn: match client {
                true => Connection::upgraded_client(Negotiated::new(), config.clone(), Seed::new([7; 32])),
                false => Connection::upgraded_server(Negotiated::new(), config.clone()),
            },
            arrived: 0,
            owned: 0,
            owned_bytes: 0,
        };
        Self { shared: side(), own: side(), wire: Vec::new(), messages: Vec::new() }
    }

    /// Puts what the peer sends on the wire.
    fn prepare(&mut self, action: &Action) {
        let from = if self.own.conn.role() == Role::Client { Role::Server } else { Role::Client };
        let mut put = |first, payload: &[u8]| self.wire.extend(support::frame(from, first, payload));
        match *action {
            Action::Message { text, length, fragments, pings } => {
                let data = vec![b'a' + fragments % 16; length.bytes()];
                if self.wire.len() + data.len() > MOST_WIRE {
                    return;
                }
                let start = self.wire.len();
                let kind = if text { 1 } else { 2 };
                let mut parts = data.chunks(data.len() / (1 + usize::from(fragments)) + 1).peekable();
                let mut first = kind;
                let mut put = |first, payload: &[u8]| self.wire.extend(support::frame(from, first, payload));
                while let Some(part) = parts.next() {
                    put(if parts.peek().is_none() { first | 0x80 } else { first }, part);
                    first = 0;
                    if pings && parts.peek().is_some() {
                        put(0x89, b"between");
                    }
                }
                self.messages.push((start, self.wire.len()));
            }
            Action::Ping(length) => put(0x89, &vec![b'p'; usize::from(length) % 126]),
            Action::PeerClose => put(0x88, &[3, 232]),
            _ => {}
        }
    }

    fn is_idle(&mut self) -> bool {
        let arrived = self.shared.arrived;
        let is_between = self.messages.iter().all(|&(start, end)| arrived <= start || arrived >= end);
        is_between
            && arrived == self.wire.len()
            && self.shared.conn.pending_output() == 0
            && self.shared.conn.role() == Role::Server
    }

    /// The most bytes that the connection with the scratch may hold after a turn.
    fn most(&mut self) -> usize {
        let Side { conn, arrived, owned, owned_bytes } = &mut self.shared;
        let in_progress = self.messages.iter().find(|(start, end)| (start + 1..*end).contains(arrived));
        let message = in_progress.map_or(0, |(start, _)| SMALL.max(4 * (*arrived - start)));
        let pending = conn.pending_output();
        if pending == 0 {
            (*owned, *owned_bytes) = (0, 0);
        }
        let output = if pending > 0 { SMALL.max(4 * pending) } else { 0 };
        let generator = if conn.role() == Role::Client { GENERATOR } else { 0 };
        message + output + *owned_bytes + *owned * CHAINED + EXTRAS + generator
    }
}

impl Side {
    /// Returns a hash of what was seen, which holds no memory.
    fn turn(&mut self, turn: &Turn, wire: &[u8], mut scratch: Option<&mut Scratch>) -> Seen {
        let mut seen = Seen::default();
        if let Some(scratch) = &mut scratch {
            self.conn.attach_scratch(std::mem::take(&mut **scratch));
        }
        for action in &turn.actions {
            match *action {
                Action::Message { .. } | Action::Ping(_) | Action::PeerClose => {}
                Action::Receive(length) => {
                    let end = wire.len().min(self.arrived + length.bytes());
                    let mut bytes = wire[self.arrived..end].to_vec();
                    self.arrived = end;
                    let mut input = &mut bytes[..];
                    while let Some(event) = self.conn.receive(&mut input) {
                        seen.event(&event);
                        let used = payload(event);
                        if turn.gives_back {
                            self.conn.recycle(used);
                        }
                    }
                }
                Action::Text(length) => seen.sent(self.conn.send_text(&"t".repeat(length.bytes())).is_ok()),
                Action::Owned(length) => {
                    let sent = self.conn.send(vec![b'o'; length.bytes()]).is_ok();
                    if sent {
                        self.owned += 1;
                        self.owned_bytes += length.bytes();
                    }
                    seen.sent(sent);
                }
                Action::Fragment(length, last) => {
                    let data = vec![b'f'; length.bytes()];
                    seen.sent(self.conn.send_fragment(MessageKind::Binary, &data, last).is_ok());
                }
                Action::Close => seen.sent(self.conn.close(CloseCode::NORMAL, "").is_ok()),
                Action::Write(length) => {
                    let mut rest = self.conn.pending_output().min(length.bytes());
                    while rest > 0 {
                        let output = self.conn.output();
                        let count = output.chunk().len().min(rest);
                        seen.bytes(&output.chunk()[..count]);
                        output.advance(count);
                        rest -= count;
                    }
                }
            }
        }
        if let Some(scratch) = scratch {
            *scratch = self.conn.detach_scratch().unwrap();
        }
        seen.number(self.conn.pending_output() as u64);
        seen
    }
}

/// Everything that was seen, in order.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    hash: u64,
    events: usize,
    written: usize,
}

impl Seen {
    fn event(&mut self, event: &Event<'_>) {
        // The chunks of a message may be split differently.
        self.events += usize::from(!matches!(event, Event::Chunk(chunk) if !chunk.is_last()));
        match event {
            Event::Text(text) => self.message(1, text.as_bytes()),
            Event::Binary(data) => self.message(2, data),
            Event::Chunk(chunk) => {
                chunk.parts().iter().for_each(|part| self.hash_bytes(part));
                if chunk.is_last() {
                    self.number(3);
                }
            }
            Event::Ping(data) => self.message(4, data),
            Event::Closed(closed) => self.message(5, &[u8::from(closed.clean)]),
            event => panic!("{event:?}"),
        }
    }

    fn message(&mut self, kind: u64, data: &[u8]) {
        self.number(kind);
        self.hash_bytes(data);
    }

    fn sent(&mut self, is_sent: bool) {
        self.number(is_sent.into());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.written += bytes.len();
        self.hash_bytes(bytes);
    }

    fn number(&mut self, number: u64) {
        self.hash = (self.hash ^ number).wrapping_mul(0x0100_0000_01b3).rotate_left(5);
    }

    fn hash_bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.number((*byte).into()));
    }
}

impl Length {
    fn bytes(self) -> usize {
        match self {
            Self::Short(length) => length.into(),
            Self::Long(length) => length.into(),
            Self::Huge(length) => 16 * usize::from(length),
        }
    }
}

/// Bytes allocated and not freed.
static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// SAFETY: every call is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
