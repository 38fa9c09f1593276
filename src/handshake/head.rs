//! Any split of the input → one whole HTTP head, searched once per byte, and where its lines lie.

use alloc::vec::Vec;
use core::mem::{self, MaybeUninit};
use core::ops::Deref;

use crate::config::Config;
use crate::error::HandshakeError;

/// A whole head: lines that end with CR LF, the last one empty.
#[derive(Debug)]
pub(crate) struct Head {
    /// There is room behind them for the places of the lines.
    pub(crate) bytes: Vec<u8>,
    /// How many header lines it has.
    headers: usize,
}

impl Head {
    /// Places for the parser to put the headers in.
    pub(crate) fn slots<'h>(&self) -> Slots<'h> {
        let more = if self.headers > FEW { self.headers } else { 0 };
        Slots {
            few: [const { MaybeUninit::uninit() }; FEW],
            many: (0..more).map(|_| MaybeUninit::uninit()).collect(),
            count: self.headers,
        }
    }
}

/// More than most heads have, the first line and the empty one included; they cost no allocation.
const FEW: usize = 26;

pub(crate) struct Slots<'h> {
    few: [MaybeUninit<httparse::Header<'h>>; FEW],
    many: Vec<MaybeUninit<httparse::Header<'h>>>,
    count: usize,
}

impl<'h> Slots<'h> {
    pub(crate) fn places(&mut self) -> &mut [MaybeUninit<httparse::Header<'h>>] {
        if self.count > FEW { &mut self.many } else { &mut self.few[..self.count] }
    }
}

/// Where a line lies in its head: up to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Line {
    pub(crate) start: u32,
    /// The end of a header's name; what is no header has none.
    pub(crate) colon: u32,
}

/// The lines of a head, the first and the empty one included.
pub(crate) struct Lines {
    few: [Line; FEW],
    many: Vec<Line>,
    count: usize,
}

impl Lines {
    /// Finds the lines of a head whose headers were parsed.
    pub(crate) fn find(head: &[u8], headers: &[httparse::Header<'_>]) -> Self {
        let count = headers.len() + 2;
        let mut this = Self { few: [Line::default(); FEW], many: Vec::new(), count };
        let lines = if count > FEW {
            this.many.resize(count, Line::default());
            &mut this.many[1..]
        } else {
            &mut this.few[1..count]
        };
        // A head is held to 1 GiB by `Config::max_handshake_size`.
        for (line, header) in lines.iter_mut().zip(headers) {
            let [start, colon] = span(head, header.name.as_bytes());
            *line = Line { start, colon };
        }
        let end = head.len() as u32 - 2;
        lines[count - 2] = Line { start: end, colon: end };
        this
    }
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        if self.count > FEW { &self.many } else { &self.few[..self.count] }
    }
}

/// Where `part`, which was lent from `head`, lies in it.
pub(crate) fn span(head: &[u8], part: &[u8]) -> [u32; 2] {
    // An empty part may come from anywhere.
    if part.is_empty() {
        return [0, 0];
    }
    let start = part.as_ptr() as usize - head.as_ptr() as usize;
    [start as u32, (start + part.len()) as u32]
}

/// The parser's errors in the words of the handshake.
pub(crate) fn head_error(head: &[u8], error: httparse::Error) -> HandshakeError {
    match error {
        httparse::Error::Version if has_version(head) => HandshakeError::HttpVersion,
        httparse::Error::TooManyHeaders => HandshakeError::TooManyHeaders,
        _ => HandshakeError::Head,
    }
}

/// Whether the first line has an HTTP version in its place, at the start of a response's or at the end of a request's:
/// if the parser dislikes that, it is another version, and not garbage.
fn has_version(head: &[u8]) -> bool {
    let mut lines = head.split(|&byte| byte == b'\r').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let words: Vec<_> = lines.next().unwrap_or_default().split(|&byte| byte == b' ').collect();
    matches!(words[..], [version, ..] | [_, _, version] if is_http_version(version))
}

fn is_http_version(word: &[u8]) -> bool {
    match word {
        [b'H', b'T', b'T', b'P', b'/', major, rest @ ..] => {
            major.is_ascii_digit() && matches!(rest, [] | [b'.', b'0'..=b'9'])
        }
        _ => false,
    }
}

/// Collects a head up to its empty line.
///
/// ```text
/// for each line feed in the new bytes:
///     the byte before it must be a carriage return
///     if the line is empty, and others came before it: the head ends here
/// keep the new bytes; remember the length and the last byte of the unfinished line
/// ```
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    bytes: Vec<u8>,
    /// All bytes seen, those of earlier heads included: a client's limit holds for its interim responses together.
    size: usize,
    lines: usize,
    line_length: usize,
    last: u8,
}

impl HeadReader {
    /// Takes bytes off the input; whether the head is whole. What stands behind it stays in the input.
    pub(crate) fn read(&mut self, input: &mut &mut [u8], config: &Config) -> Result<bool, HandshakeError> {
        let room = config.max_handshake_size - self.size;
        let piece = &input[..input.len().min(room)];
        let end = self.find_end(piece, config.max_headers)?;
        let piece = &piece[..end.unwrap_or(piece.len())];
        if end.is_some() {
            self.bytes.reserve_exact(piece.len() + (self.lines + 1) * size_of::<Line>());
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
    pub(crate) fn take(&mut self) -> Head {
        // The first line is no header.
        let headers = mem::take(&mut self.lines) - 1;
        Head { bytes: mem::take(&mut self.bytes), headers }
    }

    fn find_end(&mut self, piece: &[u8], max_headers: usize) -> Result<Option<usize>, HandshakeError> {
        let mut start = 0;
        while let Some(length) = find_control(&piece[start..]) {
            let at = start + length;
            let before = if at == 0 { self.last } else { piece[at - 1] };
            let length = self.line_length + length;
            // RFC 9112 2.2: lines end with CR LF; a bare LF is refused, and so is any other control character.
            if piece[at] != b'\n' || length == 0 || before != b'\r' {
                return Err(HandshakeError::Head);
            }
            start = at + 1;
            self.line_length = 0;
            if length == 1 {
                // RFC 9112 2.2: an empty line in front of the first is skipped.
                if self.lines == 0 {
                    continue;
                }
                return Ok(Some(start));
            }
            self.lines += 1;
            // The first line is no header.
            if self.lines - 1 > max_headers {
                return Err(HandshakeError::TooManyHeaders);
            }
        }
        self.line_length += piece.len() - start;
        self.last = piece.last().copied().unwrap_or(self.last);
        Ok(None)
    }
}

/// Where the first control character stands, apart from those that have a place in a line. Blocks that have none are
/// passed over by the comparisons of vectors; the place in a block is found by words.
fn find_control(bytes: &[u8]) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<16>();
    let has_none = |block: &&[u8; 16]| !block.iter().fold(false, |any, &byte| any | is_control(byte));
    let start = 16 * blocks.iter().take_while(has_none).count();
    let (words, rest) = bytes[start..].as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let marks = mark_controls(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(start + 8 * i + marks.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&byte| is_control(byte)).map(|at| bytes.len() - rest.len() + at)
}

fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' && byte != b'\r'
}

/// The same for eight bytes at once: the highest bit of each tells. Without its own highest bit, which no ASCII character
/// has, a byte can be added to without a carry into the next.
fn mark_controls(word: u64) -> u64 {
    let low = word & each(0x7f);
    let is_no_control = low + each(0x80 - b' ');
    let is_no = |byte: u8| (low ^ each(byte)) + each(0x7f);
    !is_no_control & is_no(b'\t') & is_no(b'\r') & !word & each(0x80)
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
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
                    assert_eq!(find_control(&bytes), bytes.iter().position(|&byte| is_control(byte)));
                    // What comes behind it makes no difference.
                    bytes[at..].fill(byte);
                    assert_eq!(find_control(&bytes), bytes.iter().position(|&byte| is_control(byte)));
                }
            }
        }
    }
}
