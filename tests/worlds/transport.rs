//! One direction of the transport, as the end sees it that reads it.

use crate::wire::decode;

/// The bytes that were written for one end, and how many of them it has read.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    stream: Vec<u8>,
    read: usize,
    ended: bool,
}

impl Incoming {
    /// Bytes come, unless nothing does any more.
    pub(crate) fn arrive(&mut self, bytes: &[u8]) {
        if !self.ended {
            self.stream.extend(bytes);
        }
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    pub(crate) fn cut(&mut self) {
        self.stream.truncate(self.read);
        self.ended = true;
    }

    pub(crate) fn read(&mut self, count: usize) -> &[u8] {
        let start = self.read;
        self.read += count;
        &self.stream[start..self.read]
    }

    pub(crate) fn len(&self) -> usize {
        self.stream.len() - self.read
    }

    pub(crate) fn received(&self) -> &[u8] {
        &self.stream[..self.read]
    }

    pub(crate) fn all(&self) -> &[u8] {
        &self.stream
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn is_broken(&self) -> bool {
        decode(&self.stream, false).broken
    }

    /// All was read, and nothing more comes.
    pub(crate) fn is_at_eof(&self) -> bool {
        self.ended && self.len() == 0
    }
}
