//! The buffers of a thread, for whichever of its connections is being served.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::deflate::CompressorPool;
use crate::pool::BufferPool;
use crate::receive::{Inflation, Lent};
use crate::send::Chain;

/// The buffers of a thread, for whichever of its connections is being served.
///
/// Everything works without one: a connection then has buffers of its own, and keeps up to 16 KiB of them for its next
/// messages. Where there are many connections and most of them are idle, [`attach_scratch`](crate::Connection::attach_scratch) the scratch of
/// the thread to the connection that bytes came for, and take it back with [`detach_scratch`](crate::Connection::detach_scratch) when that
/// has answered. Only what is pending stays with the connection: an idle one owns no heap memory, and a busy one allocates
/// none.
///
/// ```
/// use bytes::Buf;
/// use websocket_proto::{Config, Connection, Event, Negotiated, Scratch};
///
/// let mut scratch = Scratch::new(); // one for the thread
/// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
/// let mut received = *b"\x81\x82\0\0\0\0hi";
///
/// conn.with_scratch(&mut scratch, |conn| {
///     let mut input = &mut received[..];
///     while let Some(event) = conn.receive(&mut input) {
///         if let Event::Text(text) = event {
///             conn.send_text(&text).unwrap();
///             conn.recycle(text); // the buffer of a message that was assembled
///         }
///     }
///     assert_eq!(conn.output().chunk(), b"\x81\x02hi");
///     let pending = conn.output().remaining(); // …write it…
///     conn.output().advance(pending);
/// });
/// ```
/// Behind its methods it is one pointer, so it can be moved around like one.
#[derive(Debug, Default)]
pub struct Scratch(pub(super) Option<Box<Buffers>>);

impl Scratch {
    /// Creates a scratch that keeps up to 4 MiB of spare buffers. They are made when they are first needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many bytes of spare buffers are kept, 4 MiB by default. Larger ones are freed when they come back.
    pub fn keep(mut self, bytes: usize) -> Self {
        self.0.get_or_insert_default().pool.set_max_total(bytes);
        self
    }
}

/// What a scratch consists of.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) pool: BufferPool,
    /// A spare list for the payloads that are chained into an output.
    pub(super) chain: Option<Box<Chain>>,
    /// A spare inflater, and what belongs to it.
    pub(super) inflation: Option<Box<Inflation>>,
    pub(super) compressors: CompressorPool,
}

impl Buffers {
    /// The part that a receiver uses.
    #[inline]
    pub(super) fn for_receiver(&mut self) -> Lent<'_> {
        Lent { pool: &mut self.pool, inflation: &mut self.inflation }
    }
}

/// A payload that the caller has done with, for [`Connection::recycle`](crate::Connection::recycle): what an event
/// had, borrowed (which is fine, and gives nothing) or owned.
#[derive(Debug, Default)]
pub struct Recycled(pub(super) Vec<u8>);

impl From<Cow<'_, [u8]>> for Recycled {
    #[inline]
    fn from(payload: Cow<'_, [u8]>) -> Self {
        match payload {
            Cow::Owned(payload) => Self(payload),
            Cow::Borrowed(_) => Self::default(),
        }
    }
}

impl From<Cow<'_, str>> for Recycled {
    #[inline]
    fn from(payload: Cow<'_, str>) -> Self {
        match payload {
            Cow::Owned(payload) => payload.into(),
            Cow::Borrowed(_) => Self::default(),
        }
    }
}

impl From<Vec<u8>> for Recycled {
    #[inline]
    fn from(payload: Vec<u8>) -> Self {
        Self(payload)
    }
}

/// A buffer is only used again if nobody else holds it: that of a payload that was sent by [`Output::take`](crate::Output::take), say.
impl From<Bytes> for Recycled {
    #[inline]
    fn from(payload: Bytes) -> Self {
        if payload.is_unique() { Self(payload.into()) } else { Self::default() }
    }
}

impl From<String> for Recycled {
    #[inline]
    fn from(payload: String) -> Self {
        Self(payload.into_bytes())
    }
}
