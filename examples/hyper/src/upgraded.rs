//! The transport of a WebSocket that was a connection of HTTP, or is a stream of one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::activity::Hold;

/// What a WebSocket runs over: over HTTP/1.1 the connection, over HTTP/2 a stream of it, which keeps that from being idle.
///
/// In RFC 8441 section 5, `END_STREAM` stands for the orderly end of a TCP connection, and a reset with `CANCEL` for the
/// reset of one. hyper makes no difference: it ends the streams that are dropped, and reads an end where there was a
/// `CANCEL`. Nor does a WebSocket, for which both are 1006 unless a Close frame came before.
#[derive(Debug)]
pub struct Upgraded {
    stream: TokioIo<hyper::upgrade::Upgraded>,
    /// A client's connection isn't closed for being idle.
    _hold: Option<Hold>,
}

impl Upgraded {
    pub(crate) fn new(upgraded: hyper::upgrade::Upgraded, hold: Option<Hold>) -> Self {
        Self { stream: TokioIo::new(upgraded), _hold: hold }
    }
}

impl AsyncRead for Upgraded {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Upgraded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
