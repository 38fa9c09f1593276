//! The opening handshake of a client.

use std::io::{self, ErrorKind};
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::client::Request;
use websocket_proto::{Cause, Closed, Config, Connection, Deadline, Event, Seed};

use super::{ConnectError, ConnectStage};
use crate::{Error, WebSocket};

/// Sends the request over a stream, and waits for the server's response.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    request: Request,
    config: Arc<Config>,
    stream: S,
) -> Result<WebSocket<S>, ConnectError> {
    let mut ws = WebSocket::new(stream, Connection::client(request, config, Seed::from_os()?)?);
    let answered = ws.run(|_, event| match event {
        Event::Open(response) => Break(Ok(response)),
        Event::Rejected(response) => Break(Err(response)),
        _ => Continue(()),
    });
    match answered.await? {
        Some(Ok(response)) => {
            ws.keep_response(response);
            Ok(ws)
        }
        Some(Err(response)) => Err(ConnectError::Rejected(response)),
        None => Err(ConnectError::Io(ErrorKind::UnexpectedEof.into())),
    }
}

impl From<Box<Closed>> for ConnectError {
    fn from(closed: Box<Closed>) -> Self {
        match closed.cause {
            Cause::Handshake(error) => Self::Handshake(error),
            Cause::Timeout(Deadline::Opening) => Self::Timeout(ConnectStage::Handshake),
            Cause::Eof => Self::Io(ErrorKind::UnexpectedEof.into()),
            _ => Self::Io(io::Error::new(ErrorKind::ConnectionAborted, *closed)),
        }
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        match error {
            Error::Closed(closed) => closed.into(),
            Error::Io(error) => Self::Io(error),
            Error::Send(error) => Self::Io(io::Error::new(ErrorKind::ConnectionAborted, error)),
        }
    }
}
