//! Large payloads that are sent without copying, between the bytes of the output's buffer.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use bytes::{Buf, Bytes};

use crate::pool::MAX_POOLED;

/// The maximum number of payloads for which an empty chain keeps its capacity.
const MAX_RETAINED_LINKS: usize = 64;

/// Payloads with offsets. A payload is sent before the byte of the buffer at its offset, and is never empty.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    links: VecDeque<Link>,
    /// The number of bytes that were removed from the front of the buffer. Positions include them, so the cost of
    /// removing bytes does not depend on the number of payloads. Both may wrap around, because only their difference
    /// matters.
    removed: usize,
    /// The total size of the payloads in bytes.
    remaining: usize,
    /// The buffer of a payload that was sent and has no other references.
    recyclable: Vec<u8>,
}

/// A payload and its position, the offset that it would have if nothing had been removed from the buffer.
#[derive(Debug)]
struct Link {
    position: usize,
    payload: Bytes,
}

impl Chain {
    /// Appends a payload at an offset that is not below that of the last one. An empty payload is ignored.
    #[inline]
    pub(super) fn push_nonempty(&mut self, offset: usize, payload: Bytes) {
        if !payload.is_empty() {
            self.push(offset, payload);
        }
    }

    #[inline]
    fn push(&mut self, offset: usize, payload: Bytes) {
        debug_assert!(!payload.is_empty(), "an empty payload would never be sent");
        debug_assert!(self.iter().next_back().is_none_or(|(last, _)| last <= offset), "payloads are sent in order");
        self.remaining += payload.len();
        self.links.push_back(Link { position: offset.wrapping_add(self.removed), payload });
    }

    /// Moves the unsent bytes of the buffer into the chain as well, split at the payloads. The chain then holds
    /// everything that is pending, at offset 0 of an empty buffer.
    pub(super) fn absorb(&mut self, buffer: Vec<u8>, sent: usize) {
        let mut rest = Bytes::from(buffer);
        rest.advance(sent);
        let mut start = sent;
        let places = VecDeque::with_capacity(2 * self.links.len() + 1);
        let links = mem::replace(&mut self.links, places);
        let removed = mem::take(&mut self.removed);
        self.remaining = 0;
        for Link { position, payload } in links {
            let offset = position.wrapping_sub(removed);
            self.push_nonempty(0, rest.split_to(offset - start));
            self.push(0, payload);
            start = offset;
        }
        self.push_nonempty(0, rest);
    }

    /// Adjusts the offsets after `count` bytes were removed from the front of the buffer, all of them before the first
    /// payload.
    pub(super) fn rebase(&mut self, count: usize) {
        debug_assert!(
            self.front().is_none_or(|(offset, _)| offset >= count),
            "bytes before a payload are sent before it"
        );
        self.removed = self.removed.wrapping_add(count);
    }

    /// Marks up to `count` bytes of the first payload as sent. Returns how many, which is 0 if there is no payload.
    /// `recycle` keeps the buffer of the payload for [`take_recyclable`](Self::take_recyclable).
    #[inline]
    pub(super) fn advance(&mut self, count: usize, recycle: bool) -> usize {
        let Some(Link { payload, .. }) = self.links.front_mut() else { return 0 };
        let step = payload.len().min(count);
        self.remaining -= step;
        if step < payload.len() {
            payload.advance(step);
        } else {
            self.drop_first(recycle);
        }
        step
    }

    /// Removes the first payload, which was sent.
    #[inline]
    fn drop_first(&mut self, recycle: bool) {
        if let Some(Link { payload, .. }) = self.links.pop_front()
            && recycle
            && self.recyclable.capacity() == 0
            && payload.is_unique()
        {
            // This copies nothing if the payload was sent at once, and otherwise its last part.
            let buffer = Vec::from(payload);
            if buffer.capacity() <= MAX_POOLED {
                self.recyclable = buffer;
            }
        }
    }

    /// Removes and returns the first payload.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        let Link { payload, .. } = self.links.pop_front()?;
        self.remaining -= payload.len();
        Some(payload)
    }

    /// Returns the buffer of a sent payload, if there is one.
    #[inline]
    pub(super) fn take_recyclable(&mut self) -> Option<Vec<u8>> {
        (self.recyclable.capacity() > 0).then(|| mem::take(&mut self.recyclable))
    }

    /// Drops all payloads.
    pub(super) fn clear(&mut self) {
        self.links.clear();
        self.remaining = 0;
    }

    /// Frees the capacity of an empty chain that was long.
    pub(super) fn shrink(&mut self) {
        debug_assert!(self.is_empty());
        if self.links.capacity() > MAX_RETAINED_LINKS {
            self.links = VecDeque::new();
        }
    }

    /// Returns the first payload and its offset.
    #[inline]
    pub(super) fn front(&self) -> Option<(usize, &Bytes)> {
        self.links.front().map(|link| (link.position.wrapping_sub(self.removed), &link.payload))
    }

    /// Returns all payloads and their offsets.
    #[inline]
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &Bytes)> {
        self.links.iter().map(|link| (link.position.wrapping_sub(self.removed), &link.payload))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// The total size of the payloads in bytes.
    #[inline]
    pub(super) fn remaining(&self) -> usize {
        self.remaining
    }
}

#[cfg(test)]
impl Chain {
    /// Returns the number of payloads for which there is capacity.
    pub(super) fn capacity(&self) -> usize {
        self.links.capacity()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn chain(payloads: &[(usize, &'static str)]) -> Chain {
        let mut chain = Chain::default();
        for (offset, payload) in payloads {
            chain.push_nonempty(*offset, Bytes::from_static(payload.as_bytes()));
        }
        chain
    }

    fn payloads(chain: &Chain) -> Vec<(usize, &[u8])> {
        chain.iter().map(|(offset, payload)| (offset, &payload[..])).collect()
    }

    #[test]
    fn payloads_come_out_in_order() {
        let mut chain = chain(&[(2, "abc"), (2, ""), (2, "de"), (7, "f")]);
        assert_eq!(payloads(&chain), [(2, &b"abc"[..]), (2, b"de"), (7, b"f")]);
        assert_eq!(chain.remaining(), 6);
        assert_eq!(chain.advance(2, false), 2);
        assert_eq!(chain.front().unwrap(), (2, &Bytes::from("c")));
        assert_eq!(chain.advance(9, false), 1);
        assert_eq!(chain.pop().unwrap(), "de");
        assert_eq!((chain.remaining(), chain.is_empty()), (1, false));
        assert_eq!(chain.advance(1, false), 1);
        assert_eq!((chain.remaining(), chain.is_empty()), (0, true));
        assert_eq!((chain.advance(1, false), chain.pop(), chain.front()), (0, None, None));
    }

    /// The cost does not depend on the number of payloads, since none of them changes.
    #[test]
    fn rebasing_touches_no_payload() {
        let mut chain = chain(&[(10, "a"), (10, "b"), (25, "c")]);
        let positions = |chain: &Chain| chain.links.iter().map(|link| link.position).collect::<Vec<_>>();
        let before = positions(&chain);
        chain.rebase(4);
        chain.rebase(6);
        assert_eq!(payloads(&chain), [(0, &b"a"[..]), (0, b"b"), (15, b"c")]);
        assert_eq!(positions(&chain), before);
        chain.push_nonempty(16, Bytes::from("d"));
        assert_eq!(payloads(&chain)[2..], [(15, &b"c"[..]), (16, b"d")]);
    }

    /// With a 32-bit `usize`, more bytes than fit it may be removed in the life of a connection.
    #[test]
    fn positions_wrap_around() {
        let mut chain = Chain { removed: usize::MAX - 5, ..Chain::default() };
        chain.push_nonempty(3, Bytes::from("a"));
        chain.push_nonempty(9, Bytes::from("b"));
        chain.rebase(3);
        assert_eq!(payloads(&chain), [(0, &b"a"[..]), (6, b"b")]);
        chain.pop();
        chain.rebase(4);
        assert_eq!(payloads(&chain), [(2, &b"b"[..])]);
        chain.absorb(b"xyz".to_vec(), 1);
        assert_eq!(payloads(&chain), [(0, &b"y"[..]), (0, b"b"), (0, b"z")]);
    }

    #[test]
    fn absorbing_cuts_the_buffer_where_payloads_come_out() {
        let mut chain = chain(&[(4, "AB"), (4, "C"), (7, "D"), (9, "E")]);
        chain.rebase(1);
        let buffer = b"12345678".to_vec();
        let place = buffer.as_ptr();
        chain.absorb(buffer, 2);
        let expected = [&b"3"[..], b"AB", b"C", b"456", b"D", b"78", b"E"].map(|payload| (0, payload));
        assert_eq!(payloads(&chain), expected);
        assert_eq!(chain.remaining(), 11);
        assert_eq!(chain.front().unwrap().1.as_ptr(), place.wrapping_add(2), "nothing is copied");
    }

    #[test]
    fn the_buffer_of_a_sent_payload_can_be_recycled() {
        let capacity_after = |payload: Bytes, recycle| {
            let mut chain = Chain::default();
            let length = payload.len();
            chain.push_nonempty(0, payload);
            chain.advance(length, recycle);
            chain.take_recyclable().map_or(0, |buffer| buffer.capacity())
        };
        assert_eq!(capacity_after(vec![1; 100].into(), true), 100);
        assert_eq!(capacity_after(vec![1; 100].into(), false), 0);
        assert_eq!(capacity_after(vec![1; MAX_POOLED].into(), true), MAX_POOLED);
        assert_eq!(capacity_after(vec![1; MAX_POOLED + 1].into(), true), 0);
        assert_eq!(capacity_after(Bytes::from_static(b"static"), true), 0);
        let held = Bytes::from(vec![1; 100]);
        assert_eq!(capacity_after(held.clone(), true), 0, "somebody else holds it");
    }

    /// One buffer is kept for the next message; the others are freed.
    #[test]
    fn the_first_recyclable_buffer_is_kept() {
        let mut chain = Chain::default();
        for length in [10, 20] {
            chain.push_nonempty(0, vec![1; length].into());
        }
        chain.advance(10, true);
        chain.advance(20, true);
        assert_eq!(chain.take_recyclable().map(|buffer| buffer.capacity()), Some(10));
        assert_eq!(chain.take_recyclable(), None);
    }

    /// The capacity for a few payloads is kept, that for many is freed.
    #[test]
    fn a_long_chain_is_freed_once_it_is_empty() {
        for (count, is_kept) in [(1, true), (MAX_RETAINED_LINKS, true), (MAX_RETAINED_LINKS + 1, false)] {
            let mut chain = Chain { links: VecDeque::with_capacity(count), ..Chain::default() };
            (0..count).for_each(|_| chain.push_nonempty(0, Bytes::from("x")));
            while chain.pop().is_some() {}
            chain.shrink();
            assert_eq!(chain.capacity(), if is_kept { count } else { 0 });
        }
    }

    #[test]
    fn a_cleared_chain_has_nothing() {
        let mut chain = chain(&[(0, "a"), (3, "b")]);
        chain.clear();
        assert_eq!((chain.front(), chain.remaining()), (None, 0));
    }
}
