//! The user information of a URI (RFC 3986 section 3.2.1), converted into credentials.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::error::UriError;
use crate::http_grammar::charset::USER_INFO;
use crate::http_grammar::percent;

/// The value of an `Authorization` header for a user name and password (RFC 7617). It is as secret as the password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Credentials(Arc<str>);

impl Credentials {
    /// Parses the part of a URI before its `@`. Returns `None` if it is empty.
    pub(crate) fn parse(user_info: &str) -> Result<Option<Self>, UriError> {
        if percent::find_illegal(user_info, &USER_INFO).is_some() {
            return Err(UriError::UserInfo);
        }
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let (user, password) = (percent::decode(user), percent::decode(password));
        if user.is_empty() && password.is_empty() {
            return Ok(None);
        }
        // RFC 7617 section 2: the first colon ends the name, and neither part has a control character.
        if user.contains(&b':') || user.iter().chain(&password).any(u8::is_ascii_control) {
            return Err(UriError::UserInfo);
        }
        let mut value = String::from("Basic ");
        BASE64_STANDARD.encode_string([&user, &b":"[..], &password].concat(), &mut value);
        Ok(Some(Self(value.into())))
    }

    pub(crate) fn authorization(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
