//! The grammar of HTTP that header values are written in (RFC 9110 section 5.6): characters, tokens, lists.

pub(crate) mod charset;
pub(crate) mod lists;
