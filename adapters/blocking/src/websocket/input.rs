//! Received bytes that have not been handled yet.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use crate::Transport;

/// The size of a read. It fits into a first-level cache together with the data of the caller.
const INPUT_SIZE: usize = 16 << 10;

/// Sockets accept no timeout of zero.
pub(super) const MIN_TIMEOUT: Duration = Duration::from_millis(1);

thread_local! {
    /// The buffer of a thread, for the connection that it is reading from. Other connections have none.
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

#[derive(Debug, Default)]
pub(super) struct Input {
    /// Present while it has unhandled bytes.
    buffer: Option<Box<[u8]>>,
    /// The unhandled bytes are `start..end`.
    start: usize,
    end: usize,
    /// Nothing more can be read.
    pub(super) at_eof: bool,
}

impl Input {
    /// Reads with a timeout, and returns the number of bytes. The previous input must have been consumed.
    pub(super) fn read(&mut self, transport: &mut impl Transport, timeout: Option<Duration>) -> io::Result<usize> {
        debug_assert!(self.is_empty(), "what was read before is handled first");
        transport.set_read_timeout(timeout.map(|timeout| timeout.max(MIN_TIMEOUT)))?;
        let mut buffer = SPARE.take().unwrap_or_else(|| vec![0; INPUT_SIZE].into());
        let read = transport.read_once(&mut buffer);
        self.buffer = Some(buffer);
        self.end = *read.as_ref().unwrap_or(&0);
        self.keep(self.end);
        read
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

    pub(super) fn is_full(&self) -> bool {
        self.end - self.start == INPUT_SIZE
    }
}
