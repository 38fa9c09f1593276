//! The closing handshake.

use std::ops::ControlFlow;

use websocket_proto::CloseCode;

use super::{Error, WebSocket};
use crate::Transport;

impl<S: Transport> WebSocket<S> {
    /// Closes the connection: sends a Close frame, waits for the peer's and for the end of the transport.
    ///
    /// Without a code (`None`) the Close frame is empty. A reason of more than 123 bytes is cut. Messages that the peer
    /// still sends are discarded. To receive them, call `close` of the [`connection`](Self::connection_mut) instead, and
    /// [`read`](Self::read) until it returns `None`.
    ///
    /// If a Close frame was sent or received before, this only waits for the end.
    ///
    /// # Errors
    ///
    /// The code may not be sent, or the connection ended without a closing handshake, for example because the peer didn't
    /// answer within the [`close_timeout`](crate::Config::close_timeout) (5 seconds by default).
    pub fn close(&mut self, code: impl Into<Option<CloseCode>>, reason: &str) -> Result<(), Error> {
        self.engine.begin_close(code.into(), reason)?;
        self.run(|_, _| ControlFlow::<()>::Continue(())).map(drop)
    }
}
