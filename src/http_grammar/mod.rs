//! The grammar of HTTP header values (RFC 9110 section 5.6): characters, tokens, lists.

pub(crate) mod charset;
#[cfg_attr(not(feature = "deflate"), expect(dead_code, reason = "no extension is known, so none has parameters"))]
pub(crate) mod lists;
