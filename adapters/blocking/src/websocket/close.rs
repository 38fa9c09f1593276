//! The closing handshake.

use std::ops::ControlFlow;

use websocket_proto::CloseCode;

use super::{Error, WebSocket};
use crate::Transport;

impl<S: Transport> WebSocket<S> {
    /// Closes the connection. Sends a Close frame, then waits for the peer's Close frame and for the end of the
    /// transport.
    ///
    /// With `None` the Close frame is empty. A reason of more than 123 bytes is truncated. Messages that the peer still
    /// sends are discarded. To receive them, call `close` of the [`connection`](Self::connection_mut) instead, and
    /// [`read`](Self::read) until it returns `None`.
    ///
    /// If a Close frame was sent or received before, this only waits for the end.
    ///
    /// # Errors
    ///
    /// Fails if the code may not be sent, or if the connection ended without a closing handshake, for example because
    /// the peer did not answer within the [`close_timeout`](crate::Config::close_timeout) (5 seconds by default).
    pub fn close(&mut self, code: impl Into<Option<CloseCode>>, reason: &str) -> Result<(), Error> {
        self.engine.begin_close(code.into(), reason)?;
        self.run(|_, _| ControlFlow::<()>::Continue(())).map(drop)
    }
}
