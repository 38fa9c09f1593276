//! Plain HTTP requests: yours to answer, whatever their method and minor version.

use websocket_proto::{AcceptError, Cause, Config, Connection, Event, HandshakeError, State, server};

use crate::helpers::closed;
use crate::helpers::server::{every_cut, last_response, rejection_sent};
use crate::support::{drain, feed, pending_events};

/// A request of HTTP/1.0 as `haproxy` sends it for `option httpchk`.
const HAPROXY: &str = "OPTIONS / HTTP/1.0\r\n\r\n";

/// A request of HTTP/1.0 as `nginx` passes it on by default.
const NGINX: &str = "GET / HTTP/1.0\r\nHost: backend\r\nConnection: close\r\n\r\n";

/// The public fields of a request: method, version, resource, host.
type Shown = (&'static str, (u8, u8), &'static str, &'static str);

/// The public fields of each request, and its answer if you give none.
const REQUESTS: [(&str, Shown, HandshakeError); 13] = [
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ("GET", (1, 1), "/", "a"), HandshakeError::NoUpgrade),
    ("HEAD /p?q HTTP/1.1\r\nHost: a\r\n\r\n", ("HEAD", (1, 1), "/p?q", "a"), HandshakeError::Method),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", ("POST", (1, 1), "/", "a"), HandshakeError::Method),
    ("get / HTTP/1.1\r\nHost: a\r\n\r\n", ("get", (1, 1), "/", "a"), HandshakeError::Method),
    ("X-Y / HTTP/1.1\r\nHost: a\r\n\r\n", ("X-Y", (1, 1), "/", "a"), HandshakeError::Method),
    ("DELETE http://b/c HTTP/1.1\r\nHost: a\r\n\r\n", ("DELETE", (1, 1), "/c", "b"), HandshakeError::Method),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ("OPTIONS", (1, 1), "*", "a"), HandshakeError::Method),
    ("OPTIONS * HTTP/1.0\r\n\r\n", ("OPTIONS", (1, 0), "*", ""), HandshakeError::HttpVersion),
    (HAPROXY, ("OPTIONS", (1, 0), "/", ""), HandshakeError::HttpVersion),
    (NGINX, ("GET", (1, 0), "/", "backend"), HandshakeError::HttpVersion),
    ("HEAD / HTTP/1.0\r\n\r\n", ("HEAD", (1, 0), "/", ""), HandshakeError::HttpVersion),
    ("GET / HTTP/1.0\r\nUpgrade: h2c\r\n\r\n", ("GET", (1, 0), "/", ""), HandshakeError::HttpVersion),
    ("POST http://b HTTP/1.0\r\n\r\n", ("POST", (1, 0), "/", "b"), HandshakeError::HttpVersion),
];

/// S-02, S-03, S-06: a request that asks for no upgrade can be answered, and HEAD is answered without a body.
#[test]
fn plain_requests_are_the_callers_to_answer() {
    for (bytes, (method, version, resource, host), _) in REQUESTS {
        for chunks in every_cut(bytes.as_bytes()) {
            let mut conn = Connection::server(Config::new());
            let Some(Event::HttpRequest(request)) = first_event(&mut conn, &chunks) else { panic!("{bytes:?}") };
            assert_eq!((request.method(), request.version()), (method, version));
            assert_eq!((request.resource(), request.path()), (resource, resource.split('?').next().unwrap()));
            assert_eq!(request.query(), resource.split_once('?').map(|(_, query)| query));
            assert_eq!(request.host(), host);
            assert_eq!((conn.state(), drain(&mut conn)), (State::Connecting, vec![]));
            assert_eq!(conn.accept(server::Response::new()), Err(AcceptError::NotWebSocket));
            conn.reject(server::Rejection::new(200).body("a page")).unwrap();
            let answer = rejection_sent(conn);
            assert_eq!(answer.status_line, "HTTP/1.1 200 OK");
            // RFC 9110 section 9.3.2: the headers are those that GET would get.
            assert_eq!(answer.values("Content-Length"), ["6"]);
            assert_eq!(answer.values("Content-Type"), ["text/plain; charset=utf-8"]);
            assert_eq!(answer.body, if method == "HEAD" { "" } else { "a page" });
        }
    }
}

/// S-02, S-03, S-06: if you don't answer, the next call does, with a status that names a request that would work.
#[test]
fn plain_requests_that_nobody_answers() {
    for (bytes, (method, ..), error) in REQUESTS {
        let mut conn = Connection::server(Config::new());
        assert!(matches!(first_event(&mut conn, &[bytes.as_bytes()]), Some(Event::HttpRequest(_))));
        assert_eq!(closed(pending_events(&mut conn)).cause, Cause::Handshake(error));
        let answer = last_response(&mut conn);
        assert!(answer.status_line.starts_with(&format!("HTTP/1.1 {} ", error.status())), "{answer:?}");
        let has_body = error != HandshakeError::Method && method != "HEAD";
        assert_eq!(answer.body, if has_body { format!("{error}\n") } else { String::new() });
        assert_eq!(answer.values("Allow").len(), usize::from(error == HandshakeError::Method));
    }
}

/// S-41: a malformed plain request is rejected like a malformed handshake, without asking you.
#[test]
fn wrong_plain_requests_are_refused_at_once() {
    for (bytes, error) in [
        // With a body, which is never read.
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", HandshakeError::Method),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", HandshakeError::Body),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", HandshakeError::HttpVersion),
        // Without the one valid Host of HTTP/1.1.
        ("HEAD / HTTP/1.1\r\n\r\n", HandshakeError::Method),
        ("GET / HTTP/1.1\r\n\r\n", HandshakeError::Host),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", HandshakeError::HttpVersion),
        ("GET / HTTP/1.0\r\nHost: a b\r\n\r\n", HandshakeError::HttpVersion),
        // RFC 9110 section 9.3.2: a response to HEAD has no body.
        ("HEAD / HTTP/1.0\r\nHost: a b\r\n\r\n", HandshakeError::Method),
        ("HEAD / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", HandshakeError::Method),
        ("HEAD nopath HTTP/1.0\r\n\r\n", HandshakeError::Method),
        ("HEAD / HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", HandshakeError::Method),
        // For no resource.
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", HandshakeError::Target),
        ("options * HTTP/1.1\r\nHost: a\r\n\r\n", HandshakeError::Method),
        ("OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n", HandshakeError::Method),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", HandshakeError::Method),
        ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", HandshakeError::Method),
        ("CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", HandshakeError::Method),
        ("CONNECT a:80 HTTP/1.0\r\n\r\n", HandshakeError::HttpVersion),
        ("GET nopath HTTP/1.0\r\n\r\n", HandshakeError::HttpVersion),
        // A WebSocket handshake except for its request line.
        ("GET / HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", HandshakeError::HttpVersion),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", HandshakeError::Method),
    ] {
        let mut conn = Connection::server(Config::new());
        assert_eq!(closed(feed(&mut conn, bytes.as_bytes())).cause, Cause::Handshake(error), "{bytes:?}");
        let answer = last_response(&mut conn);
        assert!(answer.status_line.starts_with(&format!("HTTP/1.1 {} ", error.status())));
        assert_eq!(answer.body.is_empty(), error == HandshakeError::Method, "{bytes:?}");
    }
}

/// Feeds the chunks up to the first event. The next call after a plain request would be "no answer".
fn first_event(conn: &mut Connection, chunks: &[&[u8]]) -> Option<Event<'static>> {
    chunks.iter().find_map(|chunk| conn.receive(&mut &mut chunk.to_vec()[..]).map(Event::into_owned))
}
