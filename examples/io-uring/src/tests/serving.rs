//! Messages, backpressure, and which requests are accepted.

use std::io;
use std::time::Duration;

use super::script::{A, B, C, Kernel, SLOTS, the_send};
use crate::ops::{Done, Input, MAX_SEND, Op};

#[test]
fn echoes() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let bytes = the_send(A, kernel.received(A, &client.text("你好")));
    assert_eq!(client.hears(&bytes), "你好");
    assert_eq!(kernel.sent(A, bytes), []);
}

#[test]
fn sends_once_at_a_time_and_first_what_was_cut_short() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let first = the_send(A, kernel.received(A, &client.text("first")));
    assert_eq!(kernel.received(A, &client.text("second")), []);

    let rest = the_send(A, kernel.done(Done::Sent(A, first.clone(), Ok(3))));
    assert_eq!(rest[..first.len() - 3], first[3..]);
    assert!(rest.ends_with(b"second"));
    assert_eq!(kernel.sent(A, rest), []);
}

#[test]
fn sends_again_what_a_signal_interrupted() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let bytes = the_send(A, kernel.received(A, &client.text("again")));
    let interrupted = Err(io::ErrorKind::Interrupted.into());
    assert_eq!(the_send(A, kernel.done(Done::Sent(A, bytes.clone(), interrupted))), bytes);
}

#[test]
fn receives_again_when_no_buffer_was_free() {
    let mut kernel = Kernel::new();
    kernel.open(A, "/echo");
    assert_eq!(kernel.receive_ends(A, Input::Nothing), [Op::Receive(A)]);
}

/// Sends a large message to a peer and returns the first part of the echo.
fn much_is_pending(kernel: &mut Kernel) -> Vec<u8> {
    let mut client = kernel.open(A, "/echo");
    let ops = kernel.received(A, &client.text(&"字".repeat(200_000)));
    let Ok([Op::Send(A, bytes), Op::CancelReceive(A)]) = <[Op; 2]>::try_from(ops) else { panic!() };
    // Whatever arrives meanwhile is answered all the same.
    assert_eq!(kernel.received(A, &client.text("small")), []);
    bytes
}

#[test]
fn stops_receiving_while_much_is_pending() {
    for cancel_completes_first in [false, true] {
        let mut kernel = Kernel::new();
        let mut bytes = much_is_pending(&mut kernel);
        if cancel_completes_first {
            // It may have completed before the `Receive` was found; then it is needed again, and does no harm
            // otherwise.
            assert_eq!(kernel.done(Done::ReceiveCanceled(A)), [Op::CancelReceive(A)]);
            assert_eq!(kernel.receive_ends(A, Input::Nothing), []);
        } else {
            assert_eq!(kernel.receive_ends(A, Input::Nothing), []);
        }
        assert_eq!(kernel.done(Done::ReceiveCanceled(A)), []);

        let mut all = Vec::new();
        loop {
            assert!(bytes.len() <= MAX_SEND);
            all.extend_from_slice(&bytes);
            let mut ops = kernel.sent(A, bytes);
            if let Some(Op::Receive(A)) = ops.last() {
                ops.pop();
                all.extend(the_send(A, ops));
                break;
            }
            bytes = the_send(A, ops);
        }
        assert!(all.len() > 600_000 && all.ends_with(b"small"));
    }
}

#[test]
fn serves_the_page() {
    let mut kernel = Kernel::new();
    kernel.accepted(A);
    let page = the_send(A, kernel.received(A, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(page.starts_with(b"HTTP/1.1 200 ") && page.ends_with(b"</html>\n"));
    assert_eq!(kernel.sent(A, page), [Op::ShutDown(A, std::net::Shutdown::Write)]);
}

#[test]
fn passes_on_what_is_said_in_the_chat() {
    let mut kernel = Kernel::new();
    let mut clients = [A, B].map(|slot| kernel.open(slot, "/chat"));
    kernel.open(C, "/echo");
    let bytes = clients[A].text("大家好");
    let ops = kernel.received(A, &bytes);
    let Ok([Op::Send(A, to_a), Op::Send(B, to_b)]) = <[Op; 2]>::try_from(ops) else { panic!() };
    assert_eq!(clients.each_mut().map(|client| client.hears(&to_a)), ["大家好"; 2]);
    assert_eq!(to_a, to_b);
}

#[test]
fn accepts_nobody_into_a_full_table() {
    let mut kernel = Kernel::new();
    (0..SLOTS).for_each(|slot| kernel.accepted(slot));
    assert_eq!(kernel.after_seconds(1), []);
    assert_eq!(kernel.receive_ends(B, Input::Lost), [Op::Close(B)]);
    assert_eq!(kernel.done(Done::Closed(B)), [Op::Accept(B)]);
    kernel.accepted(B);
}

#[test]
fn accepts_again_after_a_pause_when_that_failed() {
    let mut kernel = Kernel::new();
    for slot in 0..SLOTS {
        let error = io::Error::from_raw_os_error(libc::ENFILE);
        assert_eq!(kernel.done(Done::Accepted(slot, Err(error))), []);
    }
    assert_eq!(kernel.turn(), []);
    let at = kernel.server.next_timeout().unwrap();
    assert!(at > kernel.now && at < Duration::from_secs(1));
    assert_eq!(kernel.after(at).len(), SLOTS);
    assert_eq!(kernel.server.next_timeout(), None);
}

#[test]
fn accepts_again_at_once_when_somebody_leaves_after_that_failed() {
    let mut kernel = Kernel::new();
    kernel.accepted(A);
    let error = io::Error::from_raw_os_error(libc::ENFILE);
    assert_eq!(kernel.done(Done::Accepted(B, Err(error))), []);
    assert_eq!(kernel.receive_ends(A, Input::Lost), [Op::Close(A)]);
    let mut accepts = kernel.done(Done::Closed(A));
    accepts.sort_by_key(|op| format!("{op:?}"));
    assert_eq!(accepts, [Op::Accept(A), Op::Accept(B)]);
}
