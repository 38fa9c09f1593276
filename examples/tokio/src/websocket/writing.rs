//! Writing what is pending, and waiting until enough of it is written.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Connection, State};

use super::tasks::Wait;
use super::{Error, HIGH_WATER, WebSocket};

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    /// Writes what is pending, as far as the transport takes it.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.failure.is_none() {
            match ready!(self.try_write(cx)) {
                Ok(()) => return Poll::Ready(()),
                Err(error) => self.failure = Some(error),
            }
        }
        // Nobody takes it any more. What the peer had sent before is still of interest, such as why it closed.
        let output = self.conn.output();
        output.advance(output.remaining());
        Poll::Ready(())
    }

    fn try_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.conn.output().has_remaining() {
            let transport = Pin::new(&mut self.transport);
            let output = &*self.conn.output();
            let written = if transport.is_write_vectored() {
                let mut slices = [IoSlice::new(&[]); 16];
                let filled = output.chunks_vectored(&mut slices);
                ready!(transport.poll_write_vectored(cx, &slices[..filled]))?
            } else {
                ready!(transport.poll_write(cx, output.chunk()))?
            };
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.conn.output().advance(written);
            self.has_written = true;
            self.unflushed = true;
        }
        // A transport with a buffer of its own (TLS, a `BufWriter`) sends the last bytes only when it is flushed.
        if self.unflushed {
            ready!(Pin::new(&mut self.transport).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until there is room for a message, or none can be sent any more.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_output(cx, |conn| {
            let has_room = conn.pending_output() < HIGH_WATER && conn.can_send();
            has_room || conn.state() != State::Open
        })
    }

    /// Waits until everything is written.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_output(cx, |_| false)
    }

    /// Writes until there is `enough` room, or nothing left.
    fn poll_output(&mut self, cx: &mut Context<'_>, enough: impl Fn(&Connection) -> bool) -> Poll<Result<(), Error>> {
        let waker = self.tasks.waker(Wait::Room, cx);
        let cx = &mut Context::from_waker(&waker);
        while !enough(&self.conn) && self.poll_write(cx).is_pending() {
            // A peer that takes nothing is given up by and by; `recv` tells of it.
            let now = self.clock.now();
            if self.is_due(now) {
                self.at_work(|this| this.keep_events(now, cx));
                if enough(&self.conn) || self.poll_write(cx).is_ready() {
                    break;
                }
            }
            ready!(self.poll_deadline(now, cx));
        }
        self.tasks.forget(Wait::Room);
        // `recv` tells of the failure itself, once it has told what came before.
        Poll::Ready(self.failure.as_ref().map_or(Ok(()), |failure| Err(io::Error::from(failure.kind()).into())))
    }

    /// Takes a message for sending, or tells why not.
    pub(super) fn try_send(&mut self, message: impl Into<websocket_proto::Message>) -> Result<(), Error> {
        Ok(self.at_work(|this| this.conn().send(message))?)
    }

    /// Writes what the transport takes at once, and is ready then. That it takes nothing any more is for `recv` to tell.
    pub(super) fn poll_write_now(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = self.poll_flush(cx);
        Poll::Ready(())
    }
}
