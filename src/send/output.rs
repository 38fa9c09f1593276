//! Bytes that are pending to be sent: one buffer, and large payloads that were moved in instead of copied.
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

/// A drained buffer of up to this capacity is retained for the next frames. A larger one is freed.
const MAX_RETAINED_BUFFER: usize = 16 << 10;

/// While this much output is pending, only the newest ping is answered, even if the limit of pending output is higher.
const PONG_BACKLOG: u32 = 64 << 10;

/// The pending bytes of a connection, in the order of sending.
///
/// It implements [`bytes::Buf`]. Write [`chunk`](#method.chunk) to the transport, then call
/// [`advance`](#method.advance) with the number of bytes written. With the feature `std`, `chunks_vectored` of
/// `&*conn.output()` serves vectored writes. For completion-based I/O, [`take`](Self::take) returns bytes that you own.
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
    /// The number of bytes of the buffer that were sent.
    sent: usize,
    chain: Option<Box<Chain>>,
    deferred_pong: DeferredPong,
    /// While less than this is pending, every ping is answered. Otherwise only the newest is.
    pong_limit: u32,
    retain: Retain,
    /// The output that the transport has accepted since the last check.
    progress: Progress,
}

/// The memory that a drained output retains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retain {
    /// Nothing: the opening handshake is complete or the scratch was detached, and the connection may stay idle.
    Nothing,
    /// A buffer of up to [`MAX_RETAINED_BUFFER`] bytes.
    SmallBuffer,
    /// Everything: it belongs to a scratch and will be returned.
    Everything,
}

/// The part of an output that the transport has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    Something,
    /// Everything that was pending.
    Everything,
}

impl Output {
    /// Creates an empty output with a limit of pending bytes.
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

    /// Removes and returns the next pending bytes without copying them, or `None` if nothing is pending.
    ///
    /// Bytes returned here count as sent. If [`wants_shutdown`](crate::Connection::wants_shutdown) returns `Graceful`,
    /// write them all before you shut the transport down. If it returns `Abort`, drop them.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_text("hi")?;
    /// conn.send(vec![b'x'; 1 << 20])?; // moved into the output, not copied
    /// let mut writes = Vec::new(); // for example, the queue of a writer thread
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

    /// Returns whether its buffers belong to a scratch.
    #[inline]
    pub(crate) fn is_borrowing(&self) -> bool {
        self.retain == Retain::Everything
    }

    /// Returns whether the output has a buffer or a chain.
    #[inline]
    pub(crate) fn owns_memory(&self) -> bool {
        self.buffer.capacity() > 0 || self.chain.is_some()
    }

    /// Takes a buffer from the pool, if the output has none. It is out of line: once per turn at most.
    #[cold]
    pub(crate) fn borrow_from(&mut self, pool: &mut BufferPool, spare: &mut Option<Box<Chain>>) {
        if self.buffer.capacity() == 0 {
            self.buffer = pool.get();
        }
        if self.chain.is_none() {
            self.chain = spare.take();
        }
        self.retain = Retain::Everything;
    }

    /// Returns the buffer of a sent payload to the pool.
    #[inline]
    pub(crate) fn return_recyclable(&mut self, pool: &mut BufferPool) {
        if let Some(buffer) = self.chain.as_mut().and_then(|chain| chain.take_recyclable()) {
            pool.recycle(buffer);
        }
    }

    /// Returns the buffer to the pool, if nothing is pending in it.
    pub(crate) fn return_to(&mut self, pool: &mut BufferPool, spare: &mut Option<Box<Chain>>) {
        self.return_recyclable(pool);
        if let Some(unused) = self.chain.take_if(|chain| chain.is_empty()) {
            *spare = Some(unused);
        }
        // A buffer that stays with the connection is freed once it is drained.
        self.retain = if self.has_remaining() { Retain::Nothing } else { Retain::SmallBuffer };
        if pool.shrink(&mut self.buffer, self.sent) {
            self.rebase();
        }
    }

    /// Returns whether the transport has accepted bytes since the last call.
    pub(crate) fn take_progress(&mut self) -> bool {
        mem::replace(&mut self.progress, Progress::Nothing) != Progress::Nothing
    }

    /// Returns whether everything that was pending at that call has been accepted.
    pub(crate) fn was_drained(&self) -> bool {
        self.progress == Progress::Everything || !self.has_remaining()
    }

    /// Returns whether little enough is pending to answer every ping.
    #[inline]
    pub(crate) fn takes_pongs(&self) -> bool {
        self.remaining() < self.pong_limit as usize
    }

    /// Keeps a pong, the answer to the newest ping, until less output is pending.
    pub(crate) fn keep_pong(&mut self, frame: &[u8]) {
        self.deferred_pong.set(frame);
    }

    /// Drops the deferred pong: no frame follows a Close frame.
    pub(crate) fn drop_pong(&mut self) {
        self.deferred_pong.clear();
    }

    /// Drops everything that is pending. Buffers of a scratch stay, to be returned.
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

    /// Reserves capacity for a frame.
    #[inline]
    pub(crate) fn reserve(&mut self, additional: usize) {
        if self.retain == Retain::Nothing {
            self.retain = Retain::SmallBuffer;
        }
        if self.buffer.capacity() - self.buffer.len() < additional {
            self.grow(additional);
        }
    }

    /// Skips bytes at the front of an output in which nothing was pending.
    pub(super) fn skip(&mut self, count: usize) {
        debug_assert_eq!((self.sent, self.is_chained()), (0, false), "nothing was pending");
        self.sent = count;
    }

    /// Removes what was appended from position `length` on.
    pub(super) fn truncate(&mut self, length: usize) {
        if self.buffer.len() > length {
            self.buffer.truncate(length);
            if !self.has_remaining() {
                self.free_unretained();
            }
        }
    }

    /// Returns the buffer, to append bytes in the order of sending.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends bytes, masking them while they are copied.
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
        // Move the pending bytes to the front if they are at most as many as were sent. Each byte that was sent then
        // causes at most one byte to be moved.
        if self.sent >= self.buffer.len() - self.sent {
            self.buffer.drain(..self.sent.min(self.buffer.len()));
            self.rebase();
        }
        self.buffer.reserve(additional);
    }

    /// Adjusts the state after the sent bytes were removed from the buffer.
    fn rebase(&mut self) {
        let removed = mem::take(&mut self.sent);
        if let Some(chain) = &mut self.chain {
            chain.rebase(removed);
        }
    }

    /// Removes and returns the bytes of the buffer, if some are pending.
    fn take_buffer(&mut self) -> Option<Bytes> {
        if self.sent == self.buffer.len() {
            return None;
        }
        let mut taken = Bytes::from(mem::take(&mut self.buffer));
        taken.advance(mem::take(&mut self.sent));
        Some(taken)
    }

    /// Removes and returns the bytes before the next chained payload, or that payload, if there is one.
    fn take_chained(&mut self) -> Option<Bytes> {
        let chain = self.chain.as_mut()?;
        if chain.front()?.0 > self.sent {
            // This happens once for all payloads that are pending now.
            chain.absorb(mem::take(&mut self.buffer), mem::take(&mut self.sent));
        }
        let taken = chain.pop();
        if chain.is_empty() {
            self.release_chain();
        }
        taken
    }

    /// Marks bytes as sent, up to the last chained payload. Returns how many of the `count` bytes are after it.
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

    /// Returns whether payloads are chained.
    #[inline]
    fn is_chained(&self) -> bool {
        self.chain.as_ref().is_some_and(|chain| !chain.is_empty())
    }

    /// Frees the empty chain, unless it belongs to a scratch, to which it will be returned.
    fn release_chain(&mut self) {
        match &mut self.chain {
            Some(chain) if self.retain == Retain::Everything => chain.shrink(),
            _ => self.chain = None,
        }
    }

    /// Records that the transport has accepted `count` bytes.
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

    /// Frees the memory that an output does not retain while nothing is pending.
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

/// Shows the number of pending bytes, but not the bytes: they may be a request with a cookie.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("remaining", &self.remaining()).finish_non_exhaustive()
    }
}

// The model writes vectored, which needs `std`.
#[cfg(all(test, feature = "std"))]
mod model;
#[cfg(test)]
mod tests;
