//! RFC 7692, row by row of the conformance table (`tests/conformance.md`): each test cites the `P` rows that it covers.
//!
//! Sent messages are inflated by [`inflate`], which is written from RFC 1951 alone and has exactly the negotiated
//! window.
#![cfg(feature = "deflate")]

#[allow(dead_code)]
#[path = "../rfc6455/checks.rs"]
mod checks;
mod connections;
mod context_takeover;
mod corrupt;
mod fragments;
#[path = "../support/inflate.rs"]
mod inflate;
mod negotiation;
mod negotiation_paths;
mod oracle;
mod parameters;
mod prepared;
mod receiving;
mod reference_receiver;
mod sending;
#[path = "../support/mod.rs"]
mod support;
