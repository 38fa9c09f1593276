//! The server without a ring: the tests complete its operations as a kernel might.

use std::io;
use std::net::Shutdown as Half;
use std::time::Duration;

use bytes::{Buf, Bytes};
use websocket_proto::{ClientRequest, CloseCode, Config, Connection, Event, Seed};

use crate::ops::{Done, Input, Op, PLACES};
use crate::server::Server;

const A: usize = 0;
const B: usize = 1;

/// A server and its clock.
struct Kernel {
    server: Server,
    now: Duration,
}

impl Kernel {
    /// One that waits for peers.
    fn new() -> Self {
        let mut this = Self { server: Server::new(), now: Duration::ZERO };
        assert_eq!(this.ops(), [Op::Accept]);
        this
    }

    fn ops(&mut self) -> Vec<Op> {
        self.server.next_ops(self.now).collect()
    }

    fn done(&mut self, done: Done<'_>) -> Vec<Op> {
        self.server.advance_time(self.now);
        self.server.handle(done);
        self.ops()
    }

    fn after(&mut self, time: Duration) -> Vec<Op> {
        self.now += time;
        self.ops()
    }

    fn accepted(&mut self, peer: usize) {
        assert_eq!(self.done(Done::Accepted { peer: Ok(peer), more: true }), [Op::Receive(peer)]);
    }

    /// Bytes have come, and more may.
    fn received(&mut self, peer: usize, bytes: &[u8]) -> Vec<Op> {
        self.done(Done::Received { peer, input: Input::Bytes(&mut bytes.to_vec()), more: true })
    }

    /// Receiving has come to its end.
    fn stopped(&mut self, peer: usize, input: Input<'_>) -> Vec<Op> {
        self.done(Done::Received { peer, input, more: false })
    }

    fn sent(&mut self, peer: usize, bytes: Bytes) -> Vec<Op> {
        let sent = Ok(bytes.len());
        self.done(Done::Sent { peer, bytes, sent })
    }

    fn failed(&mut self, peer: usize, bytes: Bytes) -> Vec<Op> {
        self.done(Done::Sent { peer, bytes, sent: Err(io::ErrorKind::BrokenPipe.into()) })
    }

    /// A peer whose opening handshake is done.
    fn open(&mut self, peer: usize, path: &str) -> Client {
        self.accepted(peer);
        let request = ClientRequest::new(format!("ws://localhost{path}").parse().unwrap());
        let mut client = Client(Connection::client(request, Config::new(), Seed::new([peer as u8; 32])).unwrap());
        let response = bytes_of(peer, self.received(peer, &client.output()));
        assert!(matches!(client.receive(&response)[..], [Event::Open(_)]));
        assert_eq!(self.sent(peer, response), []);
        client
    }
}

struct Client(Connection);

impl Client {
    fn output(&mut self) -> Bytes {
        let output = self.0.output();
        output.copy_to_bytes(output.remaining())
    }

    fn text(&mut self, text: &str) -> Bytes {
        self.0.send_text(text).unwrap();
        self.output()
    }

    fn close(&mut self) -> Bytes {
        self.0.close(CloseCode::NORMAL, "").unwrap();
        self.output()
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<Event<'static>> {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        std::iter::from_fn(|| self.0.receive(&mut input).map(Event::into_owned)).collect()
    }

    fn hears(&mut self, bytes: &[u8]) -> String {
        match &self.receive(bytes)[..] {
            [Event::Text(text)] => text.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

/// What is sent, where that is all there is to do.
fn bytes_of(peer: usize, ops: Vec<Op>) -> Bytes {
    match <[Op; 1]>::try_from(ops) {
        Ok([Op::Send(to, bytes)]) if to == peer => bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn echoes() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let bytes = bytes_of(A, kernel.received(A, &client.text("你好")));
    assert_eq!(client.hears(&bytes), "你好");
    assert_eq!(kernel.sent(A, bytes), []);
}

#[test]
fn sends_one_thing_at_a_time_and_the_rest_of_what_was_cut_short_first() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let mut first = bytes_of(A, kernel.received(A, &client.text("first")));
    assert_eq!(kernel.received(A, &client.text("second")), []);

    let rest = bytes_of(A, kernel.done(Done::Sent { peer: A, bytes: first.clone(), sent: Ok(3) }));
    first.advance(3);
    assert_eq!(rest, first);
    let second = bytes_of(A, kernel.sent(A, rest));
    assert!(second.ends_with(b"second"));
    assert_eq!(kernel.sent(A, second), []);
}

#[test]
fn receives_again_when_no_buffer_was_free() {
    let mut kernel = Kernel::new();
    kernel.open(A, "/echo");
    assert_eq!(kernel.stopped(A, Input::Nothing), [Op::Receive(A)]);
}

#[test]
fn stops_receiving_while_much_is_pending() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let large = "字".repeat(100_000);
    let ops = kernel.received(A, &client.text(&large));
    let Ok([Op::Send(A, bytes), Op::StopReceiving(A)]) = <[Op; 2]>::try_from(ops) else { panic!() };
    // What came meanwhile is answered all the same.
    assert_eq!(kernel.received(A, &client.text("small")), []);
    assert_eq!(kernel.stopped(A, Input::Nothing), []);

    let ops = kernel.sent(A, bytes);
    let Ok([Op::Send(A, bytes), Op::Receive(A)]) = <[Op; 2]>::try_from(ops) else { panic!() };
    assert!(bytes.ends_with(b"small"));
}

#[test]
fn shuts_down_when_all_is_sent_and_closes_when_the_peer_has_ended() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = bytes_of(A, kernel.received(A, &client.close()));
    assert!(matches!(client.receive(&close)[..], [Event::Closed(_)]));
    assert_eq!(kernel.sent(A, close), [Op::ShutDown(A, Half::Write)]);
    // What comes behind the end is of no interest.
    assert_eq!(kernel.received(A, b"noise"), []);
    assert_eq!(kernel.stopped(A, Input::End), [Op::Close(A)]);
    assert_eq!(kernel.done(Done::Closed { peer: A }), []);
}

#[test]
fn hangs_up_on_who_does_not_close_its_side() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = bytes_of(A, kernel.received(A, &client.close()));
    assert_eq!(kernel.sent(A, close), [Op::ShutDown(A, Half::Write)]);
    assert_eq!(kernel.after(Duration::from_millis(1999)), []);
    assert_eq!(kernel.after(Duration::from_millis(1)), [Op::ShutDown(A, Half::Both)]);
    assert_eq!(kernel.stopped(A, Input::End), [Op::Close(A)]);
}

#[test]
fn closes_only_when_nothing_is_under_way() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let bytes = bytes_of(A, kernel.received(A, &client.text("lost")));
    assert_eq!(kernel.stopped(A, Input::Lost), [Op::ShutDown(A, Half::Both)]);
    assert_eq!(kernel.failed(A, bytes), [Op::Close(A)]);
}

#[test]
fn gives_up_on_who_does_not_take_the_last_bytes() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = bytes_of(A, kernel.received(A, &client.close()));
    assert_eq!(kernel.after(Duration::from_secs(5)), [Op::ShutDown(A, Half::Both)]);
    assert_eq!(kernel.failed(A, close), []);
    assert_eq!(kernel.stopped(A, Input::End), [Op::Close(A)]);
}

#[test]
fn gives_up_on_who_says_nothing() {
    let mut kernel = Kernel::new();
    kernel.accepted(A);
    assert_eq!(kernel.server.next_timeout(), Some(Duration::from_secs(10)));
    assert_eq!(kernel.after(Duration::from_secs(10)), [Op::ShutDown(A, Half::Both)]);
    assert_eq!(kernel.stopped(A, Input::End), [Op::Close(A)]);
}

#[test]
fn serves_the_page() {
    let mut kernel = Kernel::new();
    kernel.accepted(A);
    let head = bytes_of(A, kernel.received(A, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    assert!(head.starts_with(b"HTTP/1.1 200 "));
    let page = bytes_of(A, kernel.sent(A, head));
    assert!(page.ends_with(b"</html>\n"));
    assert_eq!(kernel.sent(A, page), [Op::ShutDown(A, Half::Write)]);
}

#[test]
fn says_to_all_in_the_chat() {
    let mut kernel = Kernel::new();
    let mut clients = [A, B].map(|peer| kernel.open(peer, "/chat"));
    kernel.open(2, "/echo");
    let bytes = clients[A].text("大家好");
    let ops = kernel.received(A, &bytes);
    let Ok([Op::Send(A, to_a), Op::Send(B, to_b)]) = <[Op; 2]>::try_from(ops) else { panic!() };
    assert_eq!(clients.each_mut().map(|client| client.hears(&to_a)), ["大家好"; 2]);
    assert_eq!(to_a, to_b);
}

/// Deadlines of who was there before mean nothing to who has the place now.
#[test]
fn gives_a_place_to_another() {
    let mut kernel = Kernel::new();
    let mut client = kernel.open(A, "/echo");
    let close = bytes_of(A, kernel.received(A, &client.close()));
    kernel.sent(A, close);
    kernel.stopped(A, Input::End);
    kernel.done(Done::Closed { peer: A });
    kernel.now += Duration::from_secs(1);

    let mut client = kernel.open(A, "/echo");
    assert_eq!(kernel.after(Duration::from_secs(9)), []);
    let bytes = bytes_of(A, kernel.received(A, &client.text("still here")));
    assert_eq!(client.hears(&bytes), "still here");
}

#[test]
fn accepts_again_when_somebody_leaves_a_full_table() {
    let mut kernel = Kernel::new();
    (0..PLACES).for_each(|peer| kernel.accepted(peer));
    let full = Err(io::Error::from_raw_os_error(libc::ENFILE));
    assert_eq!(kernel.done(Done::Accepted { peer: full, more: false }), []);
    assert_eq!(kernel.after(Duration::from_secs(1)), []);
    assert_eq!(kernel.stopped(A, Input::Lost), [Op::Close(A)]);
    assert_eq!(kernel.done(Done::Closed { peer: A }), [Op::Accept]);
}

#[test]
fn accepts_again_after_a_while_when_that_failed() {
    let mut kernel = Kernel::new();
    let none = Err(io::Error::from_raw_os_error(libc::ENOMEM));
    assert_eq!(kernel.done(Done::Accepted { peer: none, more: false }), []);
    let at = kernel.server.next_timeout().unwrap();
    assert_eq!(kernel.after(at), [Op::Accept]);
}
