//! Received bytes that have not been handled yet. They are kept here and not in a future, so that dropping a future
//! loses none.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// The size of the buffer of a connection that reads little at once. It may keep the buffer while its messages are handled.
const INPUT_SIZE: usize = 16 << 10;

/// The size of the buffer of a connection whose last read brought at least [`INPUT_SIZE`] bytes. A read costs a system call:
/// with this size, a message of 16 KiB takes a tenth less CPU time (`benches/loopback`), with 128 KiB no less.
const LARGE_INPUT_SIZE: usize = 64 << 10;

thread_local! {
    /// The buffer of a thread, for the connection that has something to read. Other connections have none.
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

#[derive(Debug, Default)]
pub(super) struct Input {
    /// Present while it has unhandled bytes.
    buffer: Option<Box<[u8]>>,
    /// The unhandled bytes are `start..end`.
    start: usize,
    end: usize,
    /// The last read brought at least [`INPUT_SIZE`] bytes.
    reads_much: bool,
}

impl Input {
    /// Reads, and returns the number of bytes. The previous input must have been consumed.
    pub(super) fn poll_read(
        &mut self,
        transport: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let size = if self.reads_much { LARGE_INPUT_SIZE } else { INPUT_SIZE };
        let spare = SPARE.take().filter(|buffer| buffer.len() >= size);
        let mut buffer = spare.unwrap_or_else(|| vec![0; size].into());
        let mut read = ReadBuf::new(&mut buffer);
        let polled = Pin::new(transport).poll_read(cx, &mut read);
        let count = read.filled().len();
        self.buffer = Some(buffer);
        (self.start, self.end) = (0, count);
        self.reads_much = count >= INPUT_SIZE;
        if count == 0 {
            self.keep(0);
        }
        ready!(polled)?;
        Poll::Ready(Ok(count))
    }

    /// The unhandled bytes.
    pub(super) fn rest(&mut self) -> &mut [u8] {
        self.buffer.as_mut().map_or(&mut [], |buffer| &mut buffer[self.start..self.end])
    }

    /// Keeps only the last `left` bytes. If that is none, returns the buffer to the thread.
    pub(super) fn keep(&mut self, left: usize) {
        self.start = self.end - left;
        if left == 0
            && let Some(buffer) = self.buffer.take()
        {
            let larger = SPARE.take().filter(|spare| spare.len() > buffer.len());
            SPARE.set(Some(larger.unwrap_or(buffer)));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// A transport that fills every buffer up to a limit.
    struct Flood {
        limit: usize,
        /// The size of the last buffer.
        offered: usize,
    }

    impl AsyncRead for Flood {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.offered = buf.remaining();
            buf.advance(self.offered.min(self.limit));
            Poll::Ready(Ok(()))
        }
    }

    /// Reads up to `limit` bytes, and returns the size of the buffer that was offered for them.
    fn read(input: &mut Input, limit: usize) -> usize {
        let mut flood = Flood { limit, offered: 0 };
        let polled = input.poll_read(&mut flood, &mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(count)) if count == flood.offered.min(limit)));
        flood.offered
    }

    #[test]
    fn a_connection_that_reads_much_gets_a_larger_buffer() {
        let (mut busy, mut quiet, mut late) = (Input::default(), Input::default(), Input::default());
        assert_eq!(read(&mut busy, usize::MAX), INPUT_SIZE);
        busy.keep(0);
        assert_eq!(read(&mut busy, 100), LARGE_INPUT_SIZE);
        // The thread's buffer is in use, and this read brought little.
        assert_eq!(read(&mut quiet, 100), INPUT_SIZE);
        busy.keep(0);
        quiet.keep(0);
        // Of two buffers, the thread keeps the larger.
        assert_eq!(read(&mut late, 100), LARGE_INPUT_SIZE);
        assert_eq!(read(&mut busy, 100), INPUT_SIZE);
    }
}
