//! One peer, whose client, clock and readiness the tests have in their hands.

use std::net::TcpListener;
use std::time::Instant;

use mio::{Events, Poll};
use websocket_proto::{Config, DeflateConfig, Seed};

use super::*;
use crate::client::{Client, REQUEST, frame};

const TOKEN: Token = Token(0);
const SECOND: Duration = Duration::from_secs(1);

struct Pair {
    peer: Peer,
    client: Client,
    poll: Poll,
    shared: Shared,
}

impl Pair {
    fn connected() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = Client::connect(listener.local_addr().expect("an address"));
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_nonblocking(true).expect("a socket that doesn't block");
        let config = Config::new().keepalive(30 * SECOND, 20 * SECOND).deflate(DeflateConfig::new());
        let mut peer = Peer::new(TcpStream::from_std(stream), Connection::server(config));
        let poll = Poll::new().expect("a poll");
        peer.register(poll.registry(), TOKEN).expect("it is registered");
        let shared = Shared { now: Duration::ZERO, buffer: vec![0; 16 << 10].into(), scratch: None, said: Vec::new() };
        Self { peer, client, poll, shared }
    }

    fn open() -> Self {
        let mut pair = Self::connected();
        pair.client.send(REQUEST);
        assert_eq!(pair.told_turn(), Then::Stay);
        assert!(pair.client.head().starts_with("HTTP/1.1 101 "));
        assert_eq!(pair.late_turns(Duration::ZERO), Then::Stay);
        pair
    }

    fn turn(&mut self) -> Then {
        self.peer.turn(&mut self.shared, self.poll.registry(), TOKEN)
    }

    /// A turn after the events that have come, for which it waits if there is none.
    fn told_turn(&mut self) -> Then {
        let mut events = Events::with_capacity(8);
        self.poll.poll(&mut events, Some(10 * SECOND)).expect("it waits");
        assert!(!events.is_empty(), "no event has come");
        events.iter().for_each(|event| self.peer.note(event));
        self.turn()
    }

    /// The turns after the events that have come.
    fn told_turns(&mut self) {
        if self.told_turn() == Then::Again {
            self.turns();
        }
    }

    /// The turns that a peer has at that time because a deadline has passed, until it has dealt with that. Of what has come
    /// to the socket, no event is known.
    fn late_turns(&mut self, now: Duration) -> Then {
        self.shared.now = now;
        let mut then = Then::Stay;
        for _ in 0..8 {
            if then == Then::Leave || self.peer.next_timeout().is_none_or(|at| at > now) {
                return then;
            }
            self.peer.overdue();
            then = self.turn();
        }
        panic!("a deadline that has passed brings turn after turn");
    }

    /// Turns until it has nothing more to do now; how many, and what the last one came to.
    fn turns(&mut self) -> (usize, Then) {
        for turns in 1..1000 {
            let then = self.turn();
            if then != Then::Again {
                return (turns, then);
            }
        }
        panic!("it never comes to rest")
    }
}

#[test]
fn data_and_the_end_at_once_end_the_connection() {
    let mut pair = Pair::open();
    // A pong needs no answer, whose writing would find out.
    for data in [frame(0x8A, b"x"), frame(0x81, b"hello")] {
        pair.client.send(&data);
        pair.client.shut_down();
        let start = Instant::now();
        while pair.told_turn() != Then::Leave {
            assert!(start.elapsed() < 5 * SECOND);
        }
        pair = Pair::open();
    }
}

#[test]
fn an_end_during_the_handshake_ends_the_connection() {
    for head in [&b""[..], b"GET /", REQUEST] {
        let mut pair = Pair::connected();
        pair.client.send(head);
        pair.client.shut_down();
        while pair.told_turn() != Then::Leave {}
    }
}

#[test]
fn a_pong_without_an_event_keeps_a_peer() {
    let mut pair = Pair::open();
    assert_eq!(pair.late_turns(30 * SECOND), Then::Stay);
    let (first, payload) = pair.client.frame();
    assert_eq!(first, 0x89);
    pair.client.send(&frame(0x8A, &payload));
    assert_eq!(pair.late_turns(55 * SECOND), Then::Stay);
    // It is open, and its deadlines are in the future.
    assert!(pair.peer.next_timeout().is_some_and(|at| at > 55 * SECOND));
    pair.client.send(&frame(0x81, b"hello"));
    assert_eq!(pair.told_turn(), Then::Stay);
    assert_eq!(pair.client.frame(), (0x81, b"hello".to_vec()));
}

#[test]
fn silence_loses_a_peer() {
    let mut pair = Pair::open();
    assert_eq!(pair.late_turns(30 * SECOND), Then::Stay);
    assert_eq!(pair.late_turns(49 * SECOND), Then::Stay);
    assert_eq!(pair.late_turns(51 * SECOND), Then::Leave);
}

#[test]
fn a_peer_lives_as_long_as_it_takes_something() {
    let mut pair = Pair::open();
    let _flood = pair.client.flood(frame(0x82, &vec![0; 12 << 20]));
    while pair.peer.conn.pending_output() == 0 {
        pair.told_turns();
    }
    // The echo, of which the kernel has what it takes.
    assert!(pair.peer.conn.pending_output() > 1 << 20);
    let mut now = 31 * SECOND;
    for _ in 0..3 {
        assert_eq!(pair.late_turns(now), Then::Stay);
        let mut taken = 0;
        while taken < 1 << 20 {
            taken += pair.client.read::<1024>().len();
        }
        now += 21 * SECOND;
    }
    // The first of these finds that it has taken something, the others that it takes nothing more.
    while pair.late_turns(now) != Then::Leave {
        now += 21 * SECOND;
        assert!(now < 300 * SECOND, "a peer that takes nothing is kept");
    }
}

#[test]
fn a_peer_has_a_bounded_time_to_leave() {
    let mut pair = Pair::open();
    pair.client.send(&frame(0x88, &[]));
    assert_eq!(pair.told_turn(), Then::Stay);
    pair.shared.now = SECOND;
    assert_eq!(pair.turn(), Then::Stay);
    // It isn't extended by what comes.
    pair.client.send(b"nonsense");
    assert_eq!(pair.late_turns(GOODBYE), Then::Leave);
}

#[test]
fn a_turn_is_bounded() {
    const INPUT: usize = 8 << 20;
    let pongs = frame(0x8A, b"so it goes").repeat(INPUT / 16);
    let mut leaving = Pair::open();
    leaving.client.send(&frame(0x88, &[]));
    assert_eq!(leaving.told_turn(), Then::Stay);
    assert!(leaving.peer.leaving.is_some());
    for mut pair in [Pair::open(), leaving] {
        let flood = pair.client.flood(pongs.clone());
        let (mut turns, mut then) = (0, Then::Again);
        while then != Then::Leave {
            if !flood.is_held_up() {
                pair.client.shut_down();
            }
            pair.peer.overdue();
            then = pair.turn();
            turns += 1;
            assert!(turns < 2_000, "it reads nothing");
        }
        // A turn ends with the read that goes beyond its bound.
        let most = TURN + (16 << 10);
        assert!(turns >= INPUT / most, "{turns} turns for {INPUT} bytes, of which {most} may be read in one");
    }
}

#[test]
fn compressed_messages_count_as_what_they_are() {
    let mut pair = Pair::connected();
    let request = websocket_proto::client::Request::new("ws://localhost/echo".parse().expect("a URI"));
    let config = Config::new().deflate(DeflateConfig::new());
    let mut client = Connection::client(request, config, Seed::new([7; 32])).expect("a request");
    let mut output = client.output().take().expect("the request");
    pair.client.send(&output);
    pair.told_turn();
    let mut response = pair.client.head().into_bytes();
    let mut input = &mut response[..];
    while client.receive(&mut input).is_some() {}
    assert!(client.deflate().is_some());
    let bomb = vec![0; 1 << 20];
    for _ in 0..64 {
        client.send_binary(&bomb).expect("it is open");
    }
    output = client.output().take().expect("messages");
    assert!(output.len() > 40 << 10 && output.len() < TURN, "{}", output.len());
    pair.client.send(&output);
    pair.peer.overdue();
    let (turns, then) = pair.turns();
    assert_eq!(then, Then::Stay);
    assert!(turns >= 3, "{turns} turns for 64 MiB");
}
