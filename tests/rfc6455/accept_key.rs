//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 sections 4.1 and 4.2.2), in both roles.

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use websocket_proto::{HandshakeError, server};

use crate::helpers::client::{
    accept_value_of, expected_accept, key_of, minimal_response, numbered_seed, outcome_at_every_split,
    outcome_of_replacing,
};
use crate::helpers::server::{accept, assert_refused, with_header};
use crate::support::{ACCEPT, KEY, seed};

/// C-17, C-18: keys are base64 of 16 bytes, without unused bits in their last character, and all different.
#[test]
fn every_key_is_sixteen_fresh_bytes() {
    let mut nonces = HashSet::new();
    for number in 0..10_000_u32 {
        let key = key_of(numbered_seed(number));
        let last = key.as_bytes()[21];
        assert!(key.len() == 24 && key.ends_with("==") && b"AQgw".contains(&last), "{key}");
        let nonce = BASE64_STANDARD.decode(&key).unwrap();
        assert_eq!(nonce.len(), 16, "{key}");
        assert_eq!(BASE64_STANDARD.encode(&nonce), key);
        assert!(nonces.insert(nonce), "{key} again");
    }
    assert_eq!(key_of(seed()), key_of(seed()), "the seed is all the entropy there is");
}

/// C-18, C-50: the operating system's entropy gives every connection a key of its own, or an error.
#[cfg(feature = "getrandom")]
#[test]
fn seeds_of_the_operating_system_differ() -> Result<(), websocket_proto::SeedError> {
    assert_ne!(key_of(websocket_proto::Seed::from_os()?), key_of(websocket_proto::Seed::from_os()?));
    Ok(())
}

/// S-09, S-10: base64 of 16 bytes, exactly once.
#[test]
fn exactly_one_key_of_sixteen_bytes_is_needed() {
    for keys in [
        "dGhlIHNhbXBsZSBub25jZQ==\ndGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZQ==\nAAAAAAAAAAAAAAAAAAAAAA==",
        "dGhlIHNhbXBsZSBub25jZQ==, AAAAAAAAAAAAAAAAAAAAAA==",
        "",
        "AAAA",
        // 15, 17 and 18 bytes.
        "AAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        // Padding: none, half of it, too much.
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25j====",
        // Not the standard alphabet.
        "dGhlIHNhbXBsZSBub25-_Q==",
        "dGhlIHNhbXBs ZSBub25jZQ==",
        "\"dGhlIHNhbXBsZSBub25jZQ==\"",
    ] {
        assert_refused(&with_header("Sec-WebSocket-Key", keys), HandshakeError::Key);
    }
}

/// S-34: the text of the key is hashed, including unused bits before its padding; white space around it is not part of
/// it.
#[test]
fn the_accept_value_belongs_to_the_key_as_received() {
    for (key, expected) in [
        (KEY, ACCEPT),
        ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
        ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
        // The same 16 bytes as the first.
        ("dGhlIHNhbXBsZSBub25jZR==", "Zgw8jYXtqX5qJr7MJ1Q/MqzeSRI="),
        ("dGhlIHNhbXBsZSBub25jZf==", "X6f47m0G5NixFYe1pmdqfXnTIjI="),
        ("\t  dGhlIHNhbXBsZSBub25jZQ== \t", ACCEPT),
    ] {
        let answer = accept(&with_header("Sec-WebSocket-Key", key), server::Response::new());
        assert_eq!(answer.values("Sec-WebSocket-Accept"), [expected], "{key}");
    }
}

/// C-33: a missing Accept, or one with any character changed, fails.
#[test]
fn a_wrong_accept_fails() {
    let accept = expected_accept();
    let mut wrong = vec![
        String::new(),
        accept.to_uppercase(),
        accept.to_lowercase(),
        accept.repeat(2),
        format!("{accept}="),
        format!("\"{accept}\""),
        accept.trim_end_matches('=').to_owned(),
        ACCEPT.to_owned(),
        key_of(seed()),
    ];
    for at in 0..accept.len() {
        let other = if accept.as_bytes()[at] == b'A' { "B" } else { "A" };
        wrong.push([&accept[..at], other, &accept[at + 1..]].concat());
    }
    for wrong in wrong {
        assert_eq!(outcome_of_replacing(&accept, &wrong), Err(HandshakeError::Accept), "{wrong}");
    }
    assert_eq!(outcome_of_replacing("Sec-WebSocket-Accept:", "X-Accept:"), Err(HandshakeError::Accept));
}

/// C-34: white space around the Accept is not part of it.
#[test]
fn space_around_the_accept_is_ignored() {
    let accept = expected_accept();
    for spaced in [format!("   {accept}  "), format!("\t{accept}\t "), format!(" \t {accept}")] {
        assert_eq!(outcome_of_replacing(&accept, &spaced), Ok(None), "{spaced:?}");
    }
    assert_eq!(outcome_of_replacing("Accept: ", "Accept:"), Ok(None));
}

/// C-35: Accept belongs to the key's text, as in the RFC's example, and not to the bytes that it decodes to.
#[test]
fn the_accept_is_the_hash_of_the_key_as_text() {
    assert_eq!(accept_value_of(KEY), ACCEPT);
    assert_eq!(outcome_at_every_split(&minimal_response()), Ok(None));
    let of_decoded = accept_value_of(BASE64_STANDARD.decode(key_of(seed())).unwrap());
    assert_eq!(outcome_of_replacing(&expected_accept(), &of_decoded), Err(HandshakeError::Accept));
}

/// C-40: there is exactly one Accept: a second fails, right or wrong, before or after the right one.
#[test]
fn two_accepts_fail() {
    let accept = expected_accept();
    let again = |first: &str, second: &str| format!("{first}\r\nSec-WebSocket-Accept: {second}");
    for both in [again(&accept, &accept), again(&accept, ACCEPT), again(ACCEPT, &accept), again(&accept, "")] {
        assert_eq!(outcome_of_replacing(&accept, &both), Err(HandshakeError::Accept), "{both}");
    }
}
