//! Errors of accepting hyper requests.

use bytes::Bytes;
use hyper::{Response, StatusCode};
use websocket_proto::{AcceptError, HandshakeError, server};

/// The reason why a request is not accepted. [`into_http`](Self::into_http) converts it into a response.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
#[non_exhaustive]
pub enum UpgradeRejection {
    /// The request asks for no WebSocket connection, whatever its method, version and body. The response, if you have none,
    /// has the error's [`status`](HandshakeError::status).
    #[error("the request is plain HTTP: {0}")]
    PlainHttp(HandshakeError),
    /// The request is not a valid opening handshake. The response has the error's [`status`](HandshakeError::status).
    #[error("the request is not a valid opening handshake: {0}")]
    Handshake(#[from] HandshakeError),
    /// Pages of the request's origin may not connect. The response has status 403.
    #[error("pages of this origin may not connect")]
    Origin(server::Rejection),
    /// Your response cannot be sent. The response has status 500 instead.
    #[error("the answer can't be sent: {0}")]
    Answer(#[from] AcceptError),
    /// The request is valid, but the HTTP server cannot upgrade its connection: the upgrade was taken out of the
    /// request before, or there is no HTTP server, as in some tests. The response has status 500.
    #[error("the HTTP server can't hand this connection over")]
    NotUpgradable,
}

impl UpgradeRejection {
    /// Returns whether the request is plain HTTP and asks for no WebSocket connection. You may respond with a page.
    pub fn is_plain_http(&self) -> bool {
        matches!(self, Self::PlainHttp(_))
    }

    /// Returns the response to the client, with a status, headers and a body of one line.
    pub fn into_http(self) -> Response<Bytes> {
        let rejection = match self {
            Self::Handshake(error) | Self::PlainHttp(error) => error.into(),
            Self::Origin(rejection) => rejection,
            // Errors of the server are not revealed to the client.
            Self::Answer(_) | Self::NotUpgradable => server::Rejection::new(500),
        };
        rejection.into_http().unwrap_or_else(|error| {
            debug_assert!(false, "the engine's own rejection can't be sent: {error}");
            let mut response = Response::default();
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_text_and_its_response() {
        let origin = || server::Rejection::new(403).body("no");
        for (rejection, text, status, body) in [
            (
                UpgradeRejection::Handshake(HandshakeError::Protocol),
                format!("the request is not a valid opening handshake: {}", HandshakeError::Protocol),
                501,
                format!("{}\n", HandshakeError::Protocol),
            ),
            (
                UpgradeRejection::PlainHttp(HandshakeError::HttpVersion),
                format!("the request is plain HTTP: {}", HandshakeError::HttpVersion),
                505,
                format!("{}\n", HandshakeError::HttpVersion),
            ),
            (UpgradeRejection::Origin(origin()), "pages of this origin may not connect".into(), 403, "no".into()),
            (
                UpgradeRejection::Answer(AcceptError::NoRequest),
                format!("the answer can't be sent: {}", AcceptError::NoRequest),
                500,
                String::new(),
            ),
            (
                UpgradeRejection::NotUpgradable,
                "the HTTP server can't hand this connection over".into(),
                500,
                String::new(),
            ),
        ] {
            assert_eq!(rejection.to_string(), text);
            let response = rejection.into_http();
            assert_eq!((response.status().as_u16(), &response.body()[..]), (status, body.as_bytes()));
        }
    }
}
