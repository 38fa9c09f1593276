//! The streams that connections can use.

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

/// TLS over a transport. A read first writes the data that TLS has buffered, so it only makes progress while the peer
/// reads.
#[cfg(feature = "rustls")]
impl<C, D, S> Transport for rustls::StreamOwned<C, S>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
    S: Transport,
{
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sock.set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sock.set_write_timeout(timeout)
    }

    fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        if how == Shutdown::Write {
            // RFC 8446 section 6.1: the end of data is announced, so that truncation is detected.
            self.conn.send_close_notify();
            self.flush()?;
        }
        self.sock.shutdown(how)
    }
}

/// Returns whether a read or write only timed out or was interrupted, and can be repeated.
pub(crate) fn may_be_repeated(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
