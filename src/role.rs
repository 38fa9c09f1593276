//! The two sides of a connection.

/// The side of a connection that an endpoint is on. Clients mask their frames (RFC 6455 section 5.1), and servers close
/// TCP first (RFC 6455 section 7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sends the request of the opening handshake, and masks every frame.
    Client,
    /// The side that answers the request.
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
