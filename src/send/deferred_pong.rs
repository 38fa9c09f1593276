//! The answer to the newest ping, while too much output is pending to answer every ping.

use alloc::boxed::Box;

use crate::frame::{MAX_CONTROL_PAYLOAD, MAX_HEADER};
use crate::slices::{copy_to, part};

/// A pong that is sent later. RFC 6455 section 5.5.3: an endpoint that has not answered earlier pings yet may answer
/// only the newest. A peer that sends pings and never reads therefore costs the memory of one pong.
#[derive(Debug, Default)]
pub(super) struct DeferredPong(Option<Box<Pong>>);

/// An encoded pong.
#[derive(Debug)]
pub(super) struct Pong {
    frame: [u8; MAX_HEADER + MAX_CONTROL_PAYLOAD],
    length: usize,
}

impl DeferredPong {
    /// Replaces the pong with this control frame.
    pub(super) fn set(&mut self, frame: &[u8]) {
        let pong = self.0.get_or_insert_with(|| Box::new(Pong::EMPTY));
        copy_to(&mut pong.frame, 0, frame);
        pong.length = frame.len();
    }

    /// Drops the pong.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// Removes and returns the pong, to be sent now.
    pub(super) fn take(&mut self) -> Option<Box<Pong>> {
        self.0.take()
    }

    #[inline]
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl Pong {
    const EMPTY: Self = Self { frame: [0; MAX_HEADER + MAX_CONTROL_PAYLOAD], length: 0 };

    pub(super) fn frame(&self) -> &[u8] {
        part(&self.frame, ..self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_pong_replaces_the_one_before() {
        let mut deferred = DeferredPong::default();
        for frame in [&[1; MAX_HEADER + MAX_CONTROL_PAYLOAD][..], b"\x8a\x04next", b"\x8a\0"] {
            deferred.set(frame);
            assert!(deferred.is_some());
        }
        assert_eq!(deferred.take().unwrap().frame(), b"\x8a\0");
        assert!(deferred.take().is_none());
        deferred.set(b"\x8a\0");
        deferred.clear();
        assert!(!deferred.is_some());
    }
}
