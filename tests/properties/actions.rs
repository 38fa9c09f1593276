//! Actions of the peer, the clock and your code, in any order.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use websocket_proto::{CloseCode, Config, Message, Role};

use crate::generate::{Frame, bytes, chunk_threshold, code, encode, frames, stream, text};
use crate::support::other;

pub(crate) const IDLE: Duration = Duration::from_millis(200);

pub(crate) const SILENCE: Duration = Duration::from_millis(100);

/// The longest payload that is sent here.
pub(crate) const LONGEST: usize = 5_000;

/// An action of the peer, the clock or the caller.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// The peer's part of a valid opening handshake.
    Handshake,
    Bytes(Vec<u8>),
    /// The peer answers the newest ping.
    Answer,
    Eof,
    /// That many milliseconds pass.
    Time(u64),
    /// The same, and nothing is received in that turn.
    SetTime(u64),
    /// Nothing is read in that turn.
    Pause,
    /// A request without an upgrade.
    PlainHttp,
    Accept(Option<&'static str>, &'static str),
    Reject(u16),
    Text(String),
    Binary(Vec<u8>),
    SendOwned(Vec<u8>),
    Prepared(Message),
    Fragment(bool, Vec<u8>, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(CloseCode, String),
    Abort,
    Advance(usize),
    Take,
    Lend,
    Release,
    GiveBack(Vec<u8>),
}

/// From the opening handshake on, or open from the beginning.
pub(crate) fn actions(role: Role, upgraded: bool) -> impl Strategy<Value = Vec<Action>> {
    let opening = match role {
        Role::Client => vec![Action::Handshake],
        Role::Server => vec![Action::Handshake, Action::Accept(None, "")],
    };
    // A server whose request was accepted with a message after it, or that is asked for a page.
    let early = encode(other(role), [0; 4], &[Frame { first: 0x81, payload: b"early".to_vec() }]);
    let other_openings = match role {
        Role::Client => vec![],
        Role::Server => {
            vec![vec![Action::Handshake, Action::Bytes(early), Action::Accept(None, "")], vec![Action::PlainHttp]]
        }
    };
    let openings = [vec![opening; 3], vec![Vec::new()], other_openings].concat();
    let opening = select(openings);
    let opening = opening.prop_map(move |opening| if upgraded { Vec::new() } else { opening });
    let rest = prop_oneof![vec(action(role), 0..40), vec(calm(role), 0..40)];
    (opening, rest).prop_map(|(opening, rest)| [opening, rest].concat())
}

/// A state that a connection may be in for long.
fn calm(role: Role) -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => frames(20).prop_map(move |frames| Action::Bytes(encode(other(role), [1, 2, 3, 4], &frames))),
        6 => Just(Action::Answer),
        16 => (0..150u64).prop_map(Action::Time),
        6 => (0..150u64).prop_map(Action::SetTime),
        2 => text(LONGEST).prop_map(Action::Text),
        2 => vec(any::<u8>(), 0..130).prop_map(Action::Ping),
        3 => (0..300usize).prop_map(Action::Advance),
        3 => Just(Action::Take),
        1 => Just(Action::Pause),
        2 => Just(Action::Lend),
        2 => Just(Action::Release),
        1 => bytes(LONGEST).prop_map(Action::GiveBack),
    ]
}

fn action(role: Role) -> impl Strategy<Value = Action> {
    let codes = prop_oneof![8 => code(), 1 => select(&[CloseCode::NO_STATUS, CloseCode::MISSING_EXTENSION][..])];
    let reason = prop_oneof![text(20), text(LONGEST)];
    let names = (select(&[None, Some("a"), Some("b")][..]), select(&["", "X-Name", "Upgrade", "a b"][..]));
    prop_oneof![
        12 => calm(role),
        1 => Just(Action::Handshake),
        3 => stream(other(role)).prop_map(Action::Bytes),
        1 => Just(Action::Eof),
        1 => names.prop_map(|(subprotocol, header)| Action::Accept(subprotocol, header)),
        1 => select(&[99, 101, 200, 204, 404, 600][..]).prop_map(Action::Reject),
        2 => bytes(LONGEST).prop_map(Action::Binary),
        2 => prop_oneof![0..20usize, 4_000..LONGEST]
            .prop_map(|length| Action::SendOwned((0..length).map(|i| i as u8).collect())),
        2 => prop_oneof![text(LONGEST).prop_map(Message::from), bytes(LONGEST).prop_map(Message::from)]
            .prop_map(Action::Prepared),
        4 => (any::<bool>(), text(20), any::<bool>())
            .prop_map(|(text, data, last)| Action::Fragment(text, data.into_bytes(), last)),
        1 => (any::<bool>(), bytes(LONGEST), any::<bool>())
            .prop_map(|(text, data, last)| Action::Fragment(text, data, last)),
        2 => vec(any::<u8>(), 0..130).prop_map(Action::Pong),
        2 => (codes, reason).prop_map(|(code, reason)| Action::Close(code, reason)),
        1 => Just(Action::Abort),
    ]
}

/// Deadlines short enough to pass, limits small enough to reach; returns how much output may be pending.
pub(crate) fn config() -> impl Strategy<Value = (Config, usize)> {
    let pending = select(&[1, 300, 100_000][..]);
    (pending, any::<bool>(), any::<bool>(), chunk_threshold()).prop_map(
        |(pending, auto_pong, keepalive, chunk_threshold)| {
            let config = Config::new()
                .max_pending_output(pending)
                .chunk_threshold(chunk_threshold)
                .auto_pong(auto_pong)
                .handshake_timeout(Duration::from_millis(400))
                .close_timeout(Duration::from_millis(150));
            (if keepalive { config.keepalive(IDLE, SILENCE) } else { config }, pending)
        },
    )
}
