//! Any split of the input → one whole HTTP head, searched once per byte.

use alloc::vec::Vec;
use core::mem::{self, MaybeUninit};

use crate::config::Config;
use crate::error::HandshakeError;

/// A whole head: lines that end with CR LF, the last one empty.
#[derive(Debug)]
pub(crate) struct Head {
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

/// More than most heads have; they cost no allocation.
const FEW: usize = 24;

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
    /// Takes bytes off the input; the head, once it is whole. What stands behind it stays in the input.
    pub(crate) fn read(&mut self, input: &mut &mut [u8], config: &Config) -> Result<Option<Head>, HandshakeError> {
        let room = config.max_handshake_size - self.size;
        let piece = &input[..input.len().min(room)];
        let end = self.find_end(piece, config.max_headers)?;
        let piece = &piece[..end.unwrap_or(piece.len())];
        self.bytes.extend_from_slice(piece);
        self.size += piece.len();
        let length = piece.len();
        *input = &mut mem::take(input)[length..];
        if end.is_some() {
            // The first line is no header.
            let headers = mem::take(&mut self.lines) - 1;
            return Ok(Some(Head { bytes: mem::take(&mut self.bytes), headers }));
        }
        if self.size == config.max_handshake_size {
            return Err(HandshakeError::HeadTooLarge);
        }
        Ok(None)
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

/// Where the first control character stands. Blocks that have none are passed over at once.
fn find_control(bytes: &[u8]) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<16>();
    let has_none = |block: &&[u8; 16]| !block.iter().fold(false, |any, &byte| any | is_control(byte));
    let start = 16 * blocks.iter().take_while(has_none).count();
    bytes[start..].iter().position(|&byte| is_control(byte)).map(|at| start + at)
}

/// Control characters apart from those that have a place in a line.
fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' && byte != b'\r'
}
