//! Signals as events of the poll: a signal handler writes to a pipe, which wakes the loop.

/// A request to the process.
pub enum Signal {
    /// SIGINT or SIGTERM.
    Stop,
    /// SIGUSR1.
    #[cfg(feature = "memory")]
    PrintMemory,
}

pub use system::Signals;

#[cfg(unix)]
mod system {
    use std::io;

    use mio::{Interest, Registry, Token};
    #[cfg(feature = "memory")]
    use signal_hook::consts::SIGUSR1;
    use signal_hook::consts::{SIGINT, SIGTERM};

    use super::Signal;

    pub struct Signals(signal_hook_mio::v1_0::Signals);

    impl Signals {
        pub fn register(registry: &Registry, token: Token) -> io::Result<Self> {
            let wanted = [
                SIGINT,
                SIGTERM,
                #[cfg(feature = "memory")]
                SIGUSR1,
            ];
            let mut signals = signal_hook_mio::v1_0::Signals::new(wanted)?;
            registry.register(&mut signals, token, Interest::READABLE)?;
            Ok(Self(signals))
        }

        /// The next signal that has come.
        pub fn next(&mut self) -> Option<Signal> {
            self.0.pending().next().map(|signal| match signal {
                #[cfg(feature = "memory")]
                SIGUSR1 => Signal::PrintMemory,
                _ => Signal::Stop,
            })
        }
    }
}

/// Without signals, only killing the process ends it.
#[cfg(not(unix))]
mod system {
    use std::io;

    use mio::{Registry, Token};

    use super::Signal;

    pub struct Signals;

    impl Signals {
        pub fn register(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        pub fn next(&mut self) -> Option<Signal> {
            None
        }
    }
}
