//! Requests that a server rejects, and those that don't ask for a WebSocket.

use websocket_proto::{AcceptError, Cause, Config, Connection, Event, HandshakeError, HeaderError, State, server};

use crate::checks::{OwnedEvent, receive};
use crate::helpers::client::plain_request;
use crate::helpers::closed;
use crate::helpers::pair::{open_between, request_between, response_event};
use crate::helpers::server::{assert_refused, last_response, reject, reject_fails, rejection_sent, with_line_replaced};
use crate::support::{drain, pending_events, request_with};

/// S-15, S-21, S-22, S-23, S-24: any status that isn't 101, with headers and a body, and then the end.
#[test]
fn a_request_may_be_rejected() {
    let answer = reject(server::Rejection::new(403).body("not from there\n"));
    assert_eq!((&answer.status_line[..], &answer.body[..]), ("HTTP/1.1 403 Forbidden", "not from there\n"));
    assert_eq!(answer.values("Content-Type"), ["text/plain; charset=utf-8"]);
    assert_eq!((answer.values("Content-Length"), answer.values("Connection")), (vec!["15"], vec!["close"]));
    assert!(answer.values("Upgrade").is_empty());

    let answer = reject(server::Rejection::new(404));
    assert_eq!((&answer.status_line[..], &answer.body[..]), ("HTTP/1.1 404 Not Found", ""));
    assert_eq!((answer.values("Content-Length"), answer.values("Content-Type")), (vec!["0"], vec![]));

    let answer =
        reject(server::Rejection::new(401).header("WWW-Authenticate", "Basic").header("WWW-Authenticate", "Bearer"));
    assert_eq!(answer.status_line, "HTTP/1.1 401 Unauthorized");
    assert_eq!(answer.values("WWW-Authenticate"), ["Basic", "Bearer"]);

    let answer = reject(server::Rejection::new(302).header("Location", "wss://example.com/é"));
    assert_eq!(answer.status_line, "HTTP/1.1 302 Found");
    assert_eq!(answer.values("Location"), ["wss://example.com/é"]);

    let answer = reject(server::Rejection::new(503).header("content-type", "application/json").body("{}".repeat(5000)));
    assert_eq!(
        (answer.values("Content-Type"), answer.values("Content-Length")),
        (vec!["application/json"], vec!["10000"])
    );
    assert_eq!(answer.body, "{}".repeat(5000));

    let answer = reject(server::Rejection::new(204));
    assert_eq!((&answer.status_line[..], answer.values("Content-Length")), ("HTTP/1.1 204 No Content", vec![]));

    // RFC 9112 section 4: the phrase may be empty, the space before it stays.
    assert_eq!(reject(server::Rejection::new(599)).status_line, "HTTP/1.1 599 ");
    assert_eq!(reject(server::Rejection::new(200)).status_line, "HTTP/1.1 200 OK");
}

/// S-12, S-23: your 426 names the protocol to upgrade to, like our own; your own list replaces it.
#[test]
fn a_rejection_with_426_names_the_protocol() {
    for (rejection, versions) in [
        (server::Rejection::new(426), "13"),
        (server::Rejection::new(426).header("sec-websocket-version", "13, 8"), "13, 8"),
    ] {
        let answer = reject(rejection);
        assert_eq!(answer.status_line, "HTTP/1.1 426 Upgrade Required");
        assert_eq!(
            (answer.values("Upgrade"), answer.values("Sec-WebSocket-Version")),
            (vec!["websocket"], vec![versions])
        );
        assert_eq!(answer.values("Connection"), ["close, Upgrade"]);
    }
}

/// S-23, S-30: a rejection that would be no valid response fails and changes nothing.
#[test]
fn impossible_rejections_are_refused() {
    for status in [0, 99, 100, 101, 199, 600, u16::MAX] {
        reject_fails(server::Rejection::new(status), AcceptError::Status(status));
    }
    for status in [204, 205, 304] {
        reject_fails(server::Rejection::new(status).body("a"), AcceptError::Body(status));
    }
}

/// S-06, S-23: a request without upgrade may be answered with a page, and can't be accepted.
#[test]
fn plain_http_may_be_answered_with_a_page() {
    let mut bytes = with_line_replaced("Upgrade:", "Accept: text/html\r\n");
    let mut input = &mut bytes[..];
    let mut conn = Connection::server(Config::new());
    let Some(Event::HttpRequest(request)) = conn.receive(&mut input) else { panic!() };
    assert_eq!((request.path(), request.header("accept")), ("/", Some("text/html")));
    assert!(input.is_empty());
    assert_eq!(conn.accept(server::Response::new()), Err(AcceptError::NotWebSocket));
    assert_eq!((conn.state(), drain(&mut conn)), (State::Connecting, vec![]));
    let broken = server::Rejection::new(200).header("a", "\n");
    assert_eq!(conn.reject(broken), Err(AcceptError::Header(HeaderError::Value("a".into()))));
    conn.reject(server::Rejection::new(200).header("Content-Type", "text/html").body("<h1>Hi</h1>")).unwrap();
    let answer = rejection_sent(conn);
    assert_eq!((&answer.status_line[..], &answer.body[..]), ("HTTP/1.1 200 OK", "<h1>Hi</h1>"));
    assert_eq!((answer.values("Content-Type"), answer.values("Content-Length")), (vec!["text/html"], vec!["11"]));
}

/// S-06: plain HTTP needs none of what a handshake needs; unanswered, it gets 426 at the next call.
#[test]
fn plain_http_is_answered_with_426_by_default() {
    let plain = b"GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_refused(plain, HandshakeError::NoUpgrade);
    let mut conn = Connection::server(Config::new());
    let mut bytes = *plain;
    assert!(matches!(conn.receive(&mut &mut bytes[..]), Some(Event::HttpRequest(_))));
    assert_eq!((conn.state(), drain(&mut conn)), (State::Connecting, vec![]));
    let closed = closed(pending_events(&mut conn));
    assert_eq!(closed.cause, Cause::Handshake(HandshakeError::NoUpgrade));
    assert_eq!(last_response(&mut conn).status_line, "HTTP/1.1 426 Upgrade Required");
}

/// B-92: a malformed request is answered with an HTTP error, never with a Close frame.
#[test]
fn a_wrong_request_gets_an_http_error() {
    for wrong in ["\x00", "Upgrade\r\n", "Sec-WebSocket-Version: 12\r\n", "Host: second\r\n", "A: \u{7f}\r\n"] {
        let mut server = Connection::server(Config::new());
        let events = receive(&mut server, &request_with(wrong));
        assert!(
            matches!(&events[..], [OwnedEvent::Closed { cause: Cause::Handshake(_), clean: false, .. }]),
            "{wrong:?}"
        );
        assert!(drain(&mut server).starts_with(b"HTTP/1.1 400 "), "{wrong:?}");
    }
}

/// B-47: headers pass through both ways, so any HTTP authentication can be used.
#[test]
fn authentication_passes_through() {
    let with = || plain_request().header("Authorization", "Basic Zm9vOmJhcg==").header("Cookie", "id=7");
    let (mut client, mut server, request) = request_between(with());
    assert_eq!(request.header("authorization"), Some("Basic Zm9vOmJhcg=="));
    assert_eq!(request.header("Cookie"), Some("id=7"));
    server.reject(server::Rejection::new(401).header("WWW-Authenticate", "Basic realm=\"x\"")).unwrap();
    let Event::Rejected(response) = response_event(&mut client, &mut server) else { panic!("rejected") };
    assert_eq!((response.status(), response.header("www-authenticate")), (401, Some("Basic realm=\"x\"")));

    let (_, _, response) = open_between(with(), server::Response::new().header("Set-Cookie", "id=8"));
    assert_eq!(response.header("set-cookie"), Some("id=8"));
}
