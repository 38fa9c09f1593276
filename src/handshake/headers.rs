//! The headers that the handshake has rules for, and their lookup.

use crate::http_grammar::lists::eq_token;

/// A header that the handshake has a rule for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderName {
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

impl HeaderName {
    pub(crate) const COUNT: usize = Self::Extensions as usize + 1;

    pub(crate) fn as_str(self) -> &'static str {
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

    /// Returns the header with this name (case-insensitive), if there is a rule for it. This is the inverse of
    /// [`as_str`](Self::as_str). Almost all names differ in length, and arrays are compared without a loop.
    #[inline]
    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        let (known, is_equal) = match name.len() {
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
        is_equal.then_some(known)
    }
}

/// Headers whose values can be looked up. The rules of the handshake need nothing else, so they are the same for a
/// received head and for the header map of an HTTP library.
pub(crate) trait Headers {
    /// Returns the values of all headers with this name, in order, without the white space around them.
    fn all(&self, name: HeaderName) -> impl Iterator<Item = &[u8]>;

    /// Returns whether there is a header with this name.
    fn contains(&self, name: HeaderName) -> bool {
        self.all(name).next().is_some()
    }

    /// Returns the value of a header that may occur at most once.
    fn single(&self, name: HeaderName) -> Occurrences<'_> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (None, _) => Occurrences::None,
            (Some(value), None) => Occurrences::One(value),
            (Some(_), Some(_)) => Occurrences::Several,
        }
    }
}

/// The occurrences of a header.
pub(crate) enum Occurrences<'a> {
    None,
    One(&'a [u8]),
    Several,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [HeaderName; HeaderName::COUNT] = [
        HeaderName::Host,
        HeaderName::Upgrade,
        HeaderName::Connection,
        HeaderName::ContentLength,
        HeaderName::TransferEncoding,
        HeaderName::Key,
        HeaderName::Accept,
        HeaderName::Version,
        HeaderName::Protocol,
        HeaderName::Extensions,
    ];

    #[test]
    fn every_name_is_found_by_its_text() {
        for (i, name) in ALL.into_iter().enumerate() {
            assert_eq!(name as usize, i, "no name is missing above");
            let text = name.as_str();
            assert_eq!(HeaderName::parse(text.as_bytes()), Some(name));
            assert_eq!(HeaderName::parse(text.to_ascii_uppercase().as_bytes()), Some(name));
            assert_eq!(HeaderName::parse(&text.as_bytes()[1..]), None);
            assert_eq!(HeaderName::parse(text.replacen(&text[..1], "x", 1).as_bytes()), None);
        }
    }
}
