//! The two sides of a connection.

/// Which side of the connection an endpoint is: it decides who masks (RFC 6455 5.1) and who closes TCP first (7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sent the opening handshake's request; it masks every frame.
    Client,
    /// The side that answered it.
    Server,
}

impl Role {
    /// The other side.
    pub(crate) fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}
