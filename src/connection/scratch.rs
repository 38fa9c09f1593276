//! Reusable buffers of a thread, for the connection that it is serving.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;

use crate::deflate::CompressorPool;
use crate::pool::BufferPool;
use crate::receive::{Inflation, Lent};
use crate::send::Chain;

/// Reusable buffers of a thread, for the connection that it is serving.
///
/// A scratch is optional. Without one, each connection has its own buffers, and keeps up to 16 KiB of them for its next
/// messages.
///
/// Use one scratch per thread if you have many connections, most of them idle. When bytes arrive for a connection,
/// attach the scratch with [`attach_scratch`](crate::Connection::attach_scratch), receive and send, and take it back
/// with [`detach_scratch`](crate::Connection::detach_scratch). Only pending data stays with the connection. An idle
/// connection then owns no heap memory, and a busy one does not allocate.
///
/// ```
/// use bytes::Buf;
/// use websocket_proto::{Config, Connection, Event, Negotiated, Scratch};
///
/// let mut scratch = Scratch::new(); // one per thread
/// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
/// let mut received = *b"\x81\x82\0\0\0\0hi";
///
/// conn.with_scratch(&mut scratch, |conn| {
///     let mut input = &mut received[..];
///     while let Some(event) = conn.receive(&mut input) {
///         if let Event::Text(text) = event {
///             conn.send_text(&text).unwrap();
///             conn.recycle(text); // the buffer of an assembled message
///         }
///     }
///     assert_eq!(conn.output().chunk(), b"\x81\x02hi");
///     let pending = conn.output().remaining(); // …write it…
///     conn.output().advance(pending);
/// });
/// ```
/// Inside it is a single pointer, so moving it is cheap.
#[derive(Debug, Default)]
pub struct Scratch(pub(super) Option<Box<Buffers>>);

impl Scratch {
    /// Creates a scratch that keeps up to 4 MiB of spare buffers. Buffers are allocated on first use.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many bytes of spare buffers are kept. 4 MiB by default. Buffers beyond that are freed.
    pub fn keep(mut self, bytes: usize) -> Self {
        self.0.get_or_insert_default().pool.set_max_total(bytes);
        self
    }
}

/// The contents of a scratch.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    pub(super) pool: BufferPool,
    /// A spare list of payloads chained into an output.
    pub(super) chain: Option<Box<Chain>>,
    /// A spare inflater with its buffers.
    pub(super) inflation: Option<Box<Inflation>>,
    pub(super) compressors: CompressorPool,
}

impl Buffers {
    /// Returns the buffers that a receiver uses.
    #[inline]
    pub(super) fn for_receiver(&mut self) -> Lent<'_> {
        Lent { pool: &mut self.pool, inflation: &mut self.inflation }
    }
}

/// A payload whose buffer can be reused, the argument of [`Connection::recycle`](crate::Connection::recycle). It is
/// converted from the payload of an event. A borrowed payload is accepted too, but has no buffer to reuse.
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

/// The buffer is reused only if there is no other reference to it, such as that of a queued message.
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
