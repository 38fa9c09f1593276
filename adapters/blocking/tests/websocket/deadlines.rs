//! Deadlines, kept by the timeouts of sockets.

use std::io::Write;
use std::thread;
use std::time::Duration;

use websocket_proto_blocking::proto::Deadline;
use websocket_proto_blocking::{Cause, CloseCode, Config, Error, Event};

use crate::support::{client, open, server, tcp_pair};

const SHORT: Duration = Duration::from_millis(100);

/// More than the sockets of both sides hold.
const MUCH: usize = 15 << 20;

fn timed_out(error: &Error, deadline: Deadline) -> bool {
    matches!(error, Error::Closed(closed) if closed.cause == Cause::Timeout(deadline))
}

#[test]
fn a_silent_peer_is_dropped_by_the_keepalive() {
    let (stream, silent) = tcp_pair();
    let mut ws = server(stream, Config::new().keepalive(SHORT, SHORT));
    let error = ws.read().unwrap_err();
    assert!(timed_out(&error, Deadline::Keepalive), "{error:?}");
    assert_eq!(ws.read().unwrap(), None, "the error is returned once");
    drop(silent);
}

#[test]
fn a_peer_that_answers_pings_is_kept() {
    let (mut one, mut other) = open(tcp_pair(), &Config::new());
    let other = thread::spawn(move || other.read());
    one = server(one.transport().try_clone().unwrap(), Config::new().keepalive(SHORT, SHORT * 10));
    let watched = thread::spawn(move || one.read());
    // Twice as long as the keepalive would wait for a silent peer.
    thread::sleep(SHORT * 22);
    assert!(!watched.is_finished() && !other.is_finished());
    drop((watched, other));
}

#[test]
fn a_read_that_times_out_is_repeated() {
    let (one, mut other) = open(tcp_pair(), &Config::new());
    let (stream, mut raw) = (one.transport().try_clone().unwrap(), other.transport().try_clone().unwrap());
    // A ping would show that the keepalive has ended a read.
    let mut ws = server(stream, Config::new().keepalive(SHORT * 100, SHORT));
    ws.set_read_timeout(SHORT);
    let is_timeout = |result| matches!(result, Err(Error::ReadTimeout));
    assert!(is_timeout(ws.read()));
    // The first half of a text frame.
    raw.write_all(b"\x81\x85\0\0\0\0he").unwrap();
    assert!(is_timeout(ws.read()));
    raw.write_all(b"llo").unwrap();
    assert_eq!(ws.read().unwrap(), Some("hello".into()));
    // What has arrived is read, although there is no time to wait for it.
    other.send("there").unwrap();
    ws.set_read_timeout(Duration::ZERO);
    let read = (0..1000).find_map(|_| match ws.read() {
        Err(Error::ReadTimeout) => None,
        read => Some(read.unwrap()),
    });
    assert_eq!(read, Some(Some("there".into())));
    // It remains open, and closing has its own deadline.
    let other = thread::spawn(move || {
        thread::sleep(SHORT);
        (other.event().unwrap(), other.event().unwrap())
    });
    ws.close(CloseCode::NORMAL, "").unwrap();
    assert!(matches!(other.join().unwrap(), (Some(Event::Closed(_)), None)));
    assert_eq!(ws.read().unwrap(), None);
}

#[test]
fn a_reader_that_times_out_leaves_the_writer_as_it_is() {
    let (one, mut other) = open(tcp_pair(), &Config::new().keepalive(SHORT * 20, SHORT));
    let (mut reader, mut writer) = one.into_split().unwrap();
    reader.set_read_timeout(SHORT);
    assert!(matches!(reader.event(), Err(Error::ReadTimeout)));
    writer.send("hello").unwrap();
    assert_eq!(other.read().unwrap(), Some("hello".into()));
    other.send("back").unwrap();
    reader.set_read_timeout(None);
    assert_eq!(reader.read().unwrap(), Some("back".into()));
}

/// The keepalive works across reads that time out earlier than it does.
#[test]
fn a_silent_peer_is_dropped_in_spite_of_short_reads() {
    let (stream, silent) = tcp_pair();
    let mut ws = server(stream, Config::new().keepalive(SHORT, SHORT));
    ws.set_read_timeout(SHORT / 10);
    let error = loop {
        match ws.read() {
            Err(Error::ReadTimeout) => {}
            end => break end.unwrap_err(),
        }
    };
    assert!(timed_out(&error, Deadline::Keepalive), "{error:?}");
    drop(silent);
}

#[test]
fn a_peer_that_does_not_answer_a_close_is_dropped() {
    let (stream, silent) = tcp_pair();
    let mut ws = server(stream, Config::new().close_timeout(SHORT));
    let error = ws.close(CloseCode::NORMAL, "").unwrap_err();
    assert!(timed_out(&error, Deadline::Closing), "{error:?}");
    drop(silent);
}

#[test]
fn a_peer_that_stalls_ends_send_and_not_the_thread() {
    let (stream, stalled) = tcp_pair();
    let mut ws = server(stream, Config::new().keepalive(SHORT, SHORT));
    // A message that was dropped unwritten was not sent.
    for error in [ws.send(vec![0; MUCH]), ws.send("more"), ws.flush()].map(Result::unwrap_err) {
        assert!(timed_out(&error, Deadline::Keepalive), "{error:?}");
    }
    let error = ws.read().unwrap_err();
    assert!(timed_out(&error, Deadline::Keepalive), "{error:?}");
    drop(stalled);
}

/// `send` doesn't read: the keepalive ends what would be a deadlock. Two threads avoid it, see `halves.rs`.
#[test]
fn two_peers_that_send_much_and_read_nothing_are_not_stuck_forever() {
    let (one, other) = tcp_pair();
    let config = || Config::new().keepalive(SHORT, SHORT);
    let floods = [server(one, config()), client(other, config())].map(|mut ws| {
        thread::spawn(move || (0..1000).try_for_each(|_| ws.send(vec![0; 64 << 10])).and_then(|()| ws.read().map(drop)))
    });
    for flood in floods {
        assert!(flood.join().unwrap().is_err());
    }
}
