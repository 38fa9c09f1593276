//! The connection of the engine with its clock; alone, or behind the lock that two threads share.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Closed, Connection, Event, Scratch, SendError, TransportShutdown};

use super::{Error, Input};

thread_local! {
    /// The buffers and codecs of a thread, for whichever connection it serves.
    static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
}

/// The most chunks of output that are looked at for one write.
const MAX_SLICES: usize = 16;

/// The state of a connection that isn't its transport.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) conn: Connection,
    start: Instant,
    /// When every method fails.
    pub(super) limit: Option<Instant>,
    /// Events that were received while nobody asked for any.
    kept: VecDeque<Event<'static>>,
    /// The transport may hold bytes back until it is flushed.
    pub(super) unflushed: bool,
    /// Why the transport can't be written to or read from any more.
    pub(super) failure: Option<io::Error>,
    closed: Option<Box<Closed>>,
    /// An end without a closing handshake was returned as an error.
    is_reported: bool,
}

impl Engine {
    pub(super) fn new(mut conn: Connection) -> Self {
        // The deadline of the opening handshake, or the keepalive, begins here.
        conn.advance_time(Duration::ZERO);
        Self {
            conn,
            start: Instant::now(),
            limit: None,
            kept: VecDeque::new(),
            unflushed: false,
            failure: None,
            closed: None,
            is_reported: false,
        }
    }

    /// The connection, with the time set: what begins now has its deadline from now on.
    pub(super) fn on_time(&mut self) -> &mut Connection {
        self.conn.advance_time(self.start.elapsed());
        &mut self.conn
    }

    /// Passes the events of that input to `handle`, until it breaks. The rest of the input is kept there.
    pub(super) fn receive<R>(
        &mut self,
        input: &mut Input,
        handle: &mut impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> ControlFlow<R> {
        self.on_time();
        while let Some(event) = self.kept.pop_front() {
            handle(&mut self.conn, event)?;
        }
        // An idle connection holds no buffers.
        self.kept = VecDeque::new();
        self.with_scratch(|this| {
            let mut rest = input.rest();
            let mut flow = ControlFlow::Continue(());
            while let Some(event) = this.conn.receive(&mut rest) {
                if let Event::Closed(closed) = &event {
                    this.closed = Some(closed.clone());
                }
                flow = handle(&mut this.conn, event);
                if flow.is_break() {
                    break;
                }
            }
            let left = rest.len();
            input.keep(left);
            flow
        })
    }

    /// Receives for a caller that waits for something else. The events are kept for the next call that asks for any.
    pub(super) fn keep_events(&mut self, input: &mut Input) {
        let mut kept = std::mem::take(&mut self.kept);
        let _ = self.receive(input, &mut |_, event| {
            kept.push_back(event.into_owned());
            ControlFlow::<()>::Continue(())
        });
        self.kept = kept;
    }

    /// Sends with the buffers of the thread.
    pub(super) fn send<R>(
        &mut self,
        send: impl FnOnce(&mut Connection) -> Result<R, SendError>,
    ) -> Result<R, SendError> {
        self.with_scratch(|this| send(this.on_time()))
    }

    /// Sends a Close frame, unless there was one.
    pub(super) fn begin_close(&mut self, code: Option<CloseCode>, reason: &str) -> Result<(), Error> {
        match self.on_time().close(code, reason) {
            Ok(()) | Err(SendError::Closed) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Copies the first bytes of the output, as many as fit, to be written without the lock.
    pub(super) fn copy_output(&mut self, piece: &mut [u8]) -> usize {
        let mut slices = [io::IoSlice::new(&[]); MAX_SLICES];
        let output = self.conn.output();
        let filled = output.chunks_vectored(&mut slices);
        let mut length = 0;
        for slice in &slices[..filled] {
            let count = slice.len().min(piece.len() - length);
            piece[length..length + count].copy_from_slice(&slice[..count]);
            length += count;
        }
        length
    }

    /// Bytes of the output were written.
    pub(super) fn written(&mut self, count: usize) {
        // Another thread may have dropped the output since.
        let output = self.conn.output();
        output.advance(count.min(output.remaining()));
        self.unflushed = true;
    }

    /// The transport accepts no more. What the peer sent before is still of interest, such as why it closed.
    pub(super) fn fail(&mut self, error: io::Error) {
        self.failure.get_or_insert(error);
        self.unflushed = false;
        let output = self.conn.output();
        output.advance(output.remaining());
    }

    pub(super) fn has_output(&self) -> bool {
        self.conn.pending_output() > 0 || self.unflushed
    }

    pub(super) fn has_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Returns the time until the next deadline.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let next = self.conn.next_timeout().map(|at| at.saturating_sub(self.start.elapsed()));
        let limit = self.limit.map(|limit| limit.saturating_duration_since(Instant::now()));
        next.into_iter().chain(limit).min()
    }

    pub(super) fn is_due(&self) -> bool {
        self.conn.next_timeout().is_some_and(|at| at <= self.start.elapsed())
    }

    /// Fails after the limit.
    pub(super) fn check_limit(&self) -> Result<(), Error> {
        match self.limit {
            Some(limit) if limit <= Instant::now() => Err(Error::Io(ErrorKind::TimedOut.into())),
            _ => Ok(()),
        }
    }

    pub(super) fn wants_shutdown(&self) -> Option<TransportShutdown> {
        // Bytes that the transport holds back are written first.
        self.conn.wants_shutdown().filter(|shutdown| *shutdown == TransportShutdown::Abort || !self.unflushed)
    }

    pub(super) fn closed(&self) -> Option<&Closed> {
        self.closed.as_deref()
    }

    /// The result of the connection: an error where there was no closing handshake, reported once.
    pub(super) fn outcome(&mut self) -> Result<(), Error> {
        match &self.closed {
            Some(closed) if !closed.clean && !std::mem::replace(&mut self.is_reported, true) => {
                match self.failure.take() {
                    Some(error) if closed.cause == Cause::Eof => Err(error.into()),
                    _ => Err(Error::Closed(closed.clone())),
                }
            }
            _ => Ok(()),
        }
    }

    /// Does something with the buffers of the thread attached.
    fn with_scratch<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.conn.attach_scratch(SCRATCH.take().unwrap_or_default());
        let result = work(self);
        SCRATCH.set(self.conn.detach_scratch());
        result
    }
}

/// An engine that this thread owns, or shares with another. The lock is never held while a thread blocks in the transport.
pub(super) trait Access {
    fn with<R>(&mut self, work: impl FnOnce(&mut Engine) -> R) -> R;
}

impl Access for Engine {
    fn with<R>(&mut self, work: impl FnOnce(&mut Engine) -> R) -> R {
        work(self)
    }
}

/// The engine that two threads share.
#[derive(Clone, Debug)]
pub(super) struct Shared(Arc<Mutex<Engine>>);

impl Shared {
    pub(super) fn new(engine: Engine) -> Self {
        Self(Arc::new(Mutex::new(engine)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Engine> {
        // A panic while the lock was held came from between two calls of the connection, or is a bug that will show again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Access for Shared {
    fn with<R>(&mut self, work: impl FnOnce(&mut Engine) -> R) -> R {
        work(&mut self.lock())
    }
}
