//! Every order of the steps of a turn, in every scenario.

use std::time::Duration;

use websocket_proto::{Cause, Deadline, Role};

use crate::scenario::{At, CLOSING, Happening, IDLE, Loop, Peer, SECOND, SILENCE, Step, Wait};
use crate::support::ROLES;
use crate::world::{Seen, World};

/// An iteration has some time to read, or to be late.
const SLACK: Duration = Duration::from_millis(10);

const PEER: Peer =
    Peer { latency: Duration::from_millis(50), answers_pings: true, answers_close: Some(Duration::ZERO), talks: None };
const DEAD: Peer = Peer { answers_pings: false, answers_close: None, ..PEER };

/// Every order of the four steps, with the time set at up to five further places in it, in loops of both kinds.
fn loops() -> Vec<Loop> {
    let mut orders = Vec::new();
    permute(&mut vec![Step::Read, Step::Advance, Step::Receive, Step::Write], 0, &mut orders);
    assert_eq!(orders.len(), 24);
    let mut loops = Vec::new();
    for order in orders {
        for more in 0..1 << 5 {
            let mut steps = Vec::new();
            for (place, step) in order.iter().map(Some).chain([None]).enumerate() {
                steps.extend((more >> place & 1 == 1).then_some(Step::Advance));
                steps.extend(step);
            }
            loops.extend([Wait::Between, Wait::InRead].map(|wait| Loop { steps: steps.clone(), wait }));
        }
    }
    loops
}

fn permute(steps: &mut Vec<Step>, from: usize, orders: &mut Vec<Vec<Step>>) {
    if from == steps.len() {
        orders.push(steps.clone());
    }
    for i in from..steps.len() {
        steps.swap(from, i);
        permute(steps, from + 1, orders);
        steps.swap(from, i);
    }
}

/// Runs a scenario in every order, beginning at every step.
fn in_every_order(name: &str, peer: Peer, what: &[(Duration, Happening)], check: impl Fn(&Seen, Role)) {
    let mut cases = 0;
    let delays: Duration =
        what.iter().map(|(_, what)| if let Happening::Delay(delay) = what { *delay } else { Duration::ZERO }).sum();
    for role in ROLES {
        for program in loops() {
            for step in 0..=program.steps.len() {
                let happenings =
                    what.iter().map(|&(time, what)| At { time: 100 * SECOND + time, step, what }).collect();
                let seen = World::new(role, peer, program.clone(), happenings).run(600 * SECOND + delays);
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&seen, role)));
                assert!(result.is_ok(), "{name}: {role:?}, before step {step} of {program:?}: {seen:?}");
                cases += 1;
            }
        }
    }
    println!("{name}: {cases} cases, {} loops", loops().len());
}

fn lives(seen: &Seen, _: Role) {
    assert!(seen.closed.is_none() && seen.ended.is_none());
    assert!(seen.pongs > 0);
}

fn timed_out(seen: &Seen, deadline: Deadline) {
    let closed = seen.closed.as_ref().expect("the end was reported");
    assert_eq!(closed.cause, Cause::Timeout(deadline));
    assert_eq!(seen.lost, 0, "bytes that were there when the deadline was noticed");
}

/// A peer that answers is never dropped.
#[test]
fn a_living_peer() {
    in_every_order("a living peer", PEER, &[], lives);
}

/// L1, L2: nor if the loop is late, or the process was stopped, while a ping is unanswered.
#[test]
fn a_living_peer_and_a_late_loop() {
    let (in_output, on_its_way) = (IDLE + Duration::from_micros(25), IDLE + Duration::from_millis(20));
    let stopped = 22 * SECOND;
    for (late, time) in [
        (3600 * SECOND, Duration::ZERO),
        (stopped, IDLE),
        (stopped, in_output),
        (stopped, on_its_way),
        (SILENCE, on_its_way),
    ] {
        let delay = Happening::Delay(late);
        in_every_order(&format!("late by {late:?} at {time:?}"), PEER, &[(time, delay)], lives);
    }
}

/// A pause in reading doesn't count as silence of the peer.
#[test]
fn a_living_peer_and_a_pause() {
    let pause = Happening::Pause { length: 200 * SECOND, reported: true };
    for time in [SECOND, IDLE + Duration::from_millis(1)] {
        in_every_order("a pause", PEER, &[(time, pause)], lives);
    }
}

/// A caller that neither receives nor reports it isn't asked to wake up again and again, and loses no peer.
#[test]
fn a_living_peer_and_a_caller_that_holds_its_input() {
    let pause = Happening::Pause { length: 200 * SECOND, reported: false };
    in_every_order("input held", PEER, &[(SECOND, pause)], |seen, role| {
        lives(seen, role);
        assert!(seen.turns < 600, "{} turns", seen.turns);
    });
}

/// A peer that is silent is dropped at its deadline.
#[test]
fn a_dead_peer() {
    in_every_order("a dead peer", DEAD, &[], |seen, _| {
        timed_out(seen, Deadline::Keepalive);
        let silence = seen.ended.unwrap() - 100 * SECOND;
        assert!((IDLE + SILENCE..IDLE + SILENCE + SLACK).contains(&silence), "{silence:?}");
        assert!(seen.turns <= 12, "{} turns", seen.turns);
    });
}

/// However late the loop is, one iteration after it has noticed.
#[test]
fn a_dead_peer_and_a_late_loop() {
    for (time, late) in [(IDLE, 5 * SECOND), (IDLE + SECOND, 22 * SECOND), (IDLE, 3600 * SECOND)] {
        in_every_order("a dead peer, late", DEAD, &[(time, Happening::Delay(late))], |seen, _| {
            timed_out(seen, Deadline::Keepalive);
            let silence = seen.ended.unwrap() - 100 * SECOND;
            // A delay between setting the time twice in an iteration makes the next wake-up up to a second late.
            assert!(silence < IDLE + SILENCE + late + SECOND + SLACK, "{silence:?}");
        });
    }
}

/// A peer that answers our Close, in time or while the loop is late.
#[test]
fn a_closing_handshake() {
    for late in [Duration::ZERO, 22 * SECOND] {
        let quiet = 20 * SECOND;
        let what = [(quiet, Happening::Close), (quiet + Duration::from_millis(60), Happening::Delay(late))];
        in_every_order("a close", PEER, &what, |seen, _| {
            let closed = seen.closed.as_ref().unwrap();
            assert!(closed.clean, "{closed:?}");
        });
    }
}

/// L6: after a quiet hour, the peer has its full time, from the loop's point of view.
#[test]
fn closing_after_a_quiet_hour() {
    let slow = Peer { answers_close: Some(CLOSING - SECOND), ..PEER };
    for answers in [slow, Peer { answers_close: None, ..PEER }] {
        in_every_order("a close after an hour", answers, &[(500 * SECOND, Happening::Close)], |seen, _| match answers
            .answers_close
        {
            Some(_) => assert!(seen.closed.as_ref().unwrap().clean),
            None => {
                timed_out(seen, Deadline::Closing);
                let time = seen.ended.unwrap() - seen.close_called.unwrap();
                assert!((CLOSING..CLOSING + SLACK).contains(&time), "{time:?}");
            }
        });
    }
}

/// A1: a closing connection ends, whatever the peer sends, and everything that had arrived before is delivered.
#[test]
fn closing_while_the_peer_talks() {
    let talks = Peer { talks: Some((3 * SECOND, 1000)), ..DEAD };
    let late = Happening::Delay(8 * SECOND);
    for what in [vec![(IDLE, Happening::Close)], vec![(IDLE, Happening::Close), (IDLE + SECOND, late)]] {
        in_every_order("a close while the peer talks", talks, &what, |seen, _| {
            timed_out(seen, Deadline::Closing);
            let time = seen.ended.unwrap() - seen.close_called.unwrap();
            assert!(time < CLOSING + seen.delays + SLACK, "{time:?}");
            let expected: Vec<_> = (1..=seen.messages.len()).map(|number| number.to_string()).collect();
            assert_eq!(seen.messages, expected);
            assert!(seen.messages.len() >= 11, "{:?}", seen.messages);
        });
    }
}

/// A pause doesn't make closing longer, and doesn't spin.
#[test]
fn closing_during_a_pause() {
    let pause = Happening::Pause { length: 100 * SECOND, reported: true };
    for peer in [PEER, DEAD] {
        in_every_order("a close in a pause", peer, &[(SECOND, pause), (2 * SECOND, Happening::Close)], |seen, _| {
            let time = seen.ended.unwrap() - seen.close_called.unwrap();
            assert!((CLOSING..CLOSING + SLACK).contains(&time), "{time:?}");
            assert!(seen.turns < 20, "{} turns", seen.turns);
        });
    }
}

/// Your own pings move no deadline.
#[test]
fn pings_of_the_caller() {
    for time in [SECOND, IDLE, IDLE + SECOND] {
        in_every_order("a ping", PEER, &[(time, Happening::Ping)], lives);
        in_every_order("a ping to the dead", DEAD, &[(time, Happening::Ping)], |seen, _| {
            timed_out(seen, Deadline::Keepalive);
            assert!(seen.ended.unwrap() - 100 * SECOND < IDLE + SILENCE + SLACK);
        });
    }
}

/// Without an accident, messages and pongs arrive: every scenario relies on that.
#[test]
fn the_world_itself_moves() {
    let program = Loop { steps: vec![Step::Read, Step::Advance, Step::Receive, Step::Write], wait: Wait::Between };
    let talks = Peer { talks: Some((SECOND, 3)), ..PEER };
    let seen = World::new(Role::Server, talks, program, Vec::new()).run(100 * SECOND);
    assert_eq!(seen.messages, ["1", "2", "3"]);
    assert_eq!((seen.pongs, seen.ended), (3, None));
}
