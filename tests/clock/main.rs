//! The clock contract: whatever order a loop reads, sets the time, receives and writes in, and however late it is, no
//! message that the transport holds is lost, no living peer is dropped, and no dead one is kept.
//!
//! | file | content |
//! |---|---|
//! | `scenario` | a loop whose order of steps is data, its peer, and what happens to it |
//! | `world` | a connection in it, over a simulated transport |
//! | `orders` | every order of steps in every scenario |
//! | `random` | any order, with calls, delays and pauses at any moment |
//! | `cases` | one test for each fault that was found, step by step |

#![expect(clippy::unchecked_time_subtraction, reason = "a time that runs backwards here is to fail the test")]

mod cases;
mod orders;
mod random;
mod scenario;
#[path = "../support/mod.rs"]
mod support;
mod world;
