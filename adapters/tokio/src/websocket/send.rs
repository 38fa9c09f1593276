//! Sending: messages, prepared messages and pings.

use std::future::poll_fn;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{BinaryWriter, Connection, Message, PreparedMessage, SendError, SendWithError, TextWriter};

use super::{Error, WebSocket};

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Sends a message. Waits until there is space for it, then writes as much as the transport accepts immediately.
    /// The rest is written while any other method waits.
    ///
    /// It does not read meanwhile. If both peers send as much as they can, send and receive at the same time:
    /// [`into_split`](Self::into_split).
    ///
    /// # Errors
    ///
    /// Fails with [`Send`](Error::Send) if the connection is closing or was closed, for example by the peer, and with
    /// [`Closed`](Error::Closed) if it ended without a closing handshake. [`recv`](Self::recv) still returns what was
    /// received before, and then how it ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. If the future is dropped before it is ready, nothing is sent. To send the message later, keep a
    /// clone, which shares the payload.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.feed(message).await?;
        self.write_now().await;
        Ok(())
    }

    /// Queues a message without writing it yet. Use it for several messages before a [`flush`](Self::flush) or a
    /// [`recv`](Self::recv).
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`send`](Self::send) is.
    pub async fn feed(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        poll_fn(|cx| self.poll_space(cx)).await?;
        self.try_send(|conn| conn.send(message))
    }

    /// Sends a text message that `write` writes directly into the output, such as serialised data, without an
    /// intermediate `String`. Returns the value that `write` returns. If that is an error, nothing is sent.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does, and if the bytes are not UTF-8.
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

    /// Sends a binary message that `write` writes directly into the output, like
    /// [`send_text_with`](Self::send_text_with).
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does.
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

    /// Sends a message that was encoded (and perhaps compressed) once for many connections.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does.
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
    ///         // The member's own `recv` reports that it cannot be reached.
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

    /// Sends a ping of at most 125 bytes. [`event`](Self::event) and [`run`](Self::run) report the answer as
    /// [`Event::Pong`](crate::Event::Pong), and [`round_trip`](Self::round_trip) returns how long it took.
    ///
    /// You do not need this to detect a lost peer: the keepalive sends its own pings.
    ///
    /// # Errors
    ///
    /// Fails as [`send`](Self::send) does, and if the payload is too long.
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
    /// Fails if the transport accepts no more bytes, or if the connection was dropped before everything was written.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe. Bytes that have not been written yet are written later.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Sends, with the buffers of the thread attached.
    pub(super) fn try_send<R>(
        &mut self,
        send: impl FnOnce(&mut Connection) -> Result<R, SendError>,
    ) -> Result<R, Error> {
        // A message after other pending ones is appended to them.
        let result = if self.pending_output() > 0 && !self.compresses() {
            send(&mut self.conn)
        } else {
            self.with_scratch(|this| send(&mut this.conn))
        };
        result.map_err(|error| self.send_error(error))
    }

    /// Writes as much as the transport accepts immediately. `recv` reports an error.
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
