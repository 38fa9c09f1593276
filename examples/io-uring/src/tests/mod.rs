//! The server without a ring: the tests play the kernel.

mod client;
mod deadlines;
mod ending;
mod random;
mod script;
mod serving;
mod simulated;
