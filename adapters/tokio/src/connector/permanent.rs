//! The distinction between permanent and temporary errors.

use super::{ConnectError, tls};

impl ConnectError {
    /// Returns whether retrying is useless, because the request, the server or a certificate must change first.
    /// [`Reconnecting`](crate::Reconnecting) stops at such an error.
    ///
    /// | permanent | passes by itself |
    /// |---|---|
    /// | a URI, header or subprotocol that is malformed | a host that can't be resolved or reached |
    /// | a certificate that is not trusted, TLS that has no common version | a stream that fails or ends |
    /// | a status below 500, such as 401, 403 or a redirect | 408, 425, 429 and 500 to 599 |
    /// | a response that is not a valid opening handshake | a timeout |
    /// | a proxy that rejects the credentials or the server | a proxy that can't reach the server |
    ///
    /// ```
    /// use websocket_proto_tokio::{ConnectError, ConnectStage};
    ///
    /// assert!(!ConnectError::Timeout(ConnectStage::Tcp).is_permanent());
    /// ```
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Uri(_) | Self::Request(_) | Self::Redirect { .. } | Self::Handshake(_) | Self::Seed(_) => true,
            Self::ProxyUri { .. } => true,
            Self::Proxy { error, .. } => error.is_permanent(),
            Self::Tls { error, .. } => tls::is_permanent(error),
            Self::Rejected(response) => is_permanent_status(response.status()),
            Self::Resolve { .. } | Self::Tcp { .. } | Self::Io(_) | Self::Timeout(_) => false,
        }
    }
}

/// RFC 9110 section 15.5: the client must change something. Three statuses of this class are temporary.
pub(super) fn is_permanent_status(status: u16) -> bool {
    !matches!(status, 408 | 425 | 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use std::io::{self, ErrorKind};

    use websocket_proto::{HandshakeError, RequestError, UriError};

    use super::super::test_response::response;
    use crate::{ConnectError, ConnectStage, RedirectError};

    #[test]
    fn a_status_is_permanent_unless_it_is_about_time_or_the_server() {
        for status in [200, 204, 301, 307, 400, 401, 403, 404, 407, 410, 426, 431] {
            assert!(ConnectError::Rejected(response(status, "").into()).is_permanent(), "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(!ConnectError::Rejected(response(status, "").into()).is_permanent(), "{status}");
        }
    }

    #[test]
    fn what_has_to_be_changed_is_permanent() {
        let redirect =
            || ConnectError::Redirect { error: RedirectError::TooMany(1), response: response(302, "").into() };
        for error in [
            UriError::Scheme.into(),
            RequestError::Subprotocol("a b".into()).into(),
            redirect(),
            ConnectError::Handshake(HandshakeError::Accept),
        ] {
            assert!(error.is_permanent(), "{error}");
        }
    }

    #[test]
    fn the_network_may_come_back() {
        let host = || "example.com".to_owned();
        let failure = || io::Error::from(ErrorKind::NotFound);
        for error in [
            ConnectError::Resolve { host: host(), error: failure() },
            ConnectError::Tcp { address: ([127, 0, 0, 1], 1).into(), error: failure(), others: Vec::new() },
            ConnectError::Io(failure()),
            ConnectError::Timeout(ConnectStage::Handshake),
        ] {
            assert!(!error.is_permanent(), "{error}");
        }
    }

    #[cfg(feature = "rustls")]
    #[test]
    fn a_certificate_does_not_become_valid_but_a_stream_that_failed_is_another_matter() {
        use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

        let tls = |error| ConnectError::Tls { host: "example.com".to_owned(), error };
        let rustls = |error: Error| tls(io::Error::new(ErrorKind::InvalidData, error));
        for error in [
            rustls(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
            rustls(Error::NoApplicationProtocol),
            rustls(Error::AlertReceived(AlertDescription::HandshakeFailure)),
            tls(ErrorKind::InvalidInput.into()),
            tls(ErrorKind::Unsupported.into()),
            tls(ErrorKind::NotFound.into()),
            tls(io::Error::other("the server selected \"h2\"")),
        ] {
            assert!(error.is_permanent(), "{error}");
        }
        for error in [
            rustls(Error::AlertReceived(AlertDescription::InternalError)),
            tls(ErrorKind::UnexpectedEof.into()),
            tls(ErrorKind::ConnectionReset.into()),
        ] {
            assert!(!error.is_permanent(), "{error}");
        }
    }
}
