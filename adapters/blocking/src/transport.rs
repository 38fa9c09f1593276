//! The streams that connections run over.

#[cfg(feature = "rustls")]
use std::io::ErrorKind;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A blocking stream whose reads and writes can be bounded in time.
///
/// The deadlines of a connection are kept by these timeouts. A read or write that times out must fail with
/// [`WouldBlock`](io::ErrorKind::WouldBlock) or [`TimedOut`](io::ErrorKind::TimedOut), consume nothing, and be possible to
/// repeat. The stream must be in blocking mode.
pub trait Transport: Read + Write {
    /// Sets the longest time that a read may take; it is never zero.
    ///
    /// # Errors
    ///
    /// The stream has failed.
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Sets the longest time that a write or a flush may take; it is never zero.
    ///
    /// # Errors
    ///
    /// The stream has failed.
    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Shuts down one or both directions.
    ///
    /// # Errors
    ///
    /// The stream has failed.
    fn shutdown(&mut self, how: Shutdown) -> io::Result<()>;

    /// Reads as [`Read::read`] does, but waits at most once for the peer. A read that returns
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) because more has to come is repeated, after deadlines are checked.
    ///
    /// The default calls `read`. Implement it for streams whose `read` reads again and again until it has something to return,
    /// as those of TLS libraries do. Else a peer that sends a byte from time to time is never timed out.
    ///
    /// # Errors
    ///
    /// The stream has failed, or the read is to be repeated.
    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read(buffer)
    }
}

/// A [`Transport`] that two threads can use at once, one to read and one to write.
pub trait TryClone: Transport + Sized {
    /// Returns another handle of the same stream. Shutting down one shuts down both.
    ///
    /// # Errors
    ///
    /// The operating system has no handle left.
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

/// TLS over a transport, whose first reads are the TLS handshake. A read first writes what TLS has buffered, so that it makes
/// progress only while the peer reads.
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
        // The handshake: the peer sends more when it has this.
        while self.conn.wants_write() {
            self.conn.write_tls(&mut self.sock)?;
        }
        self.sock.flush()?;
        self.conn.read_tls(&mut self.sock)?;
        if let Err(error) = self.conn.process_new_packets() {
            // RFC 8446 section 6.2: the alert that says why, if it can be sent.
            let _ = self.conn.write_tls(&mut self.sock);
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        self.conn.reader().read(buffer)
    }

    fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        if how == Shutdown::Write {
            // RFC 8446 section 6.1: the end of data is announced, so that nobody can cut it off unnoticed.
            self.conn.send_close_notify();
            self.flush()?;
        }
        self.sock.shutdown(how)
    }
}

/// Returns whether a read or write has only run out of time, or was interrupted, and may be repeated.
pub(crate) fn may_be_repeated(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
