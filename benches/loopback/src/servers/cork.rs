//! A socket of tokio that gathers what is written and writes it at once, before the next read from the socket.
//!
//! So everybody makes one read and one write for the messages that came together, however often they flush: the best for
//! those who flush with every message, and no worse for others. Large writes aren't gathered, since a copy of them costs
//! more than a system call.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::LocalSet;

pub(super) struct Cork {
    stream: TcpStream,
    gathered: Vec<u8>,
    /// So much of that is written.
    written: usize,
}

/// What is written straight to the socket, with what was gathered before.
const LARGE: usize = 8 << 10;

/// Runs a task for every connection, on one thread. None of them ends before the load does.
pub(super) fn serve<F>(streams: Vec<std::net::TcpStream>, task: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
{
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
        Self { stream, gathered: Vec::new(), written: 0 }
    }

    fn poll_pull(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.gathered.len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.gathered[self.written..]))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
        self.gathered.clear();
        self.written = 0;
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
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if data.len() < LARGE {
            this.gathered.extend_from_slice(data);
            return Poll::Ready(Ok(data.len()));
        }
        loop {
            let before = this.gathered.len() - this.written;
            let slices = [IoSlice::new(&this.gathered[this.written..]), IoSlice::new(data)];
            let written =
                ready!(Pin::new(&mut this.stream).poll_write_vectored(context, &slices[usize::from(before == 0)..]))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            this.written += written.min(before);
            if written > before {
                this.gathered.clear();
                this.written = 0;
                return Poll::Ready(Ok(written - before));
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pull(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
