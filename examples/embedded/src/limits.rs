//! The memory that a peer can make us use, and therefore the size of the arena.
//!
//! | what | at most, in bytes |
//! |---|--:|
//! | an idle connection: its configuration, a scratch | 200 |
//! | the head of a request while it arrives, and what is kept of it until it is answered | 2 × [`HEAD`], and its places |
//! | a message: assembled, collected and answered, in a buffer that doubles while the old one still exists | 8 × [`WHOLE`] |
//!
//! The head has been freed by the time messages arrive. `example-embedded-figures` measures the actual
//! numbers.

use core::time::Duration;

use websocket_proto::Config;

/// The longest head of a request or a response: enough for a browser with some cookies.
pub const HEAD: usize = 2 << 10;

/// From this size on, a message is delivered in chunks and is never in memory as a whole.
pub const WHOLE: usize = 1 << 10;

/// All memory for `Box`, `Vec` and `Arc`: the most that a peer can use, plus the gaps between allocations.
pub const ARENA: usize = 12 << 10;

/// The limits for a peer. No peer can fill the arena, and so no peer can end the program.
pub fn config() -> Config {
    Config::new()
        .max_handshake_size(HEAD)
        .max_headers(32)
        .max_rejection_body(256)
        .chunk_threshold(WHOLE as u64)
        .max_message_size(WHOLE as u64 - 1)
        .max_chunked_message_size(1 << 30)
        .max_fragments(64)
        // One input may contain the end of a large message and a small one: both are answered.
        .max_pending_output(2 * WHOLE)
        .handshake_timeout(Duration::from_secs(10))
        .close_timeout(Duration::from_secs(2))
        .keepalive(Duration::from_secs(30), Duration::from_secs(10))
}
