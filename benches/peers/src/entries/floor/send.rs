//! Writes frames into an output that is reused.

use bytes::Bytes;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use super::mask::copy_masked;
use super::receive::{Message, Receiver};
use crate::jobs::{Echo, Send};
use crate::tally::{Tally, Work};

/// From this size on, a server's payload is written from where it is.
const HAND_OVER: usize = 2048;

const MAX_HEADER: usize = 14;

pub(super) fn server(job: Send) -> Work {
    let mut output = Output::default();
    // Payloads that are written from where they are, each with the end of its header in the output.
    let mut chained: Vec<(usize, Bytes)> = Vec::new();
    Box::new(move || {
        for _ in 0..job.batches() {
            for _ in 0..job.batch {
                if job.payload.len() < HAND_OVER {
                    output.frame(&job.payload, None);
                } else {
                    output.header(job.payload.len(), None);
                    chained.push((output.end, job.payload.clone()));
                }
            }
            let written = output.take();
            let mut start = 0;
            for (end, payload) in chained.drain(..) {
                job.sink.write(&written[start..end]);
                job.sink.write(&payload);
                start = end;
            }
            if start < written.len() {
                job.sink.write(&written[start..]);
            }
        }
        Tally::sent(job.messages, job.sink.take())
    })
}

pub(super) fn client(job: Send, mut keys: impl Keys + 'static) -> Work {
    let mut output = Output::default();
    Box::new(move || {
        for _ in 0..job.batches() {
            for _ in 0..job.batch {
                output.frame(&job.payload, Some(keys.next()));
            }
            job.sink.write(output.take());
        }
        Tally::sent(job.messages, job.sink.take())
    })
}

pub(super) fn echo(job: Echo) -> Work {
    let Echo { mut wire, sink } = job;
    let mut buffer = vec![0; wire.input];
    let mut receiver = Receiver::<true>::default();
    let mut output = Output::default();
    Box::new(move || {
        let mut tally = wire.tally();
        while tally.messages < wire.messages {
            let count = wire.read(&mut buffer);
            receiver.receive(&mut buffer[..count], |message| {
                let Message::Binary(data) = message else { panic!("no text") };
                tally.visit(data);
                output.frame(data, None);
                sink.write(output.take());
            });
        }
        tally
    })
}

/// Binary frames, one after the other.
#[derive(Default)]
struct Output {
    /// It grows and is never cleared, so that a payload is copied and masked in one pass, and a header is written as a
    /// whole.
    room: Vec<u8>,
    end: usize,
}

impl Output {
    #[inline]
    fn frame(&mut self, payload: &[u8], key: Option<[u8; 4]>) {
        self.header(payload.len(), key);
        let start = self.end;
        self.end += payload.len();
        let room = &mut self.room[start..self.end];
        match key {
            Some(key) => copy_masked(room, payload, key),
            None => room.copy_from_slice(payload),
        }
    }

    /// Writes a header, and reserves space for the payload after it.
    #[inline]
    fn header(&mut self, length: usize, key: Option<[u8; 4]>) {
        let needed = self.end + MAX_HEADER + length;
        if self.room.len() < needed {
            self.room.resize(needed.next_power_of_two(), 0);
        }
        let header: &mut [u8; MAX_HEADER] = self.room[self.end..].first_chunk_mut().expect("room");
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
        self.end += size;
        if let Some(key) = key {
            header[size..size + 4].copy_from_slice(&key);
            self.end += 4;
        }
    }

    /// The bytes to write now; the next frame takes their place.
    #[inline]
    fn take(&mut self) -> &[u8] {
        let end = std::mem::take(&mut self.end);
        &self.room[..end]
    }
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
