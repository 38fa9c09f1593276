//! Sending: messages, prepared messages and pings.

use std::future::poll_fn;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{BinaryWriter, Connection, Message, PreparedMessage, SendError, SendWithError, TextWriter};

use super::{Error, WebSocket};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Sends a message. Waits until there is space for it, and writes what the transport accepts at once. The rest is
    /// written while any other method waits.
    ///
    /// It doesn't read meanwhile. Where both peers send as much as they can, send and receive at the same time:
    /// [`into_split`](Self::into_split).
    ///
    /// # Errors
    ///
    /// The connection is closing or closed, for example because the peer has closed it; [`recv`](Self::recv) reports how.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. If the future is dropped before it is ready, nothing was sent. To send the message later, keep a clone,
    /// which shares its payload.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.write_now().await;
        Ok(())
    }

    /// Sends a message without writing anything yet: for several messages before a [`flush`](Self::flush) or a
    /// [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`send`](Self::send) is.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        poll_fn(|cx| self.poll_space(cx)).await?;
        self.try_send(|conn| conn.send(message))
    }

    /// Sends a text message that `write` writes straight into the output: serialised data, say, for which no `String` is
    /// needed. Returns what `write` returned; if that is an error, nothing was sent.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), and bytes that aren't UTF-8.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`send`](Self::send) is. `write` is called once there is space, or never.
    ///
    /// ```
    /// use std::fmt::Write;
    ///
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::WebSocket;
    ///
    /// async fn quote(ws: &mut WebSocket<TcpStream>, price: f64) -> Result<(), Box<dyn std::error::Error>> {
    ///     // With serde_json: |writer| serde_json::to_writer(writer, &value)
    ///     ws.send_text_with(|writer| write!(writer, "{{\"price\":{price}}}")).await??;
    ///     Ok(())
    /// }
    /// ```
    pub async fn send_text_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        poll_fn(|cx| self.poll_space(cx)).await?;
        let written = self.try_send(|conn| written(conn.send_text_with(write)))?;
        self.write_now().await;
        Ok(written)
    }

    /// Sends a binary message that `write` writes straight into the output, as [`send_text_with`](Self::send_text_with) does.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`send`](Self::send) is. `write` is called once there is space, or never.
    pub async fn send_binary_with<R, E>(
        &mut self,
        write: impl FnOnce(&mut BinaryWriter<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Error> {
        poll_fn(|cx| self.poll_space(cx)).await?;
        let written = self.try_send(|conn| written(conn.send_binary_with(write)))?;
        self.write_now().await;
        Ok(written)
    }

    /// Sends a message that was encoded (and compressed) before, once for many connections.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`send`](Self::send) is.
    ///
    /// ```
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::{Error, PreparedMessage, WebSocket};
    ///
    /// async fn broadcast(room: &mut [WebSocket<TcpStream>], news: &str) {
    ///     let message = PreparedMessage::new(news);
    ///     for member in room {
    ///         // A member that can't be reached is reported by its own `recv`.
    ///         let _ = member.send_prepared(&message).await;
    ///     }
    /// }
    /// ```
    pub async fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        poll_fn(|cx| self.poll_space(cx)).await?;
        self.try_send(|conn| conn.send_prepared(message))?;
        self.write_now().await;
        Ok(())
    }

    /// Sends a ping of at most 125 bytes. The answer is [`Event::Pong`](crate::Event::Pong), which [`event`](Self::event)
    /// and [`run`](Self::run) return, and [`round_trip`](Self::round_trip) has the time that it took.
    ///
    /// You don't need it to notice a lost peer: the keepalive pings by itself.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send), and a payload that is too long.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`send`](Self::send) is.
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        poll_fn(|cx| self.poll_space(cx)).await?;
        self.try_send(|conn| conn.ping(payload))?;
        self.write_now().await;
        Ok(())
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// The transport accepts no more.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. What was not written yet is written later.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Sends with the buffers of the thread.
    pub(super) fn try_send<R>(
        &mut self,
        send: impl FnOnce(&mut Connection) -> Result<R, SendError>,
    ) -> Result<R, Error> {
        // A message that follows others is appended to them.
        if self.pending_output() > 0 && !self.compresses() {
            return Ok(send(&mut self.conn)?);
        }
        Ok(self.with_scratch(|this| send(&mut this.conn))?)
    }

    /// Writes what the transport accepts at once. A failure of it is for `recv` to report.
    async fn write_now(&mut self) {
        poll_fn(|cx| self.poll_write_now(cx)).await;
    }
}

/// Separates the errors of the connection from those of the caller's function.
pub(super) fn written<R, E>(sent: Result<R, SendWithError<E>>) -> Result<Result<R, E>, SendError> {
    match sent {
        Ok(value) => Ok(Ok(value)),
        Err(SendWithError::Write(error)) => Ok(Err(error)),
        Err(SendWithError::Send(error)) => Err(error),
    }
}
