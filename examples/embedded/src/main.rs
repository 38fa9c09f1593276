//! Echoes the messages of a WebSocket client on a wire, without an operating system or `std`, in a fixed
//! arena.
//!
//! On the host, the wire is standard input and output; on a Cortex-M4 board or in QEMU, it is a serial line:
//!
//! ```text
//! cargo build --release --manifest-path examples/embedded/Cargo.toml
//! rustup target add thumbv7em-none-eabihf
//! cargo build --release --manifest-path examples/embedded/Cargo.toml --target thumbv7em-none-eabihf
//! ```
//!
//! Size on the Cortex-M4, in bytes; `tests/loops/run embedded` prints the first line:
//!
//! | | code (`.text`) | constants (`.rodata`) |
//! |---|--:|--:|
//! | this program | 62,900 | 13,412 |
//! | of that, all but WebSocket: arena, board, log | 5,420 | 1,216 |
//!
//! | memory | |
//! |---|--:|
//! | a connection | 168 |
//! | and of the arena: idle | 152 |
//! | opening handshake, a head of 200 bytes | 932 |
//! | opening handshake, a head of 2,000 bytes | 4,408 |
//! | echo of 125, 500, 1,023 bytes | 420, 1,168, 2,216 |
//! | echo of 1 KiB and more, in chunks | 2,280 |
//!
//! `example-embedded-figures`, built for the board, measures the memory. On the host, pointers are twice as large:
//!
//! ```text
//! qemu-system-arm -machine mps2-an386 -display none -no-reboot -serial null -serial stdio -kernel example-embedded-figures
//! ```

#![no_std]
#![no_main]

use core::time::Duration;

use example_embedded::board::Board;
use example_embedded::echo::Echo;
use example_embedded::endpoint::Endpoint;
use example_embedded::{limits, program};
use websocket_proto::{Connection, Event, TransportShutdown};

program!(serve);

/// How long the peer may take to close its side.
const GOODBYE: Duration = Duration::from_secs(2);

fn serve(board: &mut Board) {
    let mut endpoint = Endpoint::new(Connection::server(limits::config()));
    let (mut echo, mut how) = (Echo::default(), None);
    while endpoint.conn.wants_shutdown().is_none() {
        let now = board.now();
        endpoint.turn(now, board, |conn, event| match event {
            Event::Closed(closed) => how = Some(closed),
            event => echo.handle(conn, event),
        });
        let is_full = endpoint.conn.pending_output() > 0;
        if endpoint.conn.wants_shutdown().is_none() {
            board.wait(endpoint.wants_input(), is_full, endpoint.conn.next_timeout());
        }
    }
    if let Some(closed) = how {
        board.log(format_args!("embedded: {closed}"));
    }
    let (most, reach, size) = (ARENA.most(), ARENA.reach(), limits::ARENA);
    board.log(format_args!("embedded: {most} bytes in use at most, the first {reach} of {size} used"));
    if endpoint.conn.wants_shutdown() == Some(TransportShutdown::Graceful) {
        board.shut_down();
        let until = board.now() + GOODBYE;
        while !endpoint.discard(board) && board.now() < until {
            board.wait(true, false, Some(until));
        }
    }
}
