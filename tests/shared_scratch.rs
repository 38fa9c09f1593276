//! The memory that many connections hold together with one scratch, after every turn in a random order.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::sync::Arc;

use bytes::Buf;
use heap::{Counting, heap_of};
use websocket_proto::{Config, Connection, Event, Negotiated, Role, Scratch};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CONNECTIONS: usize = 40;
const TURNS: usize = 20_000;

/// The bytes of spare buffers that the scratch may keep.
const KEEP: usize = 64 << 10;
/// The scratch itself, its list of buffers, and its list of payloads.
const SCRATCH: usize = KEEP + (4 << 10);

/// A buffer that stays with a connection is at most four times as large as its contents, or 4 KiB if that is more.
const MIN_BUFFER: usize = 4 << 10;
/// The boxes of a control frame that is cut, of a pong that is owed, and of the list of payloads.
const BOXES: usize = 600;
/// An entry of the list of payloads, which grows to twice what it holds and is freed with the last of them.
const PAYLOAD: usize = 2 * 48;

/// With a scratch, what stays with each connection fits what is pending there, whatever the other connections did before.
#[test]
fn many_connections_hold_no_more_than_they_need() {
    for seed in 1..=4 {
        let config = Arc::new(Config::new().max_pending_output(1 << 20));
        let mut random = Random(seed);
        let mut peers: Vec<_> = (0..CONNECTIONS).map(|_| Peer::new(&config)).collect();
        let (mut scratch, mut held) = (Scratch::new().keep(KEEP), 0);
        // The most that they held, beside the scratch.
        let mut most = 0;
        for turn in 0..TURNS {
            let number = random.below(CONNECTIONS);
            if random.below(200) == 0 {
                let (peer, heap) = heap_of(|| Peer::new(&config));
                let replaced = std::mem::replace(&mut peers[number], peer);
                held += heap.kept + heap_of(|| drop(replaced)).1.kept;
                continue;
            }
            let mut action = Action::new(&mut random);
            let ((), heap) = heap_of(|| peers[number].turn(&mut scratch, &mut action));
            held += heap.kept;
            let bound = SCRATCH + peers.iter().map(Peer::bound).sum::<usize>();
            assert!(
                held <= bound.cast_signed(),
                "seed {seed}, turn {turn}: {held} bytes are held, and {bound} allowed"
            );
            most = most.max(held);
        }
        assert!(most > 1 << 20, "seed {seed}: too little happened");
        // Nothing is left with them once everything is delivered and sent.
        held += heap_of(|| peers.iter_mut().for_each(|peer| peer.finish(&mut scratch))).1.kept;
        assert!(held <= SCRATCH.cast_signed(), "seed {seed}: {held} bytes are left");
    }
}

/// A connection, and what its peer has sent.
struct Peer {
    conn: Connection,
    /// The bytes of the current message that have arrived, and those that have not.
    arrived: usize,
    left: usize,
    /// The number of payloads in the list of the output, at most.
    payloads: usize,
}

/// What happens in a turn. The input is not the engine's, so it is not counted.
enum Action {
    /// A message begins, if none is in progress, and so many of its bytes arrive.
    Receive {
        first: u8,
        length: usize,
        input: Vec<u8>,
    },
    Send(Vec<u8>),
    /// A payload of that size, which the engine keeps.
    SendOwned(usize),
    Ping {
        input: Vec<u8>,
        cut: usize,
    },
    Write(usize),
}

impl Action {
    fn new(random: &mut Random) -> Self {
        let size = 1 << random.below(17);
        let size = random.below(size) + 1;
        match random.below(10) {
            0..4 => {
                let first = if random.below(2) == 0 { 0x81 } else { 0x82 };
                Self::Receive { first, length: random.below(4 * size) + 1, input: vec![b'x'; size] }
            }
            4 => Self::Send(vec![7; size]),
            5 => Self::SendOwned(size),
            6 => Self::Ping { input: support::frame(Role::Client, 0x89, &[1; 125]), cut: random.below(131) },
            _ => Self::Write(2 * size),
        }
    }
}

impl Peer {
    fn new(config: &Arc<Config>) -> Self {
        let conn = Connection::upgraded_server(Negotiated::new(), Arc::clone(config));
        Self { conn, arrived: 0, left: 0, payloads: 0 }
    }

    /// The most that the connection may hold between its turns.
    fn bound(&self) -> usize {
        let buffer = |bytes: usize| if bytes == 0 { 0 } else { (4 * bytes).max(MIN_BUFFER) };
        let pending = self.conn.pending_output();
        buffer(self.arrived) + buffer(pending) + BOXES + PAYLOAD * self.payloads
    }

    fn turn(&mut self, scratch: &mut Scratch, action: &mut Action) {
        let Self { conn, arrived, left, payloads } = self;
        conn.with_scratch(scratch, |conn| match action {
            Action::Receive { first, length, input } => {
                if *left == 0 {
                    *left = *length;
                    assert!(conn.receive(&mut &mut header(*first, *length)[..]).is_none());
                }
                let count = input.len().min(*left);
                *left -= count;
                *arrived += count;
                match conn.receive(&mut &mut input[..count]) {
                    Some(Event::Text(text)) => conn.recycle(text),
                    Some(Event::Binary(data)) => conn.recycle(data),
                    event => assert!(event.is_none() && *left > 0),
                }
                if *left == 0 {
                    *arrived = 0;
                }
            }
            Action::Send(data) => _ = conn.send_binary(data),
            Action::SendOwned(size) => *payloads += usize::from(conn.send(vec![7; *size]).is_ok()),
            // A cut control frame is completed in the same turn, since a message's bytes may come next.
            Action::Ping { input, cut } => {
                if *left == 0 {
                    let (start, end) = input.split_at_mut(*cut);
                    for mut part in [start, end] {
                        while conn.receive(&mut part).is_some() {}
                    }
                }
            }
            Action::Write(count) => {
                conn.output().advance(*count);
                if !conn.output().has_remaining() {
                    *payloads = 0;
                }
            }
        });
    }

    fn finish(&mut self, scratch: &mut Scratch) {
        if self.left > 0 {
            self.turn(scratch, &mut Action::Receive { first: 0, length: 0, input: vec![b'x'; self.left] });
        }
        self.turn(scratch, &mut Action::Write(usize::MAX));
        // The pong that was owed.
        self.turn(scratch, &mut Action::Write(usize::MAX));
    }
}

/// The header of a client's frame, with a key of zeros.
fn header(first: u8, length: usize) -> Vec<u8> {
    let mut frame = support::raw_frame(first, Some([0; 4]), &vec![0; length]);
    frame.truncate(frame.len() - length);
    frame
}

/// A generator of numbers (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }
}
