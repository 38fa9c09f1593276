//! Properties: rules that hold for any input, however it is split, and any order of calls.
//!
//! `PROPTEST_CASES` sets the number of cases for each of them.

#[cfg(feature = "std")]
mod actions;
mod chunking;
mod compression;
#[cfg(feature = "deflate")]
#[path = "../support/deflate.rs"]
mod deflate;
mod generate;
#[cfg(feature = "deflate")]
#[path = "../support/inflate.rs"]
mod inflate;
#[cfg(feature = "deflate")]
mod inflation;
mod model;
mod reference;
mod roundtrip;
// It reads the pending output through `chunks_vectored`.
#[cfg(feature = "std")]
mod state_table;
#[path = "../support/mod.rs"]
mod support;
