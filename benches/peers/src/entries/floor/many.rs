//! Receives on many connections. Between two messages, all that a connection has is an empty pointer.

use multiversion::multiversion;

use super::receive::{Message, Receiver, take_whole};
use crate::jobs::Many;
use crate::tally::{Tally, Work};

/// What has arrived of a message, if the input has split it.
type Connection = Option<Box<Receiver<true>>>;

pub(super) fn work(mut job: Many) -> Work {
    let mut connections: Vec<Connection> = job.open(|| None);
    let mut buffer = vec![0; job.wire.input];
    Box::new(move || pass(&mut job, &mut connections, &mut buffer))
}

#[multiversion(targets("x86_64+avx2"))]
fn pass(job: &mut Many, connections: &mut [Connection], buffer: &mut [u8]) -> Tally {
    let mut tally = job.wire.tally();
    for &number in &*job.order {
        let connection = &mut connections[number as usize];
        let count = job.wire.read(buffer);
        let mut yields = |message: Message<'_>| match message {
            Message::Text(text) => tally.visit_text(text),
            Message::Binary(data) => tally.visit(data),
        };
        let mut input = &mut buffer[..count];
        if connection.is_none() {
            input = take_whole::<true>(input, 0, &mut yields);
        }
        if !input.is_empty() {
            let receiver = connection.get_or_insert_default();
            receiver.consume(input, yields);
            if receiver.is_between_messages() {
                *connection = None;
            }
        }
    }
    tally
}
