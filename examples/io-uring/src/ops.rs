//! Operations for the kernel, and their completions: the whole interface between the server and the ring.
//!
//! A slot is an index into the table of sockets that the kernel keeps for the ring. Exactly one completion of
//! each operation on a slot is its last one.

use std::io;
use std::net::Shutdown;

/// The most that one `Send` sends. It is little enough for a slow peer to show progress: at 150 KB/s, half a second.
pub const MAX_SEND: usize = 64 << 10;

#[derive(Debug, PartialEq, Eq)]
pub enum Op {
    /// Accepts one connection into a free slot.
    Accept(usize),
    /// Receives again and again, each time into whichever buffer is free.
    Receive(usize),
    /// Ends a `Receive`. The kernel may not find it; then it continues.
    CancelReceive(usize),
    /// Receives once and drops the bytes, a bounded number of them.
    Discard(usize),
    /// Sends up to [`MAX_SEND`] bytes, of which the socket may take fewer.
    Send(usize, Vec<u8>),
    /// Shuts down one or both directions, and so ends operations that wait for them.
    ShutDown(usize, Shutdown),
    /// Closes the socket. No other operation may be in flight in its slot.
    Close(usize),
    /// Rejects clients from now on; each `Accept` in flight fails.
    StopListening,
}

#[derive(Debug)]
pub enum Done<'b> {
    Accepted(usize, io::Result<()>),
    /// `more`: the `Receive` continues.
    Received {
        slot: usize,
        input: Input<'b>,
        more: bool,
    },
    /// Says nothing about the `Receive`, whose last completion comes on its own, before or after this one.
    ReceiveCanceled(usize),
    /// The number of bytes; zero is the peer's end.
    Discarded(usize, io::Result<usize>),
    /// Returns the buffer, and reports how much of it was sent.
    Sent(usize, Vec<u8>, io::Result<usize>),
    ShutDown(usize),
    Closed(usize),
    /// SIGTERM or SIGINT arrived.
    ToldToStop,
}

#[derive(Debug)]
pub enum Input<'b> {
    /// A buffer of the kernel, borrowed until this is handled.
    Bytes(&'b mut [u8]),
    /// The `Receive` was canceled, or no buffer was free.
    Nothing,
    /// The peer sends no more.
    End,
    /// The connection is lost.
    Lost,
}
