//! A complete HTTP head and the positions of its lines.

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ops::Range;

use super::inline_list::InlineList;
use crate::error::HandshakeError;

/// A complete head. Its lines end with CR LF or, in a response, with a bare LF. The last line is empty.
#[derive(Debug)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    header_count: usize,
}

impl Head {
    /// Creates a head with this many header lines. `bytes` should have capacity for the packed positions of all lines.
    pub(super) fn new(bytes: Vec<u8>, header_count: usize) -> Self {
        Self { bytes, header_count }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Returns the space that the parser needs for the headers.
    #[inline]
    pub(crate) fn header_slots<'h>(&self) -> InlineList<MaybeUninit<httparse::Header<'h>>> {
        InlineList::new(MaybeUninit::uninit(), self.header_count)
    }

    /// Converts the parser's errors into those of the handshake.
    pub(crate) fn check_parsed(&self, result: httparse::Result<usize>) -> Result<(), HandshakeError> {
        match result {
            Ok(httparse::Status::Complete(_)) => Ok(()),
            Err(httparse::Error::Version) if self.has_version() => Err(HandshakeError::HttpVersion),
            Err(httparse::Error::TooManyHeaders) => Err(HandshakeError::TooManyHeaders),
            Ok(httparse::Status::Partial) | Err(_) => Err(HandshakeError::Head),
        }
    }

    /// Returns the position of a slice of the head.
    pub(crate) fn span(&self, part: &[u8]) -> Span {
        // An empty slice may be from anywhere.
        if part.is_empty() {
            return Span::default();
        }
        // `Config::max_handshake_size` bounds a head to 1 GiB, so that positions fit in 32 bits.
        let start = part.as_ptr() as usize - self.bytes.as_ptr() as usize;
        debug_assert!(start + part.len() <= self.bytes.len(), "the part was borrowed from this head");
        Span { start: start as u32, end: (start + part.len()) as u32 }
    }

    /// Returns the positions of all lines, including the first and the empty one. `headers` were parsed from this head.
    pub(crate) fn lines(&self, headers: &[httparse::Header<'_>]) -> InlineList<Line> {
        let mut lines = InlineList::new(Line::default(), headers.len() + 2);
        for (line, header) in lines.iter_mut().skip(1).zip(headers) {
            let name = self.span(header.name.as_bytes());
            *line = Line { start: name.start, colon: name.end };
        }
        let end = without_line_end(&self.bytes).len() as u32;
        if let Some(last) = lines.last_mut() {
            *last = Line { start: end, colon: end };
        }
        lines
    }

    /// Returns whether the first line has an HTTP version where it belongs, at the start of a response or at the end of
    /// a request line. The parser has then rejected an unsupported version, not garbage.
    fn has_version(&self) -> bool {
        let mut lines = self.bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let words: Vec<_> = lines.next().unwrap_or_default().split(|&byte| byte == b' ').collect();
        matches!(words[..], [version, ..] | [_, _, version] if is_http_version(version))
    }
}

fn is_http_version(word: &[u8]) -> bool {
    match word {
        [b'H', b'T', b'T', b'P', b'/', major, rest @ ..] => {
            major.is_ascii_digit() && matches!(rest, [] | [b'.', b'0'..=b'9'])
        }
        _ => false,
    }
}

/// Removes the end of a line: CR LF, or a bare LF (RFC 9112 section 2.2).
#[inline]
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
        line => {
            debug_assert!(false, "a line ends with a line feed");
            line
        }
    }
}

/// The position of a text in a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[inline]
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The position of a line in its head. A line ends where the next one starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(super) start: u32,
    /// The end of a header's name. A line that is not a header has an empty name.
    pub(super) colon: u32,
}

impl Line {
    /// Encodes the position as bytes, to be stored in the same allocation as the head.
    #[inline]
    pub(super) fn pack(self) -> PackedLine {
        (u64::from(self.start) | u64::from(self.colon) << 32).to_le_bytes()
    }

    #[inline]
    pub(super) fn unpack(packed: PackedLine) -> Self {
        let bits = u64::from_le_bytes(packed);
        Self { start: bits as u32, colon: (bits >> 32) as u32 }
    }

    #[inline]
    pub(super) fn name(self) -> Range<usize> {
        self.start as usize..self.colon as usize
    }

    /// Returns the position of a header's value, including the white space around it and the line end.
    #[inline]
    pub(super) fn value(self, next: Self) -> Range<usize> {
        self.colon as usize + 1..next.start as usize
    }
}

pub(super) type PackedLine = [u8; 8];
