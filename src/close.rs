//! Close codes (RFC 6455 section 7.4): codes that may be sent and codes that are only reported.

use core::fmt;

/// A close code: the reason for closing a connection, as a number (RFC 6455 section 7.4).
///
/// [`new`](Self::new) accepts only codes that may appear in a Close frame. [`NO_STATUS`](Self::NO_STATUS) and
/// [`ABNORMAL`](Self::ABNORMAL) are only reported and never sent.
///
/// ```
/// use websocket_proto::CloseCode;
///
/// assert_eq!(CloseCode::new(3001).map(u16::from), Some(3001));
/// assert_eq!(CloseCode::new(1006), None);
/// assert_eq!(CloseCode::GOING_AWAY.to_string(), "1001 (going away)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: normal closure; the connection has served its purpose.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint is going away, such as a server shutting down or a browser leaving the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer violated the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data that this endpoint cannot accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1005: the Close frame had no code. Only reported, never sent.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: no Close frame was received. Only reported, never sent.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that is inconsistent with the type of its message, such as text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1008: a message that violates this endpoint's policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message that is too big to process.
    pub const TOO_LARGE: Self = Self(1009);
    /// 1010: the server did not negotiate an extension that the client needs. Only clients send it.
    pub const MISSING_EXTENSION: Self = Self(1010);
    /// 1011: an unexpected condition prevents this endpoint from fulfilling the request.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service is restarting (IANA registry).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later (IANA registry).
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway or proxy received an invalid response from its upstream server (IANA registry).
    pub const BAD_GATEWAY: Self = Self(1014);

    /// Returns the code with this number if it may appear in a Close frame: 1000 to 1003, 1007 to 1014 and 3000 to
    /// 4999.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, Config, Connection, Negotiated};
    ///
    /// const ROOM_CLOSED: CloseCode = CloseCode::new(4001).unwrap();
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.close(ROOM_CLOSED, "the room was closed")?;
    /// # assert!(conn.output().take().unwrap().starts_with(&b"\x88\x15\x0f\xa1the room"[..]));
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// Returns the code that a proxy passes to [`Connection::close`](crate::Connection::close) of the other side after
    /// receiving this one. For 1005 that is `None`, which sends an empty Close frame: the received frame had no code
    /// either.
    ///
    /// 1006 means that no Close frame was received, and cannot be sent. This method then returns 1014 (bad gateway).
    /// Alternatively, drop the other side with [`abort`](crate::Connection::abort).
    ///
    /// ```
    /// use websocket_proto::CloseCode;
    ///
    /// assert_eq!(CloseCode::GOING_AWAY.for_forwarding(), Some(CloseCode::GOING_AWAY));
    /// assert_eq!(CloseCode::NO_STATUS.for_forwarding(), None);
    /// assert_eq!(CloseCode::ABNORMAL.for_forwarding(), Some(CloseCode::BAD_GATEWAY));
    /// ```
    pub const fn for_forwarding(self) -> Option<Self> {
        match self.0 {
            1005 => None,
            _ if self.may_travel() => Some(self),
            _ => Some(Self::BAD_GATEWAY),
        }
    }

    /// Returns the number.
    pub const fn get(self) -> u16 {
        self.0
    }

    pub(crate) const fn may_travel(self) -> bool {
        Self::new(self.0).is_some()
    }

    fn description(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1005 => "no status received",
            1006 => "abnormal closure",
            1007 => "invalid data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "missing extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            3000..=3999 => "library or framework",
            _ => "private use",
        }
    }
}

/// Converts as [`new`](CloseCode::new) does, with an error that contains the number.
///
/// ```
/// use websocket_proto::CloseCode;
///
/// assert_eq!(CloseCode::try_from(1001), Ok(CloseCode::GOING_AWAY));
/// assert_eq!(CloseCode::try_from(1006).unwrap_err().to_string(), "1006 is not a close code that may be sent");
/// ```
impl TryFrom<u16> for CloseCode {
    type Error = InvalidCloseCode;

    fn try_from(code: u16) -> Result<Self, InvalidCloseCode> {
        Self::new(code).ok_or(InvalidCloseCode(code))
    }
}

/// The error for a number that is not a [`CloseCode`] that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0} is not a close code that may be sent")]
pub struct InvalidCloseCode(u16);

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.description())
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    /// The words of RFC 6455 section 7.4.1 and of the registry.
    #[test]
    fn codes_are_described() {
        for (code, words) in [
            (CloseCode::NORMAL, "1000 (normal closure)"),
            (CloseCode::GOING_AWAY, "1001 (going away)"),
            (CloseCode::PROTOCOL_ERROR, "1002 (protocol error)"),
            (CloseCode::UNSUPPORTED_DATA, "1003 (unsupported data)"),
            (CloseCode::NO_STATUS, "1005 (no status received)"),
            (CloseCode::ABNORMAL, "1006 (abnormal closure)"),
            (CloseCode::INVALID_DATA, "1007 (invalid data)"),
            (CloseCode::POLICY_VIOLATION, "1008 (policy violation)"),
            (CloseCode::TOO_LARGE, "1009 (message too big)"),
            (CloseCode::MISSING_EXTENSION, "1010 (missing extension)"),
            (CloseCode::INTERNAL_ERROR, "1011 (internal error)"),
            (CloseCode::SERVICE_RESTART, "1012 (service restart)"),
            (CloseCode::TRY_AGAIN_LATER, "1013 (try again later)"),
            (CloseCode::BAD_GATEWAY, "1014 (bad gateway)"),
            (CloseCode(3000), "3000 (library or framework)"),
            (CloseCode(3999), "3999 (library or framework)"),
            (CloseCode(4000), "4000 (private use)"),
        ] {
            assert_eq!(format!("{code}"), words);
            assert_eq!(format!("{code:?}"), format!("CloseCode({})", u16::from(code)));
        }
    }

    /// A proxy forwards what it received, except for the codes that are only reported.
    #[test]
    fn codes_are_forwarded() {
        for code in 0..=u16::MAX {
            let expected = match code {
                1005 => None,
                1006 => Some(CloseCode::BAD_GATEWAY),
                _ if CloseCode::new(code).is_some() => Some(CloseCode(code)),
                _ => continue,
            };
            let forwarded = CloseCode(code).for_forwarding();
            assert_eq!(forwarded, expected, "{code}");
            assert!(forwarded.is_none_or(|code| CloseCode::new(code.get()) == Some(code)), "{code}");
        }
    }

    /// B-72 to B-80: RFC 6455 section 7.4.2's ranges and the registry, number by number.
    #[test]
    fn which_codes_may_travel() {
        for code in 0..=u16::MAX {
            let registered =
                matches!(code, 1000 | 1001 | 1002 | 1003 | 1007 | 1008 | 1009 | 1010 | 1011 | 1012 | 1013 | 1014);
            let expected = registered || (3000..5000).contains(&code);
            assert_eq!(CloseCode::new(code).is_some(), expected, "{code}");
        }
    }
}
