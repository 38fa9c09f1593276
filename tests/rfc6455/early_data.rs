//! Bytes that arrive together with the head of a handshake, or before it is answered.

use websocket_proto::{Cause, CloseCode, Config, Connection, Event, HandshakeError, Role, SendError, State, server};

use crate::checks::{OwnedEvent, abnormal, assert_sent, clean, peer, ping, receive, text};
use crate::helpers::client::{connecting, minimal_response, splits};
use crate::helpers::deadlines::secs;
use crate::helpers::server::{
    assert_early_frames, assert_refused_by, awaiting_answer, every_cut, feed_all, rejection_sent,
};
use crate::support::{close_body, drain, feed, feed_chunks, frame, pending_events, request};

/// S-38: data that the client sent before it saw the response is delivered after `accept`, wherever the input was split
/// and however late `accept` is called.
#[test]
fn early_frames_are_delivered_once_accepted() {
    let early =
        [frame(Role::Client, 0x81, b"Hello"), frame(Role::Client, 0x89, b"?"), frame(Role::Client, 0x82, &[7; 300])];
    let bytes = [request(), early.concat()].concat();
    for chunks in every_cut(&bytes) {
        // Accepted between the events of one chunk, so that the rest of it is never kept.
        let mut conn = Connection::server(Config::new());
        let mut got = Vec::new();
        for chunk in &chunks {
            let mut chunk = chunk.to_vec();
            let mut input = &mut chunk[..];
            while let Some(event) = conn.receive(&mut input) {
                if matches!(event, Event::Request(_)) {
                    conn.accept(server::Response::new()).unwrap();
                } else {
                    got.push(event.into_owned());
                }
            }
        }
        assert_early_frames(&got);
        assert!(drain(&mut conn).ends_with(b"\r\n\r\n\x8a\x01?"));
    }
    for chunks in every_cut(&bytes) {
        // Accepted when everything has arrived.
        let mut conn = Connection::server(Config::new());
        let got = feed_all(&mut conn, &chunks);
        assert!(matches!(got[..], [Event::Request(_)]), "{got:?}");
        conn.accept(server::Response::new()).unwrap();
        assert_early_frames(&pending_events(&mut conn));
        assert!(drain(&mut conn).ends_with(b"\r\n\r\n\x8a\x01?"));
    }
}

/// S-38: a loop that accepts after it has received, and then waits, is woken for what can be received without more bytes: early
/// frames, and the end of a client that has closed its side.
#[test]
fn a_late_answer_wakes_the_loop() {
    let early = frame(Role::Client, 0x81, b"Hello");
    for (bytes, is_at_eof) in [(&early[..], false), (b"\x81", false), (&early, true), (b"", true), (b"", false)] {
        let (mut conn, _) = awaiting_answer(&request());
        conn.advance_time(secs(1));
        assert_eq!(feed(&mut conn, bytes), []);
        if is_at_eof {
            conn.receive_eof();
            assert_eq!(pending_events(&mut conn), []);
        }
        conn.accept(server::Response::new()).unwrap();
        let is_woken = !bytes.is_empty() || is_at_eof;
        assert_eq!(conn.next_timeout(), is_woken.then_some(secs(1)), "{bytes:?} {is_at_eof}");
        conn.advance_time(secs(1));
        assert_eq!(conn.next_timeout(), None, "it is woken once");
        let expected = usize::from(bytes.len() > 1) + usize::from(is_at_eof);
        assert_eq!(pending_events(&mut conn).len(), expected);
    }
}

/// S-38: a frame may arrive partly before and partly after the answer.
#[test]
fn early_bytes_come_before_later_ones() {
    let bytes = [frame(Role::Client, 0x81, b"Hello"), frame(Role::Client, 0x81, b"again")].concat();
    for at in 0..=bytes.len() {
        let (mut conn, _) = awaiting_answer(&request());
        assert!(feed(&mut conn, &bytes[..at]).is_empty());
        conn.accept(server::Response::new()).unwrap();
        let got = feed(&mut conn, &bytes[at..]);
        assert!(matches!(&got[..], [Event::Text(a), Event::Text(b)] if a == "Hello" && b == "again"), "{got:?}");
    }
}

/// S-38, S-40: as many bytes as a head may have are kept after it; one more gets 400.
#[test]
fn early_bytes_are_kept_up_to_the_limit() {
    let limit = 300;
    let awaiting_answer = || {
        let mut conn = Connection::server(Config::new().max_handshake_size(limit));
        assert!(matches!(feed(&mut conn, &request())[..], [Event::Request(_)]));
        conn
    };
    let early = frame(Role::Client, 0x82, &[7; 292]);
    assert_eq!(early.len(), limit);
    let too_much = [&early[..], &[0x82]].concat();
    for size in [1, 7, limit, limit + 1] {
        let mut conn = awaiting_answer();
        assert!(feed_chunks(&mut conn, &early, size).is_empty());
        conn.accept(server::Response::new()).unwrap();
        assert!(matches!(&pending_events(&mut conn)[..], [Event::Binary(data)] if data[..] == [7; 292]));
        // After the answer there is no such limit.
        assert_eq!(feed(&mut conn, &early.repeat(9)).len(), 9);

        let chunks: Vec<_> = too_much.chunks(size).collect();
        assert_refused_by(awaiting_answer(), &chunks, HandshakeError::EarlyData);
    }
}

/// S-23, S-38: bytes that follow a rejected request are discarded.
#[test]
fn early_frames_are_discarded_once_rejected() {
    let (mut conn, _) = awaiting_answer(&request());
    assert!(feed(&mut conn, &frame(Role::Client, 0x81, b"Hello")).is_empty());
    conn.reject(server::Rejection::new(403)).unwrap();
    assert_eq!(rejection_sent(conn).status_line, "HTTP/1.1 403 Forbidden");
}

/// C-29, C-43: the response opens the connection, and the bytes after it are frames, however they arrive.
#[test]
fn bytes_behind_the_response_are_frames() {
    let frames = [
        frame(Role::Server, 0x01, "grü".as_bytes()),
        frame(Role::Server, 0x89, b"ping"),
        frame(Role::Server, 0x80, b"n"),
        frame(Role::Server, 0x82, &[0xff; 200]),
        frame(Role::Server, 0x88, &close_body(1001, "bye")),
    ];
    let head = minimal_response();
    let bytes = [head.as_bytes(), &frames.concat()].concat();
    let mut conn = connecting();
    let events = feed(&mut conn, &bytes);
    let [Event::Open(response), Event::Ping(ping), Event::Text(text), Event::Binary(data), Event::Closed(closed)] =
        &events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!((response.status(), response.reason()), (101, "Switching Protocols"));
    assert_eq!(response.headers().count(), 3);
    assert!(response.body().is_empty());
    assert_eq!((&ping[..], &text[..], &data[..]), (&b"ping"[..], "grün", &[0xff; 200][..]));
    let expected = (CloseCode::GOING_AWAY, "bye", true, Cause::Peer);
    assert_eq!((closed.code, &closed.reason[..], closed.clean, closed.cause), expected);
    let output = drain(&mut conn);

    let expected = format!("{events:?}");
    for (first, second) in splits(&bytes) {
        let mut conn = connecting();
        let mut events = feed(&mut conn, first);
        let state = if first.len() < head.len() { State::Connecting } else { State::Open };
        assert!(conn.state() == state || second.is_empty(), "{}", first.len());
        events.extend(feed(&mut conn, second));
        assert_eq!(format!("{events:?}"), expected);
        assert_eq!(drain(&mut conn), output);
    }
    let mut conn = connecting();
    assert_eq!(format!("{:?}", feed_chunks(&mut conn, &bytes, 1)), expected);
    assert_eq!(drain(&mut conn), output);
}

/// B-15, B-66: frames that came with the request, before the transport ended, are reported before its end is.
#[test]
fn frames_kept_behind_a_request_outlive_the_transport() {
    let end = clean(1000, "", Cause::Peer);
    for (script, expected) in [
        (&[(0x81, &b"kept"[..])][..], vec![text("kept"), abnormal(Cause::Eof)]),
        (&[(0x81, b"kept"), (0x88, b"\x03\xe8")], vec![text("kept"), end]),
    ] {
        let mut conn = Connection::server(Config::new());
        let arrived = [request(), peer(Role::Server, script)].concat();
        assert_eq!(receive(&mut conn, &arrived), [OwnedEvent::Request]);
        conn.accept(server::Response::new()).unwrap();
        conn.receive_eof();
        assert_eq!(receive(&mut conn, b""), expected);
    }
}

/// A server that accepts and closes before it has received the bytes after the request: all of them are delivered.
#[test]
fn closing_before_early_data_is_received() {
    for ends in [false, true] {
        let mut conn = Connection::server(Config::new());
        let frames = peer(Role::Server, &[(0x81, b"one"), (0x89, b"ping"), (0x81, b"two")]);
        assert_eq!(receive(&mut conn, &[request(), frames].concat()), [OwnedEvent::Request]);
        conn.accept(server::Response::new()).unwrap();
        drain(&mut conn);
        conn.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(conn.state(), State::Closing);
        assert_eq!(conn.send_text("late"), Err(SendError::Closed));
        if ends {
            conn.receive_eof();
        }
        let mut expected = vec![text("one"), ping(b"ping"), text("two")];
        expected.extend(ends.then(|| abnormal(Cause::Eof)));
        assert_eq!(receive(&mut conn, b""), expected);
        assert_sent(&mut conn, &[(0x88, &close_body(1000, ""))]);
        if !ends {
            assert_eq!(conn.state(), State::Closing);
            let close = peer(Role::Server, &[(0x88, &close_body(1000, ""))]);
            assert_eq!(receive(&mut conn, &close), [clean(1000, "", Cause::Local(CloseCode::NORMAL))]);
        }
    }
}
