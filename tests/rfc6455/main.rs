//! RFC 6455, row by row of the conformance table (`tests/conformance.md`): each test names the rows that it holds.
//!
//! `C` rows bind clients, `S` rows servers, `B` rows both.

mod calls;
mod checks;
mod client;
mod closing;
mod control;
mod deadlines;
mod fragmentation;
mod framing;
mod heads;
mod limits;
mod negotiation;
mod output;
mod server;
mod splitting;
#[path = "../support/mod.rs"]
mod support;
mod text;
