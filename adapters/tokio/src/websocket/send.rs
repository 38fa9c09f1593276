//! Sending: messages, prepared messages and pings.

use std::future::poll_fn;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Connection, Message, PreparedMessage, SendError};

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

    /// Sends with the buffers of the thread, and wakes the task that waits for deadlines.
    pub(super) fn try_send(
        &mut self,
        send: impl FnOnce(&mut Connection) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        Ok(self.with_scratch(|this| send(this.connection_mut()))?)
    }

    /// Writes what the transport accepts at once. A failure of it is for `recv` to report.
    async fn write_now(&mut self) {
        poll_fn(|cx| self.poll_write_now(cx)).await;
    }
}
