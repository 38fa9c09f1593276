//! A socket of tokio that gathers what is written and writes it at once, before the next read from the socket.
//!
//! So everybody makes one read and one write for what has come in, however often they flush: the best for those who
//! flush with every message, and no worse for others.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::LocalSet;

pub(super) struct Cork {
    stream: TcpStream,
    gathered: Vec<u8>,
}

/// Runs a task for every connection, on one thread. None of them ends before the load does.
pub(super) fn serve<F>(task: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
{
    let streams = super::open()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    let _guard = runtime.enter();
    for stream in streams {
        tasks.spawn_local(task(TcpStream::from_std(stream)?));
    }
    runtime.block_on(tasks);
    Ok(())
}

impl Cork {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, gathered: Vec::new() }
    }

    fn poll_pull(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.gathered.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.gathered))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.gathered.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Cork {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_pull(context))?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Cork {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.gathered.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pull(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
