//! What the ring is asked to do, and what it says when that is done: all that the server and the ring know of each other.
//!
//! A peer is a number below [`PLACES`]: its place in the table of sockets that the kernel keeps for the ring.

use std::io;
use std::net::Shutdown;

use bytes::Bytes;

/// How many peers there may be. Linux allows at most as many as a process may open files: 1,024, where nobody has raised it.
pub const PLACES: usize = 1000;

#[derive(Debug, PartialEq, Eq)]
pub enum Op {
    /// Accepts, again and again.
    Accept,
    /// Receives, again and again, into whichever buffer is free.
    Receive(usize),
    /// Ends that; what has arrived before is still told of.
    StopReceiving(usize),
    /// Sends; one at a time. The bytes are the ring's until it says that they are sent.
    Send(usize, Bytes),
    /// What comes of it is told by what it ends.
    ShutDown(usize, Shutdown),
    /// Closes, once nothing else is under way.
    Close(usize),
}

#[derive(Debug)]
pub enum Done<'b> {
    /// `more`: it goes on.
    Accepted { peer: io::Result<usize>, more: bool },
    /// `more`: it goes on.
    Received { peer: usize, input: Input<'b>, more: bool },
    /// Hands the bytes back, of which so many are sent.
    Sent { peer: usize, bytes: Bytes, sent: io::Result<usize> },
    /// The place is free.
    Closed { peer: usize },
}

#[derive(Debug)]
pub enum Input<'b> {
    /// A buffer that is lent until this is handled.
    Bytes(&'b mut [u8]),
    /// It was stopped, or no buffer was free.
    Nothing,
    /// The peer sends no more.
    End,
    /// The connection is lost.
    Lost,
}
