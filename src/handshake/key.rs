//! `Sec-WebSocket-Key` and the `Sec-WebSocket-Accept` that belongs to it (RFC 6455 4.2.2, item 5.4).
//!
//! Every handshake has one, of a length that is known: neither needs the general forms of SHA-1 and base64, which take
//! any number of bytes in any pieces.

use sha1::block_api::compress;

use super::charset::BASE64;

/// The key that a client sends: base64 of its nonce.
pub(crate) type Key = [u8; 24];

/// The answer that a server gives to a key.
pub(crate) type Accept = [u8; 28];

pub(crate) fn encode(nonce: [u8; 16]) -> Key {
    base64(nonce)
}

/// The value, if it is base64 of 16 bytes. The bits that its last character leaves unused may be anything, since a key
/// is hashed as text.
pub(crate) fn parse(value: &[u8]) -> Option<&Key> {
    let key: &Key = value.try_into().ok()?;
    let (characters, padding) = key.split_at(22);
    (BASE64.has_all(characters) && padding == b"==").then_some(key)
}

/// Base64 of the SHA-1 of the key's text, not of what it decodes to.
pub(crate) fn accept(key: &Key) -> Accept {
    let mut blocks = BLOCKS;
    blocks[0][..key.len()].copy_from_slice(key);
    let mut state = START;
    compress(&mut state, &blocks);
    let mut hash = [0; 20];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    base64(hash)
}

/// RFC 6455 1.3: a value that no server would hash by accident.
const GUID: &[u8; 36] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What SHA-1 starts with (FIPS 180-4, 5.3.1).
const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// What SHA-1 makes of a key and the GUID (FIPS 180-4, 5.1.1): behind them come a bit that is set, and in the end their
/// length in bits. The key's place is free.
const BLOCKS: [[u8; 64]; 2] = {
    let key = size_of::<Key>();
    let length = key + GUID.len();
    let mut blocks = [[0; 64]; 2];
    blocks[0].split_at_mut(key).1.split_at_mut(GUID.len()).0.copy_from_slice(GUID);
    blocks[0][length] = 0x80;
    blocks[1].split_at_mut(56).1.copy_from_slice(&(8 * length as u64).to_be_bytes());
    blocks
};

/// Base64 with padding (RFC 4648 4), of bytes that don't come in threes.
fn base64<const BYTES: usize, const CHARACTERS: usize>(bytes: [u8; BYTES]) -> [u8; CHARACTERS] {
    const {
        assert!(CHARACTERS == BYTES.div_ceil(3) * 4);
    }
    let mut text = [b'='; CHARACTERS];
    let (threes, rest) = bytes.as_chunks::<3>();
    let (fours, last) = text.as_chunks_mut::<4>().0.split_at_mut(threes.len());
    for (&[a, b, c], four) in threes.iter().zip(fours) {
        *four = characters([a, b, c]);
    }
    match (rest, last) {
        (&[a], [last]) => last[..2].copy_from_slice(&characters([a, 0, 0])[..2]),
        (&[a, b], [last]) => last[..3].copy_from_slice(&characters([a, b, 0])[..3]),
        _ => {}
    }
    text
}

fn characters([a, b, c]: [u8; 3]) -> [u8; 4] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u32::from_be_bytes([0, a, b, c]);
    [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize])
}

#[cfg(test)]
mod tests {
    use base64::alphabet::STANDARD;
    use base64::engine::GeneralPurpose;
    use base64::engine::general_purpose::PAD;
    use base64::prelude::{BASE64_STANDARD, Engine};
    use sha1::{Digest, Sha1};

    use super::*;

    /// C-35, S-34: the example of RFC 6455 1.3.
    #[test]
    fn the_rfc_example() {
        assert_eq!(&accept(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_are_sixteen_bytes() {
        assert!(parse(&encode([0xff; 16])).is_some());
        assert!(parse(b"dGhlIHNhbXBsZSBub25jZQ==").is_some());
        assert!(parse(b"dGhlIHNhbXBsZSBub25jZR==").is_some());
        for wrong in ["", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25jZQ=A"] {
            assert!(parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(parse(b"dGhlIHNhbXBsZSBub2-jZQ==").is_none());
    }

    /// Every byte in every place, against the general forms.
    #[test]
    fn keys_and_accepts_are_what_the_general_forms_make() {
        let lenient = GeneralPurpose::new(&STANDARD, PAD.with_decode_allow_trailing_bits(true));
        for i in 0..16 {
            for byte in 0..=255 {
                let mut nonce = [0x5a; 16];
                nonce[i] = byte;
                let key = encode(nonce);
                assert_eq!(BASE64_STANDARD.encode(nonce).as_bytes(), key);
                let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
                assert_eq!(BASE64_STANDARD.encode(hash).as_bytes(), accept(&key));
            }
        }
        for i in 0..24 {
            for byte in 0..=255 {
                let mut key = *b"dGhlIHNhbXBsZSBub25jZQ==";
                key[i] = byte;
                let decodes = lenient.decode(key).is_ok_and(|nonce| nonce.len() == 16);
                assert_eq!(parse(&key).is_some(), decodes, "{byte} at {i}");
            }
        }
    }
}
