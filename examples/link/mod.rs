//! A connection and its socket, shared by threads: one reads and handles events, one writes, any may send.
//!
//! So a peer that reads slowly holds up nobody but itself. The lock is held neither while reading nor while writing.

use std::io::{self, Read, Write};
use std::net::{Shutdown as Half, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use websocket_proto::{Connection, Event, Shutdown, State};

/// Fits the first-level cache, and so does what is done with it.
const INPUT: usize = 16 << 10;

/// From this much pending output on, the peer isn't read from: let it take what it asked for first.
pub(crate) const HIGH_WATER: usize = 256 << 10;

/// How long the peer may take nothing of what is written.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long it may take to close its side. Also how soon a deadline is noticed that another thread brought nearer.
const GOODBYE: Duration = Duration::from_secs(2);

pub(crate) struct Link {
    stream: TcpStream,
    conn: Mutex<Connection>,
    /// There is output for the writer, or room for more.
    changed: Condvar,
    /// The writer has taken bytes, which count as sent, and hasn't sent them yet; changes with the connection locked.
    writing: AtomicBool,
    start: Instant,
}

impl Link {
    pub(crate) fn new(stream: TcpStream, conn: Connection) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            conn: Mutex::new(conn),
            changed: Condvar::new(),
            writing: AtomicBool::new(false),
            start: Instant::now(),
        })
    }

    /// Does something with the connection, on time; what it has to send is sent.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        let mut conn = self.lock();
        conn.advance_time(self.start.elapsed());
        let result = act(&mut conn);
        self.changed.notify_all();
        result
    }

    /// Waits until the peer has taken most of the output, or the connection is over.
    #[allow(dead_code)]
    pub(crate) fn wait_for_room(&self) {
        let has_room = |conn: &Connection| conn.pending_output() <= HIGH_WATER || conn.state() == State::Closed;
        let mut conn = self.lock();
        while !has_room(&conn) {
            conn = self.changed.wait(conn).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reads and writes until the connection is over, and ends the socket. `handle` is called for each event with the
    /// connection locked, `after` once a turn without.
    pub(crate) fn run(
        &self,
        mut handle: impl FnMut(&mut Connection, Event<'_>),
        mut after: impl FnMut(),
    ) -> io::Result<()> {
        thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, || self.write())?;
            let _guard = AbortOnPanic(self);
            let mut buffer = [0; INPUT];
            while self.turn(&mut buffer, &mut handle) {
                after();
            }
            after();
            io::Result::Ok(())
        })?;
        // Closing with bytes unread would reset the connection, and the last bytes with it: read them first.
        if self.lock().wants_shutdown() == Some(Shutdown::Finish) {
            self.stream.set_read_timeout(Some(GOODBYE))?;
            let deadline = Instant::now() + GOODBYE;
            let mut unread = [0; 4096];
            while Instant::now() < deadline && matches!((&self.stream).read(&mut unread), Ok(1..)) {}
        }
        Ok(())
    }

    /// One turn of the loop: time, bytes, events. Whether there will be another.
    fn turn(&self, buffer: &mut [u8], handle: &mut impl FnMut(&mut Connection, Event<'_>)) -> bool {
        let mut conn = self.lock();
        conn.advance_time(self.start.elapsed());
        self.changed.notify_all();
        let shutdown = conn.wants_shutdown();
        if shutdown == Some(Shutdown::Abort) {
            // Wakes the writer, if it waits for the peer.
            let _ = self.stream.shutdown(Half::Both);
        }
        let is_over = match shutdown {
            Some(Shutdown::Finish) => !self.writing.load(Ordering::Relaxed),
            other => other.is_some(),
        };
        let left = conn.next_timeout().map_or(PATIENCE, |at| at.saturating_sub(self.start.elapsed()));
        // A socket takes no timeout of zero. A deadline that another thread brings nearer is noticed a little late.
        let left = left.clamp(Duration::from_millis(1), GOODBYE);
        let read = if is_over {
            drop(conn);
            None
        } else if shutdown.is_some() || conn.pending_output() > HIGH_WATER {
            // The peer has to take something first: that it isn't heard meanwhile is our doing.
            conn.reading_paused();
            drop(self.changed.wait_timeout(conn, left));
            None
        } else {
            drop(conn);
            self.read(buffer, left)
        };
        self.with(|conn| {
            if read == Some(0) {
                conn.receive_eof();
            }
            let mut input = &mut buffer[..read.unwrap_or(0)];
            while let Some(event) = conn.receive(&mut input) {
                handle(conn, event);
            }
        });
        !is_over
    }

    /// Reads for at most that long; `Some(0)` is the end.
    fn read(&self, buffer: &mut [u8], timeout: Duration) -> Option<usize> {
        let _ = self.stream.set_read_timeout(Some(timeout));
        match (&self.stream).read(buffer) {
            Ok(read) => Some(read),
            Err(error) if is_timeout(&error) => None,
            // A reset is an end as well.
            Err(_) => Some(0),
        }
    }

    /// Writes whatever there is to write, until the connection is over.
    fn write(&self) {
        let mut conn = self.lock();
        loop {
            if let Some(bytes) = conn.output().take() {
                self.writing.store(true, Ordering::Relaxed);
                drop(conn);
                self.changed.notify_all();
                let written = (&self.stream).write_all(&bytes);
                conn = self.lock();
                self.writing.store(false, Ordering::Relaxed);
                if written.is_err() {
                    conn.abort();
                }
                self.changed.notify_all();
                continue;
            }
            match conn.wants_shutdown() {
                None => conn = self.changed.wait(conn).unwrap_or_else(PoisonError::into_inner),
                // Wakes the reader.
                Some(Shutdown::Abort) => return drop(self.stream.shutdown(Half::Both)),
                Some(Shutdown::Finish) => return drop(self.stream.shutdown(Half::Write)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handler that panics must not leave the writer waiting for ever.
struct AbortOnPanic<'a>(&'a Link);

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.with(Connection::abort);
            let _ = self.0.stream.shutdown(Half::Both);
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
