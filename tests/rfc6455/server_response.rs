//! The response with which a server accepts (RFC 6455 section 4.2.2), and the headers that you may add.

use websocket_proto::{AcceptError, Config, Connection, Event, HeaderError, SendError, State, server};

use crate::helpers::assert_nothing_can_be_sent;
use crate::helpers::server::{
    ParsedResponse, accept, accept_fails, assert_awaits_answer, awaiting_answer, reject_fails,
};
use crate::support::{ACCEPT, drain, feed, frames, request, request_with};

/// S-26, S-28, S-29, S-30, S-31, S-32, S-33: only the headers that the RFC requires, each once; no subprotocol and no
/// extension unless negotiated, whatever the client offers.
#[test]
fn an_acceptance_says_what_was_agreed_on_and_no_more() {
    let offer = "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: x-unknown; a=1, x-other\r\n";
    for request in [request(), request_with(offer)] {
        let answer = accept(&request, server::Response::new());
        assert_eq!(answer.status_line, "HTTP/1.1 101 Switching Protocols");
        assert_eq!(
            answer.headers,
            [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(answer.body, "");
    }
}

/// S-30: your headers come after those of the handshake, in order.
#[test]
fn an_acceptance_may_have_further_headers() {
    let response =
        server::Response::new().header("Set-Cookie", "a=1").header("X-Empty", "").header("Set-Cookie", "b=\"é\t2\"");
    let answer = accept(&request(), response);
    assert!(answer.headers[3..].iter().map(|(name, _)| &name[..]).eq(["Set-Cookie", "X-Empty", "Set-Cookie"]));
    assert_eq!(answer.values("set-cookie"), ["a=1", "b=\"é\t2\""]);
    assert_eq!(answer.values("X-Empty"), [""]);
}

/// S-27, S-30, S-35: headers that the handshake writes can't be added, and nothing can be smuggled into the head.
#[test]
fn headers_that_would_break_an_answer_are_refused() {
    let in_both = ["Connection", "Content-Length", "Sec-WebSocket-Accept", "Transfer-Encoding", "Upgrade"];
    let in_acceptances =
        ["Sec-WebSocket-Extensions", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version"];
    for name in in_both.into_iter().chain(in_acceptances) {
        for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
            let error = HeaderError::Reserved(name.as_str().into());
            accept_fails(server::Response::new().header(&name, "a"), AcceptError::Header(error));
        }
    }
    for name in in_both {
        let error = HeaderError::Reserved(name.into());
        reject_fails(server::Rejection::new(403).header(name, "a"), AcceptError::Header(error));
    }
    for (name, value, error) in [
        ("", "a", HeaderError::Name as fn(Box<str>) -> HeaderError),
        ("a b", "a", HeaderError::Name),
        ("a:", "a", HeaderError::Name),
        ("a\r\nb", "a", HeaderError::Name),
        ("é", "a", HeaderError::Name),
        ("a", "b\r\nc: d", HeaderError::Value),
        ("a", "b\r", HeaderError::Value),
        ("a", "b\n", HeaderError::Value),
        ("a", "\0", HeaderError::Value),
        ("a", "\x7f", HeaderError::Value),
    ] {
        // The error is the same whatever valid headers precede it or follow it.
        let response = server::Response::new().header("a", "b").header(name, value).header("Upgrade", "b");
        accept_fails(response, AcceptError::Header(error(name.into())));
        let rejection = server::Rejection::new(403).header("a", "b").header(name, value).header("Upgrade", "b");
        reject_fails(rejection, AcceptError::Header(error(name.into())));
    }
}

/// S-36: messages may be sent immediately, after the response in the same output.
#[test]
fn the_connection_is_open_once_it_is_accepted() {
    let (mut conn, _) = awaiting_answer(&request());
    conn.accept(server::Response::new()).unwrap();
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Open, None));
    conn.send_text("Hello").unwrap();
    conn.send(vec![7; 100_000]).unwrap();
    let answer = drain(&mut conn);
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(ParsedResponse::parse(&answer[..head]).status_line, "HTTP/1.1 101 Switching Protocols");
    let sent: Vec<_> = frames(&answer[head..]).into_iter().map(|frame| (frame.first, frame.payload)).collect();
    assert_eq!(sent, [(0x81, b"Hello".to_vec()), (0x82, vec![7; 100_000])]);
    assert_eq!(conn.accept(server::Response::new()), Err(AcceptError::NoRequest));
    assert_eq!(conn.reject(server::Rejection::new(403)), Err(AcceptError::NoRequest));
    assert_eq!((conn.state(), drain(&mut conn)), (State::Open, vec![]));
}

/// S-37: neither before the request nor before its answer.
#[test]
fn no_frame_precedes_the_response() {
    let mut conn = Connection::server(Config::new());
    assert_nothing_can_be_sent(&mut conn, SendError::Connecting);
    let request = request();
    assert!(feed(&mut conn, &request[..20]).is_empty());
    assert_nothing_can_be_sent(&mut conn, SendError::Connecting);
    assert!(matches!(feed(&mut conn, &request[20..])[..], [Event::Request(_)]));
    assert_nothing_can_be_sent(&mut conn, SendError::Connecting);
    assert_awaits_answer(conn);
}

/// S-23: only a waiting request can be answered, and an early attempt does no harm.
#[test]
fn without_a_request_nothing_can_be_answered() {
    let mut conn = Connection::server(Config::new());
    let request = request();
    for chunk in [&request[..0], &request[..20], &request[20..request.len() - 1]] {
        assert!(feed(&mut conn, chunk).is_empty());
        assert_eq!(conn.accept(server::Response::new()), Err(AcceptError::NoRequest));
        assert_eq!(conn.reject(server::Rejection::new(403)), Err(AcceptError::NoRequest));
    }
    assert!(matches!(feed(&mut conn, &request[request.len() - 1..])[..], [Event::Request(_)]));
    assert_awaits_answer(conn);

    let (mut conn, _) = awaiting_answer(&request);
    conn.abort();
    assert_eq!(conn.accept(server::Response::new()), Err(AcceptError::NoRequest));
    assert_eq!(conn.reject(server::Rejection::new(403)), Err(AcceptError::NoRequest));
    assert_eq!(drain(&mut conn), b"");
}
