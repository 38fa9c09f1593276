//! Bytes that wait to be sent: one buffer, and the large payloads that were handed over rather than copied.
//!
//! ```text
//! buffer: [sent|header, small frames …|header|…]      the payloads chained at an offset of the buffer
//!               ▲ sent               ▲                come out between the bytes before and after it
//!                             chain: (offset, Bytes)
//! ```

mod buf;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::{fmt, mem};

use bytes::{Buf, Bytes};

use super::Chain;
use super::deferred_pong::DeferredPong;
use crate::frame;
use crate::pool::BufferPool;

/// A drained buffer of up to this size is retained for the next frames; a larger one is freed.
const MAX_RETAINED_BUFFER: usize = 16 << 10;

/// While this much output is pending, pings are not answered one by one, even where the limit of pending output is higher.
const PONG_BACKLOG: u32 = 64 << 10;

/// The bytes that a connection has to send, in order.
///
/// It is a [`bytes::Buf`]: write [`chunk`](#method.chunk) (or, with the feature `std`, the `chunks_vectored` of
/// `&*conn.output()`) to the transport and [`advance`](#method.advance) by what it took. For
/// completion-based I/O, [`take`](Self::take) hands bytes over for good.
///
/// ```
/// use bytes::Buf;
/// use websocket_proto::{Config, Connection, Negotiated};
///
/// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
/// conn.send_text("hi").unwrap();
/// assert_eq!(conn.output().chunk(), b"\x81\x02hi");
/// conn.output().advance(3);
/// assert_eq!(conn.output().take().unwrap(), "i");
/// assert!(!conn.output().has_remaining());
/// ```
pub struct Output {
    /// Bytes in the order of sending.
    buffer: Vec<u8>,
    /// How many bytes of the buffer are sent.
    sent: usize,
    chain: Option<Box<Chain>>,
    deferred_pong: DeferredPong,
    /// Below this much pending output every ping is answered; from it on, the newest.
    pong_limit: u32,
    retain: Retain,
    /// How much the transport has taken since that was last asked.
    progress: Progress,
}

/// What is retained of the memory of a drained output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retain {
    /// Nothing: the opening handshake is over, or the buffers went back, and the connection may stay idle.
    Nothing,
    /// A buffer of up to [`MAX_RETAINED_BUFFER`] bytes.
    SmallBuffer,
    /// Everything: it is borrowed, and goes back.
    Everything,
}

/// How much of an output the transport has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    Something,
    /// All that was pending.
    Everything,
}

impl Output {
    /// An empty output that will be held to that limit.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            sent: 0,
            chain: None,
            deferred_pong: DeferredPong::default(),
            pong_limit: u32::try_from(limit).map_or(PONG_BACKLOG, |limit| limit.min(PONG_BACKLOG)),
            retain: Retain::Nothing,
            progress: Progress::Nothing,
        }
    }

    /// Returns the next pending bytes, without copying them; `None` when nothing is pending.
    ///
    /// Bytes returned here count as sent. Keep the transport open until you have written them, even if
    /// [`wants_shutdown`](crate::Connection::wants_shutdown) already says `Graceful`; drop them when it says `Abort`.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_text("hi")?;
    /// conn.send(vec![b'x'; 1 << 20])?; // chained, not copied
    /// let mut writes = Vec::new(); // say, the queue of a thread that writes
    /// while let Some(bytes) = conn.output().take() {
    ///     writes.push(bytes);
    /// }
    /// assert_eq!(writes[0], &b"\x81\x02hi\x82\x7f\0\0\0\0\0\x10\0\0"[..]);
    /// assert_eq!(writes[1].len(), 1 << 20);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn take(&mut self) -> Option<Bytes> {
        let taken = self.take_chained().or_else(|| self.take_buffer())?;
        self.on_sent(taken.len());
        Some(taken)
    }

    /// Borrows a buffer, if it has none.
    pub(crate) fn borrow_from(&mut self, pool: &mut BufferPool, spare: &mut Option<Box<Chain>>) {
        if self.buffer.capacity() == 0 {
            self.buffer = pool.get();
        }
        if self.chain.is_none() {
            self.chain = spare.take();
        }
        self.retain = Retain::Everything;
    }

    /// Returns the buffer of a payload that was sent.
    pub(crate) fn return_recyclable(&mut self, pool: &mut BufferPool) {
        if let Some(chain) = &mut self.chain {
            pool.recycle(chain.take_recyclable());
        }
    }

    /// Returns the buffer, if nothing is pending in it.
    pub(crate) fn return_to(&mut self, pool: &mut BufferPool, spare: &mut Option<Box<Chain>>) {
        self.return_recyclable(pool);
        if let Some(unused) = self.chain.take_if(|chain| chain.is_empty()) {
            *spare = Some(unused);
        }
        // What stays behind is freed once it is drained.
        self.retain = if self.has_remaining() { Retain::Nothing } else { Retain::SmallBuffer };
        if pool.shrink(&mut self.buffer, self.sent) {
            self.rebase();
        }
    }

    /// Whether the transport has taken bytes since this was last asked.
    pub(crate) fn take_progress(&mut self) -> bool {
        mem::replace(&mut self.progress, Progress::Nothing) != Progress::Nothing
    }

    /// Whether all that was pending then has been taken.
    pub(crate) fn was_drained(&self) -> bool {
        self.progress == Progress::Everything || !self.has_remaining()
    }

    /// Whether so little is pending that each ping is answered.
    #[inline]
    pub(crate) fn takes_pongs(&self) -> bool {
        self.remaining() < self.pong_limit as usize
    }

    /// Keeps the answer to the newest ping until there is space for it.
    pub(crate) fn keep_pong(&mut self, frame: &[u8]) {
        self.deferred_pong.set(frame);
    }

    /// Drops the answer that is kept: no frame follows a Close frame.
    pub(crate) fn drop_pong(&mut self) {
        self.deferred_pong.clear();
    }

    /// Drops everything that is pending. What is borrowed stays, to go back.
    pub(crate) fn clear(&mut self) {
        self.deferred_pong.clear();
        self.progress = Progress::Nothing;
        self.sent = 0;
        if self.retain == Retain::Everything {
            self.buffer.clear();
            if let Some(chain) = &mut self.chain {
                chain.clear();
            }
            self.release_chain();
        } else {
            self.buffer = Vec::new();
            self.chain = None;
        }
    }

    /// Makes space for a frame.
    #[inline]
    pub(crate) fn reserve(&mut self, additional: usize) {
        if self.retain == Retain::Nothing {
            self.retain = Retain::SmallBuffer;
        }
        if self.buffer.capacity() - self.buffer.len() < additional {
            self.grow(additional);
        }
    }

    /// Skips bytes at the front of an output that had nothing pending.
    pub(super) fn skip(&mut self, count: usize) {
        debug_assert_eq!((self.sent, self.is_chained()), (0, false), "nothing was pending");
        self.sent = count;
    }

    /// Removes what was appended from that place on.
    pub(super) fn truncate(&mut self, length: usize) {
        if self.buffer.len() > length {
            self.buffer.truncate(length);
            if !self.has_remaining() {
                self.free_unretained();
            }
        }
    }

    /// The bytes in the order of sending, to append to.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends bytes and masks them on the way.
    #[inline]
    pub(crate) fn extend_masked(&mut self, bytes: &[u8], key: [u8; 4]) {
        frame::append_masked(&mut self.buffer, bytes, key);
    }

    /// Appends a payload without copying it.
    pub(crate) fn attach(&mut self, payload: Bytes) {
        self.chain.get_or_insert_default().push_nonempty(self.buffer.len(), payload);
    }

    #[cold]
    fn grow(&mut self, additional: usize) {
        // Move the pending bytes to the front where that is at most as many as were sent: each byte is then moved at
        // most once for each that was sent.
        if self.sent >= self.buffer.len() - self.sent {
            self.buffer.drain(..self.sent);
            self.rebase();
        }
        self.buffer.reserve(additional);
    }

    /// The bytes that were sent are gone from the buffer.
    fn rebase(&mut self) {
        let removed = mem::take(&mut self.sent);
        if let Some(chain) = &mut self.chain {
            chain.rebase(removed);
        }
    }

    /// Takes the bytes of the buffer, if some are pending.
    fn take_buffer(&mut self) -> Option<Bytes> {
        if self.sent == self.buffer.len() {
            return None;
        }
        let mut taken = Bytes::from(mem::take(&mut self.buffer));
        taken.advance(mem::take(&mut self.sent));
        Some(taken)
    }

    /// Takes the bytes before the next chained payload, or that payload, if there is one.
    fn take_chained(&mut self) -> Option<Bytes> {
        let chain = self.chain.as_mut()?;
        if chain.front()?.0 > self.sent {
            // Once for all payloads that wait now.
            chain.absorb(mem::take(&mut self.buffer), mem::take(&mut self.sent));
        }
        let taken = chain.pop();
        if chain.is_empty() {
            self.release_chain();
        }
        taken
    }

    /// Marks bytes as sent, up to the last chained payload. Returns how many of them come after it.
    fn advance_chained(&mut self, mut count: usize) -> usize {
        let recycle = self.retain == Retain::Everything;
        if let Some(chain) = &mut self.chain {
            while count > 0
                && let Some((offset, _)) = chain.front()
            {
                let before = count.min(offset - self.sent);
                self.sent += before;
                count -= before;
                count -= chain.advance(count, recycle);
            }
            if chain.is_empty() {
                self.release_chain();
            }
        }
        count
    }

    /// Whether payloads are chained.
    #[inline]
    fn is_chained(&self) -> bool {
        self.chain.as_ref().is_some_and(|chain| !chain.is_empty())
    }

    /// The chain has become empty: it stays where it is borrowed, to go back.
    fn release_chain(&mut self) {
        match &mut self.chain {
            Some(chain) if self.retain == Retain::Everything => chain.shrink(),
            _ => self.chain = None,
        }
    }

    /// Takes note that the transport has taken so many bytes.
    #[inline]
    fn on_sent(&mut self, count: usize) {
        if self.sent == self.buffer.len() && !self.is_chained() {
            self.on_drained();
        } else if count > 0 && self.progress == Progress::Nothing {
            self.progress = Progress::Something;
        }
        if self.deferred_pong.is_some() {
            self.promote_pong();
        }
    }

    fn on_drained(&mut self) {
        self.progress = Progress::Everything;
        self.free_unretained();
    }

    /// Frees what an output does not retain while nothing is pending.
    fn free_unretained(&mut self) {
        self.sent = 0;
        self.buffer.clear();
        let retained = match self.retain {
            Retain::Nothing => 0,
            Retain::SmallBuffer => MAX_RETAINED_BUFFER,
            Retain::Everything => usize::MAX,
        };
        if self.buffer.capacity() > retained {
            self.buffer = Vec::new();
        }
    }

    fn promote_pong(&mut self) {
        if self.takes_pongs()
            && let Some(pong) = self.deferred_pong.take()
        {
            self.reserve(pong.frame().len());
            self.extend(pong.frame());
        }
    }
}

/// The number of pending bytes, but none of them: they may be a request with a cookie.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

// It writes vectored, for which `std` is needed.
#[cfg(all(test, feature = "std"))]
mod model;
#[cfg(test)]
mod tests;
