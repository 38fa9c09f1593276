//! The loop over time, input, events and output, until it can only wait or the connection has ended.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Connection, Event, Scratch, TransportShutdown};

use super::tasks::Wait;
use super::{Error, WebSocket};

/// The number of reads before other tasks get their turn. Otherwise a transport that always has more bytes, and does
/// not take part in tokio's cooperative scheduling, would block the thread.
pub(super) const MAX_INPUTS: usize = 32;

/// From this much pending output on, it is written before more is read. Less is written with what is still to come: a
/// write costs a system call. More no longer fits the caches, and payloads that wait in the output hold memory.
const WRITE_AT: usize = 64 << 10;

/// How long a deadline that has passed waits for another look at the transport. tokio asks the kernel for some 1,000
/// sockets at a time: after a pause of the whole process (SIGSTOP, a laptop's sleep), timers fire before it knows of
/// every socket that has bytes.
const GRACE: Duration = Duration::from_millis(100);

thread_local! {
    /// The buffers and codecs of a thread, for the connection that it is serving.
    static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Passes events to `handle` until it breaks, or until the connection has ended and the transport is shut down.
    /// Reads while less than `max_pending` bytes of output are pending.
    pub(super) fn poll_run<R>(
        &mut self,
        cx: &mut Context<'_>,
        max_pending: usize,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Poll<Result<Option<R>, Error>> {
        let waker = self.tasks.waker(Wait::Events, cx);
        self.with_scratch(|this| this.turn(&mut Context::from_waker(&waker), max_pending, handle))
    }

    fn turn<R>(
        &mut self,
        cx: &mut Context<'_>,
        max_pending: usize,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Poll<Result<Option<R>, Error>> {
        for _ in 0..MAX_INPUTS {
            if self.conn.pending_output() >= WRITE_AT {
                let _ = self.poll_write(cx);
            }
            // The transport then wakes the task for more input.
            let awaits_input = self.conn.pending_output() < max_pending && self.poll_input(cx).is_pending();
            let now = self.clock.now();
            self.conn.advance_time(now);
            if let ControlFlow::Break(value) = self.handle_input(handle) {
                return Poll::Ready(Ok(Some(value)));
            }
            let _ = self.poll_write(cx);
            if let Some(shutdown) = self.conn.wants_shutdown() {
                if shutdown == TransportShutdown::Graceful {
                    ready!(self.poll_linger(cx));
                }
                return Poll::Ready(self.outcome().map(|()| None));
            }
            if self.conn.pending_output() < max_pending {
                // Usually nothing more has arrived, and no deadline has started. Then there is nothing else to do.
                if !awaits_input && (self.poll_input(cx).is_ready() || self.is_due(now)) {
                    continue;
                }
            } else if std::mem::take(&mut self.has_written) {
                // We do not read until the peer has read our output. While it does read, its silence is caused by us. A
                // peer that reads nothing is pinged and dropped like any other.
                self.conn.reading_paused();
            }
            ready!(self.poll_deadline(now, cx));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits for the next deadline. `now` is the time of this iteration.
    pub(super) fn poll_deadline(&mut self, now: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let next = self.conn.next_timeout().map(|at| if at <= now { now + GRACE } else { at });
        self.clock.poll_until(next, cx)
    }

    /// Returns whether a deadline has passed.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.conn.next_timeout().is_some_and(|at| at <= now)
    }

    /// Receives while the caller waits for something else, because deadlines only take effect in `receive`. The events
    /// are kept for the next call that returns events.
    pub(super) fn keep_events(&mut self, now: Duration, cx: &mut Context<'_>) {
        self.conn.advance_time(now);
        // Only the events of one input are kept, so that they do not accumulate.
        if self.kept.is_empty() && self.input.is_empty() {
            let _ = self.poll_read(cx);
        }
        let mut kept = std::mem::take(&mut self.kept);
        let before = kept.len();
        let _ = self.receive(&mut |_, event| {
            kept.push_back(event.into_owned());
            ControlFlow::<()>::Continue(())
        });
        if kept.len() > before {
            self.tasks.wake();
        }
        self.kept = kept;
    }

    /// Passes the events of input that was read before to `handle` until it breaks. Messages that arrived together are
    /// thus received without accessing the clock, the transport and the buffers of the thread.
    pub(super) fn handle_buffered<R>(
        &mut self,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> ControlFlow<R> {
        // Inflating needs the thread's inflater. Otherwise the connection would keep its own.
        let is_ready = !self.input.is_empty() && self.kept.is_empty() && !self.compresses();
        if is_ready { self.receive(handle) } else { ControlFlow::Continue(()) }
    }

    /// Returns whether messages may be compressed.
    #[cfg(feature = "deflate")]
    pub(super) fn compresses(&self) -> bool {
        self.conn.deflate().is_some()
    }

    /// No message is compressed.
    #[cfg(not(feature = "deflate"))]
    #[expect(clippy::unused_self, reason = "with the feature, it depends on the connection")]
    pub(super) fn compresses(&self) -> bool {
        false
    }

    fn handle_input<R>(
        &mut self,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> ControlFlow<R> {
        while let Some(event) = self.kept.pop_front() {
            handle(&mut self.conn, event)?;
        }
        // An idle connection holds no buffers.
        self.kept = VecDeque::new();
        self.receive(handle)
    }

    /// Receives the input.
    fn receive<R>(&mut self, handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>) -> ControlFlow<R> {
        let mut rest = self.input.rest();
        while let Some(event) = self.conn.receive(&mut rest) {
            if let Event::Closed(closed) = &event {
                self.end.closed = Some(closed.clone());
                // A task that waits for space in the output must learn of the end.
                self.tasks.wake();
            }
            let flow = handle(&mut self.conn, event);
            if flow.is_break() {
                let left = rest.len();
                self.input.keep(left);
                return flow;
            }
        }
        self.input.keep(0);
        ControlFlow::Continue(())
    }

    /// Reads, unless input is left.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.input.is_empty() { self.poll_read(cx) } else { Poll::Ready(()) }
    }

    /// Reads. The previous input must have been consumed. Stays pending after EOF.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.at_eof {
            return Poll::Pending;
        }
        match self.input.poll_read(&mut self.transport, cx) {
            Poll::Ready(Ok(1..)) => return Poll::Ready(()),
            Poll::Ready(Ok(0)) => {}
            // A reset is treated as EOF.
            Poll::Ready(Err(error)) => self.failure = Some(error),
            // Writing has failed, and everything received before that has been read.
            Poll::Pending if self.failure.is_some() => {}
            Poll::Pending => return Poll::Pending,
        }
        self.at_eof = true;
        self.conn.receive_eof();
        Poll::Ready(())
    }

    /// Calls `work` with the buffers of the thread attached.
    pub(super) fn with_scratch<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.conn.attach_scratch(SCRATCH.take().unwrap_or_default());
        let result = work(self);
        SCRATCH.set(self.conn.detach_scratch());
        result
    }
}
