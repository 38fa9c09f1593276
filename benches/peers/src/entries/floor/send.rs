//! Writes frames into an output that is reused.

use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use multiversion::multiversion;

use super::mask::copy_masked;
use super::receive::{Message, Receiver};
use super::room::Room;
use crate::jobs::{Echo, Send};
use crate::pipe::Sink;
use crate::tally::{Tally, Work};
use crate::wire::Wire;

/// From this size on, a server's payload is written from where it is.
const HAND_OVER: usize = 2048;

const MAX_HEADER: usize = 14;

/// The most messages that wait to be written.
const MAX_BATCH: usize = 16;

/// From this size on, a client's messages are written one by one, in parts that stay in the cache: some peers write when
/// they have so much, and a socket takes no more than a part or two at once. A part is a multiple of the key's length.
const LARGE: usize = 8 << 10;
const MAX_PART: usize = 32 << 10;

pub(super) fn server(job: Send) -> Work {
    let mut output = Output::default();
    Box::new(
        move || {
            if job.payload.len() < HAND_OVER { copy_all(&job, &mut output) } else { chain_all(&job, &mut output) }
        },
    )
}

pub(super) fn client(job: Send, mut keys: impl Keys + 'static) -> Work {
    let mut output = Output::default();
    Box::new(move || {
        if job.payload.len() < LARGE {
            mask_all(&job, &mut output, &mut keys)
        } else {
            mask_in_parts(&job, &mut output, &mut keys)
        }
    })
}

pub(super) fn echo(job: Echo) -> Work {
    let Echo { mut wire, sink } = job;
    let mut buffer = vec![0; wire.input];
    let mut receiver = Receiver::<true>::default();
    let mut output = Output::default();
    Box::new(move || answer_all(&mut wire, &mut buffer, &mut receiver, &mut output, &sink))
}

#[multiversion(targets("x86_64+avx2"))]
fn copy_all(job: &Send, output: &mut Output) -> Tally {
    for _ in 0..job.batches() {
        for _ in 0..job.batch {
            output.frame(&job.payload, None);
        }
        job.sink.write(output.take());
    }
    Tally::sent(job.messages, job.sink.take())
}

/// Headers go to the output; the payloads are borrowed until they are written.
fn chain_all(job: &Send, output: &mut Output) -> Tally {
    let mut chained: [(usize, &[u8]); MAX_BATCH] = [(0, &[]); MAX_BATCH];
    for _ in 0..job.batches() {
        let chained = &mut chained[..job.batch as usize];
        for chained in &mut *chained {
            output.header(job.payload.len(), None);
            *chained = (output.end, &job.payload);
        }
        let written = output.take();
        let mut start = 0;
        for &(end, payload) in &*chained {
            job.sink.write(&written[start..end]);
            job.sink.write(payload);
            start = end;
        }
    }
    Tally::sent(job.messages, job.sink.take())
}

#[multiversion(targets("x86_64+avx2"))]
fn mask_all<K: Keys>(job: &Send, output: &mut Output, keys: &mut K) -> Tally {
    for _ in 0..job.batches() {
        for _ in 0..job.batch {
            output.frame(&job.payload, Some(keys.next()));
        }
        job.sink.write(output.take());
    }
    Tally::sent(job.messages, job.sink.take())
}

#[multiversion(targets("x86_64+avx2"))]
fn mask_in_parts<K: Keys>(job: &Send, output: &mut Output, keys: &mut K) -> Tally {
    for _ in 0..job.messages {
        let key = Some(keys.next());
        output.header(job.payload.len(), key);
        for part in job.payload.chunks(MAX_PART) {
            output.append(part, key);
            job.sink.write(output.take());
        }
    }
    Tally::sent(job.messages, job.sink.take())
}

#[multiversion(targets("x86_64+avx2"))]
fn answer_all(
    wire: &mut Wire,
    buffer: &mut [u8],
    receiver: &mut Receiver<true>,
    output: &mut Output,
    sink: &Sink,
) -> Tally {
    let mut tally = wire.tally();
    while tally.messages < wire.messages {
        receiver.receive(wire, buffer, |message| {
            let Message::Binary(data) = message else { panic!("no text") };
            tally.visit(data);
            if data.len() < HAND_OVER {
                output.frame(data, None);
                sink.write(output.take());
            } else {
                output.header(data.len(), None);
                sink.write(output.take());
                sink.write(data);
            }
        });
    }
    tally
}

/// Binary frames, one after the other.
#[derive(Default)]
struct Output {
    /// It is not cleared, so that a payload is copied and masked in one pass, and a header is written as a whole.
    room: Room,
    end: usize,
}

impl Output {
    #[inline(always)]
    fn frame(&mut self, payload: &[u8], key: Option<[u8; 4]>) {
        let room = &mut self.room.at_least(self.end + MAX_HEADER + payload.len())[self.end..];
        let size = write_header(room, payload.len(), key);
        fill(&mut room[size..size + payload.len()], payload, key);
        self.end += size + payload.len();
    }

    #[inline(always)]
    fn append(&mut self, payload: &[u8], key: Option<[u8; 4]>) {
        let start = self.end;
        self.end += payload.len();
        fill(&mut self.room.at_least(self.end)[start..self.end], payload, key);
    }

    #[inline(always)]
    fn header(&mut self, length: usize, key: Option<[u8; 4]>) {
        let room = &mut self.room.at_least(self.end + MAX_HEADER)[self.end..];
        self.end += write_header(room, length, key);
    }

    /// The bytes to write now; the next frame takes their place.
    #[inline(always)]
    fn take(&mut self) -> &[u8] {
        let end = std::mem::take(&mut self.end);
        &self.room.get()[..end]
    }
}

#[inline(always)]
fn fill(place: &mut [u8], payload: &[u8], key: Option<[u8; 4]>) {
    match key {
        Some(key) => copy_masked(place, payload, key),
        None => place.copy_from_slice(payload),
    }
}

/// Writes a header, and returns its size.
#[inline(always)]
fn write_header(room: &mut [u8], length: usize, key: Option<[u8; 4]>) -> usize {
    let header: &mut [u8; MAX_HEADER] = room.first_chunk_mut().expect("room");
    let mask_bit = if key.is_some() { 0x80 } else { 0 };
    header[0] = 0x82;
    let size = match u16::try_from(length) {
        Ok(short @ 0..126) => {
            header[1] = mask_bit | short as u8;
            2
        }
        Ok(medium) => {
            header[1] = mask_bit | 126;
            header[2..4].copy_from_slice(&medium.to_be_bytes());
            4
        }
        Err(_) => {
            header[1] = mask_bit | 127;
            header[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    };
    let Some(key) = key else { return size };
    header[size..size + 4].copy_from_slice(&key);
    size + 4
}

/// A source of masking keys.
pub(super) trait Keys {
    fn next(&mut self) -> [u8; 4];
}

/// Unpredictable keys (RFC 6455 section 5.3).
pub(super) struct Secret(ChaCha12Rng);

impl Secret {
    pub(super) fn new() -> Self {
        Self(ChaCha12Rng::from_seed([1; 32]))
    }
}

impl Keys for Secret {
    #[inline]
    fn next(&mut self) -> [u8; 4] {
        self.0.next_u32().to_ne_bytes()
    }
}

/// Predictable keys: the least that a key costs.
pub(super) struct Trivial(u32);

impl Trivial {
    pub(super) fn new() -> Self {
        Self(1)
    }
}

impl Keys for Trivial {
    #[inline]
    fn next(&mut self) -> [u8; 4] {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0.to_ne_bytes()
    }
}
