//! What may go wrong with a connection.

use std::io;

use websocket_proto::{AcceptError, Closed, RequestError, SendError, client};

/// Why there is no connection, or no longer one, or why something wasn't sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection ended without a closing handshake: the peer vanished, broke the protocol, or the request was
    /// answered with something other than 101.
    #[error("{0}")]
    Closed(Box<Closed>),
    /// The transport failed, and the connection with it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server refused a client. Status, headers and body say why: who one is (401), where to go (301), when to come
    /// again (503).
    #[error("refused: {} {}", .0.status(), .0.reason())]
    Refused(Box<client::Response>),
    /// Nothing was sent: the connection is closing, or the caller asked for what may not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A request can't be answered so.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// A client's request can't be sent.
    #[error(transparent)]
    Request(#[from] RequestError),
}
