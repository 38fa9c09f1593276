//! Any split of the input → one whole HTTP head, and where its lines lie: each byte is looked at once.

use alloc::vec::Vec;
use core::mem;

use super::charset::{mark_controls, token_length};
use crate::config::Config;
use crate::error::HandshakeError;

/// Collects a head up to its empty line (RFC 9112 2 and 5), and refuses it at the first byte that can't be there.
///
/// ```text
///       start line          name : text
/// ──► Text ──► LineEnd ──► Name ──► Text ──► LineEnd ──► Name ──► …
///                           └── an empty line: the head ends behind it
/// ```
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    bytes: Vec<u8>,
    lines: Lines,
    /// All bytes seen, those of earlier heads included: a client's limit holds for its interim responses together.
    size: usize,
    /// The unfinished line.
    line: Line,
    part: Part,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, Default)]
enum Part {
    Name,
    /// A value, or all of the start line.
    #[default]
    Text,
    /// Behind a carriage return.
    LineEnd,
}

/// A whole head: lines that end with CR LF, no other control characters but tabs in them, and an empty one.
pub(crate) struct Head<'r> {
    /// There is room behind them for the places of the lines.
    pub(crate) bytes: Vec<u8>,
    /// The empty line is the last of them.
    pub(crate) lines: &'r [Line],
}

/// Where a line lies in its head: up to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) start: u32,
    /// The end of a header's name.
    pub(crate) colon: u32,
}

impl HeadReader {
    /// Takes bytes off the input; whether the head is whole. What stands behind it stays in the input.
    pub(crate) fn read(&mut self, input: &mut &mut [u8], config: &Config) -> Result<bool, HandshakeError> {
        let room = config.max_handshake_size - self.size;
        let piece = &input[..input.len().min(room)];
        let end = self.find_end(piece, config.max_headers)?;
        let piece = &piece[..end.unwrap_or(piece.len())];
        if end.is_some() {
            self.bytes.reserve_exact(piece.len() + self.lines.len() * size_of::<Line>());
        }
        self.bytes.extend_from_slice(piece);
        self.size += piece.len();
        let length = piece.len();
        *input = &mut mem::take(input)[length..];
        if end.is_none() && self.size == config.max_handshake_size {
            return Err(HandshakeError::HeadTooLarge);
        }
        Ok(end.is_some())
    }

    /// The head that is whole; the reader is ready for another.
    pub(crate) fn take(&mut self) -> Head<'_> {
        (self.line, self.part) = (Line::default(), Part::Text);
        Head { bytes: mem::take(&mut self.bytes), lines: self.lines.take() }
    }

    fn find_end(&mut self, piece: &[u8], max_headers: usize) -> Result<Option<usize>, HandshakeError> {
        // A head is held to 1 GiB by `Config::max_handshake_size`.
        let before = self.bytes.len() as u32;
        let (mut line, mut part) = (self.line, self.part);
        let mut at = 0;
        while at < piece.len() {
            match part {
                Part::Name => {
                    at += token_length(&piece[at..]);
                    let Some(byte) = piece.get(at) else { break };
                    line.colon = before + at as u32;
                    let is_empty = line.colon == line.start;
                    match byte {
                        b':' if !is_empty => at += 1,
                        b'\r' if is_empty => {}
                        // No space stands in front of the colon, nor in front of the name, where it would fold the line.
                        _ => return Err(HandshakeError::Head),
                    }
                    part = Part::Text;
                }
                Part::Text => {
                    let Some(length) = find_control(&piece[at..]) else { break };
                    at += length;
                    if piece[at] != b'\r' {
                        return Err(HandshakeError::Head);
                    }
                    at += 1;
                    part = Part::LineEnd;
                }
                Part::LineEnd => {
                    // RFC 9112 2.2: a bare LF or CR is refused.
                    if piece[at] != b'\n' {
                        return Err(HandshakeError::Head);
                    }
                    at += 1;
                    let next = before + at as u32;
                    let whole = mem::replace(&mut line, Line { start: next, colon: next });
                    let is_empty = next - whole.start == 2;
                    // RFC 9112 2.2: an empty line in front of the first is skipped.
                    part = if is_empty && self.lines.len() == 0 { Part::Text } else { Part::Name };
                    if let Part::Text = part {
                        continue;
                    }
                    self.lines.push(whole);
                    if is_empty {
                        return Ok(Some(at));
                    }
                    // The first line is no header.
                    if self.lines.len() - 1 > max_headers {
                        return Err(HandshakeError::TooManyHeaders);
                    }
                }
            }
        }
        (self.line, self.part) = (line, part);
        Ok(None)
    }
}

/// The lines of a head. Those of most heads cost no allocation.
#[derive(Debug, Default)]
struct Lines {
    few: [Line; FEW],
    /// All of them, where they are more than a few.
    many: Vec<Line>,
    count: usize,
}

/// Browsers send some fifteen, proxies add some.
const FEW: usize = 24;

impl Lines {
    #[inline]
    fn push(&mut self, line: Line) {
        match self.few.get_mut(self.count) {
            Some(place) => *place = line,
            None => self.spill(line),
        }
        self.count += 1;
    }

    #[cold]
    fn spill(&mut self, line: Line) {
        if self.count == FEW {
            self.many.clear();
            self.many.extend(self.few);
        }
        self.many.push(line);
    }

    fn len(&self) -> usize {
        self.count
    }

    fn take(&mut self) -> &[Line] {
        let count = mem::take(&mut self.count);
        if count > FEW { &self.many } else { &self.few[..count] }
    }
}

/// Where the first control character other than a tab stands: blocks that have none are passed over by the comparisons
/// of vectors, and the place in the block is found by words.
fn find_control(bytes: &[u8]) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<16>();
    let has_none = |block: &&[u8; 16]| !block.iter().fold(false, |any, &byte| any | is_control(byte));
    let before = 16 * blocks.iter().take_while(has_none).count();
    let (words, rest) = bytes[before..].as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let marks = mark_controls(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(before + 8 * i + marks.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|&byte| is_control(byte))?;
    Some(bytes.len() - rest.len() + at)
}

fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' || byte == 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_found_wherever_they_stand() {
        for length in 0..70 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = alloc::vec![b'\t'; length];
                    bytes[at] = byte;
                    assert_eq!(
                        find_control(&bytes),
                        bytes.iter().position(|&byte| byte != b'\t' && byte.is_ascii_control())
                    );
                    // What comes behind it makes no difference.
                    bytes[at..].fill(byte);
                    assert_eq!(
                        find_control(&bytes),
                        bytes.iter().position(|&byte| byte != b'\t' && byte.is_ascii_control())
                    );
                }
            }
        }
    }
}
