//! The half that sends.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{BinaryWriter, CloseCode, Connection, Message, PreparedMessage, SendError, TextWriter};

use super::Shared;
use crate::websocket::Error;
#[cfg(doc)]
use crate::websocket::WebSocket;
use crate::websocket::send::written;

/// The half of a [`WebSocket`] that sends.
///
/// Dropping it neither sends a Close frame nor closes the connection. For several tasks that send, put a channel in
/// front of it. [`WebSocket::into_split`] returns one.
#[derive(Debug)]
pub struct Sender<S>(Shared<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Sender<S> {
    /// Sends a message, as [`WebSocket::send`] does. What the transport does not accept at once is written by either half.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send`] does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`WebSocket::send`] is.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.send_with(|conn| conn.send(message)).await
    }

    /// Sends a text message that `write` writes straight into the output, as [`WebSocket::send_text_with`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send_text_with`] does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`WebSocket::send_text_with`] is.
    pub async fn send_text_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        self.send_with(|conn| written(conn.send_text_with(write))).await
    }

    /// Sends a binary message that `write` writes straight into the output, as [`WebSocket::send_binary_with`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send`] does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`WebSocket::send_binary_with`] is.
    pub async fn send_binary_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut BinaryWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        self.send_with(|conn| written(conn.send_binary_with(write))).await
    }

    /// Sends a prepared message, as [`WebSocket::send_prepared`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::send`] does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`WebSocket::send`] is.
    pub async fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.send_with(|conn| conn.send_prepared(message)).await
    }

    /// Sends a ping, as [`WebSocket::ping`] does.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::ping`] does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`WebSocket::ping`] is.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.send_with(|conn| conn.ping(payload)).await?;
        // The receiver measures the time until the answer.
        self.0.lock().tasks.wake();
        Ok(())
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// Fails as [`WebSocket::flush`] does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. Bytes that have not been written yet are written later.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.0.lock().poll_flush(cx)).await
    }

    /// Sends a Close frame, unless one has been sent before. The [`Receiver`](super::Receiver) returns what the peer
    /// sent before its answer, and then `None`.
    ///
    /// # Errors
    ///
    /// The code may not be sent.
    pub fn close(&mut self, code: impl Into<Option<CloseCode>>, reason: &str) -> Result<(), Error> {
        self.0.lock().begin_close(code.into(), reason)
    }

    /// Does something else with the connection of the engine. What it has to send is written by either half.
    ///
    /// `work` holds the lock of the two halves: it must not use them.
    pub fn with_connection<R>(&mut self, work: impl FnOnce(&mut Connection) -> R) -> R {
        let mut ws = self.0.lock();
        let result = work(ws.connection_mut());
        // There may be output to write, and a new deadline.
        ws.tasks.wake();
        result
    }

    async fn send_with<R>(&mut self, send: impl FnOnce(&mut Connection) -> Result<R, SendError>) -> Result<R, Error> {
        poll_fn(|cx| self.0.lock().poll_space(cx)).await?;
        let result = self.0.lock().try_send(send)?;
        poll_fn(|cx| self.0.lock().poll_write_now(cx)).await;
        Ok(result)
    }
}

impl<S> Sender<S> {
    pub(super) fn new(shared: Shared<S>) -> Self {
        Self(shared)
    }
}

/// The messages that a [`WebSocket`] accepts as a sink. Closing it is for the receiver to complete.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for Sender<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.lock().poll_space(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.0.lock().try_send(|conn| conn.send(message))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.lock().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut *self.0.lock()).poll_close(cx)
    }
}
