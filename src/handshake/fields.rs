//! Header fields: as received, in order; and as sent, checked against injection.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str;

use super::head::Line;
use crate::error::HeaderError;
use crate::http_grammar::lists::{eq_token, is_token, trim};

/// The fields that the handshake has rules for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Host,
    Upgrade,
    Connection,
    ContentLength,
    TransferEncoding,
    Key,
    Accept,
    Version,
    Protocol,
    Extensions,
}

impl Known {
    const COUNT: usize = Self::Extensions as usize + 1;

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Upgrade => "upgrade",
            Self::Connection => "connection",
            Self::ContentLength => "content-length",
            Self::TransferEncoding => "transfer-encoding",
            Self::Key => "sec-websocket-key",
            Self::Accept => "sec-websocket-accept",
            Self::Version => "sec-websocket-version",
            Self::Protocol => "sec-websocket-protocol",
            Self::Extensions => "sec-websocket-extensions",
        }
    }

    /// What a name means. The lengths tell almost all of them apart.
    fn of(name: &[u8]) -> Option<Self> {
        let (known, is_same) = match name.len() {
            4 => (Self::Host, eq_token(name, b"host")),
            7 => (Self::Upgrade, eq_token(name, b"upgrade")),
            10 => (Self::Connection, eq_token(name, b"connection")),
            14 => (Self::ContentLength, eq_token(name, b"content-length")),
            17 if eq_token(name, b"transfer-encoding") => (Self::TransferEncoding, true),
            17 => (Self::Key, eq_token(name, b"sec-websocket-key")),
            20 => (Self::Accept, eq_token(name, b"sec-websocket-accept")),
            21 => (Self::Version, eq_token(name, b"sec-websocket-version")),
            22 => (Self::Protocol, eq_token(name, b"sec-websocket-protocol")),
            24 => (Self::Extensions, eq_token(name, b"sec-websocket-extensions")),
            _ => return None,
        };
        is_same.then_some(known)
    }
}

/// Where header values are looked up. The rules of the handshake know nothing more of the form that a head came in.
pub(crate) trait Lookup {
    /// The values of all fields of that name, in order.
    fn all(&self, known: Known) -> impl Iterator<Item = &[u8]>;

    /// Whether there is a field of that name.
    fn has(&self, known: Known) -> bool {
        self.all(known).next().is_some()
    }

    /// The value of the only field of that name.
    fn only(&self, known: Known) -> Only<'_> {
        let mut values = self.all(known);
        match (values.next(), values.next()) {
            (None, _) => Only::Missing,
            (Some(value), None) => Only::One(value),
            (Some(_), Some(_)) => Only::Several,
        }
    }
}

/// How often a field stands in a head.
pub(crate) enum Only<'a> {
    Missing,
    One(&'a [u8]),
    Several,
}

/// A head as it was received, and where its fields lie in it, in one allocation: one for each would be too much for what
/// nobody may ask for.
///
/// ```text
/// GET / HTTP/1.1␍␊Host: localhost␍␊…␍␊␍␊|place|place|…|place
///                 ▲   ▲                  where a line begins, and where a name ends: one for every line,
///                 start, colon           the empty one too
/// ```
#[derive(Clone)]
pub(crate) struct Fields {
    head: Box<[u8]>,
    /// How many bytes of it are text.
    length: usize,
}

impl Fields {
    /// Keeps a head, and finds the known fields in it.
    pub(crate) fn keep(mut bytes: Vec<u8>, lines: &[Line]) -> (Self, Index) {
        let length = bytes.len();
        let mut index = Index::default();
        for (line, number) in lines.iter().zip(0..) {
            // The first line is no field, nor is the last: neither has a name.
            if let Some(known) = Known::of(&bytes[line.start as usize..line.colon as usize]) {
                index.add(known, number);
            }
            bytes.extend_from_slice(&place(*line));
        }
        (Self { head: bytes.into(), length }, index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        // Names are tokens, which are ASCII.
        self.fields().map(|(name, value)| (str::from_utf8(name).unwrap_or_default(), trim(value)))
    }

    /// The values of all fields of that name, in order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let is_same = move |this: &[u8]| this.eq_ignore_ascii_case(name.as_bytes());
        self.fields().filter(move |(this, _)| is_same(this)).map(|(_, value)| trim(value))
    }

    /// The first value of that name, if it is text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        str::from_utf8(self.values(name).next()?).ok()
    }

    /// The text at that place.
    pub(crate) fn text(&self, span: [u32; 2]) -> &str {
        str::from_utf8(&self.head[span[0] as usize..span[1] as usize]).unwrap_or_default()
    }

    /// Names, and values with the white space around them.
    fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        let lines = self.places().windows(2).skip(1).map(|places| [line_at(places[0]), line_at(places[1])]);
        lines.map(|lines| (self.name(lines), self.value(lines)))
    }

    #[inline]
    fn name(&self, [line, _]: [Line; 2]) -> &[u8] {
        &self.head[line.start as usize..line.colon as usize]
    }

    #[inline]
    fn value(&self, [line, next]: [Line; 2]) -> &[u8] {
        &self.head[line.colon as usize + 1..next.start as usize - LINE_END]
    }

    /// The place of a line and of the next.
    #[inline]
    fn line(&self, number: usize) -> [Line; 2] {
        let places = self.places();
        [line_at(places[number]), line_at(places[number + 1])]
    }

    #[inline]
    fn places(&self) -> &[[u8; 8]] {
        self.head[self.length..].as_chunks().0
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)));
        f.debug_map().entries(fields).finish()
    }
}

/// CR LF.
const LINE_END: usize = 2;

#[inline]
fn place(line: Line) -> [u8; 8] {
    (u64::from(line.start) | u64::from(line.colon) << 32).to_le_bytes()
}

#[inline]
fn line_at(place: [u8; 8]) -> Line {
    let bits = u64::from_le_bytes(place);
    Line { start: bits as u32, colon: (bits >> 32) as u32 }
}

/// The first and the last line of every known field; 0, the head's first line, where there is none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Index([[u32; 2]; Known::COUNT]);

impl Index {
    fn add(&mut self, known: Known, number: u32) {
        let [first, last] = &mut self.0[known as usize];
        if *first == 0 {
            *first = number;
        }
        *last = number;
    }
}

/// Fields whose known ones aren't searched for.
pub(crate) struct Indexed<'f> {
    pub(crate) fields: &'f Fields,
    pub(crate) index: &'f Index,
}

impl Lookup for Indexed<'_> {
    #[inline]
    fn all(&self, known: Known) -> impl Iterator<Item = &[u8]> {
        let [first, last] = self.index.0[known as usize].map(|number| number as usize);
        (first.max(1)..=last).filter_map(move |number| {
            let line = self.fields.line(number);
            let is_same = || self.fields.name(line).eq_ignore_ascii_case(known.name().as_bytes());
            (number == first || number == last || is_same()).then(|| trim(self.fields.value(line)))
        })
    }

    #[inline]
    fn has(&self, known: Known) -> bool {
        self.index.0[known as usize] != [0, 0]
    }

    #[inline]
    fn only(&self, known: Known) -> Only<'_> {
        let [first, last] = self.index.0[known as usize];
        if first == 0 {
            Only::Missing
        } else if first == last {
            Only::One(trim(self.fields.value(self.fields.line(first as usize))))
        } else {
            Only::Several
        }
    }
}

/// Appends pieces of a head.
pub(crate) fn append<const N: usize>(head: &mut Vec<u8>, pieces: [&str; N]) {
    for piece in pieces {
        head.extend_from_slice(piece.as_bytes());
    }
}

/// Header lines that a caller adds to a head, ready to be sent. The first that can't be is remembered instead, and
/// reported where the head is used.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderLines {
    lines: String,
    error: Option<HeaderError>,
}

impl HeaderLines {
    pub(crate) fn push(&mut self, name: &str, value: &str, reserved: &[&str]) {
        match check(name, value, reserved) {
            Ok(()) => self.lines.extend([name, ": ", value, "\r\n"]),
            Err(error) => self.error = self.error.or(Some(error)),
        }
    }

    pub(crate) fn lines(&self) -> Result<&str, HeaderError> {
        self.error.map_or(Ok(&self.lines), Err)
    }

    /// The names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines.split_terminator("\r\n").filter_map(|line| line.split_once(": "))
    }

    /// Whether a line of that name was added.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.iter().any(|(this, _)| this.eq_ignore_ascii_case(name))
    }
}

fn check(name: &str, value: &str, reserved: &[&str]) -> Result<(), HeaderError> {
    if !is_token(name.as_bytes()) {
        return Err(HeaderError::Name);
    }
    if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(HeaderError::Value);
    }
    if reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(HeaderError::Reserved);
    }
    Ok(())
}
