//! The opening handshake of a client.

use std::io::{self, ErrorKind};
use std::ops::ControlFlow::{Break, Continue};
use std::sync::Arc;

use websocket_proto::client::{Request, Response};
use websocket_proto::{self as proto, Cause, Config, Connection, Event, Seed};

use super::deadline::Deadline;
use super::{ConnectError, ConnectStage};
use crate::{Error, Transport, WebSocket};

/// Sends the request over a stream, and waits for the server's response.
pub(super) fn handshake<S: Transport>(
    request: Request,
    config: Arc<Config>,
    stream: S,
    deadline: Deadline,
) -> Result<WebSocket<S>, ConnectError> {
    let mut ws = WebSocket::new(stream, Connection::client(request, config, Seed::from_os()?)?);
    ws.set_limit(deadline.0);
    let answered = ws.run(|_, event| match event {
        Event::Open(response) => Break(Ok(response)),
        Event::Rejected(response) => Break(Err(ConnectError::Rejected(response))),
        _ => Continue(()),
    });
    let answer = match answered {
        Ok(answer) => answer.unwrap_or_else(|| Err(ConnectError::Io(ErrorKind::UnexpectedEof.into()))),
        Err(error) => match deadline.left(ConnectStage::Handshake) {
            Ok(_) => Err(error.into()),
            // A partial rejection says more than the timeout does.
            Err(timed_out) => Err(rejected_so_far(&mut ws).map_or(timed_out, ConnectError::Rejected)),
        },
    };
    ws.keep_response(answer?);
    ws.set_limit(None);
    Ok(ws)
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
            // Handshakes read without a read timeout.
            Error::ReadTimeout => Self::Io(ErrorKind::TimedOut.into()),
            Error::Send(error) => Self::Io(io::Error::new(ErrorKind::ConnectionAborted, error)),
        }
    }
}
