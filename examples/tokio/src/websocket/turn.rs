//! The loop: the time, what the transport holds, events, writing; until it has to wait, or the connection is over.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Cause, Connection, Event, Scratch, TransportShutdown};

use super::tasks::Wait;
use super::{Error, Message, WebSocket};

/// How many inputs are read before the other tasks have their turn. A transport that always has more (a flood over one
/// that takes no part in tokio's cooperative scheduling) would keep the thread otherwise.
const INPUTS: usize = 32;

/// How long a deadline that has passed waits for another look at the transport. tokio asks the kernel for some 1,000
/// sockets at a time: after a pause of the whole process (SIGSTOP, a laptop's sleep), timers go off before it knows of
/// every socket that has bytes.
const GRACE: Duration = Duration::from_millis(100);

/// How long discarding rests after so many inputs.
const BREAK: Duration = Duration::from_millis(10);

/// How long the peer may take to close its side.
const GOODBYE: Duration = Duration::from_secs(2);

thread_local! {
    /// A thread's buffers and codecs, for whichever connection is at work.
    static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
}

impl<T: AsyncRead + AsyncWrite + Unpin> WebSocket<T> {
    pub(super) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Error>> {
        self.poll_run(cx, usize::MAX, &mut |_, event| match Message::from_event(event) {
            Some(message) => ControlFlow::Break(message),
            None => ControlFlow::Continue(()),
        })
    }

    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event<'static>>, Error>> {
        self.poll_run(cx, usize::MAX, &mut |_, event| ControlFlow::Break(event.into_owned()))
    }

    /// Discards what still comes.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_run(cx, usize::MAX, &mut |_, _| ControlFlow::<()>::Continue(())).map_ok(drop)
    }

    /// Hands events to `handle` until it breaks, or the connection is over and the transport shut down. Reads as long as
    /// less output is pending than `most`.
    pub(super) fn poll_run<R>(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Poll<Result<Option<R>, Error>> {
        let waker = self.tasks.waker(Wait::Events, cx);
        self.at_work(|this| this.turn(&mut Context::from_waker(&waker), most, handle))
    }

    fn turn<R>(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Poll<Result<Option<R>, Error>> {
        for _ in 0..INPUTS {
            let now = self.clock.now();
            self.conn.advance_time(now);
            let is_paused = self.conn.pending_output() >= most;
            let arrived = if is_paused { Poll::Pending } else { self.poll_input(cx) };
            if let ControlFlow::Break(value) = self.handle_input(handle) {
                return Poll::Ready(Ok(Some(value)));
            }
            let _ = self.poll_write(cx);
            if let Some(shutdown) = self.conn.wants_shutdown() {
                if shutdown == TransportShutdown::Graceful {
                    ready!(self.poll_goodbye(cx));
                }
                return Poll::Ready(self.outcome().map(|()| None));
            }
            if arrived.is_ready() || is_paused && self.conn.pending_output() < most {
                continue;
            }
            // The peer has to take its output first. As long as it does, its silence is our doing. A peer that takes nothing
            // is pinged and dropped like any other.
            if is_paused && std::mem::take(&mut self.has_written) {
                self.conn.reading_paused();
            }
            ready!(self.poll_deadline(now, cx));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits for the next deadline; `now` is what time it is in this turn.
    pub(super) fn poll_deadline(&mut self, now: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let next = self.conn.next_timeout().map(|at| if at <= now { now + GRACE } else { at });
        self.clock.poll_until(next, cx)
    }

    /// Whether a deadline has passed.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.conn.next_timeout().is_some_and(|at| at <= now)
    }

    /// Receives for a caller that waits for something else and doesn't receive: a deadline takes effect nowhere else.
    /// The events are kept for the next one that asks for any.
    pub(super) fn keep_events(&mut self, now: Duration, cx: &mut Context<'_>) {
        self.conn.advance_time(now);
        // Those of one input, so that they don't grow.
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

    fn handle_input<R>(
        &mut self,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> ControlFlow<R> {
        while let Some(event) = self.kept.pop_front() {
            handle(&mut self.conn, event)?;
        }
        self.receive(handle)
    }

    /// Receives what has arrived.
    fn receive<R>(&mut self, handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>) -> ControlFlow<R> {
        let mut rest = self.input.rest();
        while let Some(event) = self.conn.receive(&mut rest) {
            if let Event::Closed(closed) = &event {
                self.closed = Some(closed.clone());
                // Nobody waits for room any more.
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

    /// Whether something has arrived: reads if nothing is left.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.input.is_empty() { self.poll_read(cx) } else { Poll::Ready(()) }
    }

    /// Reads; nothing is left of the input. Pending also at its end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.at_end {
            return Poll::Pending;
        }
        match self.input.poll_read(&mut self.transport, cx) {
            Poll::Ready(Ok(1..)) => return Poll::Ready(()),
            Poll::Ready(Ok(0)) => {}
            // A reset is an end as well.
            Poll::Ready(Err(error)) => self.failure = Some(error),
            // What had arrived before writing failed is read by now.
            Poll::Pending if self.failure.is_some() => {}
            Poll::Pending => return Poll::Pending,
        }
        self.at_end = true;
        self.conn.receive_eof();
        Poll::Ready(())
    }

    /// Shuts down our side, and reads to the end of the peer's: closing a socket with unread bytes would reset the
    /// connection, and the peer might lose our last ones.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = *self.goodbye.get_or_insert_with(|| self.clock.now() + GOODBYE);
        self.shut_down = self.shut_down || Pin::new(&mut self.transport).poll_shutdown(cx).is_ready();
        let mut inputs = 0;
        while self.poll_read(cx).is_ready() {
            self.input.keep(0);
            inputs += 1;
            if inputs == INPUTS {
                // A peer that sends without end waits, so that it takes little time from others.
                let next = self.clock.now() + BREAK;
                return self.clock.poll_until(Some(next.min(until)), cx);
            }
        }
        if self.shut_down && self.at_end {
            return Poll::Ready(());
        }
        self.clock.poll_until(Some(until), cx)
    }

    /// How it ended: an error where the closing handshake is missing, told once.
    fn outcome(&mut self) -> Result<(), Error> {
        match &self.closed {
            Some(closed) if !closed.clean && !std::mem::replace(&mut self.told, true) => match self.failure.take() {
                Some(error) if closed.cause == Cause::Eof => Err(error.into()),
                _ => Err(Error::Closed(closed.clone())),
            },
            _ => Ok(()),
        }
    }

    pub(super) fn at_work<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.conn.attach_scratch(SCRATCH.take().unwrap_or_default());
        let result = work(self);
        SCRATCH.set(self.conn.detach_scratch());
        result
    }
}
