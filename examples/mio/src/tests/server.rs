//! The loop: who has a turn, and how it stops.

use super::*;
use crate::client::{Client, REQUEST, frame};

const SHORT: Option<Duration> = Some(Duration::from_millis(20));

fn bind() -> (Server, SocketAddr) {
    let server = Server::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = server.address().expect("an address");
    (server, address)
}

impl Server {
    fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.turn(SHORT).expect("the poll works");
        }
    }

    fn open(&mut self, address: SocketAddr) -> Client {
        let client = Client::connect(address);
        client.send(REQUEST);
        self.turns(3);
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        client
    }

    fn skip(&mut self, time: Duration) {
        self.start = self.start.checked_sub(time).expect("the machine has been up for longer");
    }
}

#[test]
fn a_peer_has_one_turn_before_the_others_have_theirs() {
    let (mut server, address) = bind();
    let flooding = server.open(address);
    let others: Vec<_> = (0..3).map(|_| server.open(address)).collect();
    let flood = flooding.flood(frame(0x8A, b"so it goes").repeat(1 << 21));
    for _ in 0..3 {
        assert!(flood.is_held_up());
        others.iter().for_each(|other| other.send(&frame(0x81, b"hello")));
        server.turns(1);
        for other in &others {
            assert_eq!(other.frame(), (0x81, b"hello".to_vec()));
        }
        // Once, although it was queued already and events have come for it.
        assert!(server.queue.len() <= 1, "{}", server.queue.len());
    }
}

#[test]
fn it_says_goodbye_when_it_stops() {
    let (mut server, address) = bind();
    let (one, silent) = (server.open(address), server.open(address));
    // The deadline of the handshake, which was met.
    server.skip(Duration::from_secs(11));
    server.turns(1);
    let connecting = [Client::connect(address), Client::connect(address)];
    connecting[1].send(b"GET / HT");
    server.turns(3);
    assert_eq!(server.peers.len(), 4);
    // Quiet for longer than a closing handshake may take, the connections aren't late now.
    server.skip(Duration::from_secs(8));
    server.turns(1);
    server.stop();
    server.turns(2);
    for client in connecting {
        assert_eq!(client.rest(), b"");
    }
    for client in [&one, &silent] {
        let (first, payload) = client.frame();
        assert_eq!((first, &payload[..2]), (0x88, &1001_u16.to_be_bytes()[..]));
    }
    assert!(std::net::TcpStream::connect(address).is_err());
    one.send(&frame(0x88, &1001_u16.to_be_bytes()));
    one.shut_down();
    server.turns(3);
    assert_eq!((one.rest(), server.peers.len(), server.is_stopped()), (Vec::new(), 1, false));
    server.skip(FAREWELL);
    server.turns(1);
    assert!(server.is_stopped());
}

#[test]
fn it_has_stopped_when_all_have_left() {
    let (mut server, address) = bind();
    let client = server.open(address);
    server.stop();
    server.turns(1);
    assert!(!server.is_stopped());
    assert_eq!(client.frame().0, 0x88);
    client.send(&frame(0x88, &1001_u16.to_be_bytes()));
    client.shut_down();
    server.turns(3);
    assert!(server.is_stopped());
    assert!(server.run().expect("it works"));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (mut server, address) = bind();
    let _silent = server.open(address);
    server.stop();
    server.turns(1);
    assert!(!server.is_stopped());
    server.stop();
    assert!(server.is_stopped() && !server.run().expect("it works"));
}
