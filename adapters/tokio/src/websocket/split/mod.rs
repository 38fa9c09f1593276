//! A connection in two halves for two tasks: one receives, the other sends.

mod receiver;
mod sender;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};

use super::WebSocket;
pub use receiver::Receiver;
pub use sender::Sender;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Splits the connection into two halves, so that sending, which may have to wait for the peer, does not hold up
    /// receiving. They share a lock, which is never held while one of them waits.
    ///
    /// ```
    /// use tokio::net::TcpStream;
    /// use websocket_proto_tokio::{Error, WebSocket};
    ///
    /// async fn talk(ws: WebSocket<TcpStream>) -> Result<(), Error> {
    ///     let (mut sender, mut receiver) = ws.into_split();
    ///     tokio::spawn(async move { sender.send("hello").await });
    ///     while let Some(message) = receiver.recv().await? {
    ///         println!("{message:?}");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn into_split(self) -> (Sender<S>, Receiver<S>) {
        let shared = Shared(Arc::new(Mutex::new(self)));
        (Sender::new(shared.clone()), Receiver::new(shared))
    }
}

/// The connection that two halves share.
#[derive(Debug)]
struct Shared<S>(Arc<Mutex<WebSocket<S>>>);

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, WebSocket<S>> {
        // A panic while the lock was held either happened between two calls of the connection, or is a bug that will
        // appear again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Clone for Shared<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
