//! What a pass of work comes to: the same for every entry, which is asserted.

use std::hint::black_box;

/// One pass over a case's messages.
pub(crate) type Work = Box<dyn FnMut() -> Tally>;

/// What was seen of the messages of a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) messages: u64,
    /// Of payload that was received, or of output that was written.
    pub(crate) bytes: u64,
    sum: u64,
    /// Whether every byte is looked at, and not only the first and the last.
    thorough: bool,
}

impl Tally {
    pub(crate) fn new(thorough: bool) -> Self {
        Self { thorough, ..Self::default() }
    }

    /// Looks at a message: at its length, its first and its last byte.
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

    /// Looks at a message that is known to be text.
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
