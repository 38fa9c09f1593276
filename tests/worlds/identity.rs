//! The identity of a state: which of them are the same.
//!
//! A `Connection` shows little of its inside, so a state is what it shows, and all that its future can depend on of what was
//! done to it:
//!
//! - shown: the state, the output (without masking keys), what it asks for, and how far its deadline is;
//! - of what was received: the bytes of the message and of the frame that are unfinished, and how many of them;
//! - of time: how long ago the time was set, bytes came, and a ping was sent; and what was called and received since the last turn;
//! - of what was said: the kinds of messages that are still on the way, and what is still to be reported.
//!
//! Masking keys, absolute times and what is over and done with are left out: by those, states are merged that differ. `search`
//! checks samples of them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::support::ROLES;
use crate::wire::{Frame, decode, is_keepalive};
use crate::world::World;

pub(crate) fn identity(world: &mut World<'_>) -> u64 {
    let now = world.now;
    let mut hasher = DefaultHasher::new();
    world.is_faulty.hash(&mut hasher);
    for role in ROLES {
        hash(world.end(role), now, &mut hasher);
    }
    hasher.finish()
}

fn hash(end: &mut Endpoint, now: Duration, hasher: &mut impl Hasher) {
    let conn = &end.conn;
    (conn.state(), conn.wants_shutdown(), conn.wants_read(), conn.round_trip()).hash(hasher);
    // The time before the first that was set.
    ago(now, conn.next_timeout().filter(|next| !next.is_zero())).hash(hasher);
    conn.next_timeout().is_some().hash(hasher);
    (end.is_shut(), end.is_gone(), end.calls, &end.recent).hash(hasher);
    let pending = end.conn.pending_output();
    let sent = end.sent();
    let start = end.written.len();
    for frame in sent.frames.iter().filter(|frame| frame.start >= start) {
        hash_frame(frame, now, hasher);
    }
    (pending, end.written.is_empty()).hash(hasher);
    // Pings whose answer is still to come.
    let newest = sent.frames.iter().rfind(|frame| frame.first == 0x89);
    if let Some(ping) = newest {
        hash_frame(ping, now, hasher);
        decode(end.incoming.received(), end.opens)
            .frames
            .iter()
            .any(|frame| frame.first == 0x8a && frame.payload == ping.payload)
            .hash(hasher);
    }

    let received = end.incoming.received().len();
    let decoded = decode(end.incoming.received(), end.opens);
    let boundary = decoded.boundary();
    (received - boundary, end.incoming.len(), end.incoming.is_ended(), end.incoming.is_broken()).hash(hasher);
    for frame in decode(end.incoming.all(), end.opens).frames.iter().filter(|frame| frame.start >= boundary) {
        hash_frame(frame, now, hasher);
    }

    let model = &end.model;
    (model.texts, model.has_unfinished, model.awaits_answer, model.close_called, model.was_aborted).hash(hasher);
    (model.ended_by_call, model.since.map(|(deadline, since)| (deadline, now - since)), model.due_turns.min(2))
        .hash(hasher);
    ago(now, model.last_received).hash(hasher);
    let ends = [end.received.first(), end.received.last()].map(|said| said.map(discriminant));
    (ends, end.closed.as_ref().map(|closed| closed.cause)).hash(hasher);
    ago(now, end.last_turn).hash(hasher);
    end.silent.map(|(since, turns)| (now - since, turns)).hash(hasher);
    ago(now, end.closed_since).hash(hasher);
}

/// How long ago that was, or in how long it will be.
fn ago(now: Duration, time: Option<Duration>) -> Option<i128> {
    time.map(|time| now.as_nanos().cast_signed() - time.as_nanos().cast_signed())
}

/// A frame without its key. The payload of a keepalive's ping is the time.
fn hash_frame(frame: &Frame, now: Duration, hasher: &mut impl Hasher) {
    frame.first.hash(hasher);
    if let (true, Ok(time)) = (is_keepalive(&frame.payload), frame.payload[..].try_into()) {
        (now.as_nanos() as u32).wrapping_sub(u32::from_be_bytes(time)).hash(hasher);
    } else {
        frame.payload.hash(hasher);
    }
}
