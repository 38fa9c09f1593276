//! The status with which a server answers each malformed handshake.

use websocket_proto::HandshakeError;

#[test]
fn handshake_errors_have_their_status() {
    for (status, errors) in [
        (405, &[HandshakeError::Method][..]),
        (426, &[HandshakeError::NoUpgrade, HandshakeError::UnsupportedVersion]),
        (431, &[HandshakeError::HeadTooLarge, HandshakeError::TooManyHeaders]),
        (501, &[HandshakeError::Protocol]),
        (505, &[HandshakeError::HttpVersion]),
        (
            400,
            &[
                HandshakeError::Head,
                HandshakeError::Target,
                HandshakeError::Host,
                HandshakeError::Body,
                HandshakeError::Upgrade,
                HandshakeError::Connection,
                HandshakeError::ConnectionSpecific,
                HandshakeError::Key,
                HandshakeError::Version,
                HandshakeError::Subprotocol,
                HandshakeError::SubprotocolNotOffered,
                HandshakeError::Extensions,
                HandshakeError::ExtensionNotOffered,
                HandshakeError::ExtensionParameters,
                HandshakeError::Accept,
                HandshakeError::Status(404),
                HandshakeError::EarlyData,
            ],
        ),
    ] {
        for error in errors {
            assert_eq!(error.status(), status, "{error:?}");
        }
    }
}
