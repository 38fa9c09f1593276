//! Reading and writing the header map of the `http` crate.

use http::header::{self, HeaderMap, HeaderValue};

use crate::error::HeaderError;
use crate::handshake::header_lines::CheckedLines;
use crate::handshake::headers::{HeaderName, Headers};
use crate::http_grammar::lists::trim;

impl Headers for HeaderMap {
    fn all(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name.as_str()).into_iter().map(|value| trim(value.as_bytes()))
    }
}

/// Appends the caller's headers to those of a head.
pub(super) fn append_lines(headers: &mut HeaderMap, lines: CheckedLines<'_>) -> Result<(), HeaderError> {
    for (name, text) in lines.iter() {
        let name = header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::Name(name.into()))?;
        let value = header_value(&name, text.as_bytes())?;
        headers.append(name, value);
    }
    Ok(())
}

pub(super) fn header_value(name: &header::HeaderName, text: &[u8]) -> Result<HeaderValue, HeaderError> {
    HeaderValue::from_bytes(text).map_err(|_| HeaderError::Value(name.as_str().into()))
}
