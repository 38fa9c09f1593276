//! Received bytes that have not been handled yet. They are kept here and not in a future, so that dropping a future
//! loses none.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// The size of a read. It fits into a first-level cache together with the data of the caller.
const INPUT_SIZE: usize = 16 << 10;

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
}

impl Input {
    /// Reads, and returns the number of bytes. The previous input must have been consumed.
    pub(super) fn poll_read(
        &mut self,
        transport: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = SPARE.take().unwrap_or_else(|| vec![0; INPUT_SIZE].into());
        let mut read = ReadBuf::new(&mut buffer);
        let polled = Pin::new(transport).poll_read(cx, &mut read);
        let count = read.filled().len();
        self.buffer = Some(buffer);
        (self.start, self.end) = (0, count);
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
            SPARE.set(Some(buffer));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }
}
