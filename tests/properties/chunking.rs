//! The result doesn't depend on where the input is split.

use std::borrow::Cow;

use bytes::Buf;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use websocket_proto::{
    Cause, Config, Connection, Event, MessageKind, ProtocolError, Role, Scratch, State, TransportShutdown, server,
};

use crate::generate::{
    LONG, cases, chunk_threshold, chunks, cuts, dial, limits, request_head, response_head, role_and_stream, stream,
};
use crate::support::open_with;

/// The result of an input, and of the end of the transport after it.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) received: Vec<Received>,
    output: Vec<u8>,
    before_eof: (State, Option<TransportShutdown>),
    behind_eof: (State, Option<TransportShutdown>),
}

#[derive(Debug, PartialEq)]
pub(crate) enum Received {
    /// In `Debug` form, which doesn't distinguish borrowed from owned.
    Event(String),
    /// Chunks of a message with no event between them.
    Chunks { kind: MessageKind, first: bool, last: bool, data: Vec<u8> },
}

fn record(received: &mut Vec<Received>, event: &Event<'_>) {
    match (received.last_mut(), event) {
        (Some(Received::Chunks { kind, last: last @ false, data, .. }), Event::Chunk(chunk)) => {
            assert_eq!((chunk.is_first(), chunk.kind()), (false, *kind));
            data.extend(chunk.parts().concat());
            *last = chunk.is_last();
        }
        (_, Event::Chunk(chunk)) => received.push(Received::Chunks {
            kind: chunk.kind(),
            first: chunk.is_first(),
            last: chunk.is_last(),
            data: chunk.parts().concat(),
        }),
        (end, event) => {
            // How much is delivered before invalid text depends on where the input is split.
            if matches!(event, Event::Closed(closed) if closed.cause == Cause::Protocol(ProtocolError::InvalidUtf8))
                && matches!(end, Some(Received::Chunks { last: false, .. }))
            {
                received.pop();
            }
            received.push(Received::Event(format!("{event:?}")));
        }
    }
}

/// The thread's calls around the receiving of a chunk.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    lends: bool,
    gives_back: bool,
    /// The number of bytes of the output that are written.
    writes: usize,
    releases: bool,
}

pub(crate) fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let turn = (any::<bool>(), any::<bool>(), 0..200usize, any::<bool>());
    vec(turn.prop_map(|(lends, gives_back, writes, releases)| Turn { lends, gives_back, writes, releases }), 1..6)
}

/// Only receiving.
pub(crate) const PLAIN: &[Turn] = &[Turn { lends: false, gives_back: false, writes: 0, releases: false }];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Accept {
    AtOnce,
    AtTheEnd,
    /// The same, but the end of the transport is noticed before the available input is received.
    BeforeEof,
}

/// The result of a connection with an input that arrives in these chunks. The iterations repeat when they are used up.
pub(crate) fn outcome<'b>(
    mut conn: Connection,
    chunks: impl Iterator<Item = &'b [u8]>,
    accept: Accept,
    turns: &[Turn],
) -> Outcome {
    let (mut received, mut over, mut output) = (Vec::new(), false, Vec::new());
    let mut receive = |conn: &mut Connection, chunk: &[u8], turn: &Turn| {
        let mut chunk = chunk.to_vec();
        let mut input = &mut chunk[..];
        while let Some(event) = conn.receive(&mut input) {
            assert!(!over, "{event:?} behind the last event");
            over = matches!(event, Event::Closed(_));
            record(&mut received, &event);
            if matches!(event, Event::Request(_)) && accept == Accept::AtOnce {
                conn.accept(server::Response::new()).unwrap();
            }
            if turn.gives_back {
                conn.recycle(payload(event));
            }
        }
        assert!(input.is_empty());
    };
    let mut scratch = None::<Scratch>;
    for (chunk, turn) in chunks.zip(turns.iter().cycle()) {
        if turn.lends {
            conn.attach_scratch(scratch.take().unwrap_or_default());
        }
        receive(&mut conn, chunk, turn);
        // A request that isn't written yet is dropped when the handshake fails.
        if conn.state() != State::Connecting {
            let count = turn.writes.min(conn.output().remaining());
            output.extend(conn.output().copy_to_bytes(count));
        }
        if turn.releases {
            scratch = conn.detach_scratch().or(scratch);
        }
    }
    if accept != Accept::AtOnce {
        // A call that can't send changes nothing.
        conn.accept(server::Response::new().header("a b", "")).unwrap_err();
        // No request may be waiting.
        let _ = conn.accept(server::Response::new());
    }
    if accept != Accept::BeforeEof {
        receive(&mut conn, &[], &PLAIN[0]);
    }
    output.extend(drained(&mut conn));
    let before_eof = (conn.state(), conn.wants_shutdown());
    conn.receive_eof();
    receive(&mut conn, &[], &PLAIN[0]);
    output.extend(drained(&mut conn));
    Outcome { received, output, before_eof, behind_eof: (conn.state(), conn.wants_shutdown()) }
}

/// All output, including output that becomes possible by draining.
fn drained(conn: &mut Connection) -> Vec<u8> {
    std::iter::from_fn(|| conn.output().take()).flatten().collect()
}

/// The payload of an event, if it may have been assembled.
fn payload(event: Event<'_>) -> Cow<'_, [u8]> {
    match event {
        Event::Text(text) => text.into_owned().into_bytes().into(),
        Event::Binary(payload) | Event::Ping(payload) | Event::Pong(payload) => payload,
        Event::Chunk(chunk) => chunk.into_bytes(),
        _ => Cow::default(),
    }
}

/// Limits of heads and bodies, near the sizes that are generated; and whether messages come in chunks.
fn handshake_limits() -> impl Strategy<Value = Config> {
    let small = (100..400usize, 0..8usize, 0..16usize);
    let small = small.prop_map(|(head, headers, body)| {
        Config::new().max_handshake_size(head).max_headers(headers).max_rejection_body(body)
    });
    let limits = prop_oneof![2 => Just(Config::new()), 1 => small];
    (limits, chunk_threshold()).prop_map(|(config, chunk_threshold)| config.chunk_threshold(chunk_threshold))
}

proptest! {
    #![proptest_config(cases(1000))]

    /// B-15, B-17, B-54: any frames, whether messages come whole or in chunks, with own buffers and with a scratch.
    #[test]
    fn a_stream_gives_the_same_however_it_is_cut(
        (role, stream) in role_and_stream(),
        limits in limits(),
        cuts in cuts(),
        turns in turns(),
    ) {
        let conn = || open_with(role, limits.config());
        let whole = outcome(conn(), [&stream[..]].into_iter(), Accept::AtOnce, PLAIN);
        prop_assert_eq!(outcome(conn(), chunks(&stream, &cuts), Accept::AtOnce, &turns), whole);
    }

    /// B-15, S-38: a request and the bytes that follow it, whether it is accepted immediately or when all have arrived.
    #[test]
    fn a_request_gives_the_same_however_it_is_cut(
        head in request_head(),
        stream in stream(Role::Client),
        config in handshake_limits(),
        accept in select(&[Accept::AtOnce, Accept::AtTheEnd][..]),
        cuts in cuts(),
        turns in turns(),
    ) {
        let bytes = [head, stream].concat();
        let conn = || Connection::server(config.clone());
        let whole = outcome(conn(), [&bytes[..]].into_iter(), accept, PLAIN);
        prop_assert_eq!(outcome(conn(), chunks(&bytes, &cuts), accept, &turns), whole);
    }

    /// S-38: frames that come before the request is accepted wait and lose nothing.
    #[test]
    fn it_makes_no_difference_when_a_request_is_accepted(
        head in request_head(),
        stream in stream(Role::Client),
        cuts in cuts(),
        chunk_threshold in chunk_threshold(),
        turns in turns(),
    ) {
        let bytes = [head, stream].concat();
        let conn = || Connection::server(Config::new().max_handshake_size(10 * LONG).chunk_threshold(chunk_threshold));
        let at_once = outcome(conn(), chunks(&bytes, &cuts), Accept::AtOnce, PLAIN);
        prop_assert_eq!(&outcome(conn(), chunks(&bytes, &cuts), Accept::AtTheEnd, &turns), &at_once);

        let late = outcome(conn(), chunks(&bytes, &cuts), Accept::BeforeEof, &turns);
        prop_assert_eq!(
            (late.received, late.output, late.behind_eof),
            (at_once.received, at_once.output, at_once.behind_eof)
        );
    }

    /// B-15, C-29, C-30, C-43: a response, the body of a rejection, and the bytes that follow.
    #[test]
    fn a_response_gives_the_same_however_it_is_cut(
        head in response_head(),
        stream in stream(Role::Server),
        config in handshake_limits(),
        cuts in cuts(),
        turns in turns(),
    ) {
        let bytes = [head, stream].concat();
        let conn = || dial(config.clone());
        let whole = outcome(conn(), [&bytes[..]].into_iter(), Accept::AtOnce, PLAIN);
        prop_assert_eq!(outcome(conn(), chunks(&bytes, &cuts), Accept::AtOnce, &turns), whole);
    }
}
