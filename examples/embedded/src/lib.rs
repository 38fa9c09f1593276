//! A WebSocket endpoint without an operating system: no `std`, all memory from a fixed arena, a serial line for a
//! transport, a tick counter for a clock.
//!
//! ```text
//! wire (UART, modem, …) ──► Endpoint: a few bytes in, events, a few bytes out       endpoint.rs, wire.rs
//!                              │   ▲    └─► Echo, or whatever a device does            echo.rs
//!               Box, Vec, Arc  ▼   └── ticks                                        board/
//!                   Arena: first fit in an array                                    arena.rs, limits.rs
//! ```

#![no_std]

extern crate alloc;

pub mod arena;
#[cfg_attr(unix, path = "board/host.rs")]
#[cfg_attr(target_os = "none", path = "board/mps2.rs")]
pub mod board;
pub mod echo;
pub mod endpoint;
pub mod limits;
pub mod program;
#[cfg(test)]
mod tests;
pub mod wire;

/// The parts of a program's entry.
#[doc(hidden)]
#[cfg(target_os = "none")]
pub use cortex_m_rt;
