//! A WebSocket server on one thread: readiness by mio, one input buffer, one `Scratch` and one heap of deadlines for all
//! connections.
//!
//! ```text
//! cargo run --release --manifest-path examples/mio/Cargo.toml -- [ADDRESS]
//! ```
//!
//! `/` is a chat page for browsers, `/chat` says to all what one says, any other path echoes.
//!
//! ```text
//! poll ──► accept ──► Peer                       server.rs: whose turn it is
//!   │                   │
//!   └──► a turn: lend the scratch, read, handle events, write, take the scratch back     peer.rs
//!                       │
//!        deadlines ◄────┘ when it wants to be called again                               deadlines.rs
//! ```
//!
//! With the feature `memory` it says on SIGUSR1 what its connections take (memory.rs); `tests/loops/idle` asks.

mod deadlines;
#[cfg(feature = "memory")]
mod memory;
mod peer;
mod server;

use std::process::ExitCode;

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    match address.parse().map_err(std::io::Error::other).and_then(server::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mio: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}
