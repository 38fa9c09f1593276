//! A simulated world: a server of thousands of connections on one thread, its clients, the transports between them, and one
//! clock. A seed decides everything, so it makes one trace.
//!
//! | file | what it holds |
//! |---|---|
//! | `random` | numbers from a seed |
//! | `content` | messages that a receiver knows to be right by themselves |
//! | `plan` | the events of a session: messages, floods, faults, its end; and its settings, with every one of compression |
//! | `end` | an end: its connection, its socket, and one turn of its loop |
//! | `deadlines` | which deadlines an end has to meet, and that it does |
//! | `memory` | the documented bound of what the server's connections hold |
//! | `session` | the two ends of a session, and what is said between them |
//! | `world` | all sessions, the transports, the clock, and what happens to all of them: broadcasts, jumps, a server that goes down |
//! | `tally` | what a run consisted of |
//!
//! In every step, messages arrive whole, once and in order, and all of them where both ends agree that the
//! connection was closed; each end reports one `Closed`; a deadline takes effect in the turns after it has passed and not
//! before; the server's connections hold no more memory than is documented; no loop turns without progress.
//!
//! A run has [`SESSIONS`] sessions: one world with 10,000 connections at once, and many of 100. `tests/nightly` runs
//! 1,000,000. A seed that fails is named with the command that replays it.
#![cfg(feature = "deflate")]
#![expect(clippy::struct_excessive_bools, reason = "what a turn did, each on its own")]

mod content;
mod deadlines;
mod end;
#[path = "../support/heap.rs"]
mod heap;
mod memory;
mod plan;
mod random;
mod session;
mod tally;
mod world;

use std::panic::catch_unwind;

use heap::Counting;
use tally::Tally;
use world::World;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The sessions of a run; `SIMULATION_SESSIONS` sets another number.
const SESSIONS: usize = 10_000;
/// The sessions of most worlds.
const FEW: usize = 100;
/// The sessions of the largest world: two connections each, some of which end before others begin.
const MANY: usize = 5_500;
/// The connections that it has at once, at least.
const CONNECTIONS: usize = 10_000;

/// One large world.
#[test]
fn a_world_of_ten_thousand_connections() {
    if number("SIMULATION_SEED").is_none() {
        let tally = run(1, MANY);
        println!("{tally:?}");
        assert!(tally.has_connections(CONNECTIONS), "{tally:?}");
    }
}

/// Small worlds, each of another seed; or the one of `SIMULATION_SEED`.
#[test]
fn worlds_of_a_hundred_sessions() {
    if let Some(seed) = number("SIMULATION_SEED") {
        let sessions = number("SIMULATION_SESSIONS").map_or(FEW, |sessions| sessions as usize);
        println!("{:?}", run(seed, sessions));
        return;
    }
    let sessions = number("SIMULATION_SESSIONS").map_or(SESSIONS - MANY, |sessions| sessions as usize);
    // Another run begins with another seed.
    let first = number("SIMULATION_FIRST").unwrap_or(1000);
    let mut tally = Tally::default();
    for seed in (first..).take(sessions.div_ceil(FEW)) {
        tally += run(seed, FEW);
    }
    println!("{tally:?}");
    assert!(tally.has_everything(), "{tally:?}");
}

/// The same seed makes the same trace.
#[test]
fn a_seed_makes_one_trace() {
    assert_eq!(run(7, 30), run(7, 30));
}

fn run(seed: u64, sessions: usize) -> Tally {
    catch_unwind(|| World::new(seed, sessions).run()).unwrap_or_else(|cause| {
        eprintln!(
            "replay: SIMULATION_SEED={seed} SIMULATION_SESSIONS={sessions} cargo test --all-features --test simulation \
             worlds_of_a_hundred_sessions -- --nocapture"
        );
        std::panic::resume_unwind(cause)
    })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("a number"))
}
