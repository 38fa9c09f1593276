//! Properties: what holds for any input, any cut of it and any order of calls.
//!
//! `PROPTEST_CASES` sets how many cases each of them is tried with.

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
// It looks at what is pending through `chunks_vectored`.
#[cfg(feature = "std")]
mod state_table;
#[path = "../support/mod.rs"]
mod support;
