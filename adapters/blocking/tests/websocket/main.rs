//! Connections over loopback and over pairs of sockets.

mod both_send;
mod closing;
mod deadlines;
mod halves;
mod handshake;
mod messages;
mod support;
#[cfg(feature = "rustls")]
mod tls;
