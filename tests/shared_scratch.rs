//! The memory that many connections hold together with one scratch, after every turn in a random order.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

use bytes::Buf;
use heap::{Counting, heap_of};
use websocket_proto::{Config, Connection, Event, Negotiated, Role, Scratch};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CONNECTIONS: usize = 40;
const TURNS: usize = 20_000;
/// A connection is measured by dropping it, after this many turns on average. Another one replaces it.
const TURNS_UNTIL_MEASURED: usize = 50;

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
/// Smaller payloads are copied.
const MIN_CHAINED: usize = 2048;

/// With a scratch, what stays with each connection fits what is pending there, whatever the other connections did before.
#[test]
fn many_connections_hold_no_more_than_they_need() {
    for seed in 1..=4 {
        let config = Arc::new(Config::new().max_pending_output(1 << 20));
        let mut random = Random(seed);
        let mut peers: Vec<_> = (0..CONNECTIONS).map(|_| Peer::new(&config)).collect();
        let (mut scratch, heap) = heap_of(|| Scratch::new().keep(KEEP));
        let mut held = heap.kept;
        // The most that all held, beside the scratch, and the largest bound of one that was measured.
        let (mut most, mut most_measured) = (0, 0);
        for turn in 0..TURNS {
            let peer = &mut peers[random.below(CONNECTIONS)];
            if random.below(TURNS_UNTIL_MEASURED) == 0 {
                let measured = mem::replace(peer, Peer::new(&config));
                let (arrived, pending, bound) = (measured.arrived, measured.conn.pending_output(), measured.bound());
                let own = measured.memory();
                assert!(
                    own <= bound,
                    "seed {seed}, turn {turn}: a connection holds {own} bytes, and {bound} are allowed: \
                     {arrived} bytes have arrived, {pending} are pending"
                );
                held -= own.cast_signed();
                most_measured = most_measured.max(bound);
                continue;
            }
            held += peer.turn(&mut scratch, &mut Action::new(&mut random));
            let bound = SCRATCH + peers.iter().map(Peer::bound).sum::<usize>();
            assert!(
                held <= bound.cast_signed(),
                "seed {seed}, turn {turn}: {held} bytes are held, and {bound} allowed"
            );
            most = most.max(held);
        }
        assert!(most > 1 << 20 && most_measured > 100 << 10, "seed {seed}: too little happened");
        // Nothing is left with them once everything is delivered and sent.
        for mut peer in peers {
            held += peer.finish(&mut scratch);
            assert_eq!(peer.memory(), 0, "seed {seed}");
        }
        assert!(held <= SCRATCH.cast_signed(), "seed {seed}: {held} bytes are left");
        assert_eq!(freed_by(scratch).cast_signed(), held, "seed {seed}");
    }
}

/// A connection, what its peer has sent, and what waits for it.
struct Peer {
    conn: Connection,
    /// The bytes of the current message that have arrived, and those that have not.
    arrived: usize,
    left: usize,
    /// The pending output.
    pending: VecDeque<Pending>,
    /// The number of payloads in the list of the output, at most.
    payloads: usize,
}

/// Bytes of the output that were not written yet.
struct Pending {
    left: usize,
    /// The size of the payload that the engine keeps until its last byte is written, or 0 for bytes that were copied.
    payload: usize,
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
        Self { conn, arrived: 0, left: 0, pending: VecDeque::new(), payloads: 0 }
    }

    /// The most that the connection may hold between its turns.
    fn bound(&self) -> usize {
        let buffer = |bytes: usize| if bytes == 0 { 0 } else { (4 * bytes).max(MIN_BUFFER) };
        let copied = self.pending.iter().filter(|pending| pending.payload == 0).map(|pending| pending.left).sum();
        let payloads: usize = self.pending.iter().map(|pending| pending.payload).sum();
        buffer(self.arrived) + buffer(copied) + payloads + BOXES + PAYLOAD * self.payloads
    }

    /// The bytes that the connection holds.
    fn memory(self) -> usize {
        freed_by(self.conn)
    }

    /// Returns how many more bytes the connection and the scratch hold.
    fn turn(&mut self, scratch: &mut Scratch, action: &mut Action) -> isize {
        let Self { conn, arrived, left, .. } = self;
        let before = conn.pending_output();
        let work = |conn: &mut Connection| match action {
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
            Action::SendOwned(size) => _ = conn.send(vec![7; *size]),
            // A cut control frame is completed in the same turn, since a message's bytes may come next.
            Action::Ping { input, cut } => {
                if *left == 0 {
                    let (start, end) = input.split_at_mut(*cut);
                    for mut part in [start, end] {
                        while conn.receive(&mut part).is_some() {}
                    }
                }
            }
            Action::Write(count) => conn.output().advance(*count),
        };
        let ((), heap) = heap_of(|| conn.with_scratch(scratch, work));
        let written = if let Action::Write(count) = action { before.min(*count) } else { 0 };
        self.write(written);
        // A write may be followed by a pong that was owed.
        let added = self.conn.pending_output() - (before - written);
        match action {
            Action::SendOwned(size) if *size >= MIN_CHAINED && added > 0 => {
                self.pending.push_back(Pending { left: added - *size, payload: 0 });
                self.pending.push_back(Pending { left: *size, payload: *size });
                self.payloads += 1;
            }
            _ => self.pending.push_back(Pending { left: added, payload: 0 }),
        }
        heap.kept
    }

    fn write(&mut self, mut count: usize) {
        while let Some(first) = self.pending.front_mut() {
            let written = first.left.min(count);
            first.left -= written;
            count -= written;
            if first.left > 0 {
                return;
            }
            self.pending.pop_front();
        }
        self.payloads = 0;
    }

    fn finish(&mut self, scratch: &mut Scratch) -> isize {
        let mut kept = 0;
        if self.left > 0 {
            kept += self.turn(scratch, &mut Action::Receive { first: 0, length: 0, input: vec![b'x'; self.left] });
        }
        // The second writes the pong that was owed.
        kept += self.turn(scratch, &mut Action::Write(usize::MAX));
        kept + self.turn(scratch, &mut Action::Write(usize::MAX))
    }
}

fn freed_by<T>(value: T) -> usize {
    heap_of(|| drop(value)).1.kept.unsigned_abs()
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
