//! Percent-encoding (RFC 3986 section 2.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::charset::CharSet;
use crate::slices::part;

/// Returns the first character that is neither in the set nor part of a percent-encoded byte. A `%` is such a character
/// unless two hexadecimal digits follow it.
pub(crate) fn find_illegal(text: &str, allowed: &CharSet) -> Option<char> {
    text.char_indices().find(|&(at, _)| !is_legal_at(text, at, allowed)).map(|(_, character)| character)
}

/// Decodes a text in which [`find_illegal`] finds nothing.
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let (mut rest, mut decoded) = (text.as_bytes(), Vec::with_capacity(text.len()));
    while let [first, after @ ..] = rest {
        let (byte, after) = decode_byte(rest).map_or((*first, after), |byte| (byte, &rest[3..]));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

/// Appends a text so that [`find_illegal`] finds nothing in it. Percent-encoded bytes stay unchanged.
#[cfg(feature = "url")]
pub(crate) fn encode_illegal(text: &str, allowed: &CharSet, encoded: &mut String) {
    for (at, character) in text.char_indices() {
        if is_legal_at(text, at, allowed) {
            encoded.push(character);
        } else {
            character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push_encoded(byte, encoded));
        }
    }
}

/// Appends a text with every byte that is not in the set percent-encoded. [`decode`] reverses it.
pub(crate) fn encode(text: &str, allowed: &CharSet, encoded: &mut String) {
    for byte in text.bytes() {
        if allowed.contains(byte) {
            encoded.push(char::from(byte));
        } else {
            push_encoded(byte, encoded);
        }
    }
}

fn is_legal_at(text: &str, at: usize, allowed: &CharSet) -> bool {
    let text = part(text.as_bytes(), at..);
    text.first().is_some_and(|&byte| allowed.contains(byte)) || decode_byte(text).is_some()
}

fn push_encoded(byte: u8, encoded: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(encoded, "%{byte:02X}");
}

/// Decodes the percent-encoded byte at the start of the text, if there is one.
fn decode_byte(text: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    match text {
        [b'%', high, low, ..] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_grammar::charset::UNRESERVED;

    #[test]
    fn every_byte_is_encoded_and_decoded_again() {
        for byte in 0..=127_u8 {
            let text = String::from(char::from(byte));
            let mut encoded = String::new();
            encode(&text, &UNRESERVED, &mut encoded);
            assert_eq!(encoded.len(), if UNRESERVED.contains(byte) { 1 } else { 3 }, "{byte}");
            assert_eq!(find_illegal(&encoded, &UNRESERVED), None);
            assert_eq!(decode(&encoded), [byte]);
            assert_eq!(decode(&encoded.to_ascii_lowercase()), [byte.to_ascii_lowercase()]);
        }
        let mut encoded = String::new();
        encode("%é", &UNRESERVED, &mut encoded);
        assert_eq!(encoded, "%25%C3%A9");
        assert_eq!(decode(&encoded), "%é".as_bytes());
    }

    #[test]
    fn a_percent_sign_needs_two_digits() {
        for right in ["", "a", "%00", "%ff%FFa", "a%25"] {
            assert_eq!(find_illegal(right, &UNRESERVED), None, "{right}");
        }
        for wrong in ["%", "%0", "a%zz", "%0g", "%%00", "%00%", "%+1", "%é0"] {
            assert_eq!(find_illegal(wrong, &UNRESERVED), Some('%'), "{wrong}");
        }
        assert_eq!(find_illegal("a%00é%", &UNRESERVED), Some('é'));
    }
}
