//! Deadlines: the peers that they end, and the peers that they must not end.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use websocket_proto::Event;

use super::client::Client;
use super::script::{A, B, Kernel, the_send};
use crate::horizon::Horizon;
use crate::ops::{Done, Input, MAX_SEND, Op};

#[test]
fn drops_a_peer_that_says_nothing() {
    let mut kernel = Kernel::new();
    kernel.accepted(A);
    assert_eq!(kernel.after_seconds(5), []);
    assert_eq!(kernel.after_seconds(10), [Op::ShutDown(A, Shutdown::Both)]);
    assert_eq!(kernel.receive_ends(A, Input::End), []);
    assert_eq!(kernel.done(Done::ShutDown(A)), [Op::Close(A)]);
}

/// A peer that has been sent a ping, and its pong.
fn pinged(kernel: &mut Kernel) -> (Client, Vec<u8>) {
    let mut client = kernel.open(A, "/echo");
    let ping = the_send(A, kernel.after_seconds(31));
    assert!(matches!(client.receive(&ping)[..], [Event::Ping(_)]));
    assert_eq!(kernel.sent(A, ping), []);
    let pong = client.output();
    (client, pong)
}

fn is_alive(kernel: &mut Kernel, client: &mut Client) {
    let bytes = the_send(A, kernel.received(A, &client.text("still here")));
    // A ping may have been sent as well.
    let heard = client.receive(&bytes);
    assert!(heard.iter().any(|event| matches!(event, Event::Text(text) if text == "still here")), "{heard:?}");
}

#[test]
fn drops_a_peer_that_does_not_answer_its_ping() {
    let mut kernel = Kernel::new();
    pinged(&mut kernel);
    assert_eq!(kernel.after_seconds(10), []);
    let ended = (0..4).any(|_| kernel.after_seconds(15) == [Op::ShutDown(A, Shutdown::Both)]);
    assert!(ended);
}

/// A process that was stopped finds the deadline and the pong, which the kernel reports some turns later.
#[test]
fn a_deadline_waits_for_what_arrived_before() {
    let mut kernel = Kernel::new();
    let (mut client, pong) = pinged(&mut kernel);
    kernel.now += Duration::from_secs(22);
    kernel.server.advance_time(kernel.now);
    for _ in 0..5 {
        assert_eq!(kernel.server.next_ops(false).count(), 0);
        assert!(kernel.server.next_timeout().unwrap() <= kernel.now, "the next turn isn't at once");
    }
    assert_eq!(kernel.received(A, &pong), []);
    for op in kernel.after_seconds(0) {
        if let Op::Send(A, ping) = op {
            assert!(matches!(client.receive(&ping)[..], [Event::Ping(_)]));
            kernel.sent(A, ping);
        }
    }
    is_alive(&mut kernel, &mut client);
}

/// The request comes in parts, in as many turns.
#[test]
fn a_deadline_waits_for_the_last_byte_that_arrived_before() {
    let mut kernel = Kernel::new();
    kernel.accepted(A);
    let mut client = Client::new("/echo");
    let mut request = client.output();
    let last = request.pop().unwrap();
    kernel.now += Duration::from_secs(30);
    kernel.server.advance_time(kernel.now);
    for part in request.chunks_mut(10) {
        kernel.server.handle(Done::Received { slot: A, input: Input::Bytes(part), more: true });
        assert_eq!(kernel.server.next_ops(false).count(), 0);
    }
    let response = the_send(A, kernel.received(A, &[last]));
    assert!(matches!(client.receive(&response)[..], [Event::Open(_), ..]));
}

#[test]
fn a_deadline_waits_while_no_buffer_is_free_for_what_arrived_before() {
    let mut kernel = Kernel::new();
    let (mut client, pong) = pinged(&mut kernel);
    kernel.now += Duration::from_secs(22);
    for _ in 0..5 {
        assert_eq!(kernel.receive_ends(A, Input::Nothing), [Op::Receive(A)]);
    }
    assert_eq!(kernel.received(A, &pong), []);
    is_alive(&mut kernel, &mut client);
}

#[test]
fn no_flood_holds_deadlines_up_for_ever() {
    let mut kernel = Kernel::new();
    pinged(&mut kernel);
    let ended = (0..2000).any(|_| {
        kernel.now += Duration::from_millis(100);
        kernel.server.advance_time(kernel.now);
        kernel.server.next_ops(false).any(|op| op == Op::ShutDown(A, Shutdown::Both))
    });
    assert!(ended);
}

#[test]
fn a_horizon_moves_only_to_where_the_kernel_has_caught_up() {
    let second = Duration::from_secs(1);
    let mut horizon = Horizon::default();
    assert_eq!(horizon.advance(second, true, true), Some(second));
    // Nothing is due for long, and then the process is stopped for a minute.
    for _ in 0..1000 {
        assert_eq!(horizon.advance(2 * second, false, false), None);
    }
    let turns: Vec<_> = (0..1000).map(|turn| horizon.advance((60 + turn) * second, false, true)).collect();
    let moved: Vec<_> = (0..).zip(turns).filter_map(|(turn, to)| Some((turn, to?))).collect();
    assert!(moved.len() > 3 && moved[0].0 > 100, "{moved:?}");
    assert_eq!(moved[0].1, 60 * second);
    assert!(moved.iter().all(|&(turn, to)| to + 100 * second < (60 + turn) * second), "{moved:?}");
}

#[test]
fn drops_a_peer_that_never_reads_though_it_sends() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let ops = kernel.received(A, &client.text(&"x".repeat(1 << 20)));
    assert!(matches!(ops[..], [Op::Send(A, _), Op::CancelReceive(A)]));
    kernel.receive_ends(A, Input::Nothing);
    kernel.done(Done::ReceiveCanceled(A));
    let ended = (0..12).find(|_| kernel.after_seconds(10).contains(&Op::ShutDown(A, Shutdown::Both)));
    assert!(ended.is_some_and(|tens| tens >= 2), "{ended:?}");
}

#[test]
fn keeps_a_peer_that_reads_slowly() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let ops = kernel.received(A, &client.text(&"x".repeat(1 << 20)));
    let Ok([Op::Send(A, mut bytes), Op::CancelReceive(A)]) = <[Op; 2]>::try_from(ops) else { panic!() };
    kernel.receive_ends(A, Input::Nothing);
    kernel.done(Done::ReceiveCanceled(A));
    // It takes 1 KiB each second: a quarter of an hour.
    loop {
        assert!(bytes.len() <= MAX_SEND);
        let taken = bytes.len().min(1024);
        let heard = client.receive(&bytes[..taken]);
        if let [Event::Text(text), ..] = &heard[..] {
            assert_eq!(text.len(), 1 << 20);
            break;
        }
        let mut ops = kernel.done(Done::Sent(A, bytes, Ok(taken)));
        ops.extend(kernel.after_seconds(1));
        let sends = |op| if let Op::Send(A, bytes) = op { Some(bytes) } else { None };
        bytes = ops.into_iter().find_map(sends).expect("the rest is sent");
    }
    assert!(kernel.now > Duration::from_secs(900), "{:?}", kernel.now);
}

/// It is sent as much as it reads, all the time. So nothing is received from it, and its pong waits.
#[test]
fn keeps_a_peer_that_reads_slowly_while_others_talk() {
    let mut kernel = Kernel::new();
    kernel.open(A, "/chat");
    let mut talker = kernel.open(B, "/chat");
    // The talker reads everything at once.
    let mut to_a = None;
    let mut run = |kernel: &mut Kernel, mut ops: Vec<Op>| {
        while let Some(op) = ops.pop() {
            match op {
                Op::Send(A, bytes) => to_a = Some(bytes),
                Op::Send(_, bytes) => ops.extend(kernel.sent(B, bytes)),
                Op::CancelReceive(slot) => {
                    ops.extend(kernel.receive_ends(slot, Input::Nothing));
                    ops.extend(kernel.done(Done::ReceiveCanceled(slot)));
                }
                Op::Receive(B) => {}
                other => panic!("{other:?} after {:?}", kernel.now),
            }
        }
        to_a.clone()
    };
    let large = kernel.received(B, &talker.text(&"x".repeat(300_000)));
    run(&mut kernel, large);
    for second in 0..1000 {
        let bytes = run(&mut kernel, Vec::new()).unwrap();
        // The first 100 kB are quick.
        let taken = if second < 2 { 50_000 } else { 1004 };
        let ops = kernel.done(Done::Sent(A, bytes, Ok(taken)));
        run(&mut kernel, ops);
        let ops = kernel.received(B, &talker.text(&"x".repeat(1000)));
        run(&mut kernel, ops);
        let ops = kernel.after_seconds(1);
        run(&mut kernel, ops);
    }
}

/// A deadline of the previous owner means nothing to the next.
#[test]
fn a_slot_brings_no_deadlines_from_its_previous_owner() {
    let mut kernel = Kernel::new();
    kernel.open(A, "/echo");
    let reset = Input::Lost;
    assert_eq!(kernel.receive_ends(A, reset), [Op::Close(A)]);
    assert_eq!(kernel.done(Done::Closed(A)), [Op::Accept(A)]);
    kernel.now += Duration::from_secs(5);

    let mut client = kernel.open(A, "/echo");
    assert_eq!(kernel.after_seconds(9), []);
    is_alive(&mut kernel, &mut client);
}

#[test]
fn a_lost_peer_is_lost_however_that_is_noticed() {
    for in_discard in [false, true] {
        let mut kernel = Kernel::new();
        kernel.open(A, "/echo");
        let close = the_send(A, kernel.received(A, b"\xff\x80\0\0\0\0"));
        if in_discard {
            assert_eq!(kernel.received(A, b"noise"), [Op::CancelReceive(A)]);
            assert_eq!(kernel.done(Done::ReceiveCanceled(A)), [Op::CancelReceive(A)]);
            assert_eq!(kernel.done(Done::ReceiveCanceled(A)), [Op::CancelReceive(A)]);
            assert_eq!(kernel.receive_ends(A, Input::Nothing), [Op::Discard(A)]);
            assert_eq!(kernel.done(Done::ReceiveCanceled(A)), []);
            let reset = Err(io::ErrorKind::ConnectionReset.into());
            assert!(kernel.done(Done::Discarded(A, reset)).contains(&Op::ShutDown(A, Shutdown::Both)));
        } else {
            assert_eq!(kernel.receive_ends(A, Input::Lost), [Op::ShutDown(A, Shutdown::Both)]);
        }
        kernel.done(Done::ShutDown(A));
        assert_eq!(kernel.sending_fails(A, close), [Op::Close(A)]);
    }
}
