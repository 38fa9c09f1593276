//! `Sec-WebSocket-Key` and the `Sec-WebSocket-Accept` that belongs to it (RFC 6455 4.2.2, item 5.4).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest, Sha1};

/// RFC 6455 1.3: a value that no server would hash by accident.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Padding is required; the bits that it leaves unused may be anything, since a key is hashed as text.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// The key that a client sends: base64 of its nonce.
pub(crate) type Key = [u8; 24];

/// The answer that a server gives to a key.
pub(crate) type Accept = [u8; 28];

pub(crate) fn encode(nonce: [u8; 16]) -> Key {
    let mut key = [0; 24];
    // 16 bytes are 24 characters of base64: it can't be too small.
    let _ = BASE64.encode_slice(nonce, &mut key);
    key
}

/// The value, if it is base64 of 16 bytes.
pub(crate) fn parse(value: &[u8]) -> Option<&Key> {
    let mut nonce = [0; 18];
    value.try_into().ok().filter(|key: &&Key| BASE64.decode_slice(key, &mut nonce) == Ok(16))
}

/// Base64 of the SHA-1 of the key's text, not of what it decodes to.
pub(crate) fn accept(key: &Key) -> Accept {
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    // 20 bytes are 28 characters of base64: it can't be too small.
    let _ = BASE64.encode_slice(hash, &mut accept);
    accept
}

#[cfg(test)]
mod tests {
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
}
