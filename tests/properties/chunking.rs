//! Where the input is cut makes no difference.

use proptest::prelude::*;
use proptest::sample::select;
use websocket_proto::{Config, Connection, Event, Response, Role, Shutdown, State};

use crate::generate::{LONG, cases, cuts, dial, limits, pieces, request_head, response_head, role_and_stream, stream};
use crate::support::open_with;

/// What an input came to, and what the end of the transport behind it.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// As `Debug` shows them: it makes no difference between what is borrowed and what is owned.
    events: Vec<String>,
    output: Vec<u8>,
    before_eof: (State, Option<Shutdown>),
    behind_eof: (State, Option<Shutdown>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Accept {
    AtOnce,
    AtTheEnd,
    /// The same, and the end of the transport is noticed before what has come is received.
    BeforeEof,
}

/// What a connection makes of an input that comes in these pieces.
fn outcome<'b>(mut conn: Connection, pieces: impl Iterator<Item = &'b [u8]>, accept: Accept) -> Outcome {
    let (mut events, mut over) = (Vec::new(), false);
    let mut receive = |conn: &mut Connection, piece: &[u8]| {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while let Some(event) = conn.receive(&mut input) {
            assert!(!over, "{event:?} behind the last event");
            over = matches!(event, Event::Closed(_));
            events.push(format!("{event:?}"));
            if matches!(event, Event::Request(_)) && accept == Accept::AtOnce {
                conn.accept(Response::new()).unwrap();
            }
        }
        assert!(input.is_empty());
    };
    for piece in pieces {
        receive(&mut conn, piece);
    }
    if accept != Accept::AtOnce {
        // What can't be sent changes nothing.
        conn.accept(Response::new().header("a b", "")).unwrap_err();
        // No request may be waiting.
        let _ = conn.accept(Response::new());
    }
    if accept != Accept::BeforeEof {
        receive(&mut conn, &[]);
    }
    let mut output = drained(&mut conn);
    let before_eof = (conn.state(), conn.wants_shutdown());
    conn.receive_eof();
    receive(&mut conn, &[]);
    output.extend(drained(&mut conn));
    Outcome { events, output, before_eof, behind_eof: (conn.state(), conn.wants_shutdown()) }
}

/// All output, that which draining makes room for as well.
fn drained(conn: &mut Connection) -> Vec<u8> {
    std::iter::from_fn(|| conn.output().take()).flatten().collect()
}

/// Limits of heads and bodies, around the sizes of those that are drawn.
fn handshake_limits() -> impl Strategy<Value = Config> {
    let small = (100..400usize, 0..8usize, 0..16usize);
    let small = small.prop_map(|(head, headers, body)| {
        Config::new().max_handshake_size(head).max_headers(headers).max_rejection_body(body)
    });
    prop_oneof![2 => Just(Config::new()), 1 => small]
}

proptest! {
    #![proptest_config(cases(1000))]

    /// B-15, B-17, B-54: frames, whatever they are.
    #[test]
    fn a_stream_gives_the_same_however_it_is_cut(
        (role, stream) in role_and_stream(),
        limits in limits(),
        cuts in cuts(),
    ) {
        let conn = || open_with(role, limits.config());
        let whole = outcome(conn(), [&stream[..]].into_iter(), Accept::AtOnce);
        prop_assert_eq!(outcome(conn(), pieces(&stream, &cuts), Accept::AtOnce), whole);
    }

    /// B-15, S-38: a request and what follows it, whether it is accepted at once or when all has come.
    #[test]
    fn a_request_gives_the_same_however_it_is_cut(
        head in request_head(),
        stream in stream(Role::Client),
        config in handshake_limits(),
        accept in select(&[Accept::AtOnce, Accept::AtTheEnd][..]),
        cuts in cuts(),
    ) {
        let bytes = [head, stream].concat();
        let conn = || Connection::server(config.clone());
        let whole = outcome(conn(), [&bytes[..]].into_iter(), accept);
        prop_assert_eq!(outcome(conn(), pieces(&bytes, &cuts), accept), whole);
    }

    /// S-38: frames that come before the request is accepted wait and lose nothing.
    #[test]
    fn it_makes_no_difference_when_a_request_is_accepted(
        head in request_head(),
        stream in stream(Role::Client),
        cuts in cuts(),
    ) {
        let bytes = [head, stream].concat();
        let conn = || Connection::server(Config::new().max_handshake_size(10 * LONG));
        let at_once = outcome(conn(), pieces(&bytes, &cuts), Accept::AtOnce);
        prop_assert_eq!(&outcome(conn(), pieces(&bytes, &cuts), Accept::AtTheEnd), &at_once);

        let late = outcome(conn(), pieces(&bytes, &cuts), Accept::BeforeEof);
        prop_assert_eq!(
            (late.events, late.output, late.behind_eof),
            (at_once.events, at_once.output, at_once.behind_eof)
        );
    }

    /// B-15, C-29, C-30, C-43: a response, the body of a refusal, and what follows.
    #[test]
    fn a_response_gives_the_same_however_it_is_cut(
        head in response_head(),
        stream in stream(Role::Server),
        config in handshake_limits(),
        cuts in cuts(),
    ) {
        let bytes = [head, stream].concat();
        let conn = || dial(config.clone());
        let whole = outcome(conn(), [&bytes[..]].into_iter(), Accept::AtOnce);
        prop_assert_eq!(outcome(conn(), pieces(&bytes, &cuts), Accept::AtOnce), whole);
    }
}
