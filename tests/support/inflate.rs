//! DEFLATE from RFC 1951 alone: a slow and simple inflater with a window of exactly the given size, and writers of
//! single blocks.
#![allow(dead_code)]

/// The bytes that a sender omits, and a receiver appends (RFC 7692 section 7.2).
pub(crate) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The reason why bytes aren't a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// They end inside a block, or with a block other than the empty one that the [`TAIL`] completes.
    Cut,
    /// A block of type 3.
    Type,
    /// A stored block whose length and its complement differ.
    Length,
    /// A set of codes that is invalid, or a code that isn't in it.
    Code,
    /// A distance beyond the window, or beyond the beginning.
    Distance,
}

/// A message, and its blocks: the last is the empty one at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inflated {
    pub(crate) bytes: Vec<u8>,
    pub(crate) blocks: Vec<Block>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) last: bool,
    pub(crate) kind: u8,
    pub(crate) length: usize,
}

/// A receiver of messages, which remembers as much of them as was negotiated.
#[derive(Clone, Debug)]
pub(crate) struct Inflater {
    window: usize,
    takeover: bool,
    past: Vec<u8>,
}

impl Inflater {
    pub(crate) fn new(bits: u8, takeover: bool) -> Self {
        Self { window: 1 << bits, takeover, past: Vec::new() }
    }

    /// The message in this payload, which is that of all its frames together.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Result<Inflated, Fault> {
        let inflated = inflate(payload, &self.past, self.window)?;
        if self.takeover {
            self.past.extend(&inflated.bytes);
            self.past.drain(..self.past.len().saturating_sub(self.window));
        }
        Ok(inflated)
    }
}

/// Inflates a message after bytes that it may refer to, no further back than the window.
pub(crate) fn inflate(payload: &[u8], past: &[u8], window: usize) -> Result<Inflated, Fault> {
    let bytes = [payload, &TAIL].concat();
    let mut bits = Bits { bytes: &bytes, at: 0 };
    let mut all = past.to_vec();
    let mut blocks = Vec::new();
    loop {
        let start = all.len();
        let last = bits.take(1)? == 1;
        let kind = bits.take(2)? as u8;
        match kind {
            0 => {
                bits.align();
                let (length, complement) = (bits.take(16)?, bits.take(16)?);
                if length ^ complement != 0xffff {
                    return Err(Fault::Length);
                }
                for _ in 0..length {
                    all.push(bits.take(8)? as u8);
                }
            }
            1 => {
                let lengths: Vec<_> = (0..288).map(fixed_length).collect();
                codes(&mut bits, &Codes::new(&lengths, false)?, &Codes::new(&[5; 30], true)?, &mut all, window)?;
            }
            2 => {
                let (literals, distances) = dynamic(&mut bits)?;
                codes(&mut bits, &literals, &distances, &mut all, window)?;
            }
            _ => return Err(Fault::Type),
        }
        blocks.push(Block { last, kind, length: all.len() - start });
        if last {
            bits.align();
        }
        let left = bytes.len() - bits.at.div_ceil(8);
        let is_end = left == 0 && blocks.last().is_some_and(|end| (end.kind, end.length) == (0, 0));
        // A final block is complete: a decompressor that is given its stream finds the tail after its end.
        if is_end || left == TAIL.len() && last {
            return Ok(Inflated { bytes: all.split_off(past.len()), blocks });
        }
    }
}

/// RFC 1951 section 3.1.1: bits start with the least significant one.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Result<usize, Fault> {
        let mut value = 0;
        for i in 0..count {
            let byte = *self.bytes.get(self.at / 8).ok_or(Fault::Cut)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Ok(value)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// Huffman codes (3.2.2): the number of codes of each length, and their symbols in the order of the codes.
struct Codes {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Codes {
    fn new(lengths: &[usize], may_lack: bool) -> Result<Self, Fault> {
        let of_length = |length| (0..lengths.len()).filter(move |&symbol| lengths[symbol] == length);
        let symbols = (1..16).flat_map(of_length).collect();
        let mut counts = [0; 16];
        lengths.iter().filter(|length| **length > 0).for_each(|length| counts[*length] += 1);
        // All codes together are as many as 15 bits can express.
        let used: usize = (1..16).map(|length| counts[length] << (15 - length)).sum();
        if used > 1 << 15 || used < 1 << 15 && !may_lack {
            return Err(Fault::Code);
        }
        Ok(Self { counts, symbols })
    }

    fn next(&self, bits: &mut Bits) -> Result<usize, Fault> {
        // The next code, the first code of its length, and how many are shorter.
        let (mut code, mut first, mut shorter) = (0, 0, 0);
        for count in &self.counts[1..] {
            code = 2 * code + bits.take(1)?;
            first *= 2;
            if code < first + count {
                return Ok(self.symbols[shorter + code - first]);
            }
            first += count;
            shorter += count;
        }
        Err(Fault::Code)
    }
}

/// 3.2.7: the codes of a block with dynamic codes.
fn dynamic(bits: &mut Bits) -> Result<(Codes, Codes), Fault> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances, lengths) = (bits.take(5)? + 257, bits.take(5)? + 1, bits.take(4)? + 4);
    if literals > 286 || distances > 30 {
        return Err(Fault::Code);
    }
    let mut of_lengths = [0; 19];
    for place in &ORDER[..lengths] {
        of_lengths[*place] = bits.take(3)?;
    }
    let of_lengths = Codes::new(&of_lengths, false)?;
    let mut all = Vec::new();
    while all.len() < literals + distances {
        let (value, times) = match of_lengths.next(bits)? {
            16 => (*all.last().ok_or(Fault::Code)?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            length => (length, 1),
        };
        all.extend(std::iter::repeat_n(value, times));
    }
    let (of_literals, of_distances) = all.split_at(literals);
    // The end of the block has a code; only a single distance code, or none, may be incomplete.
    let one = of_distances.iter().all(|length| *length <= 1);
    if all.len() > literals + distances || of_literals[256] == 0 {
        return Err(Fault::Code);
    }
    let one_literal = of_literals.iter().all(|length| *length <= 1);
    Ok((Codes::new(of_literals, one_literal)?, Codes::new(of_distances, one)?))
}

/// 3.2.5: literals, and copies of earlier bytes.
fn codes(bits: &mut Bits, literals: &Codes, distances: &Codes, all: &mut Vec<u8>, window: usize) -> Result<(), Fault> {
    loop {
        let length = match literals.next(bits)? {
            literal @ 0..=255 => {
                all.push(literal as u8);
                continue;
            }
            256 => return Ok(()),
            short @ 257..=264 => short - 254,
            285 => 258,
            symbol @ 265..=284 => {
                let extra = (symbol - 261) / 4;
                3 + ((4 + (symbol - 261) % 4) << extra) + bits.take(extra)?
            }
            _ => return Err(Fault::Code),
        };
        let distance = match distances.next(bits)? {
            near @ 0..=3 => near + 1,
            symbol @ 4..=29 => {
                let extra = symbol / 2 - 1;
                1 + ((2 + symbol % 2) << extra) + bits.take(extra)?
            }
            _ => return Err(Fault::Code),
        };
        if distance > window || distance > all.len() {
            return Err(Fault::Distance);
        }
        for _ in 0..length {
            all.push(all[all.len() - distance]);
        }
    }
}

/// 3.2.6: the length of the fixed code of a literal or length.
fn fixed_length(symbol: usize) -> usize {
    match symbol {
        0..=143 => 8,
        144..=255 => 9,
        256..=279 => 7,
        _ => 8,
    }
}

/// The content of a block with fixed codes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Symbol {
    Literal(u8),
    /// 3 to 10 bytes, from at least 1 byte before.
    Copy(usize, usize),
}

/// Writes blocks, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    at: usize,
}

impl Writer {
    pub(crate) fn stored(mut self, last: bool, data: &[u8]) -> Self {
        let length = u16::try_from(data.len()).unwrap();
        self.bits(u16::from(last), 3);
        self.align();
        self.bits(length, 16);
        self.bits(!length, 16);
        for byte in data {
            self.bits(u16::from(*byte), 8);
        }
        self
    }

    pub(crate) fn fixed(mut self, last: bool, symbols: impl IntoIterator<Item = Symbol>) -> Self {
        self.bits(u16::from(last) | 0b010, 3);
        for symbol in symbols {
            match symbol {
                Symbol::Literal(byte @ 0..=143) => self.code(0x30 + u16::from(byte), 8),
                Symbol::Literal(byte) => self.code(0x190 + u16::from(byte - 144), 9),
                Symbol::Copy(length, distance) => {
                    assert!((3..=10).contains(&length));
                    self.code(length as u16 - 2, 7);
                    let (symbol, extra) = (0..30)
                        .map(|symbol: u16| (symbol, (symbol / 2).saturating_sub(1)))
                        .rfind(|(symbol, extra)| least(*symbol, *extra) <= distance)
                        .unwrap();
                    self.code(symbol, 5);
                    self.bits((distance - least(symbol, extra)) as u16, extra);
                }
            }
        }
        self.code(0, 7);
        if last {
            self.align();
        }
        self
    }

    pub(crate) fn literals(self, last: bool, data: &[u8]) -> Self {
        self.fixed(last, data.iter().map(|byte| Symbol::Literal(*byte)))
    }

    /// The payload of a message with these blocks: they are followed by the empty one without its [`TAIL`].
    pub(crate) fn message(mut self) -> Vec<u8> {
        self.bits(0, 3);
        self.bytes
    }

    /// The bytes of these blocks.
    pub(crate) fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn bits(&mut self, value: u16, count: u16) {
        for i in 0..count {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> i & 1) as u8) << (self.at % 8);
            self.at += 1;
        }
    }

    /// Codes start with the most significant bit.
    fn code(&mut self, code: u16, count: u16) {
        (0..count).rev().for_each(|i| self.bits(code >> i, 1));
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// The least distance of a code.
fn least(symbol: u16, extra: u16) -> usize {
    1 + if symbol < 4 { usize::from(symbol) } else { usize::from(2 + symbol % 2) << extra }
}
