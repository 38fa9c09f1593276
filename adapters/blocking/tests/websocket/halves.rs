//! A connection in two threads.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use websocket_proto_blocking::proto::Deadline;
use websocket_proto_blocking::{Cause, CloseCode, Config, Error, Message, WebSocket, accept, connect};

use crate::support::{client, echo, open, serve, server, tcp_pair};

const SHORT: Duration = Duration::from_millis(100);

/// More than the sockets of both sides hold.
const MUCH: usize = 8 << 20;
const MESSAGES: usize = 8;

/// Sends much in one thread while another reads as much, then closes.
fn flood(ws: WebSocket<TcpStream>, closes: bool) {
    let (mut reader, mut writer) = ws.into_split().unwrap();
    let sending = thread::spawn(move || {
        for number in 0..MESSAGES {
            writer.send(vec![number as u8; MUCH]).unwrap();
        }
        writer
    });
    for number in 0..MESSAGES {
        assert_eq!(reader.read().unwrap(), Some(Message::from(vec![number as u8; MUCH])));
    }
    let mut writer = sending.join().unwrap();
    if closes {
        writer.close(CloseCode::NORMAL, "enough").unwrap();
    }
    assert_eq!(reader.read().unwrap(), None);
    assert_eq!(reader.closed().unwrap().reason, "enough");
    assert!(writer.send("late").is_err());
}

#[test]
fn two_peers_that_send_much_read_meanwhile() {
    let (one, other) = open(tcp_pair(), &Config::new());
    let one = thread::spawn(|| flood(one, true));
    flood(other, false);
    one.join().unwrap();
}

#[test]
fn a_client_that_has_connected_can_be_split() {
    let (address, server) = serve(|stream| echo(accept(stream).unwrap()));
    let (mut reader, mut writer) = connect(format!("ws://{address}/")).unwrap().into_split().unwrap();
    let reading = thread::spawn(move || (reader.read().unwrap(), reader.read().unwrap()));
    writer.send("hello").unwrap();
    writer.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(reading.join().unwrap(), (Some("hello".into()), None));
    assert!(server.join().unwrap().clean);
}

#[test]
fn several_threads_send() {
    let (one, mut other) = open(tcp_pair(), &Config::new());
    let (_reader, writer) = one.into_split().unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mut writer = writer.clone();
            thread::spawn(move || (0..100).for_each(|_| writer.send("hello").unwrap()))
        })
        .collect();
    for _ in 0..400 {
        assert_eq!(other.read().unwrap(), Some("hello".into()));
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn pings_are_answered_while_the_writer_is_idle() {
    let (one, mut other) = open(tcp_pair(), &Config::new());
    let (mut reader, _writer) = one.into_split().unwrap();
    let reading = thread::spawn(move || reader.read());
    other.ping(b"").unwrap();
    assert!(matches!(other.event().unwrap(), Some(websocket_proto_blocking::Event::Pong(_))));
    other.send("done").unwrap();
    assert_eq!(reading.join().unwrap().unwrap(), Some("done".into()));
}

#[test]
fn a_stalled_peer_ends_both_halves() {
    let (stream, stalled) = tcp_pair();
    let (mut reader, mut writer) = server(stream, Config::new().keepalive(SHORT, SHORT)).into_split().unwrap();
    let sending = thread::spawn(move || while writer.send(vec![0; MUCH]).is_ok() {});
    let error = reader.read().unwrap_err();
    assert!(
        matches!(&error, Error::Closed(closed) if closed.cause == Cause::Timeout(Deadline::Keepalive)),
        "{error:?}"
    );
    sending.join().unwrap();
    drop(stalled);
}

#[test]
fn a_close_by_the_writer_has_its_deadline() {
    let (stream, silent) = tcp_pair();
    let (mut reader, mut writer) = server(stream, Config::new().close_timeout(SHORT)).into_split().unwrap();
    // The reader waits without a deadline by then.
    let reading = thread::spawn(move || reader.read());
    thread::sleep(SHORT);
    writer.close(CloseCode::NORMAL, "").unwrap();
    let error = reading.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Closed(closed) if closed.cause == Cause::Timeout(Deadline::Closing)), "{error:?}");
    drop(silent);
}

#[test]
fn a_reader_that_is_dropped_wakes_the_writer() {
    let (stream, stalled) = tcp_pair();
    let (reader, mut writer) = client(stream, Config::new()).into_split().unwrap();
    let sending = thread::spawn(move || while writer.send(vec![0; MUCH]).is_ok() {});
    thread::sleep(SHORT);
    drop(reader);
    sending.join().unwrap();
    drop(stalled);
}
