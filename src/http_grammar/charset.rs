//! The character sets of the grammars, as tables with one lookup per byte.

/// The characters of a token (RFC 9110 section 5.6.2): visible ASCII without separators.
pub(crate) static TOKEN: CharSet = CharSet::alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// The characters of a registered name or an IPv4 address (RFC 3986 section 3.2.2).
pub(crate) static HOST: CharSet = CharSet::alphanumeric_and(b"-._~!$&'()*+,;=%");

/// The characters of a host that a client connects to: those of [`HOST`] without percent-encoding, which no name in the
/// DNS needs.
pub(crate) static HOST_NAME: CharSet = CharSet::alphanumeric_and(b"-._~!$&'()*+,;=");

/// The characters of path and query (RFC 3986 sections 3.3 and 3.4) that need no encoding in a request. The RFC does
/// not include square brackets, but browsers do not encode them, and queries such as `?id[]=1` are common.
pub(crate) static RESOURCE: CharSet = CharSet::alphanumeric_and(b"-._~!$&'()*+,;=:@/?[]");

/// The characters of user information (RFC 3986 section 3.2.1).
pub(crate) static USER_INFO: CharSet = CharSet::alphanumeric_and(b"-._~!$&'()*+,;=:");

/// The characters that never need percent-encoding (RFC 3986 section 2.3).
pub(crate) static UNRESERVED: CharSet = CharSet::alphanumeric_and(b"-._~");

/// A set of bytes.
pub(crate) struct CharSet([bool; 256]);

impl CharSet {
    const fn alphanumeric_and(mut others: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            set[byte as usize] = byte.is_ascii_alphanumeric();
            byte += 1;
        }
        while let [first, rest @ ..] = others {
            set[*first as usize] = true;
            others = rest;
        }
        Self(set)
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    pub(crate) fn contains_char(&self, character: char) -> bool {
        u8::try_from(character).is_ok_and(|byte| self.contains(byte))
    }

    pub(crate) fn contains_all(&self, text: &[u8]) -> bool {
        text.iter().all(|&byte| self.contains(byte))
    }
}
