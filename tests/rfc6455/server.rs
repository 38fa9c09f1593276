//! What binds a server: the opening handshake of RFC 6455 4.2, and its side of masks and of the end.

use bytes::Buf;
use websocket_proto::{
    AcceptError, Cause, CloseCode, Closed, Config, Connection, Event, HandshakeError, HeaderError, Kind, ProtocolError,
    Rejection, Request, Response, Role, SendError, Shutdown, State,
};

use crate::support::{
    ACCEPT, KEY, ROLES, Sent, close_body, drain, events, feed, feed_chunks, frame, frames, open, other, raw_frame,
    request, request_with, sent, server, turns,
};

// What is refused, and how.

/// S-01: what isn't an HTTP/1.1 head is answered once, with 400, and whatever follows is ignored.
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
        refused(&with_request_line(request_line), HandshakeError::Head);
    }
    for line in
        ["no colon", ": no name", "Na me: x", "Name : x", "Näme: x", " folded: x", "\tfolded", "a: b\rc", "a: \x7f"]
    {
        refused(&request_with(&format!("{line}\r\n")), HandshakeError::Head);
    }
    for line in ["a: b\n", "a: \0\r\n", "a: \x1b[0m\r\n", "a: b\r\n c\r\n"] {
        refused(&request_with(line), HandshakeError::Head);
    }
}

/// S-01: RFC 9112 2.2: some clients send an empty line behind the request before.
#[test]
fn an_empty_line_in_front_is_skipped() {
    accepted(&[b"\r\n", &request()[..]].concat());
}

/// S-01, S-40: a byte that can't be part of a head is enough; nothing waits for the end that may never come.
#[test]
fn what_is_no_http_is_refused_at_its_first_byte() {
    // TLS, a frame without a handshake in front of it, HTTP/2's way to end a line.
    for start in [&b"\x16"[..], b"\x81\x05", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nHost: a\n"] {
        let (last, before) = start.split_last().unwrap();
        let mut conn = Connection::server(Config::new());
        assert!(feed(&mut conn, before).is_empty());
        refused_by(conn, &[&[*last]], HandshakeError::Head);
    }
}

/// S-02: methods are compared as they are written.
#[test]
fn another_method_than_get_is_refused() {
    for method in ["POST", "PUT", "OPTIONS", "get", "Get", "GETS", "G"] {
        refused(&with_request_line(&format!("{method} / HTTP/1.1")), HandshakeError::Method);
    }
    refused(&with_request_line("CONNECT localhost:80 HTTP/1.1"), HandshakeError::Method);
    refused(&with_request_line("OPTIONS * HTTP/1.1"), HandshakeError::Method);
}

/// S-02: RFC 9110 9.3.2 lets no content follow the head of an answer to HEAD.
#[test]
fn head_is_refused_without_a_body() {
    let request = with_request_line("HEAD / HTTP/1.1");
    let answer = refused_by(Connection::server(Config::new()), &[&request], HandshakeError::Method);
    assert_eq!(answer.body, "");
}

/// S-03: 0.9, 1.0 and what is no HTTP/1 at all; what doesn't look like a version is a malformed line.
#[test]
fn another_version_than_http_1_1_is_refused() {
    for version in ["HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "HTTP/3.0"] {
        refused(&with_request_line(&format!("GET / {version}")), HandshakeError::HttpVersion);
    }
    for version in ["http/1.1", "b HTTP/1.1", "HTTP/11", "HTTP/x.y"] {
        refused(&with_request_line(&format!("GET / {version}")), HandshakeError::Head);
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
        refused(&with_request_line(&format!("GET {target} HTTP/1.1")), HandshakeError::Target);
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
        refused(&instead_of(name, ""), error);
        // Another name that ends the same doesn't count.
        refused(&instead_of(name, &format!("X-{name} a\r\n")), error);
    }
}

/// S-05: RFC 9112 3.2: exactly one, whatever the target says.
#[test]
fn exactly_one_host_is_needed() {
    for host in ["a", "a:80", "a:", "127.0.0.1:1", "[::1]", "[::1]:9001", "xn--bcher-kva.example"] {
        assert_eq!(accepted(&with_header("Host", host)).host(), host);
    }
    for hosts in ["", "a\na", "a\nb", "a b", "a, b", "a/b", "user@a", "a:b", "[::1", "[]", "bücher"] {
        refused(&with_header("Host", hosts), HandshakeError::Host);
    }
    let request = String::from_utf8(instead_of("Host:", "")).unwrap();
    refused(request.replacen("GET /", "GET http://a/", 1).as_bytes(), HandshakeError::Host);
}

/// S-06: a token among others, in any case, on any line; without it the request is plain HTTP, and gets 426.
#[test]
fn upgrade_must_name_websocket() {
    for values in ["websocket", "WebSocket", "h2c, websocket", "h2c\nWEBSOCKET", ",websocket\t,"] {
        accepted(&with_header("Upgrade", values));
    }
    for values in ["", "h2c", "websockets", "xwebsocket", "web socket", "\"websocket\""] {
        refused(&with_header("Upgrade", values), HandshakeError::NoUpgrade);
    }
}

/// S-07: a token among others, in any case, on any line; a part of another word doesn't count.
#[test]
fn connection_must_have_the_token_upgrade() {
    for values in ["Upgrade", "upgrade", "keep-alive, Upgrade", "keep-alive\nUPGRADE", ",,\tupgrade ,"] {
        accepted(&with_header("Connection", values));
    }
    for values in ["", "keep-alive", "notupgrade", "upgrade-x", "keep-alive; Upgrade", "keep-alive Upgrade"] {
        refused(&with_header("Connection", values), HandshakeError::Connection);
    }
}

/// S-09, S-10: base64 of 16 bytes, exactly once.
#[test]
fn exactly_one_key_of_sixteen_bytes_is_needed() {
    for keys in [
        "dGhlIHNhbXBsZSBub25jZQ==\ndGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhbXBsZSBub25jZQ==\nAAAAAAAAAAAAAAAAAAAAAA==",
        "dGhlIHNhbXBsZSBub25jZQ==, AAAAAAAAAAAAAAAAAAAAAA==",
        "",
        "AAAA",
        // 15, 17 and 18 bytes.
        "AAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        // Padding: none, half of it, too much.
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZQ=",
        "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25j====",
        // Not the standard alphabet.
        "dGhlIHNhbXBsZSBub25-_Q==",
        "dGhlIHNhbXBs ZSBub25jZQ==",
        "\"dGhlIHNhbXBsZSBub25jZQ==\"",
    ] {
        refused(&with_header("Sec-WebSocket-Key", keys), HandshakeError::Key);
    }
}

/// S-11, S-13: exactly one, and a number from 0 to 255 without leading zeros (RFC 6455 4.3).
#[test]
fn exactly_one_version_is_needed() {
    for versions in [
        "", "abc", "013", "+13", "-13", "13.0", "1 3", "0x0d", "256", "13, 13", "8, 13", "13\n13", "13\n8", "8\n13",
        "8\n8",
    ] {
        refused(&with_header("Sec-WebSocket-Version", versions), HandshakeError::Version);
    }
}

/// S-12, S-39: 426, with every version that would do: there is one.
#[test]
fn another_version_is_told_the_right_one() {
    for version in ["0", "7", "8", "12", "14", "25", "130", "255"] {
        let answer = refused(&with_header("Sec-WebSocket-Version", version), HandshakeError::UnsupportedVersion);
        assert_eq!(answer.all("Sec-WebSocket-Version"), ["13"]);
    }
}

/// S-17: different tokens, read leniently only where elements are empty.
#[test]
fn subprotocols_are_different_tokens() {
    for (value, offered) in [
        ("a", &["a"][..]),
        ("a, b", &["a", "b"]),
        ("a,,b", &["a", "b"]),
        (",a\t, ", &["a"]),
        // Tokens are compared as they are written.
        ("chat, Chat", &["chat", "Chat"]),
        ("!#$%&'*+-.^_`|~09", &["!#$%&'*+-.^_`|~09"]),
    ] {
        let request = accepted(&with_header_added("Sec-WebSocket-Protocol", value));
        assert!(request.subprotocols().eq(offered.iter().copied()), "{value}");
    }
    for values in ["", ",", "a, a", "a\na", "a, b\nc, a", "a b", "a;b", "a/b", "\"a\"", "a, é"] {
        refused(&with_header_added("Sec-WebSocket-Protocol", values), HandshakeError::Subprotocol);
    }
}

/// S-19: RFC 6455 9.1's grammar, unknown extensions included.
#[test]
fn malformed_extensions_are_refused() {
    for values in [
        "a;;b",
        ";a",
        "a;",
        "a b",
        "a=b",
        "a; b=",
        "a; b=c d",
        "a; b=\"",
        "a; b=\"\"",
        "a; b=\"c d\"",
        "a; b=\"c\\\"",
        "a; b=\"c\"d",
        "é",
        "a\nb;",
        // A quoted string doesn't reach over to the next line.
        "a; b=\"c\nd\"",
    ] {
        refused(&with_header_added("Sec-WebSocket-Extensions", values), HandshakeError::Extensions);
    }
}

/// S-17, S-19: lists of a mebibyte; were they read in more than linear time, this test would take minutes.
#[test]
fn long_lists_are_read_in_linear_time() {
    let config = || Config::new().max_handshake_size(2 << 20);
    let unclosed = format!("a; b=\"{}", "\\c".repeat(1 << 19));
    let names = (0..1 << 17).flat_map(|i| [format!("{i:06}"), ", ".to_owned()]).collect::<String>();
    for (request, error) in [
        (with_header_added("Sec-WebSocket-Extensions", &unclosed), HandshakeError::Extensions),
        (with_header_added("Sec-WebSocket-Protocol", &format!("{names}131071")), HandshakeError::Subprotocol),
        (with_header("Connection", &names), HandshakeError::Connection),
    ] {
        refused_by(Connection::server(config()), &[&request], error);
    }
    let mut conn = Connection::server(config());
    let events = feed(&mut conn, &with_header_added("Sec-WebSocket-Protocol", &names));
    let [Event::Request(request)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(request.subprotocols().count(), 1 << 17);
    assert_eq!(request.choose(&["none", "131071"]), Some("131071"));
}

/// S-41: the bytes of a body are no frames, whatever way they are announced.
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
        refused(&[request, body].concat(), HandshakeError::Body);
    }
    accepted(&request_with("Content-Length: 0\r\n"));
    // Plain HTTP isn't read further either.
    refused(&instead_of("Upgrade:", "Content-Length: 5\r\n"), HandshakeError::Body);
}

// Limits.

/// S-40: the limit is exact, wherever the input is cut; what stands behind the head doesn't count.
#[test]
fn a_head_of_exactly_the_limit_passes() {
    for (config, limit) in [(Config::new().max_handshake_size(300), 300), (Config::new(), 16 << 10)] {
        let fits = request_of_size(limit);
        let too_long = request_of_size(limit + 1);
        for size in [1, 7, limit, limit + 1] {
            let mut conn = Connection::server(config.clone());
            assert!(matches!(feed_chunks(&mut conn, &fits, size)[..], [Event::Request(_)]));
            let pieces: Vec<_> = too_long.chunks(size).collect();
            refused_by(Connection::server(config.clone()), &pieces, HandshakeError::HeadTooLarge);
        }
        let mut conn = Connection::server(config);
        let behind = frame(Role::Client, 0x81, b"Hello");
        assert!(matches!(feed(&mut conn, &[fits, behind].concat())[..], [Event::Request(_)]));
    }
}

/// S-40: the limit is exact; the request line is no header.
#[test]
fn exactly_as_many_headers_as_the_limit_pass() {
    // The request has five of its own.
    for (config, limit) in [(Config::new().max_headers(9), 9), (Config::new(), 128)] {
        let fits = request_with(&"a: b\r\n".repeat(limit - 5));
        let too_many = request_with(&"a: b\r\n".repeat(limit - 4));
        for size in [1, 7, too_many.len()] {
            let mut conn = Connection::server(config.clone());
            assert!(matches!(feed_chunks(&mut conn, &fits, size)[..], [Event::Request(_)]));
            let pieces: Vec<_> = too_many.chunks(size).collect();
            refused_by(Connection::server(config.clone()), &pieces, HandshakeError::TooManyHeaders);
        }
    }
}

/// S-40: an empty line in front of the request line, which is skipped, is no header either.
#[test]
fn an_empty_line_in_front_does_not_count_as_a_header() {
    let mut conn = Connection::server(Config::new().max_headers(5));
    assert!(matches!(feed(&mut conn, &[b"\r\n", &request()[..]].concat())[..], [Event::Request(_)]));
}

/// S-40: the greatest limits are none.
#[test]
fn the_greatest_limits_let_every_head_pass() {
    let config = Config::new().max_headers(usize::MAX).max_handshake_size(usize::MAX);
    let mut conn = Connection::server(config);
    assert!(matches!(feed(&mut conn, &request())[..], [Event::Request(_)]));
}

/// S-40: a head without end is refused where the limit is; were each byte looked at more than once, byte by byte would
/// take hours.
#[test]
fn an_endless_head_is_refused_at_the_limit() {
    let limit = 1 << 20;
    for start in ["", "GET /", "GET / HTTP/1.1\r\nHost: a\r\na: "] {
        let mut conn = Connection::server(Config::new().max_handshake_size(limit));
        let endless = [start.as_bytes(), &vec![b'a'; limit + 1]].concat();
        assert!(feed_chunks(&mut conn, &endless[..limit - 1], 1).is_empty());
        assert!(!conn.output().has_remaining());
        refused_by(conn, &[&endless[limit - 1..=limit]], HandshakeError::HeadTooLarge);
    }
    // Lines without end are refused at their own limit.
    let mut conn = Connection::server(Config::new());
    let endless = ["GET / HTTP/1.1\r\n", &"a:\r\n".repeat(129)].concat();
    let (last, before) = endless.as_bytes().split_last().unwrap();
    assert!(feed_chunks(&mut conn, before, 1).is_empty());
    refused_by(conn, &[&[*last]], HandshakeError::TooManyHeaders);
}

// What a request tells.

/// S-20: whatever else a request has changes nothing, and is shown as it came, in order.
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

/// S-16: lines are one list, its order kept.
#[test]
fn subprotocols_may_span_lines() {
    for values in ["a, b, c", "a\nb\nc", "a, b\nc", "a,\n,b , c"] {
        let request = accepted(&with_header_added("sec-websocket-PROTOCOL", values));
        assert!(request.subprotocols().eq(["a", "b", "c"]), "{values:?}");
        // The server's preference counts.
        assert_eq!(request.choose(&["x", "c", "a"]), Some("c"));
        assert_eq!(request.choose(&["A", "x", ""]), None);
        assert_eq!(request.choose(&[]), None);
    }
    assert_eq!(accepted(&request()).subprotocols().next(), None);
}

/// S-18: lines are one list, whatever is in it.
#[test]
fn extensions_may_span_lines() {
    for values in [
        "permessage-deflate; client_max_window_bits, x-a; b=\"c\"",
        "permessage-deflate; client_max_window_bits\nx-a; b=\"\\c\"",
        "",
        "\n,\nx-a",
    ] {
        accepted(&with_header_added("Sec-WebSocket-Extensions", values));
    }
}

// Acceptance.

/// S-26, S-28, S-29, S-30, S-31, S-32, S-33: nothing but what the RFC wants, each once; no subprotocol and no extension
/// where none was agreed on, whatever the client offers.
#[test]
fn an_acceptance_says_what_was_agreed_on_and_no_more() {
    let offer = "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: x-unknown; a=1, x-other\r\n";
    for request in [request(), request_with(offer)] {
        let answer = accept(&request, Response::new());
        assert_eq!(answer.status_line, "HTTP/1.1 101 Switching Protocols");
        assert_eq!(
            answer.headers,
            [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(answer.body, "");
    }
}

/// S-28: without an offer nothing is accepted, whatever the configuration; neither may the caller say so.
#[test]
fn no_extension_is_accepted_that_was_not_offered() {
    assert!(accept(&request(), Response::new()).all("Sec-WebSocket-Extensions").is_empty());
    let response = Response::new().header("Sec-WebSocket-Extensions", "permessage-deflate");
    accept_fails(response, AcceptError::Header(HeaderError::Reserved));
}

/// S-30: headers of the caller's come behind those of the handshake, in order.
#[test]
fn an_acceptance_may_have_further_headers() {
    let response = Response::new().header("Set-Cookie", "a=1").header("X-Empty", "").header("Set-Cookie", "b=\"é\t2\"");
    let answer = accept(&request(), response);
    assert!(answer.headers[3..].iter().map(|(name, _)| &name[..]).eq(["Set-Cookie", "X-Empty", "Set-Cookie"]));
    assert_eq!(answer.all("set-cookie"), ["a=1", "b=\"é\t2\""]);
    assert_eq!(answer.all("X-Empty"), [""]);
}

/// S-34: the text of the key is hashed, unused bits of its padding included; white space around it is no part of it.
#[test]
fn the_accept_value_belongs_to_the_key_as_received() {
    for (key, expected) in [
        (KEY, ACCEPT),
        ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
        ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
        // The same 16 bytes as the first.
        ("dGhlIHNhbXBsZSBub25jZR==", "Zgw8jYXtqX5qJr7MJ1Q/MqzeSRI="),
        ("dGhlIHNhbXBsZSBub25jZf==", "X6f47m0G5NixFYe1pmdqfXnTIjI="),
        ("\t  dGhlIHNhbXBsZSBub25jZQ== \t", ACCEPT),
    ] {
        let answer = accept(&with_header("Sec-WebSocket-Key", key), Response::new());
        assert_eq!(answer.all("Sec-WebSocket-Accept"), [expected], "{key}");
    }
}

/// S-25: every subprotocol that was offered may be chosen, and no other.
#[test]
fn the_chosen_subprotocol_was_offered() {
    let request = with_header_added("Sec-WebSocket-Protocol", "chat, v2.chat\nx");
    for chosen in ["chat", "v2.chat", "x"] {
        let (mut conn, _) = asked(&request);
        conn.accept(Response::new().subprotocol(chosen)).unwrap();
        assert_eq!(Answer::parse(&drain(&mut conn)).all("Sec-WebSocket-Protocol"), [chosen]);
        assert_eq!(conn.subprotocol(), Some(chosen));
    }
    let (mut conn, _) = asked(&request);
    conn.accept(Response::new().subprotocol(None)).unwrap();
    assert_eq!(conn.subprotocol(), None);
    for wrong in ["", " ", "Chat", "cha", "v2", "chat, v2.chat", "chat,v2.chat", ",", "chat,", "x\r\nA: b"] {
        let (mut conn, _) = asked(&request);
        let refused = conn.accept(Response::new().subprotocol(wrong));
        assert_eq!(refused, Err(AcceptError::SubprotocolNotOffered), "{wrong:?}");
        still_waits(conn);
    }
}

/// S-26: neither an empty subprotocol nor one where nothing was offered.
#[test]
fn without_an_offer_no_subprotocol_can_be_chosen() {
    accept_fails(Response::new().subprotocol(""), AcceptError::SubprotocolNotOffered);
    accept_fails(Response::new().subprotocol("a"), AcceptError::SubprotocolNotOffered);
}

/// S-27, S-30, S-35: what the handshake writes can't be written twice, and nothing can be smuggled into the head.
#[test]
fn headers_that_would_break_an_answer_are_refused() {
    let in_both = ["Connection", "Content-Length", "Sec-WebSocket-Accept", "Transfer-Encoding", "Upgrade"];
    let in_acceptances =
        ["Sec-WebSocket-Extensions", "Sec-WebSocket-Key", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version"];
    for name in in_both.into_iter().chain(in_acceptances) {
        for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
            accept_fails(Response::new().header(&name, "a"), AcceptError::Header(HeaderError::Reserved));
        }
    }
    for name in in_both {
        reject_fails(Rejection::new(403).header(name, "a"), AcceptError::Header(HeaderError::Reserved));
    }
    for (name, value, error) in [
        ("", "a", HeaderError::Name),
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
        // Neither a good header in front nor whatever is behind makes it another error.
        let response = Response::new().header("a", "b").header(name, value).header("Upgrade", "b");
        accept_fails(response, AcceptError::Header(error));
        let rejection = Rejection::new(403).header("a", "b").header(name, value).header("Upgrade", "b");
        reject_fails(rejection, AcceptError::Header(error));
    }
}

/// S-36: messages may follow the response at once, behind it in the same output.
#[test]
fn the_connection_is_open_once_it_is_accepted() {
    let (mut conn, _) = asked(&request());
    conn.accept(Response::new()).unwrap();
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Open, None));
    conn.send_text("Hello").unwrap();
    conn.send(vec![7; 100_000]).unwrap();
    let answer = drain(&mut conn);
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(Answer::parse(&answer[..head]).status_line, "HTTP/1.1 101 Switching Protocols");
    let sent: Vec<_> = frames(&answer[head..]).into_iter().map(|frame| (frame.first, frame.payload)).collect();
    assert_eq!(sent, [(0x81, b"Hello".to_vec()), (0x82, vec![7; 100_000])]);
    assert_eq!(conn.accept(Response::new()), Err(AcceptError::NoRequest));
    assert_eq!(conn.reject(Rejection::new(403)), Err(AcceptError::NoRequest));
    assert_eq!((conn.state(), drain(&mut conn)), (State::Open, vec![]));
}

/// S-37: neither before the request nor before its answer.
#[test]
fn no_frame_precedes_the_response() {
    let mut conn = Connection::server(Config::new());
    nothing_can_be_sent(&mut conn, SendError::Connecting);
    let request = request();
    assert!(feed(&mut conn, &request[..20]).is_empty());
    nothing_can_be_sent(&mut conn, SendError::Connecting);
    assert!(matches!(feed(&mut conn, &request[20..])[..], [Event::Request(_)]));
    nothing_can_be_sent(&mut conn, SendError::Connecting);
    still_waits(conn);
}

/// S-38: what the client sent before it saw the response is delivered behind `accept`, wherever the input was cut and
/// however late `accept` comes.
#[test]
fn early_frames_are_delivered_once_accepted() {
    let early =
        [frame(Role::Client, 0x81, b"Hello"), frame(Role::Client, 0x89, b"?"), frame(Role::Client, 0x82, &[7; 300])];
    let bytes = [request(), early.concat()].concat();
    for pieces in every_cut(&bytes) {
        // Accepted between the events of one piece, so that the rest of it is never kept.
        let mut conn = Connection::server(Config::new());
        let mut got = Vec::new();
        for piece in &pieces {
            let mut piece = piece.to_vec();
            let mut input = &mut piece[..];
            while let Some(event) = conn.receive(&mut input) {
                if matches!(event, Event::Request(_)) {
                    conn.accept(Response::new()).unwrap();
                } else {
                    got.push(event.into_owned());
                }
            }
        }
        are_the_early_frames(&got);
        assert!(drain(&mut conn).ends_with(b"\r\n\r\n\x8a\x01?"));
    }
    for pieces in every_cut(&bytes) {
        // Accepted when everything has come.
        let mut conn = Connection::server(Config::new());
        let got = feed_all(&mut conn, &pieces);
        assert!(matches!(got[..], [Event::Request(_)]), "{got:?}");
        conn.accept(Response::new()).unwrap();
        are_the_early_frames(&events(&mut conn));
        assert!(drain(&mut conn).ends_with(b"\r\n\r\n\x8a\x01?"));
    }
}

/// S-38: a frame may lie on both sides of the answer.
#[test]
fn early_bytes_come_before_later_ones() {
    let bytes = [frame(Role::Client, 0x81, b"Hello"), frame(Role::Client, 0x81, b"again")].concat();
    for at in 0..=bytes.len() {
        let (mut conn, _) = asked(&request());
        assert!(feed(&mut conn, &bytes[..at]).is_empty());
        conn.accept(Response::new()).unwrap();
        let got = feed(&mut conn, &bytes[at..]);
        assert!(matches!(&got[..], [Event::Text(a), Event::Text(b)] if a == "Hello" && b == "again"), "{got:?}");
    }
}

/// S-38, S-40: as many bytes as the head may have are kept behind it; one more gets 400.
#[test]
fn early_bytes_are_kept_up_to_the_limit() {
    let limit = 300;
    let asked = || {
        let mut conn = Connection::server(Config::new().max_handshake_size(limit));
        assert!(matches!(feed(&mut conn, &request())[..], [Event::Request(_)]));
        conn
    };
    let early = frame(Role::Client, 0x82, &[7; 292]);
    assert_eq!(early.len(), limit);
    let too_much = [&early[..], &[0x82]].concat();
    for size in [1, 7, limit, limit + 1] {
        let mut conn = asked();
        assert!(feed_chunks(&mut conn, &early, size).is_empty());
        conn.accept(Response::new()).unwrap();
        assert!(matches!(&events(&mut conn)[..], [Event::Binary(data)] if data[..] == [7; 292]));
        // Behind the answer there is no such limit.
        assert_eq!(feed(&mut conn, &early.repeat(9)).len(), 9);

        let pieces: Vec<_> = too_much.chunks(size).collect();
        refused_by(asked(), &pieces, HandshakeError::EarlyData);
    }
}

// Rejection.

/// S-15, S-21, S-22, S-23, S-24: any status that isn't 101, with headers and a body, and then the end.
#[test]
fn a_request_may_be_rejected() {
    let answer = reject(Rejection::new(403).body("not from there\n"));
    assert_eq!((&answer.status_line[..], &answer.body[..]), ("HTTP/1.1 403 Forbidden", "not from there\n"));
    assert_eq!(answer.all("Content-Type"), ["text/plain; charset=utf-8"]);
    assert_eq!((answer.all("Content-Length"), answer.all("Connection")), (vec!["15"], vec!["close"]));
    assert!(answer.all("Upgrade").is_empty());

    let answer = reject(Rejection::new(404));
    assert_eq!((&answer.status_line[..], &answer.body[..]), ("HTTP/1.1 404 Not Found", ""));
    assert_eq!((answer.all("Content-Length"), answer.all("Content-Type")), (vec!["0"], vec![]));

    let answer = reject(Rejection::new(401).header("WWW-Authenticate", "Basic").header("WWW-Authenticate", "Bearer"));
    assert_eq!(answer.status_line, "HTTP/1.1 401 Unauthorized");
    assert_eq!(answer.all("WWW-Authenticate"), ["Basic", "Bearer"]);

    let answer = reject(Rejection::new(302).header("Location", "wss://example.com/é"));
    assert_eq!(answer.status_line, "HTTP/1.1 302 Found");
    assert_eq!(answer.all("Location"), ["wss://example.com/é"]);

    let answer = reject(Rejection::new(503).header("content-type", "application/json").body("{}".repeat(5000)));
    assert_eq!((answer.all("Content-Type"), answer.all("Content-Length")), (vec!["application/json"], vec!["10000"]));
    assert_eq!(answer.body, "{}".repeat(5000));

    let answer = reject(Rejection::new(204));
    assert_eq!((&answer.status_line[..], answer.all("Content-Length")), ("HTTP/1.1 204 No Content", vec![]));

    // RFC 9112 4: the phrase may be empty, the space in front of it stays.
    assert_eq!(reject(Rejection::new(599)).status_line, "HTTP/1.1 599 ");
    assert_eq!(reject(Rejection::new(200)).status_line, "HTTP/1.1 200 OK");
}

/// S-12, S-23: a 426 of the caller's tells what to upgrade to, as our own does; another list takes its place.
#[test]
fn a_rejection_with_426_names_the_protocol() {
    for (rejection, versions) in
        [(Rejection::new(426), "13"), (Rejection::new(426).header("sec-websocket-version", "13, 8"), "13, 8")]
    {
        let answer = reject(rejection);
        assert_eq!(answer.status_line, "HTTP/1.1 426 Upgrade Required");
        assert_eq!((answer.all("Upgrade"), answer.all("Sec-WebSocket-Version")), (vec!["websocket"], vec![versions]));
        assert_eq!(answer.all("Connection"), ["close, Upgrade"]);
    }
}

/// S-23, S-30: a rejection that would be no valid answer changes nothing.
#[test]
fn impossible_rejections_are_refused() {
    for status in [0, 99, 100, 101, 199, 600, u16::MAX] {
        reject_fails(Rejection::new(status), AcceptError::Status);
    }
    for status in [204, 205, 304] {
        reject_fails(Rejection::new(status).body("a"), AcceptError::Body);
    }
}

/// S-23, S-38: what waited behind a request that is rejected is no longer of interest.
#[test]
fn early_frames_are_discarded_once_rejected() {
    let (mut conn, _) = asked(&request());
    assert!(feed(&mut conn, &frame(Role::Client, 0x81, b"Hello")).is_empty());
    conn.reject(Rejection::new(403)).unwrap();
    assert_eq!(rejected(conn).status_line, "HTTP/1.1 403 Forbidden");
}

/// S-23: only a request that waits can be answered, and a try too early does no harm.
#[test]
fn without_a_request_nothing_can_be_answered() {
    let mut conn = Connection::server(Config::new());
    let request = request();
    for piece in [&request[..0], &request[..20], &request[20..request.len() - 1]] {
        assert!(feed(&mut conn, piece).is_empty());
        assert_eq!(conn.accept(Response::new()), Err(AcceptError::NoRequest));
        assert_eq!(conn.reject(Rejection::new(403)), Err(AcceptError::NoRequest));
    }
    assert!(matches!(feed(&mut conn, &request[request.len() - 1..])[..], [Event::Request(_)]));
    still_waits(conn);

    let (mut conn, _) = asked(&request);
    conn.abort();
    assert_eq!(conn.accept(Response::new()), Err(AcceptError::NoRequest));
    assert_eq!(conn.reject(Rejection::new(403)), Err(AcceptError::NoRequest));
    assert_eq!(drain(&mut conn), b"");
}

/// S-23, S-38: a client may close its side behind its request and what it says; it is answered all the same.
#[test]
fn a_request_outlives_its_sides_end() {
    let (mut conn, _) = asked(&request());
    assert!(feed(&mut conn, &frame(Role::Client, 0x81, b"Hello")).is_empty());
    conn.receive_eof();
    assert!(feed(&mut conn, b"").is_empty());
    conn.accept(Response::new()).unwrap();
    let events = feed(&mut conn, b"");
    assert!(matches!(&events[..], [Event::Text(text), Event::Closed(closed)]
        if text == "Hello" && closed.cause == Cause::Eof));
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 101 "));
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
}

/// S-06, S-23: a request without upgrade may be answered with a page, and can't be accepted.
#[test]
fn plain_http_may_be_answered_with_a_page() {
    let mut bytes = instead_of("Upgrade:", "Accept: text/html\r\n");
    let mut input = &mut bytes[..];
    let mut conn = Connection::server(Config::new());
    let Some(Event::HttpRequest(request)) = conn.receive(&mut input) else { panic!() };
    assert_eq!((request.path(), request.header("accept")), ("/", Some("text/html")));
    assert!(input.is_empty());
    assert_eq!(conn.accept(Response::new()), Err(AcceptError::NotWebSocket));
    assert_eq!((conn.state(), drain(&mut conn)), (State::Connecting, vec![]));
    let broken = Rejection::new(200).header("a", "\n");
    assert_eq!(conn.reject(broken), Err(AcceptError::Header(HeaderError::Value)));
    conn.reject(Rejection::new(200).header("Content-Type", "text/html").body("<h1>Hi</h1>")).unwrap();
    let answer = rejected(conn);
    assert_eq!((&answer.status_line[..], &answer.body[..]), ("HTTP/1.1 200 OK", "<h1>Hi</h1>"));
    assert_eq!((answer.all("Content-Type"), answer.all("Content-Length")), (vec!["text/html"], vec!["11"]));
}

/// S-06: plain HTTP needs none of what a handshake needs; unanswered, it gets 426 at the next call.
#[test]
fn plain_http_is_answered_with_426_by_default() {
    let plain = b"GET /favicon.ico HTTP/1.1\r\nHost: a\r\n\r\n";
    refused(plain, HandshakeError::NoUpgrade);
    let mut conn = Connection::server(Config::new());
    let mut bytes = *plain;
    assert!(matches!(conn.receive(&mut &mut bytes[..]), Some(Event::HttpRequest(_))));
    assert_eq!((conn.state(), drain(&mut conn)), (State::Connecting, vec![]));
    let closed = closed(events(&mut conn));
    assert_eq!(closed.cause, Cause::Handshake(HandshakeError::NoUpgrade));
    assert_eq!(last_answer(&mut conn).status_line, "HTTP/1.1 426 Upgrade Required");
}

// The open connection.

/// S-42: whatever the frame, before its payload is there; what precedes it is delivered, what follows is not.
#[test]
fn an_unmasked_frame_ends_the_connection() {
    let before = frame(Role::Client, 0x81, b"before");
    let behind = frame(Role::Client, 0x81, b"behind");
    for first in [0x81, 0x82, 0x01, 0x88, 0x89, 0x8a] {
        for payload in [&b""[..], b"Hello"] {
            let unmasked = raw_frame(first, None, payload);
            let bytes = [&before[..], &unmasked, &behind].concat();
            for bytes in [&bytes[..], &bytes[..before.len() + 2]] {
                for pieces in every_cut(bytes) {
                    let mut conn = server();
                    let mut got = feed_all(&mut conn, &pieces);
                    assert!(matches!(&got.remove(0), Event::Text(text) if text == "before"));
                    is_abnormal(&closed(got), Cause::Protocol(ProtocolError::UnmaskedFrame));
                    assert_eq!(conn.wants_shutdown(), None);
                    assert_eq!(sent(&mut conn), [close_frame(1002)]);
                    is_over(&mut conn, Shutdown::Finish);
                }
            }
        }
    }
}

/// S-43: a long conversation of every kind of frame and length.
#[test]
fn a_server_never_masks() {
    let mut conn = server();
    let mut random = 0x9e37_79b9_u32;
    let mut expected = 0;
    for _ in 0..2000 {
        // Xorshift: any numbers will do, as long as they are the same in every run.
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let payload = vec![b'a'; (random >> 8) as usize % [2, 126, 200, 6000][random as usize % 4]];
        let control = &payload[..payload.len().min(125)];
        expected += 1;
        match random >> 29 {
            0 => conn.send_text(str::from_utf8(&payload).unwrap()).unwrap(),
            1 => conn.send_binary(&payload).unwrap(),
            2 => conn.send(payload).unwrap(),
            3 => conn.ping(control).unwrap(),
            4 => conn.pong(control).unwrap(),
            5 => {
                conn.send_fragment(Kind::Text, &payload, false).unwrap();
                conn.send_fragment(Kind::Text, &payload, true).unwrap();
                expected += 1;
            }
            _ => assert_eq!(feed(&mut conn, &frame(Role::Client, 0x89, control)).len(), 1),
        }
        if random.is_multiple_of(16) {
            let sent = sent(&mut conn);
            assert!(sent.iter().all(|frame| frame.key.is_none()));
            expected -= sent.len();
        }
    }
    conn.close(CloseCode::NORMAL, "bye").unwrap();
    let sent = sent(&mut conn);
    assert!(sent.iter().all(|frame| frame.key.is_none()));
    assert_eq!(sent.len(), expected + 1);
}

/// S-44: RFC 6455 5.7's examples, and every key, alignment and length that a fast way to unmask may get wrong.
#[test]
fn masks_are_taken_off() {
    let mut conn = server();
    let got =
        feed(&mut conn, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    assert!(matches!(&got[..], [Event::Text(text), Event::Pong(pong)] if text == "Hello" && pong[..] == *b"Hello"));
    for key in [[0; 4], [0xff; 4], [0x37, 0xfa, 0x21, 0x3d], [0, 0, 0, 1]] {
        for length in (0..=70).chain([125, 126, 127, 65_535, 65_536]) {
            let payload: Vec<_> = (0..length).map(|i: u32| i as u8 ^ (i >> 8) as u8).collect();
            let data = raw_frame(0x82, Some(key), &payload);
            for offset in 0..8 {
                // At another place in the receiver's memory.
                let mut bytes = [&vec![0; offset], &data[..]].concat();
                let event = conn.receive(&mut &mut bytes[offset..]);
                assert!(matches!(event, Some(Event::Binary(got)) if got == payload), "{key:?} {length} {offset}");
                // From another place in the payload on.
                let at = data.len() - payload.len() + offset.min(payload.len());
                let got = feed_all(&mut conn, &[&data[..at], &data[at..]]);
                assert!(matches!(&got[..], [Event::Binary(got)] if *got == payload), "{key:?} {length} {offset}");
            }
            if length < 126 {
                for chunk in [1, 3, 200] {
                    let ping = raw_frame(0x89, Some(key), &payload);
                    let got = feed_chunks(&mut conn, &ping, chunk);
                    assert!(matches!(&got[..], [Event::Ping(got)] if *got == payload), "{key:?} {length} {chunk}");
                }
            }
        }
    }
}

/// S-45, S-46: a server wants the end as soon as both Close frames are through and its own is written.
#[test]
fn a_server_finishes_once_both_closed() {
    let body = close_body(1000, "bye");
    let peer_close = frame(Role::Client, 0x88, &body);
    for ours_first in [true, false] {
        let mut conn = server();
        if ours_first {
            conn.close(CloseCode::GOING_AWAY, "").unwrap();
            assert_eq!(sent(&mut conn), [close_frame(1001)]);
            // The client has still to answer.
            assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closing, None));
        }
        let closed = closed(feed(&mut conn, &peer_close));
        let cause = if ours_first { Cause::Local(CloseCode::GOING_AWAY) } else { Cause::Peer };
        assert_eq!((closed.code, &closed.reason[..]), (CloseCode::NORMAL, "bye"));
        assert_eq!((closed.clean, closed.cause), (true, cause));
        if !ours_first {
            // Not before the last byte of the answer is written.
            for _ in 0..2 + body.len() {
                assert_eq!(conn.wants_shutdown(), None);
                conn.output().advance(1);
            }
        }
        is_over(&mut conn, Shutdown::Finish);
    }
}

/// S-46: a client leaves the end to the server until the transport ended or the deadline passed.
#[test]
fn the_server_is_first_to_close_the_transport() {
    for role in ROLES {
        let closed_both = || {
            let mut conn = open(role);
            conn.advance_time(core::time::Duration::ZERO);
            closed(feed(&mut conn, &frame(other(role), 0x88, &close_body(1000, ""))));
            drain(&mut conn);
            conn
        };
        let mut conn = closed_both();
        assert_eq!(conn.wants_shutdown(), (role == Role::Server).then_some(Shutdown::Finish));
        conn.receive_eof();
        assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
        let mut conn = closed_both();
        let told = [0, 5].map(|now| turns(&mut conn, core::time::Duration::from_secs(now)));
        assert_eq!(told.map(|told| told.len()), [0, 0]);
        assert!(conn.wants_shutdown().is_some());
        assert!(events(&mut conn).is_empty());
    }
}

/// S-47: nothing more is said, in whatever state; one event tells of it.
#[test]
fn an_abort_drops_everything() {
    let open = || {
        let mut conn = server();
        conn.send_text("pending").unwrap();
        conn.send(vec![0; 100_000]).unwrap();
        conn
    };
    let closing = || {
        let mut conn = open();
        conn.close(CloseCode::NORMAL, "").unwrap();
        conn
    };
    for mut conn in [Connection::server(Config::new()), asked(&request()).0, open(), closing()] {
        conn.abort();
        assert_eq!(conn.state(), State::Closed);
        assert_eq!(conn.next_timeout(), Some(core::time::Duration::ZERO), "at once");
        is_abnormal(&closed(feed(&mut conn, &frame(Role::Client, 0x81, b"late"))), Cause::Aborted);
        is_over(&mut conn, Shutdown::Abort);
        conn.abort();
        is_over(&mut conn, Shutdown::Abort);
    }
    // The answer that nobody waits for.
    let (mut conn, _) = asked(&request());
    conn.reject(Rejection::new(403)).unwrap();
    conn.abort();
    is_abnormal(&closed(events(&mut conn)), Cause::Rejected(403));
    is_over(&mut conn, Shutdown::Abort);
}

// Requests.

/// The least request, that line replaced.
fn instead_of(start: &str, lines: &str) -> Vec<u8> {
    let request = String::from_utf8(request()).unwrap();
    let line = request.split_inclusive("\r\n").find(|line| line.starts_with(start)).unwrap();
    request.replacen(line, lines, 1).into_bytes()
}

fn with_request_line(line: &str) -> Vec<u8> {
    instead_of("GET ", &format!("{line}\r\n"))
}

/// The least request, that header replaced. Each line of `values` has a header line of its own.
fn with_header(name: &str, values: &str) -> Vec<u8> {
    instead_of(&format!("{name}:"), &header_lines(name, values))
}

fn with_header_added(name: &str, values: &str) -> Vec<u8> {
    request_with(&header_lines(name, values))
}

fn header_lines(name: &str, values: &str) -> String {
    format!("{name}: {}\r\n", values.replace('\n', &format!("\r\n{name}: ")))
}

fn request_of_size(size: usize) -> Vec<u8> {
    let padding = size - request_with("a: \r\n").len();
    let request = request_with(&format!("a: {}\r\n", "b".repeat(padding)));
    assert_eq!(request.len(), size);
    request
}

/// In two pieces at every place, and byte by byte.
fn every_cut(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let in_two = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
    in_two.chain([bytes.chunks(1).collect()])
}

fn feed_all(conn: &mut Connection, pieces: &[&[u8]]) -> Vec<Event<'static>> {
    pieces.iter().flat_map(|piece| feed(conn, piece)).collect()
}

// Answers.

/// A server that waits for the answer to a request.
fn asked(request: &[u8]) -> (Connection, Box<Request>) {
    let mut conn = Connection::server(Config::new());
    let [Event::Request(request)] = <[_; 1]>::try_from(feed(&mut conn, request)).unwrap() else { panic!() };
    (conn, request)
}

/// The request, which is reported and can be accepted however it is cut.
fn accepted(request: &[u8]) -> Request {
    for pieces in every_cut(request) {
        let mut conn = Connection::server(Config::new());
        let got = feed_all(&mut conn, &pieces);
        assert!(matches!(got[..], [Event::Request(_)]), "{got:?}");
        still_waits(conn);
    }
    *asked(request).1
}

fn accept(request: &[u8], response: Response) -> Answer {
    let (mut conn, _) = asked(request);
    conn.accept(response).unwrap();
    Answer::parse(&drain(&mut conn))
}

fn reject(rejection: Rejection) -> Answer {
    let (mut conn, _) = asked(&request());
    conn.reject(rejection).unwrap();
    rejected(conn)
}

/// The answer of a connection whose request was rejected; nothing but the end is behind it.
fn rejected(mut conn: Connection) -> Answer {
    let closed = closed(events(&mut conn));
    let answer = last_answer(&mut conn);
    let status = answer.status_line.split(' ').nth(1).unwrap().parse().unwrap();
    is_abnormal(&closed, Cause::Rejected(status));
    answer
}

fn accept_fails(response: Response, error: AcceptError) {
    let (mut conn, _) = asked(&request());
    assert_eq!(conn.accept(response), Err(error));
    still_waits(conn);
}

fn reject_fails(rejection: Rejection, error: AcceptError) {
    let (mut conn, _) = asked(&request());
    assert_eq!(conn.reject(rejection), Err(error));
    still_waits(conn);
}

/// A request waits, nothing was said, and it can be accepted.
fn still_waits(mut conn: Connection) {
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Connecting, None));
    assert!(events(&mut conn).is_empty());
    assert!(!conn.output().has_remaining());
    conn.accept(Response::new()).unwrap();
    assert_eq!(conn.state(), State::Open);
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 101 "));
}

fn nothing_can_be_sent(conn: &mut Connection, error: SendError) {
    assert_eq!(conn.send_text("a"), Err(error));
    assert_eq!(conn.send_binary(b"a"), Err(error));
    assert_eq!(conn.send("a"), Err(error));
    assert_eq!(conn.send_fragment(Kind::Text, b"a", false), Err(error));
    assert_eq!(conn.ping(b""), Err(error));
    assert_eq!(conn.pong(b""), Err(error));
    assert_eq!(conn.close(CloseCode::NORMAL, ""), Err(error));
    assert!(!conn.output().has_remaining());
}

/// The answer to a request that is refused for this reason, in one line, however it is cut.
fn refused(request: &[u8], error: HandshakeError) -> Answer {
    let answers = every_cut(request).map(|pieces| {
        let answer = refused_by(Connection::server(Config::new()), &pieces, error);
        // The answer to a method may be one to HEAD, which has no body.
        if error == HandshakeError::Method {
            assert_eq!(answer.body, "");
        } else {
            assert_eq!(answer.body, format!("{error}\n"));
            assert_eq!(answer.all("Content-Type"), ["text/plain; charset=utf-8"]);
        }
        assert_eq!(answer.all("Content-Length"), [answer.body.len().to_string()]);
        answer
    });
    answers.last().unwrap()
}

fn refused_by(mut conn: Connection, pieces: &[&[u8]], error: HandshakeError) -> Answer {
    let mut got = feed_all(&mut conn, pieces);
    if error == HandshakeError::NoUpgrade {
        assert!(matches!(got.remove(0), Event::HttpRequest(_)));
    }
    is_abnormal(&closed(got), Cause::Handshake(error));
    let answer = last_answer(&mut conn);
    let (status_line, connection) = match error {
        HandshakeError::Method => ("HTTP/1.1 405 Method Not Allowed", "close"),
        HandshakeError::NoUpgrade | HandshakeError::UnsupportedVersion => {
            ("HTTP/1.1 426 Upgrade Required", "close, Upgrade")
        }
        HandshakeError::HeadTooLarge | HandshakeError::TooManyHeaders => {
            ("HTTP/1.1 431 Request Header Fields Too Large", "close")
        }
        HandshakeError::HttpVersion => ("HTTP/1.1 505 HTTP Version Not Supported", "close"),
        _ => ("HTTP/1.1 400 Bad Request", "close"),
    };
    assert_eq!(answer.status_line, status_line, "{error:?}");
    assert_eq!(answer.all("Connection"), [connection]);
    // RFC 9110 15.5.6 and 15.5.22: these two say what would do instead.
    let is_405 = status_line.contains("405");
    let is_426 = status_line.contains("426");
    assert_eq!(answer.all("Allow"), if is_405 { vec!["GET"] } else { vec![] });
    assert_eq!(answer.all("Upgrade"), if is_426 { vec!["websocket"] } else { vec![] });
    assert_eq!(answer.all("Sec-WebSocket-Version"), if is_426 { vec!["13"] } else { vec![] });
    answer
}

/// The answer of a connection that is over, taken byte by byte: the shutdown is wanted behind the last.
fn last_answer(conn: &mut Connection) -> Answer {
    let mut bytes = Vec::new();
    while conn.output().has_remaining() {
        assert_eq!(conn.wants_shutdown(), None);
        bytes.push(conn.output().get_u8());
    }
    is_over(conn, Shutdown::Finish);
    Answer::parse(&bytes)
}

/// An HTTP response, read by another parser than ours.
#[derive(Debug)]
struct Answer {
    status_line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = parsed.parse(bytes).unwrap().unwrap();
        let text = str::from_utf8(bytes).unwrap();
        let owned =
            |field: &httparse::Header<'_>| (field.name.to_owned(), String::from_utf8(field.value.to_vec()).unwrap());
        Self {
            status_line: text.lines().next().unwrap().to_owned(),
            headers: parsed.headers.iter().map(owned).collect(),
            body: text[length..].to_owned(),
        }
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(this, _)| this.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..]).collect()
    }
}

// The end.

/// The last event, which is the only one.
fn closed(events: Vec<Event<'static>>) -> Closed {
    match <[_; 1]>::try_from(events) {
        Ok([Event::Closed(closed)]) => *closed,
        other => panic!("{other:?}"),
    }
}

/// RFC 6455 7.1.5: no Close frame came.
fn is_abnormal(closed: &Closed, cause: Cause) {
    assert_eq!((closed.cause, closed.code), (cause, CloseCode::ABNORMAL));
    assert_eq!((closed.clean, &closed.reason[..]), (false, ""));
}

/// Nothing is left to be told or to be sent, and nothing changes that any more.
fn is_over(conn: &mut Connection, shutdown: Shutdown) {
    assert!(feed(conn, &request()).is_empty());
    assert!(feed(conn, &frame(Role::Client, 0x89, b"late")).is_empty());
    assert_eq!(conn.accept(Response::new()), Err(AcceptError::NoRequest));
    assert_eq!(conn.reject(Rejection::new(403)), Err(AcceptError::NoRequest));
    nothing_can_be_sent(conn, SendError::Closed);
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(shutdown)));
}

fn close_frame(code: u16) -> Sent {
    Sent { first: 0x88, key: None, payload: close_body(code, "") }
}

fn are_the_early_frames(events: &[Event<'_>]) {
    let [Event::Text(text), Event::Ping(ping), Event::Binary(data)] = events else { panic!("{events:?}") };
    assert_eq!((&text[..], &ping[..], &data[..]), ("Hello", &b"?"[..], &[7; 300][..]));
}
