//! The loop over events, output and input, until `handle` breaks or the connection has ended.

use std::net::Shutdown;
use std::ops::ControlFlow;
use std::thread::sleep;
use std::time::{Duration, Instant};

use websocket_proto::{Connection, Event, TransportShutdown};

use super::engine::{Access, Engine};
use super::write::Sending;
use super::{Error, Input};
use crate::Transport;
use crate::transport::may_be_repeated;

/// How long a reading thread waits for the transport to accept output. It never waits only for that, because the peer
/// may be waiting for this side to read.
const WRITE_TIME: Duration = Duration::from_millis(1);

/// The interval between attempts to write while output is pending.
const WRITE_INTERVAL: Duration = Duration::from_millis(20);

/// How long the peer may take to close its side of the transport.
const LINGER: Duration = Duration::from_secs(2);

/// The pause between reads when discarding the input of a peer that does not stop sending.
const DISCARD_PAUSE: Duration = Duration::from_millis(1);

/// The side of a connection that can receive.
pub(super) trait Receiving: Sending {
    fn parts(&mut self) -> (&mut Self::Stream, &mut Input, &mut Self::Engine);

    /// Passes events to `handle` until it breaks, or until the connection has ended and the transport is shut down.
    fn run<R>(&mut self, handle: impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>) -> Result<Option<R>, Error> {
        self.run_within(None, handle)
    }

    /// Does the same, but fails with [`Error::ReadTimeout`] if `handle` has not broken within that time.
    fn run_within<R>(
        &mut self,
        timeout: Option<Duration>,
        mut handle: impl FnMut(&mut Connection, Event<'_>) -> ControlFlow<R>,
    ) -> Result<Option<R>, Error> {
        // A time that is too far away to be represented never comes.
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        // With a timeout of zero, what has arrived is still read.
        let mut is_over = false;
        loop {
            let (_, input, engine) = self.parts();
            let received = engine.with(|engine| engine.receive(input, &mut handle));
            if let ControlFlow::Break(value) = received {
                return Ok(Some(value));
            }
            self.write(false, Some(WRITE_TIME));
            if let Some(shutdown) = self.engine().with(|engine| engine.wants_shutdown()) {
                self.end(shutdown);
                return self.engine().with(Engine::outcome).map(|()| None);
            }
            self.engine().with(|engine| engine.check_limit())?;
            if is_over {
                return Err(Error::ReadTimeout);
            }
            self.fill(until.map(|until| until.saturating_duration_since(Instant::now())));
            is_over = until.is_some_and(|until| until <= Instant::now());
        }
    }

    /// Reads until bytes have arrived, the timeout has passed or there is something else to do.
    fn fill(&mut self, timeout: Option<Duration>) {
        let (_, input, engine) = self.parts();
        let (left, has_output) = engine.with(|engine| (engine.time_left(), engine.has_output()));
        let interval = has_output.then_some(WRITE_INTERVAL);
        let timeout = timeout.into_iter().chain(left).chain(interval).chain(Self::MAX_WAIT).min();
        if input.at_eof {
            // Only output is pending, or another thread is writing it.
            return sleep(timeout.unwrap_or(WRITE_INTERVAL).min(WRITE_INTERVAL));
        }
        self.fill_within(timeout);
    }

    /// Reads for at most that long. Returns whether anything has come.
    fn fill_within(&mut self, timeout: Option<Duration>) -> bool {
        let (stream, input, engine) = self.parts();
        let failure = match input.read(stream, timeout) {
            Ok(1..) => return true,
            Ok(0) => None,
            Err(error) if may_be_repeated(&error) => return false,
            // A reset is an end as well.
            Err(error) => Some(error),
        };
        input.at_eof = true;
        engine.with(|engine| {
            if let Some(error) = failure {
                engine.failure.get_or_insert(error);
            }
            engine.on_time().receive_eof();
        });
        false
    }

    /// Shuts the transport down. After a graceful end, reads until EOF: closing a socket with unread bytes resets the
    /// connection, and the peer could lose our last bytes.
    fn end(&mut self, shutdown: TransportShutdown) {
        let (stream, input, _) = self.parts();
        if shutdown == TransportShutdown::Graceful && stream.shutdown(Shutdown::Write).is_ok() && !input.at_eof {
            let until = Instant::now() + LINGER;
            loop {
                let left = until.saturating_duration_since(Instant::now());
                match input.read(stream, Some(left)) {
                    Ok(1..) if input.is_full() => sleep(DISCARD_PAUSE),
                    Ok(1..) => {}
                    Err(error) if may_be_repeated(&error) && !left.is_zero() => {}
                    Ok(0) | Err(_) => break,
                }
                input.keep(0);
                if left.is_zero() {
                    break;
                }
            }
        }
        input.at_eof = true;
        // An error is treated as EOF.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
