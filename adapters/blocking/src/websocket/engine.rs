//! The connection of the engine with its clock, either owned by one thread or shared by two with a lock.

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
    /// The buffers and codecs of a thread, for the connection that it is serving.
    static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
}

/// The maximum number of chunks of output for one write.
const MAX_SLICES: usize = 16;

/// The state of a connection without its transport.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) conn: Connection,
    start: Instant,
    /// The time at which every method fails.
    pub(super) limit: Option<Instant>,
    /// Events that were received by a method that does not return events.
    kept: VecDeque<Event<'static>>,
    /// Set if the transport may hold bytes back until it is flushed.
    pub(super) unflushed: bool,
    /// The error after which the transport can no longer be used.
    pub(super) failure: Option<io::Error>,
    closed: Option<Box<Closed>>,
    /// Set once an end without a closing handshake was returned as an error.
    is_reported: bool,
}

impl Engine {
    pub(super) fn new(mut conn: Connection) -> Self {
        // The deadline of the opening handshake or of the keepalive starts now.
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

    /// Returns the connection after setting the time, so that new deadlines start now.
    pub(super) fn on_time(&mut self) -> &mut Connection {
        self.conn.advance_time(self.start.elapsed());
        &mut self.conn
    }

    /// Passes the events of the input to `handle` until it breaks. The rest of the input stays in `input`.
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

    /// Receives while the caller waits for something else. The events are kept for the next call that returns events.
    pub(super) fn keep_events(&mut self, input: &mut Input) {
        let mut kept = std::mem::take(&mut self.kept);
        let _ = self.receive(input, &mut |_, event| {
            kept.push_back(event.into_owned());
            ControlFlow::<()>::Continue(())
        });
        self.kept = kept;
    }

    /// Sends, with the buffers of the thread attached.
    pub(super) fn send<R>(&mut self, send: impl FnOnce(&mut Connection) -> Result<R, SendError>) -> Result<R, Error> {
        self.with_scratch(|this| send(this.on_time())).map_err(|error| self.send_error(error))
    }

    /// Fails if the connection was dropped, and its pending output with it.
    pub(super) fn check_output(&self) -> Result<(), Error> {
        match self.conn.wants_shutdown() {
            Some(TransportShutdown::Abort) => Err(self.send_error(SendError::Closed)),
            _ => Ok(()),
        }
    }

    /// Returns the error of a method that sends: the cause of the end, if there was no closing handshake.
    fn send_error(&self, error: SendError) -> Error {
        match &self.closed {
            Some(closed) if error == SendError::Closed && !closed.clean => Error::Closed(closed.clone()),
            _ => error.into(),
        }
    }

    /// Sends a Close frame, unless one has been sent before.
    pub(super) fn begin_close(&mut self, code: Option<CloseCode>, reason: &str) -> Result<(), Error> {
        match self.on_time().close(code, reason) {
            Ok(()) | Err(SendError::Closed) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Copies as many bytes of the output as fit, to be written without holding the lock.
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

    /// Records that bytes of the output were written.
    pub(super) fn written(&mut self, count: usize) {
        // Another thread may have dropped the output since.
        let output = self.conn.output();
        output.advance(count.min(output.remaining()));
        self.unflushed = true;
    }

    /// Fails if the transport accepts no more bytes. Bytes that the peer sent before that are still received, since
    /// they may say why it closed.
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

    /// Returns the memory of the events that are kept, in bytes.
    pub(super) fn kept_size(&self) -> usize {
        let payload = |event: &Event<'_>| match event {
            Event::Text(text) => text.len(),
            Event::Binary(data) | Event::Ping(data) | Event::Pong(data) => data.len(),
            Event::Chunk(chunk) => chunk.parts().iter().map(|part| part.len()).sum(),
            _ => 0,
        };
        self.kept.iter().map(|event| size_of::<Event<'_>>() + payload(event)).sum()
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

    /// Fails if the limit has passed.
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

    /// Returns the result of the connection: an error, reported once, if there was no closing handshake.
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

    /// Calls `work` with the buffers of the thread attached.
    fn with_scratch<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        self.conn.attach_scratch(SCRATCH.take().unwrap_or_default());
        let result = work(self);
        SCRATCH.set(self.conn.detach_scratch());
        result
    }
}

/// An engine that this thread owns or shares with another. The lock is never held while a thread blocks in the
/// transport.
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
        // A panic while the lock was held either happened between two calls of the connection, or is a bug that will
        // appear again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Access for Shared {
    fn with<R>(&mut self, work: impl FnOnce(&mut Engine) -> R) -> R {
        work(&mut self.lock())
    }
}
