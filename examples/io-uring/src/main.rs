//! A WebSocket server on one thread and `io_uring`: the kernel receives into buffers that it was given in advance, and
//! sends from buffers that the server hands to it.
//!
//! ```text
//! cargo run --release -p example-io-uring -- [ADDRESS]
//! ```
//!
//! `/` is a chat page for browsers, messages sent to `/chat` go to everyone there, and every other path echoes. SIGTERM
//! and SIGINT stop it: it closes all connections and waits for at most 5 seconds. The server needs Linux 6.1 or later
//! with `io_uring` allowed. Many containers forbid `io_uring`: then the server prints why, and exits with 2.
//!
//! # The flow of bytes
//!
//! ```text
//!           completions                                     input, in the kernel's buffer
//!  kernel ──────────────► Server::handle ──► Socket::received ───────────────────────────► Connection::receive
//!    ▲       ring.rs        server.rs          socket.rs                                            │ events
//!    │                                                                                              ▼
//!    │                                                                                        Peer::handle
//!    │                                                                                              │ messages
//!    │      operations                                      output, a copy of 64 KiB at most        ▼
//!    └───────────────── Server::next_ops ◄── Socket::next_ops ◄──────────────────────────── Connection::output
//! ```
//!
//! - **In**: a `Receive` stays with the kernel and completes for each arrival, with one of 256 shared buffers. The
//!   connection unmasks the bytes there, and the buffer goes back immediately. While a peer leaves much output unread,
//!   its `Receive` is canceled, and TCP holds it back.
//! - **Out**: each peer has one `Send` in flight. Its bytes are a copy, and stay in the output until the completion
//!   says how many were sent. So the connection always knows how much its peer has accepted, however large a message
//!   is.
//! - **A slot** is the place of a connection in the kernel's table. It has one owner from `Accept` to the completion of
//!   `Close`; `socket.rs` has its states.
//! - **A deadline** takes effect once everything that had arrived before it has been handled: see
//!   `horizon.rs`.
//!
//! Only `ring.rs`, `buffers.rs` and `signals.rs` know the kernel, and they have all the `unsafe` code. For the other
//! files, completions go in and operations come out, so that the tests can play the kernel.

mod acceptor;
mod buffers;
// The heap of the mio example, which doesn't know what waits for the deadlines.
#[path = "../../mio/src/deadlines.rs"]
mod deadlines;
mod horizon;
mod ops;
mod peer;
mod ring;
mod server;
mod signals;
mod socket;
#[cfg(test)]
mod tests;

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Instant;

use ring::Ring;
use server::Server;

/// The most bytes that the kernel keeps unsent for one peer. They are out of the connection's sight: a slow peer takes
/// long to read them, and a keepalive's ping comes after them.
const MAX_UNSENT: u32 = 128 << 10;

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    let prepared = listen(&address).and_then(|listener| Ok((listener, signals::told_to_stop()?)));
    let (listener, signals) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("io-uring: {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    // The address is printed when it is clear that somebody will answer there.
    let address = listener.local_addr().map_or(address, |address| address.to_string());
    let ring = match Ring::new(listener, signals) {
        Ok(ring) => ring,
        Err(error) => {
            eprintln!(
                "io-uring: io_uring is not available (it needs Linux 6.1 or later, and containers may forbid it): {error}"
            );
            return ExitCode::from(2);
        }
    };
    println!(
        "io-uring: listening on {address}: http://{address}/ is a chat page, ws://{address}/chat the chat, any other path echoes"
    );
    match run(ring) {
        Ok(left) => {
            let how = if left == 0 { "all connections are closed" } else { "some connections were still open" };
            println!("io-uring: stopped, {how}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("io-uring: {error}");
            ExitCode::FAILURE
        }
    }
}

fn listen(address: &str) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // Accepted sockets inherit both.
    let options = socket2::SockRef::from(&listener);
    options.set_tcp_nodelay(true)?;
    options.set_tcp_notsent_lowat(MAX_UNSENT)?;
    Ok(listener)
}

/// Serves until a signal stops the process. Returns the number of peers that hadn't left in time.
fn run(mut ring: Ring) -> io::Result<usize> {
    let start = Instant::now();
    let mut server = Server::new(ring.slots());
    let mut caught_up = true;
    loop {
        for op in server.next_ops(caught_up) {
            ring.submit(op)?;
        }
        if let Some(left) = server.stopped() {
            return Ok(left);
        }
        ring.wait(server.next_timeout().map(|at| at.saturating_sub(start.elapsed())))?;
        server.advance_time(start.elapsed());
        caught_up = ring.complete(|done| server.handle(done));
    }
}
