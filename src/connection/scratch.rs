//! Buffers that a thread lends to the connection at work.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::deflate::CompressorPool;
use crate::pool::BufferPool;
use crate::receive::{Inflation, Lent};
use crate::send::Chain;

/// A thread's buffers, lent to whichever of its connections is at work.
///
/// Everything works without one: a connection then has buffers of its own, which it keeps (up to 16 KiB) for its next
/// messages. Where there are many connections and most of them are idle, a thread [lends](crate::Connection::lend) its
/// scratch to the connection that bytes came for, and takes it [back](crate::Connection::release) when that has
/// answered. What stays behind is only what is pending: an idle connection owns no heap memory, and a busy one
/// allocates none.
///
/// ```
/// use bytes::Buf;
/// use websocket_proto::{Config, Connection, Event, Negotiated, Scratch};
///
/// let mut scratch = Box::new(Scratch::new());
/// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
/// let mut arrived = *b"\x81\x82\0\0\0\0hi";
///
/// conn.lend(scratch);
/// let mut input = &mut arrived[..];
/// while let Some(event) = conn.receive(&mut input) {
///     if let Event::Text(text) = event {
///         conn.send_text(&text).unwrap();
///         conn.give_back(text);                   // a message that was assembled has a buffer, too
///     }
/// }
/// # assert_eq!(conn.output().chunk(), b"\x81\x02hi");
/// let pending = conn.output().remaining();        // …write it…
/// conn.output().advance(pending);
/// scratch = conn.release().unwrap();
/// ```
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) buffers: BufferPool,
    /// What holds an output's chained payloads.
    pub(super) chain: Option<Box<Chain>>,
    /// What a connection needs for a compressed message that comes in.
    pub(super) inflation: Option<Box<Inflation>>,
    pub(super) compressors: CompressorPool,
}

impl Scratch {
    /// A scratch that keeps up to 4 MiB of spare buffers. They are made when they are first needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many bytes of spare buffers may be kept; larger ones are freed when they are given back.
    pub fn keep(mut self, bytes: usize) -> Self {
        self.buffers.set_max_total(bytes);
        self
    }
}

impl Scratch {
    /// What a receiver may use of it.
    #[inline]
    pub(super) fn for_receiver(&mut self) -> Lent<'_> {
        Lent { pool: &mut self.buffers, inflation: &mut self.inflation }
    }
}

/// A payload that the caller has done with, for [`Connection::give_back`](crate::Connection::give_back): what an event
/// had, borrowed (which is fine, and gives nothing) or owned.
#[derive(Debug, Default)]
pub struct Used(pub(super) Vec<u8>);

impl From<Cow<'_, [u8]>> for Used {
    #[inline]
    fn from(payload: Cow<'_, [u8]>) -> Self {
        match payload {
            Cow::Owned(payload) => Self(payload),
            Cow::Borrowed(_) => Self::default(),
        }
    }
}

impl From<Cow<'_, str>> for Used {
    #[inline]
    fn from(payload: Cow<'_, str>) -> Self {
        match payload {
            Cow::Owned(payload) => payload.into(),
            Cow::Borrowed(_) => Self::default(),
        }
    }
}

impl From<Vec<u8>> for Used {
    #[inline]
    fn from(payload: Vec<u8>) -> Self {
        Self(payload)
    }
}

/// What nobody else holds: a payload that was sent by [`Output::take`](crate::Output::take), say.
impl From<Bytes> for Used {
    #[inline]
    fn from(payload: Bytes) -> Self {
        if payload.is_unique() { Self(payload.into()) } else { Self::default() }
    }
}

impl From<String> for Used {
    #[inline]
    fn from(payload: String) -> Self {
        Self(payload.into_bytes())
    }
}
