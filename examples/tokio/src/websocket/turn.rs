//! The loop: events, then writing, then the end of the transport or more input, until one has to wait.

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Cause, Connection, Event, Scratch, Shutdown, State};

use super::tasks::Wait;
use super::{Error, HIGH_WATER, Message, WebSocket};

/// How long the peer may take to close its side.
const GOODBYE: Duration = Duration::from_secs(2);

thread_local! {
    /// A thread's buffers and codecs, for whichever connection is at work.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
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
        loop {
            // Deadlines take effect behind what has arrived before.
            if self.input.is_empty() {
                self.conn.advance_time(self.clock.now());
            }
            if let ControlFlow::Break(value) = self.handle_input(handle) {
                return Poll::Ready(Ok(Some(value)));
            }
            let _ = self.poll_write(cx);
            if let Some(shutdown) = self.conn.wants_shutdown() {
                if shutdown == Shutdown::Finish {
                    ready!(self.poll_goodbye(cx));
                }
                return Poll::Ready(self.outcome().map(|()| None));
            }
            let is_held_up = self.conn.pending_output() >= most;
            if (is_held_up || self.poll_read(cx).is_pending())
                && self.clock.poll_until(self.conn.next_timeout(), cx).is_pending()
            {
                return Poll::Pending;
            }
        }
    }

    fn handle_input<R>(
        &mut self,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> ControlFlow<R> {
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

    /// Writes what is pending, as far as the transport takes it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
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
            self.unflushed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.transport).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Shuts down our side, and reads to the end of the peer's: closing a socket with unread bytes would reset the
    /// connection, and the peer might lose our last ones.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let until = *self.goodbye.get_or_insert_with(|| self.clock.now() + GOODBYE);
        self.shut_down = self.shut_down || Pin::new(&mut self.transport).poll_shutdown(cx).is_ready();
        while self.clock.now() < until && self.poll_read(cx).is_ready() {
            self.input.keep(0);
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
            ready!(self.clock.poll_until(self.conn.next_timeout(), cx));
            self.conn.advance_time(self.clock.now());
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

    fn at_work<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.conn.lend(SCRATCH.take().unwrap_or_default());
        let result = work(self);
        SCRATCH.set(self.conn.release());
        result
    }
}
