//! Writing pending output, and waiting until enough of it is written.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Connection, State};

use super::tasks::Wait;
use super::{Error, HIGH_WATER, WebSocket};

/// The maximum number of chunks of output in one write.
const MAX_SLICES: usize = 16;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Writes as much pending output as the transport accepts.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.failure.is_none() {
            match ready!(self.try_write(cx)) {
                Ok(()) => return Poll::Ready(()),
                Err(error) => self.failure = Some(error),
            }
        }
        // Fails if the transport accepts no more bytes. Bytes that the peer sent before that are still received, since
        // they may say why it closed.
        let output = self.conn.output();
        output.advance(output.remaining());
        Poll::Ready(())
    }

    fn try_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.conn.output().has_remaining() {
            let transport = Pin::new(&mut self.transport);
            let output = &*self.conn.output();
            // Most output is in one chunk, which is less work to write than a list of one.
            let written = if output.chunk().len() < output.remaining() && transport.is_write_vectored() {
                let mut slices = [IoSlice::new(&[]); MAX_SLICES];
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
        // A transport with its own buffer (TLS, a `BufWriter`) sends the last bytes only when it is flushed.
        if self.unflushed {
            ready!(Pin::new(&mut self.transport).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until there is space for a message, or no more can be sent.
    pub(super) fn poll_space(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_output(cx, |conn| {
            let has_space = conn.pending_output() < HIGH_WATER && conn.can_send();
            has_space || conn.state() != State::Open
        })
    }

    /// Waits until everything is written.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_output(cx, |_| false)
    }

    /// Writes until `enough` returns `true` or nothing is left.
    fn poll_output(&mut self, cx: &mut Context<'_>, enough: impl Fn(&Connection) -> bool) -> Poll<Result<(), Error>> {
        if enough(&self.conn) && self.failure.is_none() {
            return Poll::Ready(Ok(()));
        }
        let waker = self.tasks.waker(Wait::Space, cx);
        let cx = &mut Context::from_waker(&waker);
        // A transport with its own buffer may still hold bytes back, and would for as long as the peer reads nothing.
        let is_done = |this: &Self| enough(&this.conn) || this.is_dropped();
        while !is_done(self) && self.poll_write(cx).is_pending() {
            // A peer that reads nothing is dropped at a deadline, which `recv` reports.
            let now = self.clock.now();
            if self.is_due(now) {
                self.with_scratch(|this| this.keep_events(now, cx));
                if is_done(self) || self.poll_write(cx).is_ready() {
                    break;
                }
            }
            ready!(self.poll_deadline(now, cx));
        }
        self.tasks.unregister(Wait::Space);
        if self.pending_output() == 0 {
            // An idle connection holds no buffers.
            self.with_scratch(|_| ());
        }
        Poll::Ready(match &self.failure {
            // `recv` returns the error itself, after everything received before it.
            Some(failure) => Err(io::Error::from(failure.kind()).into()),
            None => self.check_output(),
        })
    }

    /// Writes as much as the transport accepts immediately, and is then ready. `recv` reports an error.
    pub(super) fn poll_write_now(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = self.poll_flush(cx);
        Poll::Ready(())
    }
}
