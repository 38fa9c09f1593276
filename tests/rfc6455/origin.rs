//! The check of `Origin` (RFC 6455 section 10.2): which origins pass, and attempts to fool it.

use websocket_proto::{Config, Connection, Event, server};

use crate::helpers::server::rejection_sent;
use crate::support::{feed, request};

const ALLOWED: [&str; 4] =
    ["https://app.example", "http://localhost:9001", "https://[::1]:8443", "https://b.example:443"];

/// S-14, S-48: listed origins, and clients that aren't browsers.
#[test]
fn listed_origins_and_no_origin_pass() {
    for lines in [
        "",
        "X-Origin: https://evil.example\r\n",
        "Origin: https://app.example\r\n",
        "oRIGIN:\t https://app.example \r\n",
        "Origin: HTTPS://APP.Example\r\n",
        // RFC 6454 section 6.2 omits the default port, and section 5 compares ports.
        "Origin: https://app.example:443\r\n",
        "Origin: http://localhost:9001\r\n",
        "Origin: https://[::1]:8443\r\n",
        "Origin: https://b.example\r\n",
    ] {
        assert_eq!(check(lines.as_bytes(), &ALLOWED), Ok(()), "{lines}");
    }
    assert_eq!(check(b"Origin: http://app.example:80\r\n", &["http://app.example"]), Ok(()));
    assert_eq!(check(b"Origin: http://app.example\r\n", &["HTTP://app.example:80"]), Ok(()));
    assert_eq!(check(b"Origin: null\r\n", &["null"]), Ok(()));
    assert_eq!(check(b"Origin: chrome-extension://abc\r\n", &["chrome-extension://abc"]), Ok(()));
    assert_eq!(check(b"", &[]), Ok(()));
}

/// S-15, S-48: everything else is rejected with 403, however close it is.
#[test]
fn other_origins_are_rejected() {
    for lines in [
        &b"Origin: https://evil.example\r\n"[..],
        b"Origin: null\r\n",
        b"Origin:\r\n",
        b"Origin: http://app.example\r\n",
        b"Origin: wss://app.example\r\n",
        b"Origin: app.example\r\n",
        b"Origin: //app.example\r\n",
        b"Origin: https:app.example\r\n",
        // Ports.
        b"Origin: https://app.example:80\r\n",
        b"Origin: https://app.example:8443\r\n",
        b"Origin: https://app.example:0443\r\n",
        b"Origin: https://app.example:443:443\r\n",
        b"Origin: https://app.example:\r\n",
        b"Origin: http://localhost\r\n",
        b"Origin: http://localhost:80\r\n",
        // More than an origin.
        b"Origin: https://app.example/\r\n",
        b"Origin: https://app.example/:443\r\n",
        b"Origin: https://app.example?\r\n",
        b"Origin: https://app.example#\r\n",
        b"Origin: https://user@app.example\r\n",
        b"Origin: https://app.example https://evil.example\r\n",
        b"Origin: https://app.example, https://app.example\r\n",
        // Other hosts.
        b"Origin: https://app.example.\r\n",
        b"Origin: https://app.example.evil\r\n",
        b"Origin: https://evil-app.example\r\n",
        b"Origin: https://www.app.example\r\n",
        b"Origin: https://app%2Eexample\r\n",
        b"Origin: https://example\r\n",
        // Not text: `origin()` doesn't show it.
        b"Origin: https://app.example\xe9\r\n",
        b"Origin: https://evil\xe9.example\r\n",
        b"Origin: \xff\r\n",
        // Two headers, one of which is right.
        b"Origin: https://app.example\r\nOrigin: https://evil.example\r\n",
        b"Origin: https://evil.example\r\nX: y\r\norigin: https://app.example\r\n",
        b"Origin: https://app.example\r\nOrigin: https://app.example\r\n",
        b"Origin: https://app.example\r\nOrigin: \xff\r\n",
    ] {
        assert!(check(lines, &ALLOWED).is_err(), "{}", lines.escape_ascii());
        assert!(check(lines, &[]).is_err());
    }
    // Only these two schemes have a default port.
    assert!(check(b"Origin: app://app.example:443\r\n", &["app://app.example"]).is_err());
    assert!(check(b"Origin: app://app.example:80\r\n", &["app://app.example"]).is_err());
    // An entry that is no origin allows nothing.
    for entry in ["*", "", "app.example", "https://", "https://app.example/", "https://*.example"] {
        assert!(check(b"Origin: https://app.example\r\n", &[entry]).is_err(), "{entry}");
    }
}

/// S-14: pages of the host that is asked for pass, by either scheme, and so does whoever is no page.
#[test]
fn pages_of_the_server_itself_pass() {
    let host = "localhost";
    let own = ["http://", "HTTPS://"].map(|scheme| format!("Origin: {scheme}{host}\r\n"));
    for lines in [String::new()].iter().chain(&own) {
        assert_eq!(check_same(lines.as_bytes()), Ok(()), "{lines}");
    }
    for origin in [
        format!("https://sub.{host}"),
        format!("https://{host}.example"),
        format!("https://{host}:8443"),
        format!("ftp://{host}"),
        host.to_owned(),
        "https://".to_owned(),
        "null".to_owned(),
    ] {
        assert!(check_same(format!("Origin: {origin}\r\n").as_bytes()).is_err(), "{origin}");
    }
    assert!(check_same([&*own[0], &own[0]].concat().as_bytes()).is_err());
}

/// S-15: the rejection can be sent as it is.
#[test]
fn the_rejection_has_status_403() {
    let (mut conn, request) = received(b"Origin: https://evil.example\r\n");
    conn.reject(request.check_origin(&ALLOWED).unwrap_err()).unwrap();
    let answer = rejection_sent(conn);
    assert_eq!(
        (&answer.status_line[..], &answer.body[..]),
        ("HTTP/1.1 403 Forbidden", "pages of this origin may not connect\n")
    );
}

/// The check of pages of the server itself, in both ways as well.
fn check_same(lines: &[u8]) -> Result<(), server::Rejection> {
    let (_, request) = received(lines);
    let checked = request.check_same_origin();
    #[cfg(feature = "http")]
    assert_eq!(websocket_proto::HttpServerHandshake::check_same_origin(&http_request(&request)), checked);
    checked
}

/// The check, by the built-in handshake and with the types of the crate `http`.
fn check(lines: &[u8], allowed: &[&str]) -> Result<(), server::Rejection> {
    let (_, request) = received(lines);
    let checked = request.check_origin(allowed);
    #[cfg(feature = "http")]
    assert_eq!(websocket_proto::HttpServerHandshake::check_origin(&http_request(&request), allowed), checked);
    checked
}

#[cfg(feature = "http")]
fn http_request(request: &server::Request) -> http::Request<()> {
    let mut other = http::Request::new(());
    for (name, value) in request.headers() {
        let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        other.headers_mut().append(name, http::HeaderValue::from_bytes(value).unwrap());
    }
    other
}

fn received(lines: &[u8]) -> (Connection, Box<server::Request>) {
    let mut head = request();
    head.splice(head.len() - 2..head.len() - 2, lines.iter().copied());
    let mut conn = Connection::server(Config::new());
    match <[_; 1]>::try_from(feed(&mut conn, &head)) {
        Ok([Event::Request(request)]) => (conn, request),
        other => panic!("{other:?}"),
    }
}
