//! The jobs that an entry is asked to do.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha1::{Digest, Sha1};

use crate::entries::Entry;
use crate::pipe::Sink;
use crate::tally::{Tally, Work};
use crate::wire::{Role, Wire};

/// A job and its expected result.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) job: Job,
    pub(crate) messages: u64,
    /// `None` if entries may write different amounts.
    expected: Option<Tally>,
}

impl Task {
    pub(crate) fn exactly(job: Job, expected: Tally) -> Self {
        Self { job, messages: expected.messages, expected: Some(expected) }
    }

    pub(crate) fn at_least(job: Job, messages: u64) -> Self {
        Self { job, messages, expected: None }
    }

    /// Returns whether entries may write different amounts.
    pub(crate) fn may_differ(&self) -> bool {
        self.expected.is_none()
    }

    /// Checks the result of a pass.
    pub(crate) fn assert(&self, entry: &dyn Entry, tally: Tally) {
        match self.expected {
            Some(expected) => assert_eq!(tally, expected, "{}", entry.name()),
            None => assert_eq!(tally.messages, self.messages, "{}", entry.name()),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Job {
    Receive(Receive),
    Many(Many),
    Send(Send),
    Echo(Echo),
    Accept(Accept),
    Connect(Connect),
    Inflate(Inflate),
    Deflate(Deflate),
}

impl Job {
    /// Returns how that entry does it, if it can.
    pub(crate) fn work(&self, entry: &dyn Entry) -> Option<Work> {
        match self {
            Self::Receive(job) => entry.receive(job),
            Self::Many(job) => entry.many(job),
            Self::Send(job) => entry.send(job),
            Self::Echo(job) => entry.echo(job),
            Self::Accept(job) => entry.accept(job),
            Self::Connect(job) => entry.connect(job),
            Self::Inflate(job) => entry.inflate(job),
            Self::Deflate(job) => entry.deflate(job),
        }
    }
}

/// Receive the messages of a wire, one pass after another.
#[derive(Clone, Debug)]
pub(crate) struct Receive {
    pub(crate) role: Role,
    pub(crate) wire: Wire,
    /// Messages come in several frames.
    pub(crate) fragmented: bool,
}

/// A server receives a message on each of many connections, in turn.
#[derive(Clone, Debug)]
pub(crate) struct Many {
    /// A read delivers a frame.
    pub(crate) wire: Wire,
    /// The connections' numbers, each once, in the order in which they receive.
    pub(crate) order: Arc<[u32]>,
}

impl Many {
    /// The most connections for entries that own 8 KiB of buffers or more for each.
    pub(crate) const MAX_BUFFERED: usize = 10_000;

    /// Opens the connections.
    pub(crate) fn open<C>(&self, connection: impl FnMut() -> C) -> Vec<C> {
        std::iter::repeat_with(connection).take(self.order.len()).collect()
    }

    pub(crate) fn fits_buffered(&self) -> bool {
        self.order.len() <= Self::MAX_BUFFERED
    }
}

/// Send the same binary message again and again.
#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) role: Role,
    pub(crate) payload: Bytes,
    /// In every pass.
    pub(crate) messages: u64,
    /// The output is written after so many messages.
    pub(crate) batch: u64,
    pub(crate) sink: Sink,
}

impl Send {
    /// Returns how often the output is written in a pass.
    pub(crate) fn batches(&self) -> u64 {
        self.messages / self.batch
    }
}

/// A server sends back what it receives, immediately.
#[derive(Clone, Debug)]
pub(crate) struct Echo {
    pub(crate) wire: Wire,
    pub(crate) sink: Sink,
}

/// A server answers a request.
#[derive(Clone, Debug)]
pub(crate) struct Accept {
    pub(crate) request: Wire,
    pub(crate) sink: Sink,
}

/// A client sends a request, and checks the response.
#[derive(Clone, Debug)]
pub(crate) struct Connect {
    pub(crate) host: &'static str,
    pub(crate) path: &'static str,
    pub(crate) sink: Sink,
}

impl Connect {
    /// Handshakes in a pass.
    pub(crate) const PASS: u64 = 64;

    /// The key of RFC 6455 section 1.3.
    pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    pub(crate) fn encode_key(nonce: [u8; 16]) -> String {
        STANDARD.encode(nonce)
    }

    /// Returns the key of a request.
    pub(crate) fn key_in(request: &[u8]) -> &str {
        let text = std::str::from_utf8(request).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        line.expect("a key")
    }

    /// A server's response to that key.
    pub(crate) fn response(key: &str) -> Wire {
        let accept = STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        Wire::new(head.into_bytes(), 1, 16 << 10, false)
    }
}

/// The text that is appended to a key before it is hashed (RFC 6455 section 1.3).
pub(crate) const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A server receives compressed text.
#[derive(Clone, Debug)]
pub(crate) struct Inflate {
    pub(crate) wire: Wire,
    /// The compressed payloads of the first pass, and of every other.
    pub(crate) payloads: [Arc<[Vec<u8>]>; 2],
    pub(crate) size: usize,
    pub(crate) takeover: bool,
}

/// A server sends compressed text.
#[derive(Clone, Debug)]
pub(crate) struct Deflate {
    pub(crate) messages: Arc<[Bytes]>,
    pub(crate) takeover: bool,
    pub(crate) sink: Sink,
}

/// The level at which every entry compresses.
pub(crate) const LEVEL: u8 = 4;
