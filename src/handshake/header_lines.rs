//! Headers that a caller adds to an outgoing head, checked against header injection.

use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

use super::redacted::fmt_headers;
use crate::error::HeaderError;
use crate::http_grammar::lists::is_token;

/// An outgoing head, to which certain headers may not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutgoingHead {
    Request,
    /// The response that opens the connection.
    Response,
    /// Any other response.
    Rejection,
}

use OutgoingHead::{Rejection, Request, Response};

/// The headers that may not be added, with the heads that this applies to. The handshake writes them itself, they frame
/// a body, or they have no meaning there. A rejection may contain versions, extensions and subprotocols, because there
/// they are not binding.
const RESERVED: &[(&str, &[OutgoingHead])] = &[
    ("Connection", &[Request, Response, Rejection]),
    ("Content-Length", &[Request, Response, Rejection]),
    ("Host", &[Request]),
    ("Sec-WebSocket-Accept", &[Request, Response, Rejection]),
    ("Sec-WebSocket-Extensions", &[Request, Response]),
    ("Sec-WebSocket-Key", &[Request, Response]),
    ("Sec-WebSocket-Protocol", &[Request, Response]),
    ("Sec-WebSocket-Version", &[Request, Response]),
    ("Trailer", &[Request]),
    ("Transfer-Encoding", &[Request, Response, Rejection]),
    ("Upgrade", &[Request, Response, Rejection]),
];

/// Outgoing header lines. Setters return no errors, so the first error is stored and reported by
/// [`checked`](Self::checked).
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct HeaderLines {
    lines: String,
    /// The error of the first header that cannot be sent.
    error: Option<HeaderError>,
}

impl HeaderLines {
    /// Adds a header line for that kind of head.
    pub(crate) fn push(&mut self, name: &str, value: &str, head: OutgoingHead) {
        match check_header(name, value, head) {
            Ok(()) => self.lines.extend([name, ": ", value, "\r\n"]),
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
    }

    /// Removes the headers of these names.
    pub(crate) fn remove(&mut self, names: &[&str]) {
        let lines = mem::take(&mut self.lines);
        let is_named = |header: &str| names.iter().any(|name| header.eq_ignore_ascii_case(name));
        for (name, value) in CheckedLines(&lines).iter().filter(|(name, _)| !is_named(name)) {
            self.lines.extend([name, ": ", value, "\r\n"]);
        }
    }

    /// Returns the lines, if all of them can be sent.
    pub(crate) fn checked(&self) -> Result<CheckedLines<'_>, HeaderError> {
        self.error.clone().map_or(Ok(CheckedLines(&self.lines)), Err)
    }
}

impl fmt::Debug for HeaderLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.checked() {
            Ok(lines) => fmt_headers(lines.iter().map(|(name, value)| (name, value.as_bytes())), f),
            Err(error) => f.debug_tuple("Err").field(&error).finish(),
        }
    }
}

/// Header lines that have been checked and can be sent.
#[derive(Clone, Copy)]
pub(crate) struct CheckedLines<'l>(&'l str);

impl<'l> CheckedLines<'l> {
    pub(crate) fn as_str(self) -> &'l str {
        self.0
    }

    /// Returns the names and values.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'l str, &'l str)> {
        self.0.split_terminator("\r\n").map(|line| {
            line.split_once(": ").unwrap_or_else(|| {
                debug_assert!(false, "`push` writes a colon and a space into each line");
                (line, "")
            })
        })
    }

    /// Returns whether a header with this name was added.
    pub(crate) fn contains(self, name: &str) -> bool {
        self.iter().any(|(this, _)| this.eq_ignore_ascii_case(name))
    }
}

/// Appends parts of a head to the output.
pub(crate) fn append_text<const N: usize>(head: &mut Vec<u8>, parts: [&str; N]) {
    for part in parts {
        head.extend_from_slice(part.as_bytes());
    }
}

fn check_header(name: &str, value: &str, head: OutgoingHead) -> Result<(), HeaderError> {
    if !is_token(name.as_bytes()) {
        return Err(HeaderError::Name(name.into()));
    }
    if value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(HeaderError::Value(name.into()));
    }
    if RESERVED.iter().any(|(reserved, heads)| heads.contains(&head) && reserved.eq_ignore_ascii_case(name)) {
        return Err(HeaderError::Reserved(name.into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(headers: &[(&str, &str)], head: OutgoingHead) -> HeaderLines {
        let mut lines = HeaderLines::default();
        for (name, value) in headers {
            lines.push(name, value, head);
        }
        lines
    }

    #[test]
    fn lines_are_written_and_read_again() {
        let headers = [("A", "1"), ("b", ""), ("C", "x: y"), ("a", "2\t3")];
        let lines = lines(&headers, Request);
        let checked = lines.checked().unwrap();
        assert_eq!(checked.as_str(), "A: 1\r\nb: \r\nC: x: y\r\na: 2\t3\r\n");
        assert!(checked.iter().eq(headers));
        assert!(checked.contains("B") && !checked.contains("x"));
    }

    #[test]
    fn the_first_error_is_remembered() {
        for (headers, error) in [
            ([("a b", "1"), ("C", "\0")], HeaderError::Name("a b".into())),
            ([("C", "\r\nD: 1"), ("a b", "1")], HeaderError::Value("C".into())),
            ([("upgrade", "h2c"), ("C", "1")], HeaderError::Reserved("upgrade".into())),
        ] {
            assert_eq!(lines(&headers, Response).checked().err(), Some(error));
        }
    }

    /// The three lists written out, since each head has its own.
    #[test]
    fn each_head_has_its_reserved_headers() {
        let everywhere = ["Connection", "Content-Length", "Sec-WebSocket-Accept", "Transfer-Encoding", "Upgrade"];
        let upgrade =
            ["Sec-WebSocket-Extensions", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version"];
        let request = ["Host", "Trailer"];
        let reserved = |head| {
            let all = everywhere.iter().chain(&upgrade).chain(&request).chain(&["Cookie", "Origin", "Location"]);
            all.copied().filter(|name| lines(&[(name, "1")], head).checked().is_err()).collect::<Vec<_>>()
        };
        assert_eq!(reserved(Request), [&everywhere[..], &upgrade, &request].concat());
        assert_eq!(reserved(Response), [&everywhere[..], &upgrade].concat());
        assert_eq!(reserved(Rejection), everywhere);
    }
}
