//! How much memory a peer can make us use, and so how large the arena must be.
//!
//! | what | at most, in bytes |
//! |---|--:|
//! | the head of a request, while it comes, and what is kept of it while it is answered | 2 × [`HEAD`], and its places |
//! | a message in assembly: its buffer grows by doubling, and both are there while it does | 3 × [`WHOLE`] |
//! | output: nothing is received while [`MTU`](crate::wire::MTU) bytes wait, so an answer and its growth | 4 × [`WHOLE`] |
//!
//! The first is gone when the others come. What it really is, `example-embedded-figures` measures.

use core::time::Duration;

use websocket_proto::Config;

/// The longest head of a request or a response: enough for a browser that has some cookies.
pub const HEAD: usize = 2 << 10;

/// From this size on, a message comes in pieces, and is never in memory as a whole.
pub const WHOLE: usize = 1 << 10;

/// All memory there is for `Box`, `Vec` and `Arc`.
pub const ARENA: usize = 12 << 10;

pub fn config() -> Config {
    Config::new()
        .max_handshake_size(HEAD)
        .max_headers(32)
        .max_rejection_body(256)
        .pieces_from(WHOLE as u64)
        .max_message_size(WHOLE as u64 - 1)
        .max_piecewise_size(1 << 30)
        .max_fragments(64)
        .max_pending_output(2 * WHOLE)
        .handshake_timeout(Duration::from_secs(10))
        .close_timeout(Duration::from_secs(2))
        .keepalive(Duration::from_secs(30), Duration::from_secs(10))
}
