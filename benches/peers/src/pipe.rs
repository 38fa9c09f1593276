//! A transport without a network: reads come from a wire, writes go to a counting sink, and both are always ready.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, IoSlice, Read, Write};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::wire::Wire;

/// The destination of output, which counts it. All clones of a sink are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink(Rc<Written>);

#[derive(Debug, Default)]
struct Written {
    bytes: Cell<u64>,
    /// All bytes that were written, if they are to be checked.
    record: Option<RefCell<Vec<u8>>>,
}

impl Sink {
    /// A sink that keeps what is written.
    pub(crate) fn recording() -> Self {
        Self(Rc::new(Written { bytes: Cell::new(0), record: Some(RefCell::default()) }))
    }

    #[inline]
    pub(crate) fn write(&self, bytes: &[u8]) -> usize {
        let bytes = std::hint::black_box(bytes);
        self.0.bytes.set(self.0.bytes.get() + bytes.len() as u64);
        if let Some(record) = &self.0.record {
            record.borrow_mut().extend_from_slice(bytes);
        }
        bytes.len()
    }

    #[inline]
    pub(crate) fn write_vectored(&self, slices: &[IoSlice<'_>]) -> usize {
        slices.iter().map(|slice| self.write(slice)).sum()
    }

    /// The number of bytes written since the last call.
    pub(crate) fn take(&self) -> u64 {
        self.0.bytes.take()
    }

    /// The bytes written since the last call, if they are kept.
    pub(crate) fn take_record(&self) -> Option<Vec<u8>> {
        self.0.record.as_ref().map(RefCell::take)
    }
}

/// Both directions, for entries that need a stream: blocking, tokio's or that of the futures crates.
#[derive(Clone, Debug)]
pub(crate) struct Pipe {
    pub(crate) wire: Wire,
    pub(crate) sink: Sink,
}

impl Pipe {
    pub(crate) fn new(wire: Wire, sink: Sink) -> Self {
        Self { wire, sink }
    }

    pub(crate) fn reading(wire: Wire) -> Self {
        Self::new(wire, Sink::default())
    }

    pub(crate) fn writing(sink: Sink) -> Self {
        Self::new(Wire::silent(), sink)
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.wire.read(buffer))
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.sink.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.sink.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl tokio::io::AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(self.wire.next(buffer.remaining()));
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.sink.write(bytes)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.sink.write_vectored(slices)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl futures_util::AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.wire.read(buffer)))
    }
}

impl futures_util::AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.sink.write(bytes)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.sink.write_vectored(slices)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The result of a future that never has to wait, because the pipe is always ready. No runtime is involved.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("a pipe is always ready"),
    }
}
