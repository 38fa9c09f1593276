//! Buffers that a thread lends to the connection at work.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use bytes::Bytes;

#[cfg(feature = "deflate")]
use crate::deflate::Compressors;
#[cfg(feature = "deflate")]
use crate::receive::Inflation;
use crate::send::Chain;

/// How many buffers are kept: one for the output, one for a message, and some for those that the caller still holds.
const BUFFERS: usize = 8;

/// A buffer of up to this size stays with a message under way, however little of that has arrived.
const LEFT: usize = 1 << 20;

/// How many bytes they may have together, unless the caller says otherwise.
const KEPT: usize = 4 << 20;

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
#[derive(Debug)]
pub struct Scratch {
    spare: Vec<Vec<u8>>,
    kept: usize,
    limit: usize,
    /// What holds an output's chained payloads.
    pub(crate) chain: Option<Box<Chain>>,
    /// What a connection needs for a compressed message that comes in.
    #[cfg(feature = "deflate")]
    pub(crate) inflation: Option<Box<Inflation>>,
    #[cfg(feature = "deflate")]
    pub(crate) compressors: Compressors,
}

impl Scratch {
    /// A scratch that keeps up to 4 MiB of spare buffers. They are made when they are first needed.
    pub fn new() -> Self {
        Self {
            spare: Vec::new(),
            kept: 0,
            limit: KEPT,
            chain: None,
            #[cfg(feature = "deflate")]
            inflation: None,
            #[cfg(feature = "deflate")]
            compressors: Compressors::default(),
        }
    }

    /// How many bytes of spare buffers may be kept; larger ones are freed when they are given back.
    pub fn keep(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// An empty buffer: the one given back last, or a new one without memory.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut buffer = self.take_used();
        buffer.clear();
        buffer
    }

    /// The same, with whatever is in it: bytes to be overwritten, which needn't be set to zero first.
    pub(crate) fn take_used(&mut self) -> Vec<u8> {
        let buffer = self.spare.pop().unwrap_or_default();
        self.kept -= buffer.capacity();
        buffer
    }

    /// Takes the buffer of a message under way back, if it is much larger than what it is filled with, which stays in one
    /// that fits.
    pub(crate) fn fit(&mut self, data: &mut Vec<u8>, filled: usize) {
        if is_much_larger(data.capacity(), filled) {
            let left = data[..filled].into();
            self.put(mem::replace(data, left));
        }
    }

    /// The same for text.
    pub(crate) fn fit_text(&mut self, text: &mut String) {
        if is_much_larger(text.capacity(), text.len()) {
            let left = text.as_str().into();
            self.put(mem::replace(text, left).into_bytes());
        }
    }

    /// Gives a buffer back.
    pub(crate) fn put(&mut self, buffer: Vec<u8>) {
        let kept = self.kept + buffer.capacity();
        if buffer.capacity() > 0 && kept <= self.limit && self.spare.len() < BUFFERS {
            self.kept = kept;
            self.spare.push(buffer);
        }
    }
}

fn is_much_larger(capacity: usize, filled: usize) -> bool {
    capacity > (4 * filled).max(LEFT)
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// A payload that the caller has done with, for [`Connection::give_back`](crate::Connection::give_back): what an event
/// had, borrowed (which is fine, and gives nothing) or owned.
#[derive(Debug, Default)]
pub struct Used(pub(crate) Vec<u8>);

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
