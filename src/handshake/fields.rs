//! Header fields: as received, in order; and as sent, checked against injection.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str;

use super::lists::{is_token, trim};
use crate::error::{HandshakeError, HeaderError};

/// Where header values are looked up. The rules of the handshake know nothing more of the form that a head came in.
pub(crate) trait Lookup {
    /// The values of all fields of that name, in order.
    fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a;

    /// The value of the only field of that name.
    fn only(&self, name: &'static str) -> Only<'_> {
        let mut values = self.all(name);
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

/// A head as it was received, and where its fields lie in it.
#[derive(Clone, Default)]
pub(crate) struct Fields {
    head: Box<[u8]>,
    fields: Box<[Field]>,
}

/// Positions in the head: an allocation each would be too much for what nobody may ask for.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    name: [u32; 2],
    value: [u32; 2],
}

impl Fields {
    /// `parsed` are fields of `head`, as the parser lent them from it.
    pub(crate) fn locate(head: &[u8], parsed: &[httparse::Header<'_>]) -> Box<[Field]> {
        parsed
            .iter()
            .map(|field| Field { name: span(head, field.name.as_bytes()), value: span(head, trim(field.value)) })
            .collect()
    }

    pub(crate) fn new(head: Vec<u8>, fields: Box<[Field]>) -> Self {
        Self { head: head.into(), fields }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.fields.iter().map(|field| {
            // Names are tokens, which are ASCII.
            let name = str::from_utf8(self.bytes(field.name)).unwrap_or_default();
            (name, self.bytes(field.value))
        })
    }

    /// The first value of that name, if it is text.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let is_same = |field: &&Field| self.bytes(field.name).eq_ignore_ascii_case(name.as_bytes());
        let field = self.fields.iter().find(is_same)?;
        str::from_utf8(self.bytes(field.value)).ok()
    }

    /// The text at a place that was found with [`span`].
    pub(crate) fn text(&self, span: [u32; 2]) -> &str {
        str::from_utf8(self.bytes(span)).unwrap_or_default()
    }

    fn bytes(&self, [start, end]: [u32; 2]) -> &[u8] {
        &self.head[start as usize..end as usize]
    }
}

impl Lookup for Fields {
    fn all<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> + 'a {
        let is_same = move |field: &&Field| self.bytes(field.name).eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(is_same).map(|field| self.bytes(field.value))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)));
        f.debug_map().entries(fields).finish()
    }
}

/// Where `part`, which was lent from `head`, lies in it.
pub(crate) fn span(head: &[u8], part: &[u8]) -> [u32; 2] {
    // An empty part may come from anywhere.
    if part.is_empty() {
        return [0, 0];
    }
    let start = part.as_ptr() as usize - head.as_ptr() as usize;
    // A head is held to 1 GiB by `Config::max_handshake_size`.
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
