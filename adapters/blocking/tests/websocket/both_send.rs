//! Two peers that send to each other at the same time, each in one thread and with no keepalive that would end a deadlock.

use std::thread::spawn;

#[cfg(feature = "rustls")]
use websocket_proto_blocking::{Acceptor, Connector};
use websocket_proto_blocking::{Config, Transport, WebSocket};

#[cfg(feature = "rustls")]
use crate::support::serve;
use crate::support::{client, server, tcp_pair};

/// More than the sockets of both sides hold.
const MUCH: usize = 15 << 20;

/// Sends some messages before it reads those of the peer.
fn send_then_read<S: Transport>(mut ws: WebSocket<S>, byte: u8) {
    let other = 3 - byte;
    for _ in 0..10 {
        ws.send("small").unwrap();
    }
    ws.send(vec![byte; MUCH]).unwrap();
    for _ in 0..10 {
        assert_eq!(ws.read().unwrap(), Some("small".into()));
    }
    assert!(ws.read().unwrap() == Some(vec![other; MUCH].into()));
}

#[test]
fn a_large_message_each_way_at_the_same_time() {
    let (one, other) = tcp_pair();
    let (one, other) = (server(one, Config::new()), client(other, Config::new()));
    let one = spawn(move || send_then_read(one, 1));
    send_then_read(other, 2);
    one.join().unwrap();
}

#[test]
#[cfg(feature = "rustls")]
fn a_large_message_each_way_over_tls() {
    use crate::tls::{identity, tls, trusting};

    let (config, certificate) = identity();
    let (address, one) = serve(|stream| {
        let acceptor = Acceptor::new().config(Config::new());
        send_then_read(acceptor.accept(tls(config, stream)).unwrap(), 1);
    });
    let connector = Connector::new().config(Config::new()).tls(trusting(certificate));
    send_then_read(connector.connect(format!("wss://localhost:{}", address.port())).unwrap(), 2);
    one.join().unwrap();
}
