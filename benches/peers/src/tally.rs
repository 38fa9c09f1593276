//! The result of a pass, which must be the same for every entry.

use std::hint::black_box;

/// One pass over a case's messages.
pub(crate) type Work = Box<dyn FnMut() -> Tally>;

/// Counters over the messages of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) messages: u64,
    /// Bytes of payload received, or of output written.
    pub(crate) bytes: u64,
    sum: u64,
    /// True if every byte is examined, not only the first and the last.
    thorough: bool,
}

impl Tally {
    pub(crate) fn new(thorough: bool) -> Self {
        Self { thorough, ..Self::default() }
    }

    /// Examines a message: its length, its first and its last byte.
    #[inline]
    pub(crate) fn visit(&mut self, payload: &[u8]) {
        let payload = black_box(payload);
        self.messages += 1;
        self.bytes += payload.len() as u64;
        if let (Some(&first), Some(&last)) = (payload.first(), payload.last()) {
            self.sum += u64::from(first) + 2 * u64::from(last);
        }
        if self.thorough {
            self.visit_all(payload);
        }
    }

    /// Examines a message that is known to be text.
    #[inline]
    pub(crate) fn visit_text(&mut self, text: &str) {
        self.visit(text.as_bytes());
    }

    /// Counts messages that were sent.
    pub(crate) fn sent(messages: u64, bytes: u64) -> Self {
        Self { messages, bytes, ..Self::default() }
    }

    #[cold]
    fn visit_all(&mut self, payload: &[u8]) {
        for &byte in payload {
            self.sum = self.sum.wrapping_mul(0x0100_0000_01b3).wrapping_add(u64::from(byte));
        }
    }
}
