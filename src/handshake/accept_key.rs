//! `Sec-WebSocket-Key` and the matching `Sec-WebSocket-Accept` (RFC 6455 section 4.2.2, item 5.4).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest, Sha1};

/// The value of `Sec-WebSocket-Key`: base64 of a nonce of 16 bytes.
pub(crate) type Key = [u8; 24];

/// The value of `Sec-WebSocket-Accept`: base64 of a SHA-1 hash.
pub(crate) type AcceptKey = [u8; 28];

/// Returns the key that a client sends for a nonce.
pub(crate) fn encode_key(nonce: [u8; 16]) -> Key {
    let mut key = [0; 24];
    let length = BASE64.encode_slice(nonce, &mut key);
    debug_assert_eq!(length, Ok(24), "16 bytes are 24 characters of base64");
    key
}

/// Parses a received key, which must be 16 bytes in base64.
pub(crate) fn parse_key(value: &[u8]) -> Option<&Key> {
    let mut nonce = [0; 18];
    value.try_into().ok().filter(|key: &&Key| BASE64.decode_slice(key, &mut nonce) == Ok(16))
}

/// Returns the accept key of a key. The hash is of the key's text, not of the nonce that it decodes to.
pub(crate) fn accept_key(key: &Key) -> AcceptKey {
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    let length = BASE64.encode_slice(hash, &mut accept);
    debug_assert_eq!(length, Ok(28), "20 bytes are 28 characters of base64");
    accept
}

/// RFC 6455 section 1.3: a value that a server without WebSocket support is unlikely to use.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Padding is required. The bits that it leaves unused may have any value, since the key is hashed as text.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

#[cfg(test)]
mod tests {
    use super::*;

    /// C-35, S-34: the example of RFC 6455 section 1.3.
    #[test]
    fn the_rfc_example() {
        assert_eq!(&accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn keys_are_sixteen_bytes() {
        assert!(parse_key(&encode_key([0xff; 16])).is_some());
        assert!(parse_key(b"dGhlIHNhbXBsZSBub25jZQ==").is_some());
        assert!(parse_key(b"dGhlIHNhbXBsZSBub25jZR==").is_some());
        for wrong in ["", "AAAA", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQA=", "dGhlIHNhbXBsZSBub25jZQ=A"] {
            assert!(parse_key(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(parse_key(b"dGhlIHNhbXBsZSBub2-jZQ==").is_none());
    }
}
