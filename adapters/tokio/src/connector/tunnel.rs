//! The stream that leads to the port of the server: TCP, or TLS with a proxy.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(all(feature = "proxy", feature = "rustls"))]
use tokio_rustls::client::TlsStream;

#[derive(Debug)]
pub(super) enum Tunnel {
    Tcp(TcpStream),
    /// To a proxy that is reached by TLS. Boxed, since it is large.
    #[cfg(all(feature = "proxy", feature = "rustls"))]
    Tls(Box<TlsStream<TcpStream>>),
}

impl Tunnel {
    pub(super) fn tcp_stream(&self) -> &TcpStream {
        match self {
            Self::Tcp(stream) => stream,
            #[cfg(all(feature = "proxy", feature = "rustls"))]
            Self::Tls(stream) => stream.get_ref().0,
        }
    }
}

/// Calls a method of the stream, whichever it is.
macro_rules! forward {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Tunnel::Tcp($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            #[cfg(all(feature = "proxy", feature = "rustls"))]
            Tunnel::Tls($stream) => {
                let $stream = Pin::new(&mut **$stream);
                $call
            }
        }
    };
}

impl AsyncRead for Tunnel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        forward!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(self, stream => stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(all(feature = "proxy", feature = "rustls"))]
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, stream => stream.poll_shutdown(cx))
    }
}
