//! Writing pending output, and waiting until enough of it is written.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Connection, State};

use super::tasks::Wait;
use super::{Error, HIGH_WATER, WebSocket};

/// The most chunks of output that are written at once.
const MAX_SLICES: usize = 16;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Writes pending output, as far as the transport accepts it.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.failure.is_none() {
            match ready!(self.try_write(cx)) {
                Ok(()) => return Poll::Ready(()),
                Err(error) => self.failure = Some(error),
            }
        }
        // The transport accepts no more. What the peer sent before is still of interest, such as why it closed.
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
        // A transport with a buffer of its own (TLS, a `BufWriter`) sends the last bytes only when it is flushed.
        if self.unflushed {
            ready!(Pin::new(&mut self.transport).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until there is space for a message, or none can be sent any more.
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

    /// Writes until that is `enough`, or nothing is left.
    fn poll_output(&mut self, cx: &mut Context<'_>, enough: impl Fn(&Connection) -> bool) -> Poll<Result<(), Error>> {
        if enough(&self.conn) && self.failure.is_none() {
            return Poll::Ready(Ok(()));
        }
        let waker = self.tasks.waker(Wait::Space, cx);
        let cx = &mut Context::from_waker(&waker);
        while !enough(&self.conn) && self.poll_write(cx).is_pending() {
            // A peer that reads nothing is dropped after some time; `recv` reports it.
            let now = self.clock.now();
            if self.is_due(now) {
                self.with_scratch(|this| this.keep_events(now, cx));
                if enough(&self.conn) || self.poll_write(cx).is_ready() {
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
        // `recv` returns the failure itself, after what came before it.
        Poll::Ready(self.failure.as_ref().map_or(Ok(()), |failure| Err(io::Error::from(failure.kind()).into())))
    }

    /// Writes what the transport accepts at once, and is ready then. A failure is for `recv` to report.
    pub(super) fn poll_write_now(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = self.poll_flush(cx);
        Poll::Ready(())
    }
}
