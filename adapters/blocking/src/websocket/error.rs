//! Errors of an open connection.

use std::io;

use websocket_proto::{Closed, SendError};

/// An error of an open connection: it ended without a closing handshake, or something was not sent or not received.
///
/// Messages received before the error are returned before it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection ended without a closing handshake: the peer disconnected, stopped responding or violated the
    /// protocol. The cause says which.
    #[error("{0}")]
    Closed(#[source] Box<Closed>),
    /// The transport failed, and the connection with it.
    #[error("the transport failed: {0}")]
    Io(#[from] io::Error),
    /// No message or event was received within the [`read` timeout](crate::WebSocket::set_read_timeout) that you set. The
    /// connection is not affected: you may read again.
    #[error("nothing was received within the read timeout")]
    ReadTimeout,
    /// Nothing was sent, because the connection is closing or closed or because the argument is invalid.
    #[error(transparent)]
    Send(#[from] SendError),
}
