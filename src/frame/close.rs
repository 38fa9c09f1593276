//! The body of a Close frame (RFC 6455 section 5.5.1).

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::close::CloseCode;
use crate::error::ProtocolError;
use crate::utf8;

/// The body of a Close frame that was received: a code, perhaps with a reason, or nothing at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloseFrame {
    pub(crate) code: Option<CloseCode>,
    pub(crate) reason: String,
}

impl CloseFrame {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ProtocolError> {
        let Some((&code, reason)) = body.split_first_chunk() else {
            return if body.is_empty() {
                Ok(Self { code: None, reason: String::new() })
            } else {
                Err(ProtocolError::CloseLength)
            };
        };
        let code = CloseCode::new(u16::from_be_bytes(code)).ok_or(ProtocolError::CloseCode)?;
        let reason = utf8::check(reason).map_err(|_| ProtocolError::CloseReason)?;
        Ok(Self { code: Some(code), reason: reason.to_owned() })
    }
}
