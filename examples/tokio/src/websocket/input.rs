//! What has arrived and isn't handled yet. It is kept here and in no future, so none of it is lost with one.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Fits the first-level cache, and so does what is done with it.
const SIZE: usize = 16 << 10;

thread_local! {
    /// A thread's buffer, for whichever connection has something to read: one that hasn't needs none.
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

#[derive(Debug, Default)]
pub(super) struct Input {
    /// There while something is in it.
    buffer: Option<Box<[u8]>>,
    /// What is left lies from here
    start: usize,
    /// to here.
    end: usize,
}

impl Input {
    /// Reads into the buffer, of which nothing is left; how many bytes came.
    pub(super) fn poll_read(
        &mut self,
        transport: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = SPARE.take().unwrap_or_else(|| vec![0; SIZE].into());
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

    pub(super) fn rest(&mut self) -> &mut [u8] {
        self.buffer.as_mut().map_or(&mut [], |buffer| &mut buffer[self.start..self.end])
    }

    /// All but the last bytes are handled.
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
