//! Errors of accepting a connection.

use std::io::{self, ErrorKind};

use websocket_proto::{Cause, Deadline, HandshakeError};

use crate::Error;

/// The reason why a connection was not accepted. The client has been sent a response if it was possible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The request was plain HTTP and was answered by [`Acceptor::http`](crate::Acceptor::http) with this status.
    #[error("a plain HTTP request was answered with status {0}")]
    Http(u16),
    /// The request was rejected with this status, by your function or because of its origin.
    #[error("the request was rejected with status {0}")]
    Rejected(u16),
    /// The request is not a valid opening handshake. It was answered with the error's
    /// [`status`](HandshakeError::status).
    #[error("the request is not a valid opening handshake: {0}")]
    Handshake(#[source] HandshakeError),
    /// The client did not send a whole request within the [`handshake_timeout`](crate::Config::handshake_timeout), 10
    /// seconds by default, TLS included.
    #[error("the client did not send its request in time")]
    Timeout,
    /// Your response or rejection cannot be sent.
    #[error("the answer can't be sent: {0}")]
    Answer(#[from] websocket_proto::AcceptError),
    /// The stream failed, or reached EOF before a complete request.
    #[error("the stream failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
}

impl AcceptError {
    /// The error for a connection that was closed before the request.
    pub(super) fn closed() -> Self {
        Self::Io(ErrorKind::UnexpectedEof.into())
    }
}

impl From<Error> for AcceptError {
    fn from(error: Error) -> Self {
        match error {
            Error::Closed(closed) => match closed.cause {
                Cause::Handshake(error) => Self::Handshake(error),
                Cause::Rejected(status) => Self::Rejected(status),
                Cause::Timeout(Deadline::Opening) => Self::Timeout,
                Cause::Eof => Self::closed(),
                // The connection is open before its response is written.
                _ => Self::Io(io::Error::new(ErrorKind::ConnectionAborted, *closed)),
            },
            Error::Io(error) => Self::Io(error),
            // Handshakes read without a read timeout.
            Error::ReadTimeout => Self::Io(ErrorKind::TimedOut.into()),
            Error::Send(error) => Self::Io(io::Error::new(ErrorKind::ConnectionAborted, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_name_the_culprit() {
        for (error, text) in [
            (AcceptError::Http(200), "a plain HTTP request was answered with status 200"),
            (AcceptError::Rejected(403), "the request was rejected with status 403"),
            (
                AcceptError::Handshake(HandshakeError::Method),
                "the request is not a valid opening handshake: method is not GET",
            ),
            (AcceptError::Timeout, "the client did not send its request in time"),
            (
                AcceptError::Answer(websocket_proto::AcceptError::NoRequest),
                "the answer can't be sent: no request is pending",
            ),
            (AcceptError::closed(), "the stream failed during the opening handshake: unexpected end of file"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
