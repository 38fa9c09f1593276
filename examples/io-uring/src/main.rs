//! A WebSocket server on one thread and `io_uring`: the kernel accepts and receives by itself, into buffers that it was
//! given before, and sends from buffers that it is handed.
//!
//! ```text
//! cargo run --release --manifest-path examples/io-uring/Cargo.toml -- [ADDRESS]
//! ```
//!
//! `/` is a chat page for browsers, `/chat` says to all what one says, any other path echoes. It needs Linux 6.1 or later,
//! and one that allows `io_uring`, which many containers don't: it says so then, and exits with 2.
//!
//! ```text
//!  kernel ── completions ──► Server ──► Peer: Connection::receive, in the kernel's buffer       peer.rs
//!    ▲                         │          │
//!    │  ring.rs: all that      │          └─► what to submit next: Output::take ──► Op::Send    next.rs
//!    │  is unsafe              ▼
//!    └────── operations ◄── Vec<Op>                                                             server.rs, ops.rs
//! ```
//!
//! Everything but `ring.rs` knows nothing of the kernel: completions go in, operations come out, and so the tests are the
//! kernel themselves.

// The same heap as with readiness: only who waits for it is another.
#[path = "../../mio/src/deadlines.rs"]
mod deadlines;
mod next;
mod ops;
mod peer;
mod ring;
mod server;
#[cfg(test)]
mod tests;

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Instant;

use ring::Ring;
use server::Server;

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let listener = match listen(&address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("io-uring: {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Nobody is told of the address before it is clear that somebody will answer there.
    let told = listener.local_addr().map_or(address, |address| address.to_string());
    let ring = match Ring::new(listener) {
        Ok(ring) => ring,
        Err(error) => {
            eprintln!("io-uring: no io_uring (Linux 6.1 or later) to be had here: {error}");
            return ExitCode::from(2);
        }
    };
    println!(
        "io-uring: listening on {told}: http://{told}/ is a chat page, ws://{told}/chat the chat, any other path echoes"
    );
    let Err(error) = run(ring);
    eprintln!("io-uring: {error}");
    ExitCode::FAILURE
}

fn listen(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // What is accepted inherits it.
    socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
    Ok(listener)
}

fn run(mut ring: Ring) -> io::Result<std::convert::Infallible> {
    let start = Instant::now();
    let mut server = Server::new();
    loop {
        for op in server.next_ops(start.elapsed()) {
            ring.submit(op)?;
        }
        ring.wait(server.next_timeout().map(|at| at.saturating_sub(start.elapsed())))?;
        server.advance_time(start.elapsed());
        ring.complete(|done| server.handle(done));
    }
}
