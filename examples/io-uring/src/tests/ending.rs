//! How connections end, and the server.

use std::net::Shutdown;

use websocket_proto::{CloseCode, Event};

use super::script::{A, B, C, Kernel, the_send};
use crate::ops::{Done, Input, Op};

/// A peer in the slot that has closed, and whose writing side the server shuts down.
fn says_goodbye(kernel: &mut Kernel, slot: usize) {
    let mut client = kernel.open(slot, "/echo");
    let close = the_send(slot, kernel.received(slot, &client.close()));
    assert_eq!(client.is_told_to_leave(&close), CloseCode::NORMAL);
    assert_eq!(kernel.sent(slot, close), [Op::ShutDown(slot, Shutdown::Write)]);
}

#[test]
fn closes_when_the_peer_has_ended_and_the_shutdown_has_completed() {
    let mut kernel = Kernel::new();
    says_goodbye(&mut kernel, A);
    assert_eq!(kernel.receive_ends(A, Input::End), []);
    assert_eq!(kernel.done(Done::ShutDown(A)), [Op::Close(A)]);

    says_goodbye(&mut kernel, B);
    assert_eq!(kernel.done(Done::ShutDown(B)), []);
    assert_eq!(kernel.receive_ends(B, Input::End), [Op::Close(B)]);
}

#[test]
fn a_slot_is_free_when_its_close_has_completed() {
    let mut kernel = Kernel::new();
    says_goodbye(&mut kernel, A);
    kernel.done(Done::ShutDown(A));
    assert_eq!(kernel.receive_ends(A, Input::End), [Op::Close(A)]);
    assert_eq!(kernel.done(Done::Closed(A)), [Op::Accept(A)]);
}

#[test]
fn needs_no_shutdown_where_the_peer_ended_first() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = the_send(A, kernel.received(A, &client.close()));
    assert_eq!(kernel.receive_ends(A, Input::End), []);
    assert_eq!(kernel.sent(A, close), [Op::Close(A)]);
}

#[test]
fn hangs_up_on_a_peer_that_does_not_end() {
    let mut kernel = Kernel::new();
    says_goodbye(&mut kernel, A);
    kernel.done(Done::ShutDown(A));
    assert_eq!(kernel.after_seconds(1), []);
    assert_eq!(kernel.after_seconds(4), [Op::ShutDown(A, Shutdown::Both)]);
    assert_eq!(kernel.done(Done::ShutDown(A)), []);
    assert_eq!(kernel.receive_ends(A, Input::End), [Op::Close(A)]);
}

#[test]
fn drops_what_comes_after_the_end_a_part_in_each_turn() {
    let mut kernel = Kernel::new();
    says_goodbye(&mut kernel, A);
    kernel.done(Done::ShutDown(A));
    assert_eq!(kernel.received(A, b"noise"), [Op::CancelReceive(A)]);
    assert_eq!(kernel.received(A, b"more noise"), []);
    assert_eq!(kernel.receive_ends(A, Input::Nothing), [Op::Discard(A)]);
    assert_eq!(kernel.done(Done::ReceiveCanceled(A)), []);
    for _ in 0..3 {
        assert_eq!(kernel.done(Done::Discarded(A, Ok(100_000))), [Op::Discard(A)]);
    }
    assert_eq!(kernel.done(Done::Discarded(A, Ok(0))), [Op::Close(A)]);
}

#[test]
fn drops_what_comes_after_the_end_while_the_last_bytes_are_not_sent() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = the_send(A, kernel.received(A, b"\xff\x80\0\0\0\0"));
    assert_eq!(kernel.received(A, b"noise"), [Op::CancelReceive(A)]);
    assert_eq!(kernel.receive_ends(A, Input::Nothing), [Op::Discard(A)]);
    assert_eq!(kernel.done(Done::ReceiveCanceled(A)), []);
    assert_eq!(kernel.done(Done::Discarded(A, Ok(100_000))), [Op::Discard(A)]);
    assert_eq!(client.is_told_to_leave(&close), CloseCode::PROTOCOL_ERROR);
    assert_eq!(kernel.sent(A, close), [Op::ShutDown(A, Shutdown::Write)]);
}

#[test]
fn closes_only_when_nothing_is_in_flight() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let bytes = the_send(A, kernel.received(A, &client.text("lost")));
    assert_eq!(kernel.receive_ends(A, Input::Lost), [Op::ShutDown(A, Shutdown::Both)]);
    assert_eq!(kernel.sending_fails(A, bytes), []);
    assert_eq!(kernel.done(Done::ShutDown(A)), [Op::Close(A)]);
}

#[test]
fn gives_up_on_a_peer_that_does_not_take_the_last_bytes() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = the_send(A, kernel.received(A, &client.close()));
    assert_eq!(kernel.after_seconds(1), []);
    assert_eq!(kernel.after_seconds(9), [Op::ShutDown(A, Shutdown::Both)]);
    assert_eq!(kernel.sending_fails(A, close), []);
    assert_eq!(kernel.receive_ends(A, Input::End), []);
    assert_eq!(kernel.done(Done::ShutDown(A)), [Op::Close(A)]);
}

#[test]
fn says_goodbye_to_all_when_told_to_stop() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    kernel.accepted(B);
    let ops = kernel.done(Done::ToldToStop);
    let Ok([Op::StopListening, Op::Send(A, close), Op::ShutDown(B, Shutdown::Both)]) = <[Op; 3]>::try_from(ops) else {
        panic!()
    };
    // It still sends: that is no reason to cancel the shutdown.
    assert_eq!(kernel.received(A, &client.text("one more thing")), []);
    assert_eq!(client.is_told_to_leave(&close), CloseCode::GOING_AWAY);
    assert_eq!(kernel.sent(A, close), []);
    assert_eq!(kernel.received(A, &client.output()), [Op::ShutDown(A, Shutdown::Write)]);
    kernel.done(Done::ShutDown(A));
    assert_eq!(kernel.receive_ends(A, Input::End), [Op::Close(A)]);
    assert_eq!(kernel.done(Done::Closed(A)), []);

    kernel.done(Done::ShutDown(B));
    assert_eq!(kernel.receive_ends(B, Input::End), [Op::Close(B)]);
    // A client that arrived at the last moment.
    assert_eq!(kernel.done(Done::Accepted(C, Ok(()))), [Op::Close(C)]);
    assert_eq!(kernel.done(Done::Closed(C)), []);
    assert_eq!(kernel.server.stopped(), None);
    assert_eq!(kernel.done(Done::Closed(B)), []);
    assert_eq!(kernel.server.stopped(), Some(0));
}

#[test]
fn stops_in_bounded_time_whoever_stays() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = the_send(A, kernel.received(A, &client.text("unread")));
    assert_eq!(kernel.done(Done::ToldToStop), [Op::StopListening]);
    for slot in [B, C] {
        let refused = std::io::Error::from_raw_os_error(libc::EINVAL);
        assert_eq!(kernel.done(Done::Accepted(slot, Err(refused))), []);
    }
    kernel.after_seconds(1);
    assert_eq!(kernel.server.stopped(), None);
    // Stopping twice is the same as stopping once.
    assert_eq!(kernel.done(Done::ToldToStop), []);
    kernel.after_seconds(5);
    assert_eq!(kernel.server.stopped(), Some(1));
    assert!(matches!(client.receive(&close)[..], [Event::Text(_)]));
}
