//! Writing pending output, and waiting until enough of it is written.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::time::Duration;

use websocket_proto::{Connection, SendError, State};

use super::engine::Access;
use super::input::MIN_TIMEOUT;
use super::{Error, HIGH_WATER};
use crate::Transport;
use crate::transport::may_be_repeated;

/// The size of a write. Each write shows the keepalive that the peer accepts output.
const PIECE_SIZE: usize = 64 << 10;

thread_local! {
    /// The buffer that a thread writes from.
    static PIECE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// One side of a connection that can send.
pub(super) trait Sending {
    type Stream: Transport;
    type Engine: Access;

    /// The longest wait. After it, deadlines that another thread has made earlier are noticed.
    const MAX_WAIT: Option<Duration>;

    /// How long a write waits for the peer until [`on_stall`](Self::on_stall) is called.
    const STALL: Option<Duration> = None;

    fn engine(&mut self) -> &mut Self::Engine;

    /// Calls `work` as the only thread that writes to the stream. If another thread is writing, waits for it or returns
    /// `None`, depending on `waits`.
    fn writing<R>(&mut self, waits: bool, work: impl FnOnce(&mut Self::Stream, &mut Self::Engine) -> R) -> Option<R>;

    /// Handles a write that timed out because a deadline has passed.
    fn on_deadline(&mut self);

    /// The peer accepts nothing for now.
    fn on_stall(&mut self) {}

    /// Sends a message and writes it.
    fn send_with<R>(&mut self, send: impl FnOnce(&mut Connection) -> Result<R, SendError>) -> Result<R, Error> {
        self.write_until(|conn| {
            let has_space = conn.pending_output() < HIGH_WATER && conn.can_send();
            has_space || conn.state() != State::Open
        })?;
        let sent = self.engine().with(|engine| engine.send(send))?;
        self.flush()?;
        Ok(sent)
    }

    /// Writes everything.
    fn flush(&mut self) -> Result<(), Error> {
        self.write_until(|_| false)
    }

    /// Writes until `enough` returns `true` or nothing is left.
    fn write_until(&mut self, enough: impl Fn(&Connection) -> bool) -> Result<(), Error> {
        loop {
            let left = self.engine().with(|engine| {
                // `read` returns the error itself, after everything received before it.
                if let Some(failure) = &engine.failure {
                    return Err(io::Error::from(failure.kind()).into());
                }
                engine.check_limit()?;
                // The stream may still hold bytes back, and would for as long as the peer reads nothing.
                engine.check_output()?;
                let is_done = !engine.has_output() || enough(&engine.conn);
                Ok::<_, Error>((!is_done).then(|| engine.time_left()))
            })?;
            let Some(left) = left else { return Ok(()) };
            self.write(true, left.into_iter().chain(Self::MAX_WAIT).chain(Self::STALL).min());
            match self.engine().with(|engine| (engine.has_output(), engine.is_due())) {
                (true, true) => self.on_deadline(),
                (true, false) => self.on_stall(),
                (false, _) => {}
            }
        }
    }

    /// Writes pending output until nothing is left, or the stream accepts nothing within the timeout.
    fn write(&mut self, waits: bool, timeout: Option<Duration>) {
        if !self.engine().with(|engine| engine.has_output()) {
            return;
        }
        self.writing(waits, |stream, engine| {
            let mut piece = PIECE.take().unwrap_or_else(|| vec![0; PIECE_SIZE].into());
            if let Err(error) = write_all(stream, engine, &mut piece, timeout)
                && !may_be_repeated(&error)
            {
                engine.with(|engine| engine.fail(error));
                // Bytes that have arrived are still read, and then EOF.
                let _ = stream.shutdown(Shutdown::Both);
            }
            PIECE.set(Some(piece));
        });
    }
}

fn write_all(
    stream: &mut impl Transport,
    engine: &mut impl Access,
    piece: &mut [u8],
    timeout: Option<Duration>,
) -> io::Result<()> {
    stream.set_write_timeout(timeout.map(|timeout| timeout.max(MIN_TIMEOUT)))?;
    loop {
        let length = engine.with(|engine| engine.copy_output(piece));
        if length == 0 {
            break;
        }
        match stream.write_once(&piece[..length])? {
            0 => return Err(ErrorKind::WriteZero.into()),
            count => engine.with(|engine| engine.written(count)),
        }
    }
    // A transport with a buffer of its own (TLS, a `BufWriter`) sends the last bytes only when it is flushed.
    stream.flush_once()?;
    engine.with(|engine| engine.unflushed = false);
    Ok(())
}
