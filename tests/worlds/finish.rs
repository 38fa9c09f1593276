//! A fair end: both ends read and write all that they can, and time passes when nothing else happens.

use websocket_proto::State;

use crate::action::{Action, Call};
use crate::support::ROLES;
use crate::wire::{Said, decode, is_keepalive};
use crate::world::World;

/// The most rounds to the end of a world, by far: every deadline there is, one after the other.
const MOST_ROUNDS: usize = 60;

/// Runs a world until both connections have ended. If nothing went wrong, all that was sent is received.
pub(crate) fn finish(world: &mut World<'_>) {
    settle(world);
    if !world.is_faulty {
        check_received(world);
    }
    for round in 0..MOST_ROUNDS {
        if world.is_over() {
            break;
        }
        // Somebody has to close, where nobody has.
        for role in ROLES {
            if world.end(role).can(Call::Close) && round > 0 {
                world.act(Action::Call(role, Call::Close));
                break;
            }
        }
        settle(world);
        if world.next_deadline().is_some() && !world.is_over() {
            world.act(Action::Wait);
        }
    }
    assert!(world.is_over(), "no end: {:?} and {:?}", world.client.conn, world.server.conn);
    assert_eq!([State::Closed; 2], ROLES.map(|role| world.end(role).conn.state()));
}

/// Everything that can be read and written without waiting.
fn settle(world: &mut World<'_>) {
    for _ in 0..10 {
        let mut is_idle = true;
        for role in ROLES {
            if !world.end(role).is_gone() {
                let count = world.end(role).incoming.len();
                is_idle &= count == 0;
                world.act(Action::Read(role, count));
            }
            if world.end(role).has_to_write() {
                is_idle = false;
                world.act(Action::Write(role));
            }
            world.check();
        }
        if is_idle {
            return;
        }
    }
    panic!("the ends talk without end");
}

/// Checks that each end has received what the other sent: messages, pings and Close frames, in order.
fn check_received(world: &mut World<'_>) {
    for role in ROLES {
        let written = world.end(role).written.clone();
        let opens = world.scenario.opens;
        let peer = world.end(crate::support::other(role));
        let is_own = |said: &Said| matches!(said, Said::Pong(payload) if is_keepalive(payload));
        let said: Vec<Said> = decode(&written, opens).said().into_iter().filter(|said| !is_own(said)).collect();
        let received: Vec<Said> = peer.received.iter().filter(|said| !is_own(said)).cloned().collect();
        assert_eq!(received, said, "the {role:?} said");
    }
}
