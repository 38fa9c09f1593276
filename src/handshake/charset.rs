//! The sets of characters that the grammars are made of, looked up in tables: no comparison per member and byte.

/// RFC 9110 5.6.2: what a token may have in it, visible ASCII without separators.
pub(crate) static TOKEN: Charset = Charset::alphanumeric_and(b"!#$%&'*+-.^_`|~");

/// RFC 3986 3.2.2: what a registered name or an IPv4 address may have in it.
pub(crate) static HOST: Charset = Charset::alphanumeric_and(b"-._~!$&'()*+,;=%");

/// RFC 4648 4, without the padding.
pub(crate) static BASE64: Charset = Charset::alphanumeric_and(b"+/");

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

/// How long the token is that a text begins with. Names of headers are letters and dashes, which go by eights.
pub(crate) fn token_length(text: &[u8]) -> usize {
    let mut length = 0;
    for word in text.as_chunks().0 {
        let others = mark_all_but_letters_and_dashes(u64::from_le_bytes(*word));
        length += if others == 0 { 8 } else { others.trailing_zeros() as usize / 8 };
        if others != 0 {
            break;
        }
    }
    length + text[length..].iter().take_while(|&&byte| TOKEN.has(byte)).count()
}

/// Eight bytes at once: the highest bit of each tells. Without its own highest bit, which no ASCII character has, a byte
/// can be added to without a carry into the next.
fn mark_all_but_letters_and_dashes(word: u64) -> u64 {
    let low = word & each(0x7f);
    let lower = low | each(b'a' - b'A');
    let is_letter = (lower + each(0x80 - b'a')) & !(lower + each(0x7f - b'z'));
    let is_no_dash = (low ^ each(b'-')) + each(0x7f);
    (!is_letter & is_no_dash | word) & each(0x80)
}

/// Where the control characters other than tabs are among eight bytes, in the same way.
pub(crate) fn mark_controls(word: u64) -> u64 {
    let low = word & each(0x7f);
    let is_no_control = low + each(0x80 - b' ');
    let is_no_tab = (low ^ each(b'\t')) + each(0x7f);
    let is_delete = low + each(1);
    (!is_no_control & is_no_tab | is_delete) & !word & each(0x80)
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_marked_where_bytes_are() {
        let marks = |is_marked: fn(u8) -> bool, word: u64| {
            u64::from_le_bytes(word.to_le_bytes().map(|byte| if is_marked(byte) { 0x80 } else { 0 }))
        };
        for around in 0..=255 {
            for byte in 0..=255 {
                let word = u64::from_le_bytes([around, byte, around, byte, byte, around, byte, around]);
                let is_other = |byte: u8| !byte.is_ascii_alphabetic() && byte != b'-';
                assert_eq!(mark_all_but_letters_and_dashes(word), marks(is_other, word));
                let is_control = |byte: u8| byte.is_ascii_control() && byte != b'\t';
                assert_eq!(mark_controls(word), marks(is_control, word));
            }
        }
    }

    #[test]
    fn tokens_end_where_their_characters_do() {
        for length in 0..40 {
            for byte in 0..=255_u8 {
                let mut text = [b'-'; 40];
                text[length] = byte;
                let is_token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
                assert_eq!(token_length(&text), if is_token { 40 } else { length });
                assert_eq!(token_length(&text[..length]), length);
            }
        }
    }
}
