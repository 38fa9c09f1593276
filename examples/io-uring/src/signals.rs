//! SIGTERM and SIGINT as a descriptor. The ring waits on it as on any other.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

/// Blocks both signals for this thread and all threads that it starts, and returns the descriptor that is readable when
/// one has arrived. A signal that arrives early isn't lost.
pub fn told_to_stop() -> io::Result<OwnedFd> {
    let mut signals = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initializes the set, which is used only after that; nothing else keeps a pointer to it. The
    // descriptor is new and nobody else's.
    unsafe {
        check(libc::sigemptyset(signals.as_mut_ptr()))?;
        check(libc::sigaddset(signals.as_mut_ptr(), libc::SIGTERM))?;
        check(libc::sigaddset(signals.as_mut_ptr(), libc::SIGINT))?;
        check(libc::sigprocmask(libc::SIG_BLOCK, signals.as_ptr(), ptr::null_mut()))?;
        check(libc::signalfd(-1, signals.as_ptr(), libc::SFD_CLOEXEC)).map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
