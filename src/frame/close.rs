//! The body of a Close frame (RFC 6455 section 5.5.1).

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::close::CloseCode;
use crate::error::ProtocolError;
use crate::utf8::{self, Utf8};

/// The body of a received Close frame: empty, or a code with an optional reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CloseFrame {
    pub(crate) code: Option<CloseCode>,
    pub(crate) reason: String,
}

impl CloseFrame {
    /// Parses a complete body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ProtocolError> {
        let Some((&code, reason)) = body.split_first_chunk() else {
            return match body {
                [] => Ok(Self { code: None, reason: String::new() }),
                _ => Err(ProtocolError::CloseLength),
            };
        };
        let reason = utf8::validate(reason).map_err(|_| ProtocolError::CloseReason);
        Ok(Self { code: Some(parse_code(code)?), reason: reason?.to_owned() })
    }

    /// Checks the length of a body before the body arrives: a code has two bytes.
    #[inline]
    pub(super) fn check_length(length: u8) -> Result<(), ProtocolError> {
        if length == 1 { Err(ProtocolError::CloseLength) } else { Ok(()) }
    }

    /// Checks the beginning of a body, so that it is rejected at the first invalid byte.
    pub(crate) fn check_start(body: &[u8]) -> Result<(), ProtocolError> {
        let Some((&code, reason)) = body.split_first_chunk() else {
            return Ok(());
        };
        parse_code(code)?;
        Utf8::default().next(reason).map_err(|_| ProtocolError::CloseReason)?;
        Ok(())
    }
}

fn parse_code(code: [u8; 2]) -> Result<CloseCode, ProtocolError> {
    let code = u16::from_be_bytes(code);
    CloseCode::new(code).ok_or(ProtocolError::CloseCode(code))
}
