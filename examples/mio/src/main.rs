//! A WebSocket server on one thread: readiness by mio, one input buffer, one `Scratch` and one heap of deadlines for all
//! connections.
//!
//! ```text
//! cargo run --release -p example-mio -- [ADDRESS]
//! ```
//!
//! `/` is a chat page for browsers, messages sent to `/chat` go to everyone there, every other path echoes. On Ctrl-C
//! and SIGTERM it closes all connections with 1001.
//!
//! ```text
//!        poll ──► listener.rs: a new connection        signals.rs: it is time to stop
//!          │           │
//!          ▼           ▼
//!        queue of the peers that have something to do                                      server.rs
//!          │
//!          └──► a turn: read, handle events, write; a bounded amount of work               peer.rs
//!                 │          │         the answers                                         answer.rs
//!                 │          └──────── the socket's readiness                              socket.rs
//!                 ▼
//!        deadlines: when the peer has to have another turn                                 deadlines.rs
//! ```
//!
//! With the feature `memory` it prints on SIGUSR1 how much memory its connections take (memory.rs).
//! `tests/loops/idle` uses this.

mod answer;
#[cfg(test)]
#[path = "tests/client.rs"]
mod client;
mod deadlines;
mod listener;
#[cfg(feature = "memory")]
mod memory;
mod peer;
mod server;
mod signals;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use server::Server;

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    match address.parse().map_err(io::Error::other).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mio: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(address: SocketAddr) -> io::Result<()> {
    let mut server = Server::bind(address)?;
    server.handle_signals()?;
    let address = server.address()?;
    println!(
        "mio: listening on {address}: http://{address}/ is a chat page, ws://{address}/chat the chat, any other path echoes"
    );
    let how = if server.run()? { "all connections are closed" } else { "some connections were still open" };
    println!("mio: stopped, {how}");
    Ok(())
}
