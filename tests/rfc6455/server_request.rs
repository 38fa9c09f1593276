//! The server's rules for a request (RFC 6455 section 4.2.1): its line, the required headers, and its public fields.

use websocket_proto::{Config, Connection, HandshakeError, Role};

use crate::helpers::server::{
    accepted, assert_refused, assert_refused_by, with_header, with_header_added, with_line_replaced, with_request_line,
};
use crate::support::{KEY, feed, frame, request, request_with};

/// S-01: a malformed HTTP/1.1 head is answered once, with 400, and whatever follows is ignored.
#[test]
fn a_malformed_head_is_refused() {
    for request_line in [
        "",
        " ",
        "GET",
        "GET /",
        "GET  HTTP/1.1",
        "GET /\t HTTP/1.1",
        "GET / HTTP/1.1 x",
        "GET / HTTP/1.10",
        " GET / HTTP/1.1",
    ] {
        assert_refused(&with_request_line(request_line), HandshakeError::Head);
    }
    for line in
        ["no colon", ": no name", "Na me: x", "Name : x", "Näme: x", " folded: x", "\tfolded", "a: b\rc", "a: \x7f"]
    {
        assert_refused(&request_with(&format!("{line}\r\n")), HandshakeError::Head);
    }
    for line in ["a: b\n", "a: \0\r\n", "a: \x1b[0m\r\n", "a: b\r\n c\r\n"] {
        assert_refused(&request_with(line), HandshakeError::Head);
    }
}

/// S-01: RFC 9112 section 2.2: some clients send an empty line after the request before.
#[test]
fn an_empty_line_in_front_is_skipped() {
    accepted(&[b"\r\n", &request()[..]].concat());
}

/// S-01, S-40: a byte that can't be part of a head is enough; the server doesn't wait for an end that may never come.
#[test]
fn what_is_no_http_is_refused_at_its_first_byte() {
    // TLS, a frame without a handshake, lines that end with a bare LF.
    for start in [&b"\x16"[..], b"\x81\x05", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nHost: a\n"] {
        let (last, before) = start.split_last().unwrap();
        let mut conn = Connection::server(Config::new());
        assert!(feed(&mut conn, before).is_empty());
        assert_refused_by(conn, &[&[*last]], HandshakeError::Head);
    }
}

/// S-02: methods are compared as they are written.
#[test]
fn another_method_than_get_is_refused() {
    for method in ["POST", "PUT", "OPTIONS", "get", "Get", "GETS", "G"] {
        assert_refused(&with_request_line(&format!("{method} / HTTP/1.1")), HandshakeError::Method);
    }
    assert_refused(&with_request_line("CONNECT localhost:80 HTTP/1.1"), HandshakeError::Method);
    assert_refused(&with_request_line("OPTIONS * HTTP/1.1"), HandshakeError::Method);
}

/// S-02: RFC 9110 9.3.2 lets no content follow the head of an answer to HEAD.
#[test]
fn head_is_refused_without_a_body() {
    let request = with_request_line("HEAD / HTTP/1.1");
    let answer = assert_refused_by(Connection::server(Config::new()), &[&request], HandshakeError::Method);
    assert_eq!(answer.body, "");
}

/// S-03: 0.9, 1.0 and versions that aren't HTTP/1; anything that doesn't look like a version is a malformed line.
#[test]
fn another_version_than_http_1_1_is_refused() {
    for version in ["HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "HTTP/3.0"] {
        assert_refused(&with_request_line(&format!("GET / {version}")), HandshakeError::HttpVersion);
    }
    for version in ["http/1.1", "b HTTP/1.1", "HTTP/11", "HTTP/x.y"] {
        assert_refused(&with_request_line(&format!("GET / {version}")), HandshakeError::Head);
    }
}

/// S-04: both forms of RFC 9112 3.2 that name a resource; an absolute URI takes precedence over `Host`.
#[test]
fn the_target_is_a_path_or_an_absolute_uri() {
    for (target, resource, path, query, host) in [
        ("/", "/", "/", None, "localhost"),
        ("/p?q", "/p?q", "/p", Some("q"), "localhost"),
        ("/p?", "/p?", "/p", Some(""), "localhost"),
        ("/a?b?c=/d", "/a?b?c=/d", "/a", Some("b?c=/d"), "localhost"),
        ("//a//b", "//a//b", "//a//b", None, "localhost"),
        ("/%20%23", "/%20%23", "/%20%23", None, "localhost"),
        ("http://h/p?q", "/p?q", "/p", Some("q"), "h"),
        ("https://h:8443", "/", "/", None, "h:8443"),
        ("ws://[::1]:9001?x=/", "/?x=/", "/", Some("x=/"), "[::1]:9001"),
        ("WSS://example.com/a", "/a", "/a", None, "example.com"),
    ] {
        let request = accepted(&with_request_line(&format!("GET {target} HTTP/1.1")));
        assert_eq!((request.resource(), request.path(), request.query()), (resource, path, query), "{target}");
        assert_eq!(request.host(), host, "{target}");
    }
    for target in [
        "*", "h", "h:80", "?q", "ftp://h/", "http:/h", "http://", "http:///", "http://?", "ws://u@h", "ws://h:x",
        "ws://[::", "/a#b", "ws://h#f", "/é",
    ] {
        assert_refused(&with_request_line(&format!("GET {target} HTTP/1.1")), HandshakeError::Target);
    }
}

/// S-05, S-06, S-07, S-08, S-11: each header that a handshake needs.
#[test]
fn a_missing_header_is_refused() {
    for (name, error) in [
        ("Host:", HandshakeError::Host),
        ("Upgrade:", HandshakeError::NoUpgrade),
        ("Connection:", HandshakeError::Connection),
        ("Sec-WebSocket-Key:", HandshakeError::Key),
        ("Sec-WebSocket-Version:", HandshakeError::Version),
    ] {
        assert_refused(&with_line_replaced(name, ""), error);
        // Another name with the same ending doesn't count.
        assert_refused(&with_line_replaced(name, &format!("X-{name} a\r\n")), error);
    }
}

/// S-05: RFC 9112 3.2: exactly one, whatever the target says.
#[test]
fn exactly_one_host_is_needed() {
    for host in ["a", "a:80", "a:", "127.0.0.1:1", "[::1]", "[::1]:9001", "xn--bcher-kva.example"] {
        assert_eq!(accepted(&with_header("Host", host)).host(), host);
    }
    for hosts in ["", "a\na", "a\nb", "a b", "a, b", "a/b", "user@a", "a:b", "[::1", "[]", "bücher"] {
        assert_refused(&with_header("Host", hosts), HandshakeError::Host);
    }
    let request = String::from_utf8(with_line_replaced("Host:", "")).unwrap();
    assert_refused(request.replacen("GET /", "GET http://a/", 1).as_bytes(), HandshakeError::Host);
}

/// S-06: a token among others, in any case, on any line; without it the request is plain HTTP, and gets 426.
#[test]
fn upgrade_must_name_websocket() {
    for values in ["websocket", "WebSocket", "h2c, websocket", "h2c\nWEBSOCKET", ",websocket\t,"] {
        accepted(&with_header("Upgrade", values));
    }
    for values in ["", "h2c", "websockets", "xwebsocket", "web socket", "\"websocket\""] {
        assert_refused(&with_header("Upgrade", values), HandshakeError::NoUpgrade);
    }
}

/// S-07: a token among others, in any case, on any line; a part of another word doesn't count.
#[test]
fn connection_must_have_the_token_upgrade() {
    for values in ["Upgrade", "upgrade", "keep-alive, Upgrade", "keep-alive\nUPGRADE", ",,\tupgrade ,"] {
        accepted(&with_header("Connection", values));
    }
    for values in ["", "keep-alive", "notupgrade", "upgrade-x", "keep-alive; Upgrade", "keep-alive Upgrade"] {
        assert_refused(&with_header("Connection", values), HandshakeError::Connection);
    }
}

/// S-11, S-13: exactly one, and a number from 0 to 255 without leading zeros (RFC 6455 4.3).
#[test]
fn exactly_one_version_is_needed() {
    for versions in [
        "", "abc", "013", "+13", "-13", "13.0", "1 3", "0x0d", "256", "13, 13", "8, 13", "13\n13", "13\n8", "8\n13",
        "8\n8",
    ] {
        assert_refused(&with_header("Sec-WebSocket-Version", versions), HandshakeError::Version);
    }
}

/// S-12, S-39: 426, with every version that would do: there is one.
#[test]
fn another_version_is_told_the_right_one() {
    for version in ["0", "7", "8", "12", "14", "25", "130", "255"] {
        let answer = assert_refused(&with_header("Sec-WebSocket-Version", version), HandshakeError::UnsupportedVersion);
        assert_eq!(answer.values("Sec-WebSocket-Version"), ["13"]);
    }
}

/// S-41: the bytes of a body are no frames, however it is announced.
#[test]
fn a_request_with_a_body_is_refused() {
    for line in [
        "Content-Length: 5",
        "content-length: 05",
        "Content-Length: 0, 11",
        "Content-Length: 0\r\nContent-Length: 11",
        "Content-Length: 11\r\nContent-Length: 0",
        "Content-Length: -1",
        "Content-Length: abc",
        "Content-Length:",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:",
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
    ] {
        let request = request_with(&format!("{line}\r\n"));
        let body = frame(Role::Client, 0x81, b"Hello");
        assert_refused(&[request, body].concat(), HandshakeError::Body);
    }
    accepted(&request_with("Content-Length: 0\r\n"));
    // The body of a plain request isn't read either.
    assert_refused(&with_line_replaced("Upgrade:", "Content-Length: 5\r\n"), HandshakeError::Body);
}

/// S-20: other headers of a request change nothing, and are reported as they came, in order.
#[test]
fn unknown_headers_are_ignored_and_shown() {
    let mut bytes = request();
    bytes.truncate(bytes.len() - 2);
    bytes.extend(
        b"X-Twice: 1\r\ncookie: a=1; b=2\r\nx-TWICE:2\r\nEmpty:\r\nSpaces: \t in between \t\r\nX-Raw: \xff\x80\r\nCookie: c\r\n\r\n",
    );
    let request = accepted(&bytes);
    let expected: [(&str, &[u8]); 12] = [
        ("Host", b"localhost"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", KEY.as_bytes()),
        ("Sec-WebSocket-Version", b"13"),
        ("X-Twice", b"1"),
        ("cookie", b"a=1; b=2"),
        ("x-TWICE", b"2"),
        ("Empty", b""),
        ("Spaces", b"in between"),
        ("X-Raw", b"\xff\x80"),
        ("Cookie", b"c"),
    ];
    assert!(request.headers().eq(expected), "{request:?}");
    assert_eq!(request.header("Cookie"), Some("a=1; b=2"));
    assert_eq!(request.header("X-Twice"), Some("1"));
    assert_eq!(request.header("Empty"), Some(""));
    assert_eq!(request.header("X-Raw"), None);
    assert_eq!(request.header("X-Unknown"), None);
}

/// S-14, S-48: verbatim, so that a server can compare it; none where none was sent.
#[test]
fn the_origin_is_shown() {
    assert_eq!(accepted(&request()).origin(), None);
    for origin in ["http://example.com", "HTTP://Example.com:80", "null", ""] {
        let request = accepted(&with_header_added("oRIGIN", origin));
        assert_eq!(request.origin(), Some(origin));
    }
    assert_eq!(accepted(&request_with("X-Origin: http://example.com\r\n")).origin(), None);
}
