//! Header values that are lists: tokens, subprotocols, extensions (RFC 6455 section 9.1, RFC 9110 section 5.6).
//!
//! A list may be spread over several header lines. Empty elements are skipped, which RFC 9110 section 5.6.1.2 requires
//! of recipients. Anything else that does not follow the grammar is an error.

use alloc::vec::Vec;
use core::str;

use super::charset::TOKEN;
use crate::error::HandshakeError;
use crate::slices::part;

/// Returns whether `text` is a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && TOKEN.contains_all(text)
}

/// Removes the optional white space around a value, which is not part of it (RFC 9110 section 5.5).
#[inline]
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Returns the elements of a list of tokens, without empty ones. The elements are not checked.
pub(crate) fn elements<'a>(values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    values.flat_map(|value| value.split(|&byte| byte == b',')).map(trim).filter(|element| !element.is_empty())
}

/// Returns whether a list contains a token, compared case-insensitively. `token` has the same restrictions as in
/// [`eq_token`].
pub(crate) fn contains_token<'a, const N: usize>(mut values: impl Iterator<Item = &'a [u8]>, token: &[u8; N]) -> bool {
    let has_element = |value| elements(core::iter::once(value)).any(|element| eq_token(element, token));
    // Most lists have one element.
    values.any(|value| eq_token(value, token) || has_element(value))
}

/// Returns whether `text` equals a token, compared case-insensitively. `text` must not have control characters, and
/// `token` must consist of lower-case letters and dashes.
#[inline]
pub(crate) fn eq_token<const N: usize>(text: &[u8], token: &[u8; N]) -> bool {
    // Upper-case letters differ from lower-case ones in one bit, which is set in dashes as well. Apart from control
    // characters, setting it turns no other character into a letter or a dash.
    let differences = |text: &[u8; N]| text.iter().zip(token).fold(0, |any, (byte, small)| any | (byte | 0x20) ^ small);
    <&[u8; N]>::try_from(text).is_ok_and(|text| differences(text) == 0)
}

/// Checks the list of subprotocols of a request: distinct tokens (RFC 6455 section 4.1, item 10).
pub(crate) fn check_subprotocols<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<(), HandshakeError> {
    let mut names: Vec<_> = elements(values).collect();
    if names.is_empty() || !names.iter().all(|name| is_token(name)) {
        return Err(HandshakeError::Subprotocol);
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(HandshakeError::Subprotocol);
    }
    Ok(())
}

/// Returns the subprotocols of a list. Elements that are not text are skipped; a checked list has none.
pub(crate) fn subprotocols<'a>(values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a str> {
    elements(values).filter_map(|name| str::from_utf8(name).ok())
}

/// Calls `each` with every element of a list of extensions (RFC 6455 section 9.1):
///
/// ```text
/// extension = token *( ";" parameter )
/// parameter = token [ "=" ( token | quoted string whose unescaped text is a token ) ]
/// ```
pub(crate) fn extensions<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    mut each: impl FnMut(Extension<'a>),
) -> Result<(), HandshakeError> {
    for value in values {
        let mut list = Scanner(value);
        loop {
            list.skip_space();
            if list.eat(b',') {
                continue;
            }
            if list.0.is_empty() {
                break;
            }
            each(list.extension()?);
            if !list.0.is_empty() && !list.eat(b',') {
                return Err(HandshakeError::Extensions);
            }
        }
    }
    Ok(())
}

/// An element of a list of extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    pub(crate) name: &'a [u8],
    /// The text after the name, which follows the grammar.
    parameters: &'a [u8],
}

impl<'a> Extension<'a> {
    /// Returns the names and values of the parameters.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&'a [u8], Option<Value<'a>>)> + use<'a> {
        let mut rest = Scanner(self.parameters);
        core::iter::from_fn(move || {
            if !rest.eat(b';') {
                return None;
            }
            let parameter = rest.parameter();
            debug_assert!(parameter.is_ok(), "`extensions` has checked the parameters");
            parameter.ok()
        })
    }
}

/// The value of a parameter as received: a token or a quoted string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// Returns the token that the value means, without quotes and backslashes, which cannot be part of a token.
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> + use<'a> {
        self.0.iter().copied().filter(|byte| !matches!(byte, b'"' | b'\\'))
    }
}

/// The part of a value that has not been parsed yet.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    fn extension(&mut self) -> Result<Extension<'a>, HandshakeError> {
        let name = self.token()?;
        self.skip_space();
        let parameters = self.0;
        while self.eat(b';') {
            self.parameter()?;
        }
        Ok(Extension { name, parameters: self.since(parameters) })
    }

    /// Parses the parameter after a semicolon, up to the next one or to the end of the element.
    fn parameter(&mut self) -> Result<(&'a [u8], Option<Value<'a>>), HandshakeError> {
        self.skip_space();
        let name = self.token()?;
        self.skip_space();
        if !self.eat(b'=') {
            return Ok((name, None));
        }
        self.skip_space();
        let start = self.0;
        if self.eat(b'"') {
            self.quoted_token()?;
        } else {
            self.token()?;
        }
        let value = self.since(start);
        self.skip_space();
        Ok((name, Some(Value(value))))
    }

    fn token(&mut self) -> Result<&'a [u8], HandshakeError> {
        let length = self.0.iter().position(|&byte| !TOKEN.contains(byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(length);
        self.0 = rest;
        if token.is_empty() { Err(HandshakeError::Extensions) } else { Ok(token) }
    }

    /// Parses a quoted string after its opening quote. Unescaped, it must be a token (RFC 6455 section 9.1).
    fn quoted_token(&mut self) -> Result<(), HandshakeError> {
        let mut length = 0;
        loop {
            let escaped = self.eat(b'\\');
            match *self.0 {
                [byte, ref rest @ ..] if TOKEN.contains(byte) => {
                    self.0 = rest;
                    length += 1;
                }
                [b'"', ref rest @ ..] if length > 0 && !escaped => {
                    self.0 = rest;
                    return Ok(());
                }
                _ => return Err(HandshakeError::Extensions),
            }
        }
    }

    /// Returns what was parsed since `start` was what had not been.
    fn since(&self, start: &'a [u8]) -> &'a [u8] {
        part(start, ..start.len() - self.0.len())
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_space(&mut self) {
        while self.eat(b' ') || self.eat(b'\t') {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(value: &str) -> Option<usize> {
        let mut count = 0;
        extensions([value.as_bytes()].into_iter(), |_| count += 1).ok()?;
        Some(count)
    }

    /// B-86
    #[test]
    fn extension_grammar() {
        assert_eq!(count("foo"), Some(1));
        assert_eq!(count("foo;bar=\"baz\""), Some(1));
        assert_eq!(count("foo ; bar = baz ,\tfoo; x=1; y"), Some(2));
        assert_eq!(count("foo; a=\"b\\ar\", x"), Some(2));
        assert_eq!(count(", foo,, bar ,"), Some(2));
        assert_eq!(count(""), Some(0));
        for wrong in [
            "a;;b",
            "a;b=\"",
            "a b",
            ";x",
            "a;b=\"c d\"",
            "a;b=\"\"",
            "a;",
            "a;b=",
            "a=b",
            "a;b=\"a,b\"",
            "a;b=\"a\\\"b\"",
            "a;b=\"c\" d",
            "a;b=\"c\\\"",
            "a;b=\"c\\\"\"",
            "é",
            "a;b=c=d",
        ] {
            assert_eq!(count(wrong), None, "{wrong}");
        }
    }

    /// The standard library's comparison is the oracle.
    #[test]
    fn tokens_are_compared_without_their_case() {
        for token in (b'a'..=b'z').chain([b'-']) {
            for byte in (b' '..=255).chain([b'\t']) {
                assert_eq!(
                    eq_token(&[b'x', byte], &[b'x', token]),
                    byte.eq_ignore_ascii_case(&token),
                    "{byte} {token}"
                );
            }
        }
        // Two bytes that differ from the token in the same bits.
        assert!(!eq_token(b"uqgqade", b"upgrade"));
        assert!(!eq_token(b"qtgrade", b"upgrade"));
        assert!(!eq_token(b"upgrad", b"upgrade"));
        assert!(!eq_token(b"upgrades", b"upgrade"));
    }

    #[test]
    fn subprotocol_lists() {
        let check = |values: &[&str]| check_subprotocols(values.iter().map(|value| value.as_bytes())).is_ok();
        assert!(check(&["a, b", "c"]));
        assert!(check(&["a,,b"]));
        assert!(!check(&[""]));
        assert!(!check(&["a, a"]));
        assert!(!check(&["a", "a"]));
        assert!(!check(&["a b"]));
        assert!(!check(&["a;b"]));
    }
}
