//! Bytes that wait to be sent: one buffer, and the large payloads that were handed over rather than copied.
//!
//! ```text
//! tail:   [sent|header, small frames …|header|…]      the payloads chained at an offset of the tail
//!               ▲ head               ▲                come out between the bytes before and behind it
//!                             chain: (offset, Bytes)
//! ```

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use bytes::{Buf, Bytes};

use crate::frame::{self, MAX_CONTROL_PAYLOAD, MAX_HEADER};
use crate::pool::{BufferPool, MAX_POOLED};

/// A drained buffer of up to this size is kept for the next frames; a larger one is given back.
const KEPT: usize = 16 << 10;

/// For how many payloads the place is kept.
const LINKS: usize = 64;

/// The most that [`Output::pongs`] is.
const PONGS: u32 = 64 << 10;

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
#[derive(Debug)]
pub struct Output {
    /// Bytes in the order of sending; those before `head` are sent.
    tail: Vec<u8>,
    head: usize,
    chain: Option<Box<Chain>>,
    /// The answer to the newest ping, while too much is pending to answer each.
    pong: Option<Box<Pong>>,
    /// Below this much pending output, every ping is answered; above, the newest.
    pongs: u32,
    keeps: Keeps,
    /// How much the transport has taken since that was last asked.
    progress: Progress,
}

/// How much of an output the transport has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    Something,
    /// All that was pending.
    Everything,
}

/// How large a drained buffer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// None: it was the opening handshake's, and is of no more use.
    Nothing,
    /// One of up to [`KEPT`] bytes.
    Small,
    /// Any: it is lent, and goes back.
    All,
}

/// An encoded pong: every header is at most 14 bytes, every payload at most 125.
#[derive(Debug)]
struct Pong {
    frame: [u8; MAX_HEADER + MAX_CONTROL_PAYLOAD],
    length: usize,
}

/// Payloads that come out in front of the tail's byte at their offset.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    payloads: VecDeque<(usize, Bytes)>,
    bytes: usize,
    /// The buffer of a payload that was sent and that nobody else holds: it goes to the scratch.
    spent: Vec<u8>,
}

impl Chain {
    /// The first payload is sent.
    fn drop_first(&mut self, keeps: Keeps) {
        if let Some((_, payload)) = self.payloads.pop_front()
            && keeps == Keeps::All
            && self.spent.capacity() == 0
            && payload.is_unique()
        {
            let buffer = Vec::from(payload);
            if buffer.capacity() <= MAX_POOLED {
                self.spent = buffer;
            }
        }
    }
}

impl Output {
    /// An empty output that will be held to that limit.
    pub(crate) fn new(limit: usize) -> Self {
        let pongs = u32::try_from(limit).map_or(PONGS, |limit| limit.min(PONGS));
        Self {
            tail: Vec::new(),
            head: 0,
            chain: None,
            pong: None,
            pongs,
            keeps: Keeps::Nothing,
            progress: Progress::Nothing,
        }
    }

    /// Hands over the next pending bytes for good, without copying them; `None` when nothing is pending.
    ///
    /// What was taken counts as sent: until it is written, the caller keeps the transport open although
    /// [`wants_shutdown`](crate::Connection::wants_shutdown) may say `Finish` already, and gives up when it says `Abort`.
    pub fn take(&mut self) -> Option<Bytes> {
        if !self.has_remaining() {
            return None;
        }
        let taken = if self.is_chained() { self.take_chained() } else { Some(self.take_tail()) };
        if !self.has_remaining() {
            self.progress = Progress::Everything;
        } else if self.progress == Progress::Nothing {
            self.progress = Progress::Something;
        }
        self.promote_pong();
        taken
    }

    fn take_tail(&mut self) -> Bytes {
        let mut tail = Bytes::from(mem::take(&mut self.tail));
        tail.advance(mem::take(&mut self.head));
        tail
    }

    fn take_chained(&mut self) -> Option<Bytes> {
        if !self.front().is_empty() {
            // Cut the tail where payloads come out, and chain the cuts as well: once for all that wait now.
            let mut at = self.head;
            let mut tail = self.take_tail();
            let chain = self.chain.as_mut()?;
            chain.bytes += tail.len();
            let mut payloads = VecDeque::with_capacity(2 * chain.payloads.len() + 1);
            for (offset, payload) in chain.payloads.drain(..) {
                let before = tail.split_to(offset - at);
                at = offset;
                payloads
                    .extend([before, payload].into_iter().filter(|piece| !piece.is_empty()).map(|piece| (0, piece)));
            }
            payloads.extend([tail].into_iter().filter(|piece| !piece.is_empty()).map(|piece| (0, piece)));
            chain.payloads = payloads;
        }
        let chain = self.chain.as_mut()?;
        let (_, taken) = chain.payloads.pop_front()?;
        chain.bytes -= taken.len();
        if chain.payloads.is_empty() {
            self.unchain();
            if self.head == self.tail.len() {
                self.drained();
            }
        }
        Some(taken)
    }

    /// Borrows a buffer, if it has none.
    pub(crate) fn borrow_from(&mut self, pool: &mut BufferPool, spare: &mut Option<Box<Chain>>) {
        if self.tail.capacity() == 0 {
            self.tail = pool.get();
        }
        if self.chain.is_none() {
            self.chain = spare.take();
        }
        self.keeps = Keeps::All;
    }

    /// Returns the buffer of a payload that was sent.
    pub(crate) fn return_spent(&mut self, pool: &mut BufferPool) {
        if let Some(chain) = &mut self.chain {
            pool.recycle(mem::take(&mut chain.spent));
        }
    }

    /// Returns the buffer, if nothing is pending in it.
    pub(crate) fn return_to(&mut self, pool: &mut BufferPool, spare: &mut Option<Box<Chain>>) {
        self.return_spent(pool);
        if let Some(unused) = self.chain.take_if(|chain| chain.payloads.is_empty()) {
            *spare = Some(unused);
        }
        // What stays behind is let go of once it is drained.
        self.keeps = if self.has_remaining() { Keeps::Nothing } else { Keeps::Small };
        if pool.shrink(&mut self.tail, self.head) {
            for (offset, _) in self.chain.iter_mut().flat_map(|chain| &mut chain.payloads) {
                *offset -= self.head;
            }
            self.head = 0;
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

    #[inline]
    pub(crate) fn takes_pongs(&self) -> bool {
        self.remaining() < self.pongs as usize
    }

    /// Keeps the answer to the newest ping until there is room for it.
    pub(crate) fn keep_pong(&mut self, frame: &[u8]) {
        let pong =
            self.pong.get_or_insert_with(|| Box::new(Pong { frame: [0; MAX_HEADER + MAX_CONTROL_PAYLOAD], length: 0 }));
        pong.frame[..frame.len()].copy_from_slice(frame);
        pong.length = frame.len();
    }

    pub(crate) fn drop_pong(&mut self) {
        self.pong = None;
    }

    /// Drops everything that is pending.
    pub(crate) fn clear(&mut self) {
        let (keeps, pongs) = (self.keeps, self.pongs);
        *self = Self { pongs, keeps, ..Self::new(0) };
    }

    /// Makes room for a frame.
    #[inline]
    pub(crate) fn reserve(&mut self, additional: usize) {
        if self.keeps == Keeps::Nothing {
            self.keeps = Keeps::Small;
        }
        if self.tail.capacity() - self.tail.len() < additional {
            self.grow(additional);
        }
    }

    /// The bytes in the order of sending, to append to.
    pub(crate) fn tail(&mut self) -> &mut Vec<u8> {
        &mut self.tail
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// Appends bytes and masks them on the way.
    #[inline]
    pub(crate) fn extend_masked(&mut self, bytes: &[u8], key: [u8; 4]) {
        frame::append(&mut self.tail, bytes, key);
    }

    /// Appends a payload without copying it.
    pub(crate) fn attach(&mut self, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        let chain = self.chain.get_or_insert_default();
        chain.bytes += payload.len();
        chain.payloads.push_back((self.tail.len(), payload));
    }

    #[cold]
    fn grow(&mut self, additional: usize) {
        // Move the pending bytes to the front where that is at most as many as were sent: each byte is then moved at
        // most once for each that was sent.
        if self.head >= self.tail.len() - self.head {
            self.tail.drain(..self.head);
            if let Some(chain) = &mut self.chain {
                for (offset, _) in &mut chain.payloads {
                    *offset -= self.head;
                }
            }
            self.head = 0;
        }
        self.tail.reserve(additional);
    }

    /// The pending bytes of the tail up to the next chained payload.
    #[inline]
    fn front(&self) -> &[u8] {
        let end = match &self.chain {
            None => self.tail.len(),
            Some(chain) => chain.payloads.front().map_or(self.tail.len(), |(offset, _)| *offset),
        };
        &self.tail[self.head..end]
    }

    /// Whether payloads are chained.
    #[inline]
    fn is_chained(&self) -> bool {
        self.chain.as_ref().is_some_and(|chain| !chain.payloads.is_empty())
    }

    /// The last chained payload is gone: what held it is kept where it is lent, unless it has become large.
    fn unchain(&mut self) {
        let keeps = self.keeps == Keeps::All;
        self.chain = self.chain.take().filter(|chain| keeps && chain.payloads.capacity() <= LINKS);
    }

    /// Lets go of what a drained output no longer needs.
    fn drained(&mut self) {
        self.progress = Progress::Everything;
        self.head = 0;
        self.tail.clear();
        let kept = match self.keeps {
            Keeps::Nothing => 0,
            Keeps::Small => KEPT,
            Keeps::All => usize::MAX,
        };
        if self.tail.capacity() > kept {
            self.tail = Vec::new();
        }
    }

    fn promote_pong(&mut self) {
        if self.takes_pongs()
            && let Some(pong) = self.pong.take()
        {
            self.reserve(pong.length);
            self.extend(&pong.frame[..pong.length]);
        }
    }

    fn advance_chained(&mut self, mut count: usize) {
        while count > 0 {
            let front = self.front().len();
            if front > 0 {
                let step = front.min(count);
                self.head += step;
                count -= step;
                continue;
            }
            let Some(chain) = &mut self.chain else { break };
            let Some((_, payload)) = chain.payloads.front_mut() else { break };
            let step = payload.len().min(count);
            payload.advance(step);
            chain.bytes -= step;
            count -= step;
            if payload.is_empty() {
                chain.drop_first(self.keeps);
                if chain.payloads.is_empty() {
                    self.unchain();
                }
            }
        }
    }
}

impl Buf for Output {
    #[inline]
    fn remaining(&self) -> usize {
        let chained = self.chain.as_ref().map_or(0, |chain| chain.bytes);
        self.tail.len() - self.head + chained
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        let front = self.front();
        match self.chain.as_ref().and_then(|chain| chain.payloads.front()) {
            Some((_, payload)) if front.is_empty() => payload,
            _ => front,
        }
    }

    /// Marks the next `count` bytes as sent; more than are pending are taken for all that are.
    #[inline]
    fn advance(&mut self, count: usize) {
        if self.is_chained() {
            self.advance_chained(count);
        } else {
            self.head += count.min(self.tail.len() - self.head);
        }
        if self.head == self.tail.len() && !self.is_chained() {
            self.drained();
        } else if count > 0 && self.progress == Progress::Nothing {
            self.progress = Progress::Something;
        }
        if self.pong.is_some() {
            self.promote_pong();
        }
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let mut filled = 0;
        let mut at = self.head;
        let chained = self.chain.iter().flat_map(|chain| &chain.payloads);
        let pieces = chained.flat_map(|(offset, payload)| {
            let before = &self.tail[at..*offset];
            at = *offset;
            [before, &payload[..]]
        });
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            let Some(slice) = slices.get_mut(filled) else { return filled };
            *slice = std::io::IoSlice::new(piece);
            filled += 1;
        }
        let rest = &self.tail[self.chain_end()..];
        if let Some(slice) = slices.get_mut(filled).filter(|_| !rest.is_empty()) {
            *slice = std::io::IoSlice::new(rest);
            filled += 1;
        }
        filled
    }
}

#[cfg(feature = "std")]
impl Output {
    /// Where the bytes behind the last chained payload begin.
    fn chain_end(&self) -> usize {
        let last = self.chain.as_ref().and_then(|chain| chain.payloads.back());
        last.map_or(self.head, |(offset, _)| *offset)
    }
}
