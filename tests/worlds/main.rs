//! Small worlds, explored exhaustively: two endpoints joined in memory, a small alphabet of calls, and every order of them up
//! to a depth.
//!
//! | file | what it holds |
//! |---|---|
//! | `action` | the alphabet, and the worlds: which part of it each explores |
//! | `world` | two endpoints, the transport between them, and their clock |
//! | `endpoint` | one of them, with the invariants that hold after every action |
//! | `transport` | one direction of the transport between them |
//! | `model` | what each end has to send, to receive and to report, from the table of causes alone |
//! | `wire` | the frames of a stream, decoded from RFC 6455 alone |
//! | `identity` | which states are the same |
//! | `finish` | a fair end: from every state, both connections end |
//! | `search` | breadth first, over states that are reached by a replay of their path |
//!
//! A `Connection` can't be copied, so a state is its path, replayed. Two paths lead to one state if [`identity`] says so; for
//! every sixteenth of those that are merged the search checks that every action has the same outcome in both. And
//! [`every_path`] merges none.
//!
//! The explored states, without merged ones:
//!
//! | world | depth | states | transitions |
//! |---|--:|--:|--:|
//! | [`talking`]: messages, fragments, pings and Close frames, cut at every byte | 5 | 22,151 | 41,142 |
//! | [`closing`]: messages, Close frames and aborts; a transport that breaks, time that passes | 7 | 67,071 | 161,588 |
//! | [`keepalive`]: messages and Close frames, time that passes | 8 | 33,144 | 71,900 |
//! | [`closing_slowly`]: the same and a transport that breaks, without a deadline of the closing handshake | 7 | 24,349 | 55,127 |
//! | [`opening`]: the opening handshake, with all of the above | 7 | 16,258 | 36,353 |
//! | [`violations`]: messages and Close frames, frames that are none, time that passes | 6 | 14,918 | 33,813 |
//! | [`every_path`]: everything but the opening handshake, nothing merged | 4 | 57,555 | 57,554 |
//!
//! `WORLDS_DEPTH=1` goes one action deeper in all but the last, which takes three to six times as long.

#![cfg(feature = "std")]
#![expect(clippy::unchecked_time_subtraction, reason = "a time that runs backwards here is to fail the test")]
#![expect(clippy::struct_excessive_bools, reason = "what may happen and what has happened, each on its own")]

mod action;
mod endpoint;
mod finish;
mod identity;
mod model;
mod search;
#[path = "../support/mod.rs"]
mod support;
mod transport;
mod wire;
mod world;

use action::Scenario;
use search::{explore, explore_paths};

/// Messages, fragments and pings from both sides, cut at every byte.
#[test]
fn talking() {
    explore(&Scenario::TALKING);
}

/// Closing and aborting from either side, at any moment, in a transport that may break and on a clock
/// that passes every deadline.
#[test]
fn closing() {
    explore(&Scenario::CLOSING);
}

/// Silence, and whatever ends it.
#[test]
fn keepalive() {
    explore(&Scenario::KEEPALIVE);
}

/// The same, where only silence ends a closing handshake.
#[test]
fn closing_slowly() {
    explore(&Scenario::CLOSING_SLOWLY);
}

/// The opening handshake, answered, late, or broken off.
#[test]
fn opening() {
    explore(&Scenario::OPENING);
}

/// A peer that breaks the protocol.
#[test]
fn violations() {
    explore(&Scenario::VIOLATIONS);
}

/// Every path on its own: no two states are taken for the same.
#[test]
fn every_path() {
    explore_paths(&Scenario::EVERYTHING);
}
