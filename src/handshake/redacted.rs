//! Headers in `Debug` output, without secret values, since logs have many readers.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// The headers whose values would let a reader authenticate or take over a session.
const SECRET: [&str; 5] = ["Authorization", "Cookie", "Proxy-Authorization", "Sec-WebSocket-Key", "Set-Cookie"];

/// Formats headers as a map from names to values. Secret values are shown as `..`.
pub(super) fn fmt_headers<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    f.debug_map().entries(headers.map(|(name, value)| (name, Shown::new(name, value)))).finish()
}

enum Shown<'v> {
    Value(Cow<'v, str>),
    Secret,
}

impl<'v> Shown<'v> {
    fn new(name: &str, value: &'v [u8]) -> Self {
        if SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name)) {
            return Self::Secret;
        }
        Self::Value(String::from_utf8_lossy(value))
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Secret => f.write_str(".."),
        }
    }
}
