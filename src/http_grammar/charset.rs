//! The sets of characters that the grammars are made of, looked up in tables: no comparison per member and byte.

/// RFC 9110 5.6.2: what a token may have in it, visible ASCII without separators.
pub(crate) static TOKEN: Charset = Charset::alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// RFC 3986 3.2.2: what a registered name or an IPv4 address may have in it.
pub(crate) static HOST: Charset = Charset::alphanumeric_and(b"-._~!$&'()*+,;=%");

pub(crate) struct Charset([bool; 256]);

impl Charset {
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

    pub(crate) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }

    pub(crate) fn has_all(&self, text: &[u8]) -> bool {
        text.iter().all(|&byte| self.has(byte))
    }
}
