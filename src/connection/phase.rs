//! The phases of a connection, each with its data, and what callers see of them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::close::CloseCode;
use crate::event::Closed;
use crate::handshake::{ClientHandshake, HandshakeResponse, HeadReader, Purpose};

/// The state of a connection: the `readyState` of a browser's `WebSocket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The opening handshake is in progress.
    Connecting,
    /// Messages can be sent and received.
    Open,
    /// We sent a Close frame; the peer may still send messages until its own comes.
    Closing,
    /// The connection is closed; the output may still be drained.
    Closed,
}

/// How to shut the transport down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportShutdown {
    /// Shut down the writing side, read and discard until the peer does the same (for a bounded time), then close, so
    /// that no reset overtakes the last bytes.
    Graceful,
    /// Close at once.
    Abort,
}

/// The phase of a connection: how received bytes are handled, and the data for that.
pub(super) enum Phase {
    /// A server collects the head of the request. Before its first byte there is no reader.
    Request(Option<Box<HeadReader>>),
    /// A server's request waits for `accept` or `reject`.
    AwaitingAnswer(Box<AwaitingAnswer>),
    /// A client collects the response.
    Response(Box<ClientHandshake>),
    /// A server has accepted; frames that came before that are received first.
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

/// Frames that came before the request was accepted.
#[derive(Default)]
pub(super) struct EarlyData {
    pub(super) bytes: Vec<u8>,
    /// Those before it have been received.
    pub(super) start: usize,
}

/// The events that are still to be delivered when a connection has ended.
pub(super) struct LastEvents {
    /// At a client: the response that wasn't 101.
    pub(super) rejected: Option<Box<HandshakeResponse>>,
    pub(super) closed: Box<Closed>,
}

impl Phase {
    /// Frames are received, and nothing else comes first.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// The public state.
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

/// The end of a closed connection's transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransportEnd {
    /// A client lets the server close first (RFC 6455 section 7.1.1).
    AwaitEof,
    /// The output is written before.
    Graceful,
    Abort,
}
