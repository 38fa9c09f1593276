//! The opening handshake of a client.

use std::io::{self, ErrorKind};
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::client::{Request, Response};
use websocket_proto::{self as proto, Cause, Config, Connection, Event, Seed};

use super::deadline::Deadline;
use super::{ConnectError, ConnectStage};
use crate::{Error, WebSocket};

/// Sends the request over a stream, and waits for the server's response.
pub(super) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    request: Request,
    config: Arc<Config>,
    stream: S,
    deadline: Deadline,
) -> Result<WebSocket<S>, ConnectError> {
    let mut ws = WebSocket::new(stream, Connection::client(request, config, Seed::from_os()?)?);
    match deadline.within(ConnectStage::Handshake, response(&mut ws)).await {
        Ok(Ok(response)) => {
            ws.keep_response(response);
            Ok(ws)
        }
        Ok(Err(error)) => Err(error),
        // A partial rejection says more than the timeout does.
        Err(timed_out) => match rejected_so_far(&mut ws) {
            Some(response) => Err(ConnectError::Rejected(response)),
            None => Err(timed_out),
        },
    }
}

/// Waits for the response that opens the connection.
async fn response<S>(ws: &mut WebSocket<S>) -> Result<Box<Response>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answered = ws.run(|_, event| match event {
        Event::Open(response) => Break(Ok(response)),
        Event::Rejected(response) => Break(Err(ConnectError::Rejected(response))),
        _ => Continue(()),
    });
    answered.await?.unwrap_or_else(|| Err(ConnectError::Io(ErrorKind::UnexpectedEof.into())))
}

/// Returns a rejection whose body is incomplete, if there is one.
fn rejected_so_far<S>(ws: &mut WebSocket<S>) -> Option<Box<Response>> {
    let connection = ws.connection_mut();
    // EOF may be the end of the body.
    connection.receive_eof();
    match connection.receive(&mut &mut [][..]) {
        Some(Event::Rejected(response)) => Some(response),
        _ => None,
    }
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        match error {
            Error::Closed(closed) => match closed.cause {
                Cause::Handshake(error) => Self::Handshake(error),
                Cause::Timeout(proto::Deadline::Opening) => Self::Timeout(ConnectStage::Handshake),
                Cause::Eof => Self::Io(ErrorKind::UnexpectedEof.into()),
                _ => Self::Io(io::Error::new(ErrorKind::ConnectionAborted, *closed)),
            },
            Error::Io(error) => Self::Io(error),
            Error::Send(error) => Self::Io(io::Error::new(ErrorKind::ConnectionAborted, error)),
        }
    }
}
