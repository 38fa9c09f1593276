//! The errors of an open connection.

use std::io;

use websocket_proto::{Closed, SendError};

/// The end of a connection without a closing handshake, or the reason why something was not sent.
///
/// Messages that were received before the error have been returned before it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection ended without a closing handshake: the peer vanished, fell silent or broke the protocol. The cause
    /// says which.
    #[error("{0}")]
    Closed(#[source] Box<Closed>),
    /// The transport failed, and the connection with it.
    #[error("the transport failed: {0}")]
    Io(#[from] io::Error),
    /// Nothing was sent: the connection is closing or closed, or what you asked for may not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
}
