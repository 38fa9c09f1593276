//! A connection in two halves, for two tasks: one receives, the other sends.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{CloseCode, Closed, Connection, Event};

use super::{Error, Message, WebSocket};

/// The half that receives. It also keeps deadlines and ends the transport: read it to its end.
#[derive(Debug)]
pub struct Receiver<T>(Arc<Mutex<WebSocket<T>>>);

/// The half that sends; dropping it sends nothing and closes nothing. For many that send, put a channel in front of it.
#[derive(Debug)]
pub struct Sender<T>(Arc<Mutex<WebSocket<T>>>);

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// Two halves, so that sending, which may have to wait for the peer, doesn't hold up receiving. Nothing waits while
    /// it holds the lock that they share.
    pub fn into_split(self) -> (Sender<T>, Receiver<T>) {
        let shared = Arc::new(Mutex::new(self));
        (Sender(Arc::clone(&shared)), Receiver(shared))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Receiver<T> {
    /// The next message, as [`WebSocket::recv`] has it.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::recv`].
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| lock(&self.0).poll_message(cx)).await
    }

    /// The next event, as [`WebSocket::event`] has it.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::recv`].
    pub async fn event(&mut self) -> Result<Option<Event<'static>>, Error> {
        poll_fn(|cx| lock(&self.0).poll_event(cx)).await
    }

    /// How long the answer to the last answered ping took.
    pub fn round_trip(&self) -> Option<Duration> {
        // The pong may have come since the time was last set.
        lock(&self.0).conn().round_trip()
    }

    /// How the connection ended, once it has.
    pub fn closed(&self) -> Option<Closed> {
        lock(&self.0).closed().cloned()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Sender<T> {
    /// Sends a message, as [`WebSocket::send`] does; what the transport doesn't take at once is written by either half.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::send`].
    pub async fn send(&mut self, message: impl Into<websocket_proto::Message>) -> Result<(), Error> {
        poll_fn(|cx| lock(&self.0).poll_room(cx)).await?;
        lock(&self.0).try_send(message)?;
        poll_fn(|cx| lock(&self.0).poll_write_now(cx)).await;
        Ok(())
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    ///
    /// The transport takes no more.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| lock(&self.0).poll_flush(cx)).await
    }

    /// Sends a Close frame, unless there was one. The [`Receiver`] gets the peer's answer, and what comes before that.
    ///
    /// # Errors
    ///
    /// The code or reason can't be sent.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        lock(&self.0).begin_close(code, reason)
    }

    /// Does something else with the connection, such as a ping; what it has to send is written by the [`Receiver`].
    pub fn with<R>(&mut self, act: impl FnOnce(&mut Connection) -> R) -> R {
        let mut ws = lock(&self.0);
        let result = act(ws.conn());
        ws.tasks.wake();
        result
    }
}

fn lock<T>(shared: &Mutex<WebSocket<T>>) -> MutexGuard<'_, WebSocket<T>> {
    // Whoever panicked did so in between two calls of the connection, or is a bug in it that will show again.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
