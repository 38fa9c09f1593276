//! A writer of DEFLATE streams, block by block (RFC 1951), with codes that no compressor would choose.

use arbitrary::Arbitrary;

/// A block, as an input describes it.
#[derive(Arbitrary, Clone, Debug)]
pub struct Block {
    /// BFINAL, in one of eight.
    last: u8,
    kind: Kind,
}

impl Block {
    fn is_last(&self) -> bool {
        self.last >= 224
    }
}

#[derive(Arbitrary, Clone, Debug)]
enum Kind {
    Stored(Vec<u8>),
    /// A stored block of that many bytes, which are all the same.
    Run(u8, u16),
    Fixed(Vec<Symbol>),
    Dynamic {
        symbols: Vec<Symbol>,
        codes: Codes,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Symbol {
    Literal(u8),
    /// A copy of 3 to 258 bytes, from up to 32,768 bytes before. See [`resolve`].
    Copy(u8, u16),
}

/// The way in which a dynamic block writes its codes.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Codes {
    /// Codes of 1, 2, 3… bits, instead of codes of nearly the same length, if there are few enough.
    uneven: bool,
    /// Writes repeated lengths as such (3.2.7).
    repeats: bool,
    /// Adds codes that no symbol uses, up to so many.
    unused: u8,
    /// The number of a [`Fault`]. Most numbers are none.
    fault: u8,
}

/// A mistake in a dynamic block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A type that no block has (3.2.3).
    Type,
    /// Fewer codes than there could be of these lengths.
    Incomplete,
    /// More of them.
    Oversubscribed,
    /// No code for the end of the block.
    NoEnd,
    /// The first length repeats the one before it.
    RepeatsNothing,
    /// Codes for literals or distances that don't exist.
    TooMany,
}

impl Codes {
    fn fault(self) -> Option<Fault> {
        use Fault::{Incomplete, NoEnd, Oversubscribed, RepeatsNothing, TooMany, Type};
        let faults = [Type, Incomplete, Oversubscribed, NoEnd, RepeatsNothing, TooMany];
        faults.get(usize::from(self.fault).checked_sub(200)?).copied()
    }
}

impl Symbol {
    /// Length and distance of a copy.
    fn copy(length: u8, distance: u16) -> (usize, usize) {
        (3 + usize::from(length), 1 + usize::from(distance) % 32_768)
    }
}

/// The stream that these blocks are.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    bits: usize,
}

impl Writer {
    pub fn block(&mut self, block: &Block) {
        let last = u32::from(block.is_last());
        match &block.kind {
            Kind::Stored(data) => self.stored(last, &data[..data.len().min(65_535)]),
            Kind::Run(byte, length) => self.stored(last, &vec![*byte; usize::from(*length)]),
            Kind::Fixed(symbols) => {
                self.put(last | 1 << 1, 3);
                let literals: Vec<u8> = (0..288).map(fixed_length).collect();
                self.symbols(symbols, &canonical(&literals), &canonical(&[5; 30]));
            }
            Kind::Dynamic { symbols, codes } => {
                let kind = if codes.fault() == Some(Fault::Type) { 3 } else { 2 };
                self.put(last | kind << 1, 3);
                self.dynamic(symbols, *codes);
            }
        }
        // The next stream begins with a byte.
        if block.is_last() {
            self.align();
        }
    }

    /// The header bits of the empty block at the end of a message, whose other bytes aren't sent (RFC 7692 section 7.2.1).
    pub fn end(&mut self) {
        self.put(0, 3);
    }

    /// The number of bits so far.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The first bits, in bytes.
    pub fn into_bytes(mut self, bits: usize) -> Vec<u8> {
        let bits = bits.min(self.bits);
        self.bytes.truncate(bits.div_ceil(8));
        if let Some(last) = self.bytes.last_mut().filter(|_| bits % 8 != 0) {
            *last &= (1 << (bits % 8)) - 1;
        }
        self.bytes
    }

    fn stored(&mut self, last: u32, data: &[u8]) {
        self.put(last, 3);
        self.align();
        let length = data.len() as u32;
        self.put(length, 16);
        self.put(!length & 0xffff, 16);
        self.bytes.extend(data);
        self.bits += 8 * data.len();
    }

    fn symbols(&mut self, symbols: &[Symbol], literals: &[Code], distances: &[Code]) {
        for symbol in symbols {
            match *symbol {
                Symbol::Literal(byte) => self.code(literals[usize::from(byte)]),
                Symbol::Copy(length, distance) => {
                    let (length, distance) = Symbol::copy(length, distance);
                    let (symbol, extra, bits) = length_symbol(length);
                    self.code(literals[symbol]);
                    self.put(extra, bits);
                    let (symbol, extra, bits) = distance_symbol(distance);
                    self.code(distances[symbol]);
                    self.put(extra, bits);
                }
            }
        }
        self.code(literals[256]);
    }

    fn dynamic(&mut self, symbols: &[Symbol], codes: Codes) {
        let (mut literals, mut distances) = (vec![false; 286], vec![false; 30]);
        literals[256] = true;
        for symbol in symbols {
            match *symbol {
                Symbol::Literal(byte) => literals[usize::from(byte)] = true,
                Symbol::Copy(length, distance) => {
                    let (length, distance) = Symbol::copy(length, distance);
                    literals[length_symbol(length).0] = true;
                    distances[distance_symbol(distance).0] = true;
                }
            }
        }
        for number in 0..usize::from(codes.unused) {
            literals[number * 7 % 286] = true;
            distances[number % 30] = true;
        }
        let mut of_literals = lengths(&literals, codes);
        let of_distances = lengths(&distances, codes);
        if codes.fault() == Some(Fault::NoEnd) {
            of_literals[256] = 0;
        }
        let count = |lengths: &[u8], least: usize| {
            lengths.iter().rposition(|length| *length > 0).map_or(least, |last| (last + 1).max(least))
        };
        let (hlit, hdist) = (count(&of_literals, 257), count(&of_distances, 1));
        let announced = if codes.fault() == Some(Fault::TooMany) { 31 } else { hlit - 257 };
        let all = [&of_literals[..hlit], &of_distances[..hdist]].concat();
        let runs = runs(&all, codes);

        let mut used = vec![false; 19];
        runs.iter().for_each(|run| used[usize::from(run.0)] = true);
        // A set of one code would be incomplete, which is allowed for distances only.
        used[0] = true;
        used[18] = true;
        let of_runs = even_lengths(&used);
        self.put(announced as u32, 5);
        self.put(hdist as u32 - 1, 5);
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let places = ORDER.iter().rposition(|&place| of_runs[place] > 0).unwrap_or(0).max(3) + 1;
        self.put(places as u32 - 4, 4);
        for &place in &ORDER[..places] {
            self.put(of_runs[place].into(), 3);
        }
        let of_runs = canonical(&of_runs);
        for (symbol, extra, bits) in runs {
            self.code(of_runs[usize::from(symbol)]);
            self.put(extra, bits);
        }
        self.symbols(symbols, &canonical(&of_literals), &canonical(&of_distances));
    }

    /// Codes start with the most significant bit.
    fn code(&mut self, code: Code) {
        (0..code.bits).rev().for_each(|bit| self.put(code.value >> bit & 1, 1));
    }

    fn put(&mut self, value: u32, count: usize) {
        for bit in 0..count {
            if self.bits.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
    }

    fn align(&mut self) {
        self.bits = self.bits.next_multiple_of(8);
    }
}

/// Makes distances refer to one of the bytes before, `past` of which are those of earlier messages. Large ones
/// are left as they are, so that some refer to nothing. Returns the number of bytes after these blocks.
pub fn resolve(blocks: &mut [Block], past: usize) -> usize {
    let mut before = past;
    for block in blocks {
        let symbols = match &mut block.kind {
            Kind::Stored(data) => {
                before += data.len().min(65_535);
                continue;
            }
            Kind::Run(_, length) => {
                before += usize::from(*length);
                continue;
            }
            Kind::Fixed(symbols) | Kind::Dynamic { symbols, .. } => symbols,
        };
        for symbol in symbols {
            match symbol {
                Symbol::Literal(_) => before += 1,
                Symbol::Copy(length, _) if before == 0 => {
                    *symbol = Symbol::Literal(*length);
                    before += 1;
                }
                Symbol::Copy(length, distance) => {
                    if *distance < 64_000 {
                        *distance = (usize::from(*distance) % before.min(32_768)) as u16;
                    }
                    before += 3 + usize::from(*length);
                }
            }
        }
    }
    before
}

/// Appends what these blocks inflate to, after the bytes that they may refer to. `None` if a block is wrong, or refers
/// further back than the window or the first byte.
pub fn expand(blocks: &[Block], past: &mut Vec<u8>, window: usize) -> Option<()> {
    for block in blocks {
        let symbols = match &block.kind {
            Kind::Stored(data) => {
                past.extend(&data[..data.len().min(65_535)]);
                continue;
            }
            Kind::Run(byte, length) => {
                past.extend(vec![*byte; usize::from(*length)]);
                continue;
            }
            Kind::Fixed(symbols) => symbols,
            Kind::Dynamic { symbols, codes } if codes.fault().is_none() => symbols,
            Kind::Dynamic { .. } => return None,
        };
        for symbol in symbols {
            match *symbol {
                Symbol::Literal(byte) => past.push(byte),
                Symbol::Copy(length, distance) => {
                    let (length, distance) = Symbol::copy(length, distance);
                    let from = past.len().checked_sub(distance).filter(|_| distance <= window)?;
                    (from..from + length).for_each(|at| past.push(past[at]));
                }
            }
        }
    }
    Some(())
}

#[derive(Clone, Copy, Debug, Default)]
struct Code {
    value: u32,
    bits: usize,
}

/// RFC 1951 section 3.2.2: codes of the same length are consecutive, and shorter codes come first.
fn canonical(lengths: &[u8]) -> Vec<Code> {
    let mut codes = vec![Code::default(); lengths.len()];
    let mut value = 0_u32;
    for bits in 1..=15 {
        value = value.wrapping_mul(2);
        for (code, _) in codes.iter_mut().zip(lengths).filter(|(_, length)| **length == bits) {
            *code = Code { value, bits: bits.into() };
            value += 1;
        }
    }
    codes
}

/// The lengths of codes for the symbols that are used.
fn lengths(used: &[bool], codes: Codes) -> Vec<u8> {
    let count = used.iter().filter(|used| **used).count();
    let mut lengths = even_lengths(used);
    if codes.uneven && (2..=16).contains(&count) {
        let mut next = 0;
        for length in lengths.iter_mut().filter(|length| **length > 0) {
            next += 1;
            *length = next.min(count as u8 - 1);
        }
    }
    let first = lengths.iter().position(|length| *length > 0 && *length < 15);
    match (codes.fault(), first) {
        // A single code is incomplete anyway.
        (Some(Fault::Incomplete), Some(first)) if count > 1 => lengths[first] += 1,
        (Some(Fault::Oversubscribed), Some(first)) if count > 1 => {
            let longest = lengths.iter_mut().filter(|length| **length > 1).max();
            match longest {
                Some(longest) => *longest -= 1,
                None => lengths[(first + 1) % 29] = 1,
            }
        }
        _ => {}
    }
    lengths
}

/// Codes of nearly the same length. All of them together are complete, unless there is only one.
fn even_lengths(used: &[bool]) -> Vec<u8> {
    let count = used.iter().filter(|used| **used).count();
    let bits = count.max(2).ilog2() as u8;
    let mut short = (2 << bits) - count;
    let mut length = |used: &bool| match used {
        false => 0,
        true if short > 0 => {
            short -= 1;
            bits
        }
        true => bits + 1,
    };
    used.iter().map(&mut length).collect()
}

/// Lengths and repetitions of them (3.2.7): the symbol, its extra bits, and how many those are.
fn runs(lengths: &[u8], codes: Codes) -> Vec<(u8, u32, usize)> {
    let mut runs = Vec::new();
    if codes.fault() == Some(Fault::RepeatsNothing) {
        runs.push((16, 0, 2));
    }
    let mut rest = lengths;
    while let [length, ..] = *rest {
        let same = rest.iter().take_while(|other| **other == length).count();
        let (run, count) = match (length, same) {
            (0, 11..) if codes.repeats => ((18, same.min(138) as u32 - 11, 7), same.min(138)),
            (0, 3..) if codes.repeats => ((17, same as u32 - 3, 3), same),
            (_, 4..) if codes.repeats => {
                runs.push((length, 0, 0));
                ((16, same.min(7) as u32 - 4, 2), same.min(7))
            }
            _ => ((length, 0, 0), 1),
        };
        runs.push(run);
        rest = &rest[count..];
    }
    runs
}

/// 3.2.6.
fn fixed_length(symbol: usize) -> u8 {
    match symbol {
        0..=143 => 8,
        144..=255 => 9,
        256..=279 => 7,
        _ => 8,
    }
}

/// 3.2.5: the symbol of a length, its extra bits, and how many those are.
fn length_symbol(length: usize) -> (usize, u32, usize) {
    if length == 258 {
        return (285, 0, 0);
    }
    let bases = (257..285).map(|symbol| {
        let bits = if symbol < 265 { 0 } else { (symbol - 261) / 4 };
        let base = if symbol < 265 { symbol - 254 } else { 3 + ((4 + (symbol - 261) % 4) << bits) };
        (symbol, base, bits)
    });
    let (symbol, base, bits) = bases.filter(|(_, base, _)| *base <= length).last().unwrap();
    (symbol, (length - base) as u32, bits)
}

/// The same of a distance.
fn distance_symbol(distance: usize) -> (usize, u32, usize) {
    let bases = (0..30).map(|symbol| {
        let bits = if symbol < 4 { 0 } else { symbol / 2 - 1 };
        let base = 1 + if symbol < 4 { symbol } else { (2 + symbol % 2) << bits };
        (symbol, base, bits)
    });
    let (symbol, base, bits) = bases.filter(|(_, base, _)| *base <= distance).last().unwrap();
    (symbol, (distance - base) as u32, bits)
}
