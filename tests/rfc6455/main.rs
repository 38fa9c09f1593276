//! RFC 6455, row by row of the conformance table (`tests/conformance.md`): each test names the rows that it holds.
//!
//! `C` rows bind clients, `S` rows servers, `B` rows both.

mod both;
mod client;
mod server;
#[path = "../support/mod.rs"]
mod support;
