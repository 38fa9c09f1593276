//! The alphabet, and the worlds that are made of it.

use std::time::Duration;

use websocket_proto::{Config, Role};

pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
pub(crate) const IDLE: Duration = Duration::from_secs(30);
pub(crate) const SILENCE: Duration = Duration::from_secs(7);
pub(crate) const CLOSING: Duration = Duration::from_secs(5);

/// A step of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Call(Role, Call),
    /// This end sets the time and receives so many bytes of those that have arrived: with the last, also the end of the
    /// transport, if that has come.
    Read(Role, usize),
    /// This end writes its output, and then does with the transport what it is asked to.
    Write(Role),
    /// Bytes on the way to this end are lost, and none follow.
    Cut(Role),
    /// Somebody puts a frame on the way to this end that its peer didn't send, and that no peer may send.
    Break(Role),
    /// The time of the next deadline comes.
    Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Call {
    Accept,
    Reject,
    /// A whole message.
    Text,
    /// The first fragment of a message, cut inside of a character.
    First,
    /// Its last.
    Last,
    Ping,
    Close,
    Abort,
}

/// A world: the part of the alphabet that is explored, and how deep.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The connection begins with the opening handshake.
    pub(crate) opens: bool,
    pub(crate) keepalive: bool,
    /// Closing has no deadline of its own.
    pub(crate) closes_slowly: bool,
    pub(crate) calls: &'static [Call],
    /// The most calls of each side.
    pub(crate) most_calls: usize,
    /// Reads are cut at every byte, rather than after the first and before the last.
    pub(crate) cuts_everywhere: bool,
    pub(crate) can_wait: bool,
    pub(crate) can_cut: bool,
    pub(crate) can_break: bool,
    pub(crate) depth: usize,
    /// With fewer of them, the search has missed a part.
    pub(crate) least_states: usize,
}

impl Scenario {
    pub(crate) const TALKING: Self = Self {
        calls: &[Call::Text, Call::First, Call::Last, Call::Ping, Call::Close],
        most_calls: 3,
        cuts_everywhere: true,
        depth: 5,
        least_states: 20_000,
        ..Self::NOTHING.named("talking")
    };
    pub(crate) const CLOSING: Self = Self {
        calls: &[Call::Text, Call::Close, Call::Abort],
        most_calls: 2,
        can_wait: true,
        can_cut: true,
        depth: 7,
        least_states: 60_000,
        ..Self::NOTHING.named("closing")
    };
    pub(crate) const KEEPALIVE: Self = Self {
        keepalive: true,
        calls: &[Call::Text, Call::Close],
        most_calls: 1,
        can_wait: true,
        depth: 8,
        least_states: 30_000,
        ..Self::NOTHING.named("keepalive")
    };
    /// Without a deadline of its own, closing has that of the keepalive.
    pub(crate) const CLOSING_SLOWLY: Self = Self {
        closes_slowly: true,
        can_cut: true,
        depth: 7,
        least_states: 5_000,
        ..Self::KEEPALIVE.named("closing slowly")
    };
    pub(crate) const OPENING: Self = Self {
        opens: true,
        calls: &[Call::Accept, Call::Reject, Call::Text, Call::Close, Call::Abort],
        most_calls: 2,
        can_wait: true,
        can_cut: true,
        depth: 7,
        least_states: 10_000,
        ..Self::NOTHING.named("opening")
    };
    pub(crate) const VIOLATIONS: Self = Self {
        calls: &[Call::Text, Call::Close],
        most_calls: 2,
        can_wait: true,
        can_break: true,
        depth: 6,
        least_states: 14_000,
        ..Self::NOTHING.named("violations")
    };
    pub(crate) const EVERYTHING: Self = Self {
        keepalive: true,
        calls: &[Call::Text, Call::First, Call::Last, Call::Ping, Call::Close, Call::Abort],
        most_calls: 4,
        cuts_everywhere: true,
        can_wait: true,
        can_cut: true,
        can_break: true,
        depth: 4,
        least_states: 50_000,
        ..Self::NOTHING.named("every path")
    };
    const NOTHING: Self = Self {
        name: "",
        opens: false,
        keepalive: false,
        closes_slowly: false,
        calls: &[],
        most_calls: 0,
        cuts_everywhere: false,
        can_wait: false,
        can_cut: false,
        can_break: false,
        depth: 0,
        least_states: 0,
    };

    const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(crate) fn config(&self) -> Config {
        let config = Config::new().handshake_timeout(HANDSHAKE).close_timeout(CLOSING);
        let config = if self.closes_slowly { config.close_timeout(None) } else { config };
        if self.keepalive { config.keepalive(IDLE, SILENCE) } else { config }
    }
}
