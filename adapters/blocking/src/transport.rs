//! The streams that connections can use.

#[cfg(feature = "rustls")]
use std::io::ErrorKind;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A blocking stream with timeouts for reading and writing.
///
/// The timeouts implement the deadlines of a connection. A read or write that times out must fail with
/// [`WouldBlock`](io::ErrorKind::WouldBlock) or [`TimedOut`](io::ErrorKind::TimedOut), must not transfer any bytes, and
/// can be repeated. The stream must be in blocking mode.
pub trait Transport: Read + Write {
    /// Sets the timeout for reading, which is never zero.
    ///
    /// # Errors
    ///
    /// Fails if the stream has failed.
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Sets the timeout for writing and flushing, which is never zero.
    ///
    /// # Errors
    ///
    /// Fails if the stream has failed.
    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Shuts down one or both directions.
    ///
    /// # Errors
    ///
    /// Fails if the stream has failed.
    fn shutdown(&mut self, how: Shutdown) -> io::Result<()>;

    /// Reads as [`Read::read`] does, but waits at most once for the peer. A read that returns
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) because more has to come is repeated, after deadlines are checked.
    ///
    /// The default calls `read`. Implement this method for streams whose `read` reads again and again until it has
    /// something to return, as those of TLS libraries do. Otherwise a peer that sends a byte from time to time never times
    /// out.
    ///
    /// # Errors
    ///
    /// The stream has failed, or the read is to be repeated.
    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }

    /// Writes as [`Write::write`] does, but fails with [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing is accepted
    /// now.
    ///
    /// The default calls `write`. Implement it for streams whose `write` returns 0 while their own buffer is full.
    ///
    /// # Errors
    ///
    /// The stream has failed, or the write is to be repeated.
    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    /// Flushes as [`Write::flush`] does, but never succeeds while anything is left to write.
    ///
    /// The default calls `flush`.
    ///
    /// # Errors
    ///
    /// The stream has failed, or the flush is to be repeated.
    fn flush_once(&mut self) -> io::Result<()> {
        self.flush()
    }
}

/// A [`Transport`] that can be used by two threads at once, one reading and one writing.
pub trait TryClone: Transport + Sized {
    /// Returns another handle to the same stream. Shutting down one shuts down both.
    ///
    /// # Errors
    ///
    /// Fails if the operating system cannot create another handle.
    fn try_clone(&self) -> io::Result<Self>;
}

macro_rules! socket {
    ($stream:ty) => {
        impl Transport for $stream {
            fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$stream>::set_read_timeout(self, timeout)
            }

            fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
                <$stream>::set_write_timeout(self, timeout)
            }

            fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
                <$stream>::shutdown(self, how)
            }
        }

        impl TryClone for $stream {
            fn try_clone(&self) -> io::Result<Self> {
                <$stream>::try_clone(self)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(UnixStream);

/// TLS over a transport, whose first reads are the TLS handshake.
#[cfg(feature = "rustls")]
impl<C, D, S> Transport for rustls::StreamOwned<C, S>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
    S: Transport,
{
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sock.set_read_timeout(timeout)?;
        // A read writes as well.
        self.sock.set_write_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sock.set_write_timeout(timeout)
    }

    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.conn.reader().read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            read => return read,
        }
        // The handshake: the peer sends more when it has this. A peer that accepts nothing now may be waiting for a read.
        if let Err(error) = write_pending(self)
            && !may_be_repeated(&error)
        {
            return Err(error);
        }
        self.conn.read_tls(&mut self.sock)?;
        if let Err(error) = self.conn.process_new_packets() {
            // RFC 8446 section 6.2: the alert that says why, if it can be sent.
            let _ = self.conn.write_tls(&mut self.sock);
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        self.conn.reader().read(buffer)
    }

    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_pending(self)?;
        let count = self.conn.writer().write(bytes)?;
        match write_pending(self) {
            // It is in the buffer of TLS.
            Err(error) if may_be_repeated(&error) => Ok(count),
            written => written.map(|()| count),
        }
    }

    fn flush_once(&mut self) -> io::Result<()> {
        write_pending(self)
    }

    fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        if how == Shutdown::Write {
            // RFC 8446 section 6.1: the end of data is announced, so that truncation is detected.
            self.conn.send_close_notify();
            write_pending(self)?;
        }
        self.sock.shutdown(how)
    }
}

/// Writes what TLS has buffered.
#[cfg(feature = "rustls")]
fn write_pending<C, D, S>(stream: &mut rustls::StreamOwned<C, S>) -> io::Result<()>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
    S: Transport,
{
    while stream.conn.wants_write() {
        stream.conn.write_tls(&mut stream.sock)?;
    }
    stream.sock.flush()
}

/// Returns whether a read or write has only run out of time, or was interrupted, and may be repeated.
pub(crate) fn may_be_repeated(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
