//! The grammar of HTTP header values (RFC 9110 section 5.6) and of URIs (RFC 3986): characters, tokens, lists,
//! percent-encoding.

pub(crate) mod charset;
#[cfg_attr(not(feature = "deflate"), expect(dead_code, reason = "no extension is known, so none has parameters"))]
pub(crate) mod lists;
pub(crate) mod percent;
