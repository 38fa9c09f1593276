//! The connection over pipes in memory, in real and in made-up time.

mod backpressure;
mod cancellation;
mod closing;
mod deadlines;
mod each_await;
mod floods;
mod halves;
mod handshake;
mod late;
mod slow;
mod support;
