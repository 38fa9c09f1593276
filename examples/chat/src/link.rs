//! A connection and its socket, shared by threads: one reads and handles events, one writes, and any thread
//! may send.
//!
//! No thread holds the lock while it reads or writes. So a peer that reads slowly delays only itself.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Buf;
use websocket_proto::{Connection, Event, Scratch, State, TransportShutdown};

/// Fits into the first-level cache, together with the messages in it.
const INPUT: usize = 16 << 10;

/// The most that is written in one call. The output shrinks by what was written, which shows the keepalive that the
/// peer is reading.
const PIECE: usize = 64 << 10;

/// With this much pending output, the peer isn't read from: it has to read its answers first.
pub const HIGH_WATER: usize = 256 << 10;

/// A peer that is silent for so long is pinged,
#[allow(dead_code)]
pub const IDLE: Duration = Duration::from_secs(30);

/// and dropped if it doesn't answer within this time. The ping is queued after the bytes in the buffers of both
/// kernels, some MiB if a peer reads slowly. Silence counts only once no more than `HIGH_WATER` is left to be handed to
/// the kernel. So a peer stays if it reads what the kernel holds (up to 4 MiB on Linux, `net.ipv4.tcp_wmem`) within
/// both times together: 85 KB/s.
#[allow(dead_code)]
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long the peer may take to close its side. Also the delay until an earlier deadline, set by another thread, is
/// noticed.
const GOODBYE: Duration = Duration::from_secs(2);

/// Buffers and codecs, for the connections that are active at the moment: a few serve any number. If more are active at
/// a time, the others create their own, and drop them.
static SCRATCHES: Mutex<[Option<Scratch>; 4]> = Mutex::new([const { None }; 4]);

pub struct Link {
    stream: TcpStream,
    conn: Mutex<Connection>,
    /// There is output for the writer, or space for more.
    changed: Condvar,
    start: Instant,
}

impl Link {
    pub fn new(stream: TcpStream, conn: Connection) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, conn: Mutex::new(conn), changed: Condvar::new(), start: Instant::now() })
    }

    /// Calls the connection with the current time; anything that it wants to send is sent.
    pub fn with<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        let mut conn = self.lock();
        conn.advance_time(self.start.elapsed());
        let result = act(&mut conn);
        self.changed.notify_all();
        result
    }

    /// Waits until the peer has read most of the output, or the connection is closed.
    #[allow(dead_code)]
    pub fn wait_for_room(&self) {
        let has_room = |conn: &Connection| conn.pending_output() <= HIGH_WATER || conn.state() == State::Closed;
        let mut conn = self.lock();
        while !has_room(&conn) {
            conn = self.changed.wait(conn).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Reads and writes until the connection is closed, and shuts the socket down. `handle` is called for each event
    /// with the connection locked, `after` once per iteration without the lock.
    pub fn run(&self, mut handle: impl FnMut(&mut Connection, Event<'_>), mut after: impl FnMut()) -> io::Result<()> {
        let mut buffer = [0; INPUT];
        thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, || self.write())?;
            let _guard = AbortOnPanic(self);
            while self.turn(&mut buffer, &mut handle) {
                after();
            }
            after();
            io::Result::Ok(())
        })?;
        // Closing with unread bytes would reset the connection and might lose the last bytes: read them first.
        if self.lock().wants_shutdown() == Some(TransportShutdown::Graceful) {
            let until = Instant::now() + GOODBYE;
            let left = || until.saturating_duration_since(Instant::now());
            while !left().is_zero() && self.discard(&mut buffer, left()) {}
        }
        Ok(())
    }

    /// One iteration of the loop: bytes, the time, events. Returns whether there will be another.
    fn turn(&self, buffer: &mut [u8], handle: &mut impl FnMut(&mut Connection, Event<'_>)) -> bool {
        let conn = self.lock();
        let shutdown = conn.wants_shutdown();
        let left = conn.next_timeout().map_or(GOODBYE, |at| at.saturating_sub(self.start.elapsed()));
        let is_held_up = conn.pending_output() > HIGH_WATER || !conn.wants_read();
        let read = match shutdown {
            Some(_) => {
                drop(conn);
                None
            }
            // The peer has to read first, or has sent everything.
            None if is_held_up => {
                drop(self.changed.wait_timeout(conn, left.min(GOODBYE)));
                None
            }
            None => {
                drop(conn);
                self.read(buffer, left.min(GOODBYE))
            }
        };
        if shutdown == Some(TransportShutdown::Abort) {
            // Wakes the writer, if it waits for the peer.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
        self.with(|conn| {
            if read == Some(0) {
                conn.receive_eof();
            }
            let mut input = &mut buffer[..read.unwrap_or(0)];
            conn.attach_scratch(scratches().iter_mut().find_map(Option::take).unwrap_or_default());
            while let Some(event) = conn.receive(&mut input) {
                handle(conn, event);
            }
            let scratch = conn.detach_scratch();
            if let Some(free) = scratches().iter_mut().find(|place| place.is_none()) {
                *free = scratch;
            }
        });
        shutdown.is_none()
    }

    /// Reads for at most that long; `Some(0)` is the end of the stream.
    fn read(&self, buffer: &mut [u8], timeout: Duration) -> Option<usize> {
        // A socket accepts no timeout of zero.
        let _ = self.stream.set_read_timeout(Some(timeout.max(Duration::from_millis(1))));
        match (&self.stream).read(buffer) {
            Ok(read) => Some(read),
            Err(error) if is_timeout(&error) => None,
            // A reset ends the stream, too.
            Err(_) => Some(0),
        }
    }

    /// Reads and discards. Returns whether more may come. It is slow enough that a peer which sends without end takes
    /// little time from others.
    fn discard(&self, buffer: &mut [u8], timeout: Duration) -> bool {
        let read = self.read(buffer, timeout);
        if read == Some(buffer.len()) {
            thread::sleep(Duration::from_millis(1));
        }
        read != Some(0)
    }

    /// Writes all output, until the connection is closed.
    fn write(&self) {
        let mut piece = vec![0; PIECE];
        let mut conn = self.lock();
        loop {
            let length = copy_front(conn.output(), &mut piece);
            if length > 0 {
                drop(conn);
                let written = (&self.stream).write(&piece[..length]);
                conn = self.lock();
                self.written(&mut conn, written);
                self.changed.notify_all();
                continue;
            }
            match conn.wants_shutdown() {
                None => conn = self.changed.wait(conn).unwrap_or_else(PoisonError::into_inner),
                // Wakes the reader.
                Some(TransportShutdown::Abort) => return drop(self.stream.shutdown(Shutdown::Both)),
                Some(TransportShutdown::Graceful) => return drop(self.stream.shutdown(Shutdown::Write)),
            }
        }
    }

    fn written(&self, conn: &mut Connection, written: io::Result<usize>) {
        match written {
            Ok(count @ 1..) => {
                // While the peer has to read first, its silence is our doing: we don't read from it. A peer that reads
                // nothing is pinged and dropped like any other.
                if conn.pending_output() > HIGH_WATER {
                    conn.reading_paused();
                }
                conn.output().advance(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The peer reads no more. What it sent before is still read, such as the reason why it closed, and then the
            // end.
            Ok(_) | Err(_) => {
                let _ = self.stream.shutdown(Shutdown::Both);
                let pending = conn.pending_output();
                conn.output().advance(pending);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn scratches() -> MutexGuard<'static, [Option<Scratch>; 4]> {
    SCRATCHES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies the first bytes of the output, as many as fit, so that it isn't locked while they are written.
fn copy_front(output: &impl Buf, piece: &mut [u8]) -> usize {
    let mut slices = [io::IoSlice::new(&[]); 16];
    let filled = output.chunks_vectored(&mut slices);
    let mut length = 0;
    for slice in &slices[..filled] {
        let count = slice.len().min(piece.len() - length);
        piece[length..length + count].copy_from_slice(&slice[..count]);
        length += count;
    }
    length
}

/// A handler that panics must not leave the writer waiting forever.
struct AbortOnPanic<'a>(&'a Link);

impl Drop for AbortOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.with(Connection::abort);
            let _ = self.0.stream.shutdown(Shutdown::Both);
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
