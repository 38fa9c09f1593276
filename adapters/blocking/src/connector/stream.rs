//! The stream of a client.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::{Transport, TryClone};

/// The stream that [`connect`](crate::connect) opens: TCP, or TLS over TCP.
#[derive(Debug)]
pub struct ClientStream(Kind);

#[cfg(feature = "rustls")]
type TlsStream = rustls::StreamOwned<rustls::ClientConnection, TcpStream>;

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    /// Boxed, since it is large.
    #[cfg(feature = "rustls")]
    Tls(Box<TlsStream>),
}

impl ClientStream {
    /// Returns the TCP stream, for its addresses and options.
    pub fn tcp_stream(&self) -> &TcpStream {
        match &self.0 {
            Kind::Tcp(stream) => stream,
            #[cfg(feature = "rustls")]
            Kind::Tls(stream) => &stream.sock,
        }
    }

    /// Returns the TLS connection, for its certificates and parameters, or `None` for `ws`.
    #[cfg(feature = "rustls")]
    pub fn tls_connection(&self) -> Option<&rustls::ClientConnection> {
        match &self.0 {
            Kind::Tcp(_) => None,
            Kind::Tls(stream) => Some(&stream.conn),
        }
    }

    pub(super) fn tcp(stream: TcpStream) -> Self {
        Self(Kind::Tcp(stream))
    }

    #[cfg(feature = "rustls")]
    pub(super) fn tls(stream: TlsStream) -> Self {
        Self(Kind::Tls(Box::new(stream)))
    }

    fn transport(&mut self) -> &mut dyn Transport {
        match &mut self.0 {
            Kind::Tcp(stream) => stream,
            #[cfg(feature = "rustls")]
            Kind::Tls(stream) => &mut **stream,
        }
    }
}

impl Read for ClientStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.transport().read(buffer)
    }
}

impl Write for ClientStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.transport().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.transport().flush()
    }
}

impl Transport for ClientStream {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.transport().set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.transport().set_write_timeout(timeout)
    }

    fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        self.transport().shutdown(how)
    }

    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.transport().read_once(buffer)
    }

    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.transport().write_once(bytes)
    }

    fn flush_once(&mut self) -> io::Result<()> {
        self.transport().flush_once()
    }
}

/// Only the stream of a `ws` URI has a second handle. That of a `wss` URI fails with
/// [`Unsupported`](io::ErrorKind::Unsupported), because reading and writing share the state of TLS.
impl TryClone for ClientStream {
    fn try_clone(&self) -> io::Result<Self> {
        match &self.0 {
            Kind::Tcp(stream) => stream.try_clone().map(Self::tcp),
            #[cfg(feature = "rustls")]
            Kind::Tls(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "a TLS stream cannot be split")),
        }
    }
}
