//! Bytes as they come from a peer: frames, and the chunks in which a transport delivers them.

use std::sync::Arc;

use bytes::Bytes;

use crate::tally::Tally;

/// The role of the entry under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// The input: the same frames in every pass, forever.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    bytes: Arc<[u8]>,
    at: usize,
    /// The start of the second pass, which all later ones repeat; the first may differ, because compression has memory.
    again: usize,
    /// The most that one read delivers.
    pub(crate) input: usize,
    /// In every pass.
    pub(crate) messages: u64,
    thorough: bool,
}

impl Wire {
    pub(crate) fn new(pass: Vec<u8>, messages: u64, input: usize, thorough: bool) -> Self {
        Self { bytes: pass.into(), at: 0, again: 0, input, messages, thorough }
    }

    /// A first pass that differs from the later ones.
    pub(crate) fn with_first(first: &[u8], pass: &[u8], messages: u64, input: usize, thorough: bool) -> Self {
        Self { again: first.len(), ..Self::new([first, pass].concat(), messages, input, thorough) }
    }

    /// Nothing ever arrives.
    pub(crate) fn silent() -> Self {
        Self::new(Vec::new(), 0, 1, false)
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally::new(self.thorough)
    }

    /// The next bytes, at most `room`; a chunk never extends into the next pass.
    pub(crate) fn next(&mut self, room: usize) -> &[u8] {
        let (start, end) = if self.at < self.again { (0, self.again) } else { (self.again, self.bytes.len()) };
        let piece = start + (self.at - start) / self.input * self.input + self.input;
        let from = self.at;
        let to = piece.min(end).min(from.saturating_add(room));
        self.at = if to == self.bytes.len() { self.again } else { to };
        &self.bytes[from..to]
    }

    /// Reads as from a socket.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> usize {
        let piece = self.next(buffer.len());
        buffer[..piece.len()].copy_from_slice(piece);
        piece.len()
    }

    /// The same into two buffers; the second is used when the first is full.
    pub(crate) fn read_vectored(&mut self, first: &mut [u8], second: &mut [u8]) -> usize {
        let piece = self.next(first.len() + second.len());
        let (front, back) = piece.split_at(piece.len().min(first.len()));
        first[..front.len()].copy_from_slice(front);
        second[..back.len()].copy_from_slice(back);
        piece.len()
    }
}

/// A frame to be built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) fin: bool,
    pub(crate) opcode: u8,
    pub(crate) key: Option<[u8; 4]>,
    pub(crate) payload: &'a [u8],
}

impl Frame<'_> {
    pub(crate) fn append_to(&self, wire: &mut Vec<u8>) {
        let mask_bit = if self.key.is_some() { 0x80 } else { 0 };
        wire.push(u8::from(self.fin) << 7 | self.opcode);
        match u16::try_from(self.payload.len()) {
            Ok(short @ 0..126) => wire.push(mask_bit | short as u8),
            Ok(medium) => {
                wire.push(mask_bit | 126);
                wire.extend(medium.to_be_bytes());
            }
            Err(_) => {
                wire.push(mask_bit | 127);
                wire.extend((self.payload.len() as u64).to_be_bytes());
            }
        }
        wire.extend(self.key.unwrap_or_default().iter().take(if self.key.is_some() { 4 } else { 0 }));
        let key = self.key.unwrap_or_default();
        wire.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    }
}

/// A frame that was written, unmasked.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) first_byte: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Bytes,
}

/// Parses what an entry has written.
pub(crate) fn written(mut wire: &[u8]) -> Vec<Written> {
    let mut take = |count: usize| {
        let (taken, rest) = wire.split_at_checked(count)?;
        wire = rest;
        Some(taken)
    };
    let mut frames = Vec::new();
    while let Some(head) = take(2) {
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
        let length = match head[1] & 0x7f {
            126 => big_endian(take(2).expect("a length")),
            127 => big_endian(take(8).expect("a length")),
            short => short.into(),
        };
        let masked = head[1] & 0x80 != 0;
        let key = if masked { take(4).expect("a key") } else { &[0; 4] };
        let payload = take(length).expect("a payload").iter().zip(key.iter().cycle());
        let payload = payload.map(|(byte, key)| byte ^ key).collect();
        frames.push(Written { first_byte: head[0], masked, payload });
    }
    frames
}
