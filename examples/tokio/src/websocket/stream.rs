//! The connection as a `Stream` and a `Sink` of messages.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::CloseCode;

use super::{Error, Message, WebSocket};

/// Messages as they come from [`recv`](WebSocket::recv).
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<T> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_message(cx).map(Result::transpose)
    }
}

/// Messages as [`feed`](WebSocket::feed) takes them. Closing the sink sends a Close frame with 1000; the stream goes on
/// until the peer's comes, and has to be read to its end.
impl<T, M> Sink<M> for WebSocket<T>
where
    T: AsyncRead + AsyncWrite + Unpin,
    M: Into<websocket_proto::Message>,
{
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_room(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: M) -> Result<(), Error> {
        self.get_mut().try_send(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        this.begin_close(CloseCode::NORMAL, "")?;
        this.poll_flush(cx)
    }
}
