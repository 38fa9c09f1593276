//! The host as a board: standard input and output are the wire, standard error is the log, using only the C library.

use core::fmt::{self, Write};
use core::time::Duration;

use libc::{POLLIN, POLLOUT, c_int, c_void, pollfd};

use crate::wire::Wire;

pub struct Board {
    start: Duration,
}

impl Board {
    pub fn new() -> Self {
        Self { start: clock() }
    }

    /// For a peer that has lost its connection.
    pub fn again() -> Self {
        Self::new()
    }

    /// Since the start.
    pub fn now(&self) -> Duration {
        clock() - self.start
    }

    /// Sleeps until it can read or write, if that is wanted, or until that time.
    pub fn wait(&self, to_read: bool, to_write: bool, until: Option<Duration>) {
        // Rounded up, so that the time has passed when it returns.
        let millis = |at: Duration| at.saturating_sub(self.now()).as_nanos().div_ceil(1_000_000);
        let timeout = until.map_or(-1, |at| c_int::try_from(millis(at)).unwrap_or(c_int::MAX));
        poll([(0, POLLIN, to_read), (1, POLLOUT, to_write)], timeout);
    }

    /// 32 unpredictable bytes.
    pub fn entropy(&mut self) -> [u8; 32] {
        let mut entropy = [0; 32];
        // SAFETY: it writes as many bytes.
        let failed = unsafe { libc::getentropy(entropy.as_mut_ptr().cast(), entropy.len()) };
        assert!(failed == 0, "no entropy");
        entropy
    }

    pub fn log(&mut self, line: fmt::Arguments<'_>) {
        let _ = writeln!(Log, "{line}");
    }

    /// Ends the output.
    pub fn shut_down(&mut self) {
        // SAFETY: nothing in this program refers to it except by its number.
        unsafe { libc::close(1) };
    }

    pub fn end(&mut self, well: bool) -> ! {
        // SAFETY: it ends the process, whatever its state.
        unsafe { libc::_exit(c_int::from(!well)) }
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

impl Wire for Board {
    fn receive(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if !poll([(0, POLLIN, true)], 0) {
            return Some(0);
        }
        // SAFETY: it writes at most as many bytes as the buffer has.
        let count = unsafe { libc::read(0, buffer.as_mut_ptr().cast(), buffer.len()) };
        usize::try_from(count).ok().filter(|&count| count > 0)
    }

    fn send(&mut self, bytes: &[u8]) -> usize {
        // A pipe that is ready for writing accepts that many bytes without blocking.
        let count = bytes.len().min(libc::PIPE_BUF);
        if poll([(1, POLLOUT, true)], 0) { write(1, &bytes[..count]) } else { 0 }
    }
}

struct Log;

impl Write for Log {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write(2, text.as_bytes());
        Ok(())
    }
}

fn write(file: c_int, bytes: &[u8]) -> usize {
    // SAFETY: it reads as many bytes.
    let count = unsafe { libc::write(file, bytes.as_ptr().cast::<c_void>(), bytes.len()) };
    // Errors are ignored here: a peer that is gone shows when we read.
    usize::try_from(count).unwrap_or(bytes.len())
}

/// Returns whether one of the wanted files is ready, or becomes so within that many milliseconds.
fn poll<const N: usize>(files: [(c_int, i16, bool); N], timeout: c_int) -> bool {
    // A negative file is ignored.
    let mut files = files.map(|(fd, events, wanted)| pollfd { fd: if wanted { fd } else { -1 }, events, revents: 0 });
    // SAFETY: the count is that of the entries.
    unsafe { libc::poll(files.as_mut_ptr(), N as libc::nfds_t, timeout) > 0 }
}

fn clock() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes the time to that place.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    Duration::new(time.tv_sec.cast_unsigned(), time.tv_nsec as u32)
}

/// The host's `alloc` was compiled for programs that unwind, and refers to a function for that. Nothing unwinds here: a
/// panic ends the program.
#[cfg(not(test))]
mod unwinding {
    #[unsafe(no_mangle)]
    extern "C" fn rust_eh_personality() {}

    #[unsafe(no_mangle)]
    extern "C" fn _Unwind_Resume() -> ! {
        unreachable!("nothing unwinds")
    }
}
