//! Any order of steps, any peer, and any event at any moment.

use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use websocket_proto::{Cause, Deadline, Role};

use crate::scenario::{At, CLOSING, Happening, IDLE, Loop, Peer, SECOND, SILENCE, Step, Wait};
use crate::world::{Seen, World};

const OPENING: Duration = Duration::from_secs(10);
const START: Duration = Duration::from_secs(100);

/// The most that delays add beyond their own length, and that a loop of many steps adds which writes a byte at a time.
const SLACK: Duration = Duration::from_millis(1500);

/// Every step once at least, in any order.
fn program() -> impl Strategy<Value = Loop> {
    let more = vec(select(&[Step::Advance, Step::Advance, Step::Write][..]), 0..4);
    let wait = select(&[Wait::Between, Wait::InRead][..]);
    let steps = more.prop_flat_map(|more| {
        Just([&[Step::Read, Step::Advance, Step::Receive, Step::Write][..], &more].concat()).prop_shuffle()
    });
    (steps, wait).prop_map(|(steps, wait)| Loop { steps, wait })
}

fn peer() -> impl Strategy<Value = Peer> {
    let talks = option::of((1..8_000u64, 0..30usize));
    let answers_close = option::of(0..4_000u64);
    (0..2_000u64, any::<bool>(), answers_close, talks).prop_map(|(latency, answers_pings, answers_close, talks)| Peer {
        latency: Duration::from_millis(latency),
        answers_pings,
        answers_close: answers_close.map(Duration::from_millis),
        talks: talks.map(|(every, count)| (Duration::from_millis(every), count)),
    })
}

fn happenings() -> impl Strategy<Value = Vec<At<Happening>>> {
    let delay = prop_oneof![0..100u64, 0..60_000u64].prop_map(|time| Happening::Delay(Duration::from_millis(time)));
    let pause = (0..90_000u64, prop::bool::weighted(0.8))
        .prop_map(|(length, reported)| Happening::Pause { length: Duration::from_millis(length), reported });
    let what = prop_oneof![
        2 => Just(Happening::Accept),
        1 => Just(Happening::Close),
        2 => Just(Happening::Ping),
        4 => delay,
        2 => pause,
    ];
    // Often near the time of a deadline.
    let time = prop_oneof![
        2 => 0..120_000_000u64,
        1 => (select(&[5u64, 10, 30, 40, 60][..]), 0..200u64).prop_map(|(seconds, micros)| seconds * 1_000_000 + micros),
    ];
    let at = (time, 0..9usize, what).prop_map(|(time, step, what)| At {
        time: START + Duration::from_micros(time),
        step,
        what,
    });
    vec(at, 0..7)
}

fn pauses(happenings: &[At<Happening>]) -> impl Iterator<Item = (Duration, Duration, bool)> {
    happenings.iter().filter_map(|at| match at.what {
        Happening::Pause { length, reported } => Some((at.time, length, reported)),
        _ => None,
    })
}

/// Everything in the transport when a deadline was noticed has been received, unless the caller doesn't read, and
/// closes.
fn check_nothing_is_lost(seen: &Seen) -> Result<(), TestCaseError> {
    prop_assert!(seen.lost == 0 || seen.paused && seen.close_called.is_some(), "{} bytes were there", seen.lost);
    Ok(())
}

/// Checks of every loop and every peer.
fn check(seen: &Seen, peer: Peer, happenings: &[At<Happening>], writes_all: bool) -> Result<(), TestCaseError> {
    let numbers: Vec<_> = (1..=seen.messages.len()).map(|number| number.to_string()).collect();
    prop_assert_eq!(&seen.messages, &numbers, "in order, and none left out");
    check_nothing_is_lost(seen)?;

    let cause = seen.closed.as_ref().map(|closed| closed.cause);
    let keepalive = Some(Cause::Timeout(Deadline::Keepalive));
    if peer.answers_pings {
        prop_assert_ne!(cause, keepalive, "a living peer");
    }
    // How long the caller did something else.
    let away = seen.delays + pauses(happenings).map(|(_, length, _)| length).sum::<Duration>();
    if let (Some(close), Some(ended)) = (seen.close_called, seen.ended) {
        let reported: bool = pauses(happenings).all(|(_, _, reported)| reported);
        let late = if reported { seen.delays } else { away };
        prop_assert!(ended <= close + CLOSING + late + SLACK, "closing takes its time at most: {:?}", ended - close);
    }
    prop_assert!(seen.close_called.is_none() || seen.ended.is_some());
    let last_word = peer.talks.map_or(Duration::ZERO, |(every, count)| every * (count as u32 + 1));
    if !peer.answers_pings && seen.close_called.is_none() {
        prop_assert!(seen.ended.is_some(), "a dead peer");
        // Each pause restarts the silence, and the caller's pings may precede the keepalive's. A loop that writes the
        // output byte by byte has the time from its last byte on.
        let slow = if writes_all { Duration::ZERO } else { SILENCE * (1 + pauses(happenings).count() as u32) };
        let most = slow + START + last_word + away + (IDLE + SILENCE) * (1 + pauses(happenings).count() as u32) + SLACK;
        prop_assert!(seen.ended.unwrap() <= most, "{:?}", seen.ended);
    }
    prop_assert!(seen.turns < 3000, "{} turns", seen.turns);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(if cfg!(debug_assertions) { 20_000 } else { 200_000 })
    })]

    /// Everything in the transport is delivered, a peer that answers is not dropped, one that is silent is, closing
    /// takes at most its time, and no loop spins (which the world itself asserts).
    #[test]
    fn in_any_order_with_anything_happening(
        role in select(&[Role::Client, Role::Server][..]),
        program in program(),
        peer in peer(),
        happenings in happenings(),
        write_size in prop_oneof![3 => Just(usize::MAX), 1 => 1..8usize],
    ) {
        let seen = World::new(role, peer, program, happenings.clone()).write_size(write_size).run(2000 * SECOND);
        check(&seen, peer, &happenings, write_size == usize::MAX)?;
    }

    /// The same from the opening handshake on: it is complete in time, or the connection ends.
    #[test]
    fn an_opening_handshake_in_any_order(
        program in program(),
        peer in peer(),
        happenings in happenings(),
        arrivals in [0..12_000u64, 0..12_000u64],
    ) {
        let mut arrivals = arrivals.map(Duration::from_millis);
        arrivals.sort();
        let peer = Peer { talks: None, ..peer };
        let seen = World::new(Role::Server, peer, program, happenings.clone()).opening(arrivals).run(2000 * SECOND);
        prop_assert!(seen.lost == 0 || seen.paused, "{} bytes were there", seen.lost);
        let cause = seen.closed.as_ref().map(|closed| closed.cause);
        match seen.accepted {
            Some(_) => prop_assert_ne!(cause, Some(Cause::Timeout(Deadline::Opening))),
            None => {
                let away = seen.delays + pauses(&happenings).map(|(_, length, _)| length).sum::<Duration>();
                let ended = seen.ended.expect("nobody accepted");
                prop_assert!(ended <= START + OPENING + away + SLACK, "{:?}", ended);
            }
        }
    }
}
