//! The server without a ring: the tests take the kernel's part.

mod client;
mod deadlines;
mod ending;
mod random;
mod script;
mod serving;
mod simulated;
