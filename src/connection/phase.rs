//! The phases of a connection with their data, and the public types that reflect them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::close::CloseCode;
use crate::event::Closed;
use crate::handshake::{ClientHandshake, HandshakeResponse, HeadReader, Purpose};

/// The state of a connection, like `readyState` of a browser's `WebSocket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The opening handshake is in progress.
    Connecting,
    /// The connection is open: messages can be sent and received.
    Open,
    /// We sent a Close frame. The peer may still send messages until its own Close frame.
    Closing,
    /// The connection is closed. Output may still be pending.
    Closed,
}

/// The way to shut down the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportShutdown {
    /// Shut down the write half, then read and discard until EOF (for a bounded time), then close. Closing right away
    /// could cause a reset, which discards the last bytes that we sent.
    Graceful,
    /// Close the transport immediately.
    Abort,
}

/// The phase of a connection, which decides how received bytes are handled, with the data for it.
pub(super) enum Phase {
    /// A server reads the head of the request. Before the first byte there is no reader.
    Request(Option<Box<HeadReader>>),
    /// A server has a pending request, to be answered by `accept` or `reject`.
    AwaitingAnswer(Box<AwaitingAnswer>),
    /// A client reads the response.
    Response(Box<ClientHandshake>),
    /// A server has accepted. Frames that were buffered before that are received first.
    OpenEarlyData { data: Box<EarlyData>, close_sent: CloseSent },
    /// Frames are received.
    Open { close_sent: CloseSent },
    /// Received bytes are discarded.
    Closed { transport: TransportEnd, last: Option<Box<LastEvents>> },
}

/// The code of our Close frame, if we sent the first.
pub(super) type CloseSent = Option<CloseCode>;

pub(super) struct AwaitingAnswer {
    pub(super) purpose: Purpose,
    /// Bytes that followed the request, at most [`Config::max_handshake_size`](crate::Config::max_handshake_size).
    pub(super) early_data: Vec<u8>,
}

/// Frames that arrived before the request was accepted.
#[derive(Default)]
pub(super) struct EarlyData {
    pub(super) bytes: Vec<u8>,
    /// The bytes before this position have been received.
    pub(super) start: usize,
}

/// The events that are still to be delivered when a connection has ended.
pub(super) struct LastEvents {
    /// The response other than 101 (client only).
    pub(super) rejected: Option<Box<HandshakeResponse>>,
    pub(super) closed: Box<Closed>,
}

impl Phase {
    /// Returns whether frames are received and no early data is left.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// Returns the public state.
    #[inline]
    pub(super) fn state(&self) -> State {
        match self {
            Self::Request(_) | Self::AwaitingAnswer(_) | Self::Response(_) => State::Connecting,
            Self::Open { close_sent: None } | Self::OpenEarlyData { close_sent: None, .. } => State::Open,
            Self::Open { .. } | Self::OpenEarlyData { .. } => State::Closing,
            Self::Closed { .. } => State::Closed,
        }
    }
}

/// The way in which the transport of a closed connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportEnd {
    /// A client lets the server close first (RFC 6455 section 7.1.1).
    AwaitEof,
    /// Shut down after the output has been written.
    Graceful,
    Abort,
}
