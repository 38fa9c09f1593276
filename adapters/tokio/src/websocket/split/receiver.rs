//! The half that receives.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Closed, Event, Message};

use super::Shared;
use crate::websocket::Error;
#[cfg(doc)]
use crate::websocket::WebSocket;

/// The half of a [`WebSocket`] that receives.
///
/// It also answers pings, checks deadlines and shuts the transport down at the end: read it until it returns `None`.
/// [`WebSocket::into_split`] returns one.
///
/// Dropping it does not close the connection, and nothing is received from then on: pings are no longer answered, and a
/// keepalive may drop the peer. The transport is dropped with the second half.
#[derive(Debug)]
pub struct Receiver<S>(Shared<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Receiver<S> {
    /// Receives the next message, as [`WebSocket::recv`] does.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::recv`].
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`WebSocket::recv`] is.
    pub async fn recv(&mut self) -> Result<Option<Message>, Error> {
        poll_fn(|cx| self.0.lock().poll_message(cx)).await
    }

    /// Receives the next event, as [`WebSocket::event`] does.
    ///
    /// # Errors
    ///
    /// As for [`WebSocket::recv`].
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe, as [`WebSocket::event`] is.
    pub async fn event(&mut self) -> Result<Option<Event<'static>>, Error> {
        poll_fn(|cx| self.0.lock().poll_event(cx)).await
    }
}

impl<S> Receiver<S> {
    pub(super) fn new(shared: Shared<S>) -> Self {
        Self(shared)
    }

    /// Returns how the connection ended, as [`WebSocket::closed`] does.
    pub fn closed(&self) -> Option<Closed> {
        self.0.lock().closed().cloned()
    }

    /// Returns the time from the last answered ping to its pong, as [`WebSocket::round_trip`] does.
    pub fn round_trip(&self) -> Option<Duration> {
        self.0.lock().round_trip()
    }
}

/// The messages that [`recv`](Receiver::recv) returns.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for Receiver<S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.lock().poll_message(cx).map(Result::transpose)
    }
}
