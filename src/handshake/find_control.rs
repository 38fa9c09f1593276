//! A search for control characters that processes many bytes at a time.

use crate::slices::part;

/// Splits bytes at the first control character that [`find_control`] finds: the bytes before it, itself, and those after.
#[inline]
pub(crate) fn split_at_control(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let at = find_control(bytes)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    let (&control, after) = rest.split_first()?;
    Some((before, control, after))
}

/// Returns the position of the first control character (0 to 31) other than tab and carriage return. It is either the
/// line feed that ends a line, or a character that is not allowed in a head.
///
/// ```text
/// skip blocks of 16 bytes that have none       a loop without branches: the compiler makes it one of vector instructions
/// find the place by words of 8 bytes           one bit marks each control character; the lowest bit is the first
/// look at what is left byte by byte
/// ```
#[inline]
fn find_control(bytes: &[u8]) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<16>();
    let has_none = |block: &&[u8; 16]| !block.iter().fold(false, |any, &byte| any | is_control(byte));
    let start = 16 * blocks.iter().take_while(has_none).count();
    let (words, rest) = part(bytes, start..).as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let marks = mark_controls(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(start + 8 * i + marks.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&byte| is_control(byte)).map(|at| bytes.len() - rest.len() + at)
}

fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' && byte != b'\r'
}

/// Does the same for eight bytes at once: the highest bit of each byte is set if it is such a control character.
///
/// The low seven bits of a byte are at most 0x7f, so a number up to 0x80 can be added without a carry into the next
/// byte. The highest bit of the sum shows whether they are at least `0x80 - number`. Bytes above 0x7f are not ASCII,
/// and are masked out at the end.
fn mark_controls(word: u64) -> u64 {
    let low = word & repeat(0x7f);
    let is_printable = low + repeat(0x80 - b' ');
    let differs_from = |byte: u8| (low ^ repeat(byte)) + repeat(0x7f);
    !is_printable & differs_from(b'\t') & differs_from(b'\r') & !word & repeat(0x80)
}

/// Returns a word in which every byte is `byte`.
const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naive search, as the oracle.
    fn find_naively(bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| matches!(byte, 0..=8 | 10..=12 | 14..=31))
    }

    #[test]
    fn control_characters_are_found_at_every_position() {
        for length in 0..70 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = alloc::vec![b'\t'; length];
                    bytes[at] = byte;
                    assert_eq!(find_control(&bytes), find_naively(&bytes));
                    // The bytes after it do not matter.
                    bytes[at..].fill(byte);
                    assert_eq!(find_control(&bytes), find_naively(&bytes));
                }
            }
        }
    }

    #[test]
    fn neighbours_do_not_change_what_is_found() {
        for first in 0..=255 {
            for second in 0..=255 {
                let bytes = [b'a', first, second, b'b', second, first, 0xff, b'c'];
                assert_eq!(find_control(&bytes), find_naively(&bytes), "{first} {second}");
            }
        }
    }
}
