//! The events of a session, and its settings.

use std::sync::Arc;
use std::time::Duration;

use websocket_proto::{Config, DeflateConfig, Role};

use crate::content::Content;
use crate::random::Random;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
pub(crate) const IDLE: Duration = Duration::from_secs(30);
pub(crate) const SILENCE: Duration = Duration::from_secs(7);
pub(crate) const CLOSING: Duration = Duration::from_secs(5);

/// Pending output beyond which a message is refused.
pub(crate) const MOST_PENDING: usize = 48 << 10;
/// The largest message that is sent, with its header; it may pass that limit, and so may a Close frame.
pub(crate) const LARGEST: usize = 20_500;
/// The largest message that is received.
pub(crate) const MOST_MESSAGE: usize = 64 << 10;
/// From this length on, messages come in chunks, at those who want that.
pub(crate) const CHUNKED: u64 = 3000;

/// The longest time that a session's plan spans.
const SPAN: Duration = Duration::from_secs(60);

/// A step of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Message(Content),
    /// In so many fragments, one a turn.
    Fragments(Content, usize),
    Pings(usize),
    Close,
    Abort,
    /// Reads nothing for so long.
    Pause(Duration),
    /// Reads a few bytes a turn from now on.
    ReadSlowly,
}

/// A fault of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Both ends see its end; what is on the way is lost.
    Reset,
    /// Bytes on the way are lost, and all that follow, and neither end sees it.
    Silence,
    /// Nothing arrives for so long.
    Stall(Duration),
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) starts: Duration,
    pub(crate) latency: Duration,
    /// The server answers the request so much later.
    pub(crate) answers_after: Duration,
    pub(crate) is_rejected: bool,
    pub(crate) acts: Vec<(Duration, Role, Act)>,
    pub(crate) faults: Vec<(Duration, Fault)>,
    /// Nothing of it can cost a message: no fault, no abort, no one who reads too slowly.
    pub(crate) is_calm: bool,
    pub(crate) settings: [Arc<Config>; 2],
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut plan = Self {
            starts: random.time(5 * SECOND),
            latency: Duration::from_micros(random.pick(&[10, 500, 20_000, 300_000])),
            answers_after: random.pick(&[Duration::ZERO, Duration::ZERO, SECOND]),
            is_rejected: random.once_in(50),
            acts: Vec::new(),
            faults: Vec::new(),
            is_calm: true,
            settings: settings(random),
        };
        let lasts = SPAN / 5 + random.time(4 * SPAN / 5);
        for _ in 0..random.below(12) {
            let role = random.pick(&[Role::Client, Role::Server]);
            let content = Content::new(random);
            let act = match random.below(10) {
                0 => Act::Pings(1),
                1 | 2 => Act::Fragments(content, 1 + random.below(6) as usize),
                _ => Act::Message(content),
            };
            plan.acts.push((random.time(lasts), role, act));
        }
        plan.go_wrong(lasts, random);
        let closes = random.pick(&[Role::Client, Role::Server]);
        plan.acts.push((lasts, closes, Act::Close));
        // Both at once.
        if random.once_in(8) {
            plan.acts.push((lasts, if closes == Role::Client { Role::Server } else { Role::Client }, Act::Close));
        }
        plan.acts.sort_by_key(|(time, _, _)| *time);
        plan
    }

    fn go_wrong(&mut self, lasts: Duration, random: &mut Random) {
        let at = random.time(lasts);
        let role = random.pick(&[Role::Client, Role::Server]);
        let mut act = |act| self.acts.push((at, role, act));
        match random.below(16) {
            0 => act(Act::Abort),
            1 => act(Act::Pause(random.time(20 * SECOND))),
            2 => {
                act(Act::ReadSlowly);
                let peer = if role == Role::Client { Role::Server } else { Role::Client };
                for _ in 0..8 {
                    let content = Content { length: 19_000, ..Content::new(random) };
                    self.acts.push((at, peer, Act::Message(content)));
                }
            }
            3 => act(Act::Pings(300)),
            4 => act(Act::Fragments(Content::new(random), 60)),
            5 => self.faults.push((at, Fault::Reset)),
            6 => self.faults.push((at, Fault::Silence)),
            7 => self.faults.push((at, Fault::Stall(random.time(20 * SECOND)))),
            _ => return,
        }
        self.is_calm = false;
    }
}

/// Of the server and of the client. Compression is what one in five has agreed on, with every parameter.
fn settings(random: &mut Random) -> [Arc<Config>; 2] {
    let compresses = random.once_in(5);
    [(); 2].map(|()| {
        let config = Config::new()
            .handshake_timeout(HANDSHAKE)
            .keepalive(IDLE, SILENCE)
            .close_timeout(CLOSING)
            .max_pending_output(MOST_PENDING)
            .max_message_size(MOST_MESSAGE as u64);
        let config = if random.once_in(4) { config.chunk_threshold(CHUNKED) } else { config };
        Arc::new(if compresses { config.deflate(deflate(random)) } else { config })
    })
}

fn deflate(random: &mut Random) -> DeflateConfig {
    DeflateConfig::new()
        .server_max_window_bits(9 + random.below(7) as u8)
        .client_max_window_bits(9 + random.below(7) as u8)
        .server_no_context_takeover(random.once_in(3))
        .client_no_context_takeover(random.once_in(3))
        .level(random.pick(&[1, 6]))
        .memory_level(random.pick(&[1, 8]))
        .min_size(random.pick(&[0, 64]))
}
