//! Messages that are made from a few numbers, so that a receiver knows whether what came is right.

use websocket_proto::MessageKind;

use crate::random::Random;

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) seed: u64,
    pub(crate) length: usize,
    pub(crate) kind: MessageKind,
}

impl Content {
    /// Mostly short, now and then large.
    pub(crate) fn new(random: &mut Random) -> Self {
        let longest = random.pick(&[1, 20, 20, 125, 200, 200, 1000, 5000, 20_000]);
        let length = random.below(longest + 1) as usize;
        let kind = random.pick(&[MessageKind::Text, MessageKind::Binary]);
        Self { seed: random.next(), length, kind }
    }

    /// Its bytes: words that repeat, or noise.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut random = Random::new(self.seed);
        let mut bytes = Vec::with_capacity(self.length + 8);
        while bytes.len() < self.length {
            match self.kind {
                MessageKind::Text => {
                    bytes.extend(random.pick(&["all ", "work ", "and no ", "play\n", "7", "é"]).bytes());
                }
                MessageKind::Binary => bytes.extend(random.next().to_le_bytes()),
            }
        }
        // A character isn't cut.
        while bytes.len() > self.length {
            let is_cut = self.kind == MessageKind::Text && bytes[self.length] & 0xc0 == 0x80;
            bytes.truncate(self.length);
            if is_cut {
                bytes.pop();
                bytes.push(b'.');
            }
        }
        bytes
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).expect("text")
    }
}
