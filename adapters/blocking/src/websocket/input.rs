//! Received bytes that have not been handled yet.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use crate::Transport;

/// The size of the buffer of a connection that reads little at once. It fits into a first-level cache together with the data
/// of the caller.
const INPUT_SIZE: usize = 16 << 10;

/// The size of the buffer of a connection whose last read brought at least [`INPUT_SIZE`] bytes. A read costs a system call.
const LARGE_INPUT_SIZE: usize = 64 << 10;

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
    /// The last read brought at least [`INPUT_SIZE`] bytes.
    reads_much: bool,
    /// Nothing more can be read.
    pub(super) at_eof: bool,
}

impl Input {
    /// Reads with a timeout, and returns the number of bytes. The previous input must have been consumed.
    pub(super) fn read(&mut self, transport: &mut impl Transport, timeout: Option<Duration>) -> io::Result<usize> {
        debug_assert!(self.is_empty(), "what was read before is handled first");
        transport.set_read_timeout(timeout.map(|timeout| timeout.max(MIN_TIMEOUT)))?;
        let size = if self.reads_much { LARGE_INPUT_SIZE } else { INPUT_SIZE };
        let spare = SPARE.take().filter(|buffer| buffer.len() >= size);
        let mut buffer = spare.unwrap_or_else(|| vec![0; size].into());
        let read = transport.read_once(&mut buffer);
        self.buffer = Some(buffer);
        self.end = *read.as_ref().unwrap_or(&0);
        self.reads_much = self.end >= INPUT_SIZE;
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
            let larger = SPARE.take().filter(|spare| spare.len() > buffer.len());
            SPARE.set(Some(larger.unwrap_or(buffer)));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Returns whether the last read filled its buffer, so that more may be waiting.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.as_ref().is_some_and(|buffer| self.end - self.start == buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::Shutdown;

    use super::*;

    /// A transport that fills every buffer up to a limit.
    struct Flood {
        limit: usize,
        /// The size of the last buffer.
        offered: usize,
    }

    impl Read for Flood {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.offered = buffer.len();
            Ok(self.offered.min(self.limit))
        }
    }

    impl Write for Flood {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Transport for Flood {
        fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
            Ok(())
        }

        fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
            Ok(())
        }

        fn shutdown(&mut self, _: Shutdown) -> io::Result<()> {
            Ok(())
        }
    }

    /// Reads up to `limit` bytes, and returns the size of the buffer that was offered for them.
    fn read(input: &mut Input, limit: usize) -> usize {
        let mut flood = Flood { limit, offered: 0 };
        assert_eq!(input.read(&mut flood, None).unwrap(), flood.offered.min(limit));
        assert_eq!(input.is_full(), limit >= flood.offered);
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
