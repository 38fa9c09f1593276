//! The headers of a received head, in order.

use alloc::boxed::Box;
use core::fmt;
use core::str;

use super::head::{Head, Line, PackedLine, Span, without_line_end};
use super::headers::{HeaderName, Headers, Occurrences};
use super::redacted::fmt_headers;
use crate::http_grammar::lists::trim;
use crate::slices::part;

/// A received head and the positions of its lines, in one allocation. A second allocation would be wasted on heads
/// whose headers are never read.
///
/// ```text
/// GET / HTTP/1.1␍␊Host: localhost␍␊…␍␊␍␊|line|line|…|line
/// ▲               ▲   ▲                  the packed position of every line, the first and the empty one included:
/// 0               start, colon           where it starts, and where its name ends
/// ```
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    bytes: Box<[u8]>,
    head_length: usize,
}

impl Fields {
    /// Stores a head with its parsed lines, and indexes the headers that the handshake has rules for.
    pub(crate) fn new(head: Head, lines: &[Line]) -> (Self, HeaderIndex) {
        let mut bytes = head.into_bytes();
        let head_length = bytes.len();
        let mut index = HeaderIndex::default();
        for (line, number) in lines.iter().zip(0..) {
            // The first and the last line are not headers: their names are empty.
            if let Some(name) = HeaderName::parse(part(&bytes, line.name())) {
                index.add(name, number);
            }
            bytes.extend_from_slice(&line.pack());
        }
        (Self { bytes: bytes.into(), head_length }, index)
    }

    /// Returns the names and values of all headers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.lines().map(|line| (text(self.name(line)), self.value(line)))
    }

    /// Returns the values of all headers with this name, in order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let lines = self.lines().filter(move |line| self.name(*line).eq_ignore_ascii_case(name.as_bytes()));
        lines.map(|line| self.value(line))
    }

    /// Returns the first value with this name, if it is text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        str::from_utf8(self.values(name).next()?).ok()
    }

    /// Returns the text at a position that the parser has validated as text.
    pub(crate) fn text(&self, span: Span) -> &str {
        text(part(&self.bytes, span.range()))
    }

    /// The positions of all headers.
    fn lines(&self) -> impl Iterator<Item = LineAndNext> + Clone {
        let headers = part(self.packed_lines(), 1..);
        headers.iter().zip(headers.iter().skip(1)).map(|(line, next)| [Line::unpack(*line), Line::unpack(*next)])
    }

    #[inline]
    fn line(&self, number: usize) -> LineAndNext {
        match part(self.packed_lines(), number..) {
            [line, next, ..] => [Line::unpack(*line), Line::unpack(*next)],
            _ => {
                debug_assert!(false, "after a header there is at least the empty line");
                LineAndNext::default()
            }
        }
    }

    #[inline]
    fn name(&self, [line, _]: LineAndNext) -> &[u8] {
        part(&self.bytes, line.name())
    }

    #[inline]
    fn value(&self, [line, next]: LineAndNext) -> &[u8] {
        trim(without_line_end(part(&self.bytes, line.value(next))))
    }

    #[inline]
    fn packed_lines(&self) -> &[PackedLine] {
        part(&self.bytes, self.head_length..).as_chunks().0
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_headers(self.iter(), f)
    }
}

/// The position of a header, which ends where the next line starts.
type LineAndNext = [Line; 2];

/// The parser accepts only tokens and ASCII as names and targets, and only UTF-8 as what it returns as `str`.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_else(|_| {
        debug_assert!(false, "the parser found that this is text");
        ""
    })
}

/// The first and the last line of each header that the handshake has a rule for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HeaderIndex([Option<FirstAndLast>; HeaderName::COUNT]);

type FirstAndLast = [u32; 2];

impl HeaderIndex {
    #[inline]
    fn add(&mut self, name: HeaderName, number: u32) {
        let [_, last] = self.0[name as usize].get_or_insert([number; 2]);
        *last = number;
    }

    #[inline]
    fn get(&self, name: HeaderName) -> Option<FirstAndLast> {
        self.0[name as usize]
    }
}

/// Received headers with an index of those that the handshake has rules for.
pub(crate) struct IndexedHeaders<'f> {
    pub(crate) fields: &'f Fields,
    pub(crate) index: &'f HeaderIndex,
}

impl Headers for IndexedHeaders<'_> {
    #[inline]
    fn all(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        // The range from 1 to 0 is empty.
        let [first, last] = self.index.get(name).unwrap_or([1, 0]);
        (first..=last).filter_map(move |number| {
            let line = self.fields.line(number as usize);
            let is_equal = || self.fields.name(line).eq_ignore_ascii_case(name.as_str().as_bytes());
            (number == first || number == last || is_equal()).then(|| self.fields.value(line))
        })
    }

    #[inline]
    fn contains(&self, name: HeaderName) -> bool {
        self.index.get(name).is_some()
    }

    #[inline]
    fn single(&self, name: HeaderName) -> Occurrences<'_> {
        match self.index.get(name) {
            None => Occurrences::None,
            Some([first, last]) if first == last => {
                Occurrences::One(self.fields.value(self.fields.line(first as usize)))
            }
            Some(_) => Occurrences::Several,
        }
    }
}
