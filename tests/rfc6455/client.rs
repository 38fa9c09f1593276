//! Rows `C`: what RFC 6455 asks of clients only.
//!
//! C-06 and C-55 bind whoever opens transports, and opens them again; there is nothing to test in an engine.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use sha1::{Digest, Sha1};
use websocket_proto::{
    Cause, ClientRequest, CloseCode, Closed, Config, Connection, Deadline, Event, HandshakeError, HandshakeResponse,
    HeaderError, Kind, ProtocolError, RequestError, Role, Seed, SendError, Shutdown, State, Uri, UriError,
};

use super::support::{
    ACCEPT, KEY, Sent, client, client_with, close_body, drain, events, feed, feed_chunks, frame, seed, sent, server,
    turns,
};

/// A whole message, where none may be read.
const FRAME: &[u8] = b"\x81\x02hi";

/// C-01: a fragment is refused wherever it stands; `%23` travels as it is.
#[test]
fn a_uri_with_a_fragment_is_refused() {
    for uri in ["ws://h/a#b", "ws://h/#", "ws://h#", "ws://h#/a?b", "ws://h?a#b", "wss://h:443#", "ws://#"] {
        assert_eq!(uri.parse::<Uri>(), Err(UriError::Fragment), "{uri}");
    }
    assert_eq!(first_line(&request_for("ws://h/a%23b?c%23d")), "GET /a%23b?c%23d HTTP/1.1");
}

/// C-02, C-11, C-12: the request line asks for path and query with GET and HTTP/1.1, and changes nothing in them.
#[test]
fn the_request_line_has_path_and_query_as_the_uri_has_them() {
    for (uri, resource) in [
        ("ws://h", "/"),
        ("ws://h/", "/"),
        ("ws://h?", "/"),
        ("ws://h/?", "/"),
        ("ws://h?x=1", "/?x=1"),
        ("ws://h:81?x=1", "/?x=1"),
        ("ws://h/p", "/p"),
        ("ws://h/p?", "/p"),
        ("ws://h/p??", "/p??"),
        ("ws://h/a/../b//c;d=e/%7e/", "/a/../b//c;d=e/%7e/"),
        ("ws://h/p?x=%20&y=/?z&&=%C3%A9", "/p?x=%20&y=/?z&&=%C3%A9"),
        ("ws://h/u@v:80", "/u@v:80"),
        ("WSS://[::1]:8443/Path?Query", "/Path?Query"),
    ] {
        let request = request_for(uri);
        assert_eq!(first_line(&request), format!("GET {resource} HTTP/1.1"), "{uri}");
        let events = feed(&mut Connection::server(Config::new()), &request);
        assert!(matches!(&events[..], [Event::Request(request)] if request.resource() == resource), "{uri}");
    }
}

/// C-03, C-13: one Host, in which the port stands only where it isn't the scheme's own.
#[test]
fn the_host_header_has_the_port_unless_it_is_the_default() {
    for (uri, header, host, port) in [
        ("ws://h", "h", "h", 80),
        ("ws://h:", "h", "h", 80),
        ("ws://h:80", "h", "h", 80),
        ("ws://h:0080", "h", "h", 80),
        ("ws://h:443", "h:443", "h", 443),
        ("wss://h", "h", "h", 443),
        ("wss://h:443/", "h", "h", 443),
        ("wss://h:80?x", "h:80", "h", 80),
        ("ws://a.example:65535", "a.example:65535", "a.example", 65535),
        ("ws://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1", 1),
        ("ws://[::1]:9000", "[::1]:9000", "::1", 9000),
        ("ws://[::1]", "[::1]", "::1", 80),
        ("wss://[2001:db8::1]:443", "[2001:db8::1]", "2001:db8::1", 443),
    ] {
        assert_eq!(values(&request_for(uri), "Host"), [header], "{uri}");
        let uri: Uri = uri.parse().unwrap();
        assert_eq!((uri.host(), uri.port()), (host, port), "{uri}");
    }
}

/// C-04: a component that isn't valid is refused before there is a connection.
#[test]
fn an_invalid_uri_is_refused() {
    for uri in ["", "h", "ws:h", "ws:/h", "://h", " ws://h", "http://h", "wsss://h"] {
        assert_eq!(uri.parse::<Uri>(), Err(UriError::Scheme), "{uri:?}");
    }
    let hosts = [
        "", "/a", "?a", ":80", "a b", "h ", "h\r\nX", "h\n", "h\0", "h\x7f", "h\\a", "hü", "::1", "[::1", "[]",
        "[::1]a", "[h]", "[1.2.3]",
    ];
    let ports = ["h:0", "h:65536", "h:+80", "h:-1", "h:8 0", "h:80:80", "h:x", "h:8\r\n", "[::1]:x"];
    let resources = ["h/a b", "h/\r\nX", "h/\r", "h/\n", "h/\0", "h/\t", "h/\x7f", "h/ü", "h?a b", "h?\r", "h/?ü"];
    for (error, rests) in [
        (UriError::Host, &hosts[..]),
        (UriError::Port, &ports),
        (UriError::UserInfo, &["u@h", "u:p@h/a", "@h"]),
        (UriError::Resource, &resources),
    ] {
        for rest in rests {
            assert_eq!(format!("ws://{rest}").parse::<Uri>(), Err(error), "{rest:?}");
        }
    }
}

/// C-05: whatever character stands in host, path or query, a request line is printable ASCII with two spaces.
#[test]
fn a_request_is_ascii_or_is_refused() {
    for character in '\0'..='\u{ffff}' {
        for uri in [format!("ws://h{character}"), format!("ws://h/{character}"), format!("ws://h?{character}")] {
            let Ok(parsed) = uri.parse::<Uri>() else { continue };
            assert!(character.is_ascii(), "{uri:?}");
            let request = request_of(ClientRequest::new(parsed));
            let line = first_line(&request);
            let parts: Vec<_> = line.split(' ').collect();
            assert!(matches!(parts[..], ["GET", target, "HTTP/1.1"] if target.starts_with('/')), "{line:?}");
            assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?}");
            assert!(values(&request, "Host")[0].bytes().all(|byte| byte.is_ascii_graphic()), "{uri:?}");
        }
    }
}

/// C-07, C-54: a transport that ends before the response is whole fails the connection, at every byte.
#[test]
fn a_transport_that_ends_during_the_handshake_fails_it() {
    let response = response();
    for length in 0..response.len() {
        let mut conn = connecting();
        assert!(feed(&mut conn, &response.as_bytes()[..length]).is_empty(), "{length}");
        assert_lost(&mut conn, Shutdown::Abort);
    }
}

/// C-07: a transport that was never there leaves nothing of the request to be sent.
#[test]
fn a_transport_that_ends_before_the_request_is_sent_drops_it() {
    let mut conn = Connection::client(request(), Config::new(), seed()).unwrap();
    assert_lost(&mut conn, Shutdown::Abort);
    assert!(drain(&mut conn).is_empty());
}

/// C-07: a transport that never answers fails the connection too, once the deadline has passed.
#[test]
fn a_handshake_without_a_response_fails_at_the_deadline() {
    for arrived in ["", "HTTP/1.1 101 ", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let mut conn = connecting();
        conn.advance_time(Duration::from_secs(1));
        assert!(feed(&mut conn, arrived.as_bytes()).is_empty());
        assert_eq!(conn.next_timeout(), Some(Duration::from_secs(11)));
        let closed = closed(turns(&mut conn, Duration::from_secs(11)));
        assert_eq!(closed.cause, Cause::Timeout(Deadline::Opening));
        assert_given_up(&mut conn, &closed);
    }
}

/// C-08: the URI says whether the transport must be TLS; the bytes on it are the same.
#[test]
fn a_secure_request_differs_in_nothing_but_its_transport() {
    assert!("wss://h".parse::<Uri>().unwrap().is_secure());
    assert!(!"ws://h".parse::<Uri>().unwrap().is_secure());
    assert_eq!(request_for("wss://h/a?b"), request_for("ws://h/a?b"));
}

/// C-09, C-10, C-14, C-15, C-16, C-21, C-22: the request is there before anything arrived, to the byte.
#[test]
fn the_request_is_sent_first() {
    let mut conn = Connection::client(request(), Config::new(), seed()).unwrap();
    assert_eq!(conn.state(), State::Connecting);
    assert!(events(&mut conn).is_empty());
    let request = drain(&mut conn);
    let [key] = &values(&request, "Sec-WebSocket-Key")[..] else { panic!("one key") };
    let expected = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n\r\n"
    );
    assert_eq!(String::from_utf8(request).unwrap(), expected);
}

/// C-10: nothing that a caller chooses can break out of its place.
#[test]
fn headers_that_would_break_the_request_are_refused() {
    for name in ["", " ", "a b", "a:", "a\r\nb", "a\nb", "a\0", "ä", "a(b)"] {
        let error = refused(request().header(name, "value"));
        assert_eq!(error, RequestError::Header(HeaderError::Name), "{name:?}");
    }
    for value in ["\r\nX: y", "a\nb", "a\rb", "\0", "a\x1b", "\x7f"] {
        let expected = RequestError::Header(HeaderError::Value);
        assert_eq!(refused(request().header("X-Name", value)), expected, "{value:?}");
        assert_eq!(refused(request().origin(value)), expected, "{value:?}");
        assert_eq!(refused(request().subprotocol(value)), RequestError::Subprotocol, "{value:?}");
    }
}

/// C-13, C-14, C-15, C-19, C-23, C-27: what the handshake writes itself can't be added, whatever its case.
#[test]
fn headers_of_the_handshake_cannot_be_added() {
    for name in [
        "Host",
        "Upgrade",
        "Connection",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Accept",
        "Content-Length",
        "Transfer-Encoding",
        "Trailer",
    ] {
        for name in [name.to_owned(), name.to_lowercase(), name.to_uppercase()] {
            let error = refused(request().header("X-Name", "value").header(&name, "13"));
            assert_eq!(error, RequestError::Header(HeaderError::Reserved), "{name}");
        }
    }
}

/// C-17, C-18: keys are base64 of 16 bytes, no bit of their last character unused, and no two are the same.
#[test]
fn every_key_is_sixteen_fresh_bytes() {
    let mut nonces = HashSet::new();
    for number in 0..10_000_u32 {
        let key = key_of(numbered_seed(number));
        let last = key.as_bytes()[21];
        assert!(key.len() == 24 && key.ends_with("==") && b"AQgw".contains(&last), "{key}");
        let nonce = BASE64_STANDARD.decode(&key).unwrap();
        assert_eq!(nonce.len(), 16, "{key}");
        assert_eq!(BASE64_STANDARD.encode(&nonce), key);
        assert!(nonces.insert(nonce), "{key} again");
    }
    assert_eq!(key_of(seed()), key_of(seed()), "the seed is all the entropy there is");
}

/// C-18, C-50: the operating system's entropy gives every connection a key of its own, or an error.
#[cfg(feature = "getrandom")]
#[test]
fn seeds_of_the_operating_system_differ() -> Result<(), websocket_proto::SeedError> {
    assert_ne!(key_of(Seed::from_os()?), key_of(Seed::from_os()?));
    Ok(())
}

/// C-20: an origin is sent once, as it was given, and only if it was.
#[test]
fn the_origin_is_sent_as_given() {
    assert!(values(&request_of(request()), "Origin").is_empty());
    for with_origin in [
        request().origin("https://Example.com:8443"),
        request().origin("null").origin("https://Example.com:8443"),
        request().origin("null").header("oRIGIN", "https://Example.com:8443"),
    ] {
        assert_eq!(values(&request_of(with_origin), "Origin"), ["https://Example.com:8443"]);
    }
}

/// C-24: a subprotocol is a token; each separator of RFC 2616 and each byte outside 0x21 to 0x7E makes it none.
#[test]
fn subprotocols_that_are_not_tokens_are_refused() {
    assert_eq!(refused(request().subprotocol("")), RequestError::Subprotocol);
    for character in '\0'..='\u{ff}' {
        let is_allowed = matches!(character, '!'..='~') && !"()<>@,;:\\\"/[]?={}".contains(character);
        let offer = format!("x{character}y");
        let result = Connection::client(request().subprotocol(&offer), Config::new(), seed());
        assert_eq!(result.err(), (!is_allowed).then_some(RequestError::Subprotocol), "{offer:?}");
    }
}

/// C-25: a subprotocol is offered once; names that differ in case are different names.
#[test]
fn subprotocols_offered_twice_are_refused() {
    assert_eq!(refused(request().subprotocol("a")), RequestError::DuplicateSubprotocol);
    assert_eq!(refused(request().subprotocol("c").subprotocol("b")), RequestError::DuplicateSubprotocol);
    let offers = values(&request_of(request().subprotocol("B").subprotocol("A")), "Sec-WebSocket-Protocol");
    assert_eq!(offers, ["a, b, B, A"], "in the order of preference");
}

/// C-26, C-45: no extension is offered, and a caller can't offer one on its own account.
#[test]
fn no_extension_is_offered() {
    assert!(values(&request_of(request()), "Sec-WebSocket-Extensions").is_empty());
    for offer in ["permessage-deflate", "x-foo; a=\"b\"", "a;;b", ""] {
        let error = refused(request().header("Sec-WebSocket-Extensions", offer));
        assert_eq!(error, RequestError::Header(HeaderError::Reserved), "{offer:?}");
    }
}

/// C-27: further headers are sent in order, behind those of the handshake, as often as they were added.
#[test]
fn further_headers_are_sent_in_order() {
    let request = request()
        .header("Cookie", "id=7; theme=\"dark\"")
        .header("Authorization", "Basic dTpw")
        .header("X-Empty", "")
        .header("cookie", "tab\there");
    let sent = String::from_utf8(request_of(request)).unwrap();
    let expected = "\r\nCookie: id=7; theme=\"dark\"\r\nAuthorization: Basic dTpw\r\nX-Empty: \r\n\
                    cookie: tab\there\r\n\r\n";
    assert!(sent.ends_with(expected), "{sent}");
    assert_eq!(values(sent.as_bytes(), "Cookie"), ["id=7; theme=\"dark\"", "tab\there"]);
}

/// C-28, C-29: until the response is whole the connection isn't open, and nothing can be sent, at every byte.
#[test]
fn nothing_is_sent_before_the_response() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno.";
    for response in [&response(), &format!("HTTP/1.1 100 Continue\r\n\r\n{}", response()), refusal] {
        let (last, before) = response.as_bytes().split_last().unwrap();
        let mut conn = connecting();
        for byte in before {
            assert!(feed(&mut conn, &[*byte]).is_empty());
            assert_eq!((conn.state(), conn.subprotocol()), (State::Connecting, None));
            assert_nothing_can_be_sent(&mut conn, SendError::Connecting);
        }
        assert!(!feed(&mut conn, &[*last]).is_empty());
        assert_ne!(conn.state(), State::Connecting);
    }
}

/// C-30: any status but 101 is a refusal, even with all that a 101 has; what comes behind it isn't read.
#[test]
fn any_other_status_refuses_the_connection() {
    for status in [200, 201, 204, 206, 299, 300, 301, 302, 304, 307, 400, 401, 403, 404, 426, 500, 503, 599] {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            let lines = format!("{version} {status} Some Words\r\nLocation: ws://other\r\nContent-Length: 4");
            let response = response().replace("HTTP/1.1 101 Switching Protocols", &lines) + "body";
            for pieces in splits(&[response.as_bytes(), FRAME].concat()) {
                let response = refusal(&Config::new(), pieces, |_| {});
                assert_eq!((response.status(), response.reason()), (status, "Some Words"));
                assert_eq!(response.header("location"), Some("ws://other"));
                assert_eq!(response.headers().next(), Some(("Location", &b"ws://other"[..])));
                let has_body = !matches!(status, 204 | 304);
                assert_eq!(response.body(), if has_body { &b"body"[..] } else { b"" }, "{status}");
            }
        }
    }
}

/// C-30: the body of a refusal ends where its length or its last chunk says so, at every split.
#[test]
fn the_body_of_a_refusal_ends_by_itself() {
    for (lines, wire, body) in [
        ("Content-Length: 5", "hello", "hello"),
        ("Content-Length: 0", "", ""),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("Transfer-Encoding: chunked", "0\r\n\r\n", ""),
        ("Transfer-Encoding: gzip, Chunked", "1\r\nh\r\n00003;a=\"b\"\r\nell\r\n1 \r\no\r\n0\r\nX: y\r\n\r\n", "hello"),
        ("Transfer-Encoding: chunked", "C\r\n\r\n0\r\n\r\nhello\r\n0\r\n\r\n", "\r\n0\r\n\r\nhello"),
        // RFC 9112 6.3: chunks come before a length.
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "hello"),
    ] {
        let response = format!("HTTP/1.1 403 Forbidden\r\n{lines}\r\n\r\n{wire}");
        for pieces in splits(&[response.as_bytes(), FRAME].concat()) {
            let response = refusal(&Config::new(), pieces, |_| {});
            assert_eq!(str::from_utf8(response.body()), Ok(body), "{lines}");
        }
    }
}

/// C-30: what isn't a chunk ends the body too (RFC 9112 7.1), at every split.
#[test]
fn what_is_not_a_chunk_ends_the_body_of_a_refusal() {
    let endless = format!("5\r\nhello\r\n1;{}", "x".repeat(300));
    for wire in [
        "5\r\nhello\r\nx\r\n",
        "5\r\nhello\r\n-1\r\n",
        "5\r\nhello\r\nfffffffffffffffff\r\n",
        "5\r\nhello\r\n1\n",
        "5\r\nhello\n1\r\n!\r\n",
        &endless,
        "5\r\nhello6\r\nworld!\r\n",
    ] {
        let response = format!("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n{wire}");
        for pieces in splits(&[response.as_bytes(), FRAME].concat()) {
            let response = refusal(&Config::new(), pieces, |_| {});
            assert_eq!(str::from_utf8(response.body()), Ok("hello"), "{wire:?}");
        }
    }
}

/// C-30: a refusal that the transport or the deadline cuts off is told with as much of its body as came.
#[test]
fn the_body_of_a_refusal_may_be_cut_off() {
    for (lines, wire, body) in [
        ("X-Length: none", "hello", "hello"),
        ("X-Length: none", "", ""),
        ("Content-Length: 6", "hello", "hello"),
        ("Content-Length: 18446744073709551615", "hello", "hello"),
        ("Transfer-Encoding: chunked", "", ""),
        ("Transfer-Encoding: chunked", "6\r\nhello", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0", "hello"),
        ("Transfer-Encoding: chunked", "ffffffffffffffff\r\nhello", "hello"),
    ] {
        let response = format!("HTTP/1.1 503 Service Unavailable\r\n{lines}\r\n\r\n{wire}");
        for pieces in splits(response.as_bytes()) {
            for end in [Connection::receive_eof, pass_the_opening_deadline] {
                let response = refusal(&Config::new(), pieces, end);
                assert_eq!(str::from_utf8(response.body()), Ok(body), "{lines}");
            }
        }
    }
}

/// C-30: a length that isn't one, or is there twice, counts for nothing (RFC 9110 8.6): the body goes on up to the end.
#[test]
fn the_body_of_a_refusal_without_a_valid_length_goes_on_up_to_the_end() {
    for length in ["", "x", "-1", "3x", "3, 4", "0x3", "18446744073709551616", "3\r\nContent-Length: 4", "+3"] {
        let response = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\nhello");
        for pieces in splits(response.as_bytes()) {
            let response = refusal(&Config::new(), pieces, Connection::receive_eof);
            assert_eq!(str::from_utf8(response.body()), Ok("hello"), "{length:?}");
        }
    }
}

/// C-30: a body is kept up to the limit, and told without waiting for the rest of it.
#[test]
fn the_body_of_a_refusal_is_bounded() {
    for (lines, wire) in [
        ("X-Length: none", "hello"),
        ("Content-Length: 5", "hello"),
        ("Content-Length: 999999", "hello"),
        ("Transfer-Encoding: chunked", "5\r\nhello"),
        ("Transfer-Encoding: chunked", "2\r\nhe\r\n1\r\nl\r\n3\r\nlo!"),
    ] {
        let response = format!("HTTP/1.1 400 Bad Request\r\n{lines}\r\n\r\n{wire}");
        for limit in 0..=5 {
            for pieces in splits(response.as_bytes()) {
                let response = refusal(&Config::new().max_rejection_body(limit), pieces, |_| {});
                assert_eq!(response.body(), &b"hello"[..limit], "{lines}");
            }
        }
    }
}

/// C-30: interim responses announce the answer and aren't it, whatever they carry, at every split.
#[test]
fn interim_responses_are_passed_over() {
    let interim = response().replace(" 101 ", " 100 ") + "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let opens = interim.clone() + &response();
    assert_eq!(answered(&opens), Ok(None));
    let fails = interim.clone() + &response().replace("Upgrade: websocket", "Upgrade: h2c");
    assert_eq!(answered(&fails), Err(HandshakeError::Upgrade));
    let refuses = interim + "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello";
    for pieces in splits(refuses.as_bytes()) {
        let response = refusal(&Config::new(), pieces, |_| {});
        assert_eq!((response.status(), response.header("Link"), response.body()), (404, None, &b"hello"[..]));
    }
}

/// C-30: interim responses can't go on for ever: the limit of a head holds for them and the answer together.
#[test]
fn interim_responses_are_bounded() {
    let response = "HTTP/1.1 100 Continue\r\n\r\n".repeat(3) + &response();
    for (size, expected) in [(response.len(), Ok(None)), (response.len() - 1, Err(HandshakeError::HeadTooLarge))] {
        for pieces in splits(response.as_bytes()) {
            let mut conn = asked(request(), Config::new().max_handshake_size(size));
            assert_eq!(outcome(&mut conn, pieces), expected);
        }
    }
}

/// C-31: Upgrade is there once, and is `websocket` in any case.
#[test]
fn the_upgrade_header_must_be_websocket() {
    for right in ["Upgrade: WebSocket", "UPGRADE: WEBSOCKET", "upgrade:websocket", "Upgrade: \t websocket \t"] {
        assert_eq!(exchanged("Upgrade: websocket", right), Ok(None), "{right}");
    }
    for wrong in [
        "X: y",
        "Upgrade:",
        "Upgrade: h2c",
        "Upgrade: websockets",
        "Upgrade: web socket",
        "Upgrade: websocket/13",
        "Upgrade: websocket, h2c",
        "Upgrade: websocket\r\nUpgrade: websocket",
        "Upgrade: websocket\r\nUpgrade: h2c",
        "Sec-WebSocket-Upgrade: websocket",
    ] {
        assert_eq!(exchanged("Upgrade: websocket", wrong), Err(HandshakeError::Upgrade), "{wrong}");
    }
}

/// C-32: Connection has the token `Upgrade`, in any case, in any place of the list, on any of its lines.
#[test]
fn the_connection_header_must_have_the_upgrade_token() {
    for right in [
        "Connection: upgrade",
        "CONNECTION: UPGRADE",
        "Connection: keep-alive, UPGRADE",
        "Connection: Upgrade,keep-alive",
        "Connection: ,Upgrade ,",
        "Connection: keep-alive\r\nConnection: Upgrade",
        "Connection: Upgrade\r\nConnection: keep-alive",
    ] {
        assert_eq!(exchanged("Connection: Upgrade", right), Ok(None), "{right}");
    }
    for wrong in [
        "X: y",
        "Connection:",
        "Connection: close",
        "Connection: Upgrades",
        "Connection: keep-alive Upgrade",
        "Connection: \"Upgrade\"",
        "Connection: keep-alive\r\nConnection: close",
        "Proxy-Connection: Upgrade",
    ] {
        assert_eq!(exchanged("Connection: Upgrade", wrong), Err(HandshakeError::Connection), "{wrong}");
    }
}

/// C-33: a missing Accept, or one with any character changed, fails.
#[test]
fn a_wrong_accept_fails() {
    let accept = accept();
    let mut wrong = vec![
        String::new(),
        accept.to_uppercase(),
        accept.to_lowercase(),
        accept.repeat(2),
        format!("{accept}="),
        format!("\"{accept}\""),
        accept.trim_end_matches('=').to_owned(),
        ACCEPT.to_owned(),
        key_of(seed()),
    ];
    for at in 0..accept.len() {
        let other = if accept.as_bytes()[at] == b'A' { "B" } else { "A" };
        wrong.push([&accept[..at], other, &accept[at + 1..]].concat());
    }
    for wrong in wrong {
        assert_eq!(exchanged(&accept, &wrong), Err(HandshakeError::Accept), "{wrong}");
    }
    assert_eq!(exchanged("Sec-WebSocket-Accept:", "X-Accept:"), Err(HandshakeError::Accept));
}

/// C-34: white space around the Accept is no part of it.
#[test]
fn space_around_the_accept_is_ignored() {
    let accept = accept();
    for spaced in [format!("   {accept}  "), format!("\t{accept}\t "), format!(" \t {accept}")] {
        assert_eq!(exchanged(&accept, &spaced), Ok(None), "{spaced:?}");
    }
    assert_eq!(exchanged("Accept: ", "Accept:"), Ok(None));
}

/// C-35: Accept belongs to the key's text, as in the RFC's example, and not to the bytes that it decodes to.
#[test]
fn the_accept_is_the_hash_of_the_key_as_text() {
    assert_eq!(accept_of(KEY), ACCEPT);
    assert_eq!(answered(&response()), Ok(None));
    let of_decoded = accept_of(BASE64_STANDARD.decode(key_of(seed())).unwrap());
    assert_eq!(exchanged(&accept(), &of_decoded), Err(HandshakeError::Accept));
}

/// C-36, C-42: an extension that wasn't offered fails, on whichever line it stands; several lines are one list.
#[test]
fn an_extension_that_was_not_offered_fails() {
    for values in [
        &["x-foo"][..],
        &["permessage-deflate"],
        &["permessage-deflate; client_max_window_bits=10; x=\"y\""],
        &["x-foo, x-bar"],
        &["x-foo,"],
        &["x-foo", "x-bar"],
        &["x-foo", ""],
        &["", "x-foo"],
    ] {
        assert_eq!(with_values("Sec-WebSocket-Extensions", values), Err(HandshakeError::ExtensionNotOffered));
    }
    // RFC 9110 5.6.1.2: empty elements of a list don't count.
    for values in [&[""][..], &[","], &["", ""]] {
        assert_eq!(with_values("Sec-WebSocket-Extensions", values), Ok(None));
    }
}

/// C-42, C-46: extensions that don't follow the grammar fail, on whichever line they stand.
#[test]
fn malformed_extensions_fail() {
    for malformed in [
        "a;;b",
        "a;",
        ";x",
        "a b",
        "a=b",
        "a;b=",
        "a;=b",
        "a;b=\"",
        "a;b=\"c",
        "a;b=\"\"",
        "a;b=\"c d\"",
        "a;b=\"c\"d",
        "a;b=\"c\\\"d\"",
        "a;b=c=d",
        "a;b=c;;d",
        "a/b",
        "\"a\"",
        "x-foo, a;;b",
    ] {
        for values in [&[malformed][..], &[malformed, "x-foo"], &["x-foo", malformed], &["", malformed]] {
            assert_eq!(with_values("Sec-WebSocket-Extensions", values), Err(HandshakeError::Extensions), "{values:?}");
        }
    }
    // Each line is a list of its own: a string can't go on in the next.
    let halves = ["a;b=\"c", "d\""];
    assert_eq!(with_values("Sec-WebSocket-Extensions", &halves), Err(HandshakeError::Extensions));
}

/// C-37: the subprotocol is none, or one of those that were offered, to the letter.
#[test]
fn the_subprotocol_must_have_been_offered() {
    for right in ["a", "b", " \tb\t "] {
        assert_eq!(with_values("sec-websocket-protocol", &[right]), Ok(Some(right.trim().to_owned())));
    }
    for wrong in ["zz", "A", "B", "aa", "ab", "a|b"] {
        let result = with_values("Sec-WebSocket-Protocol", &[wrong]);
        assert_eq!(result, Err(HandshakeError::SubprotocolNotOffered), "{wrong}");
    }
    let response = response().replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: a\r\n\r\n");
    for pieces in splits(response.as_bytes()) {
        let mut conn = asked(plain_request(), Config::new());
        assert_eq!(outcome(&mut conn, pieces), Err(HandshakeError::SubprotocolNotOffered), "none was offered");
    }
}

/// C-39, C-41: the answer is a single token on a single line.
#[test]
fn the_subprotocol_must_be_a_single_token() {
    for wrong in
        [&[""][..], &[" "], &["a, b"], &["a,"], &[",a"], &["a b"], &["a;b"], &["\"a\""], &["a", "b"], &["a", "a"]]
    {
        assert_eq!(with_values("Sec-WebSocket-Protocol", wrong), Err(HandshakeError::Subprotocol), "{wrong:?}");
    }
    assert_eq!(with_values("Sec-WebSocket-Protocol", &["", "a"]), Err(HandshakeError::Subprotocol));
}

/// C-38: a head that isn't HTTP/1.1 to the letter fails, before anything in it counts.
#[test]
fn a_malformed_response_fails() {
    for version in ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/2", "HTTP/0.9"] {
        assert_eq!(exchanged("HTTP/1.1", version), Err(HandshakeError::HttpVersion), "{version}");
    }
    for garbage in ["http/1.1", "HTTP/11", "HTTP/1.1\t", "SSH-2.0"] {
        assert_eq!(exchanged("HTTP/1.1", garbage), Err(HandshakeError::Head), "{garbage}");
    }
    for (part, by) in [
        ("HTTP/1.1 101", "HTTP/1.1  101"),
        (" 101 ", " 10 "),
        (" 101 ", " 1010 "),
        (" 101 ", " +10 "),
        (" 101 ", " 1o1 "),
        (" 101 ", " 099 "),
        (" 101 ", " 000 "),
        (" 101 ", " 600 "),
        (" 101 ", " 999 "),
        (" 101 ", " 101\0"),
        ("Protocols\r\n", "Protocols\n"),
        ("Protocols\r\n", "Protocols\r"),
        ("Protocols\r\n", "Protocols\r\r\n"),
        ("Protocols", "Proto\x07cols"),
        ("Protocols", "Proto\rcols"),
        ("websocket\r\n", "websocket\n"),
        ("websocket\r\n", "websocket\r"),
        ("websocket\r\n", "websocket\r\r\n"),
        ("\r\n\r\n", "\r\n\n"),
        ("\r\n\r\n", "\n\r\n"),
        ("\r\n\r\n", "\n\n"),
        // RFC 9112 5.2: a folded line.
        ("Connection: ", "Connection:\r\n "),
        ("Connection: ", "Connection:\r\n\t"),
        ("Upgrade: ", " Upgrade: "),
        // RFC 9112 5.1: no space between name and colon.
        ("Upgrade:", "Upgrade :"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nnothing"),
        ("Upgrade: websocket", "Upgrade: websocket\r\n: nothing"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nX Y: z"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nÄ: z"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nX: \0"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nX: a\x0bb"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nX: a\x7fb"),
        ("Upgrade: websocket", "Upgrade: websocket\r\nX: a\rY: b"),
    ] {
        assert_eq!(exchanged(part, by), Err(HandshakeError::Head), "{by:?}");
    }
}

/// C-38: a head is held to the limits, exactly.
#[test]
fn a_response_beyond_the_limits_fails() {
    let response = response();
    for (config, expected) in [
        (Config::new().max_handshake_size(response.len()), Ok(None)),
        (Config::new().max_handshake_size(response.len() - 1), Err(HandshakeError::HeadTooLarge)),
        (Config::new().max_headers(3), Ok(None)),
        (Config::new().max_headers(2), Err(HandshakeError::TooManyHeaders)),
    ] {
        for pieces in splits(response.as_bytes()) {
            let mut conn = asked(request(), config.clone());
            assert_eq!(outcome(&mut conn, pieces), expected, "{config:?}");
        }
    }
}

/// C-40: Accept is there once: a second fails, right or wrong, before or behind the right one.
#[test]
fn two_accepts_fail() {
    let accept = accept();
    let again = |first: &str, second: &str| format!("{first}\r\nSec-WebSocket-Accept: {second}");
    for both in [again(&accept, &accept), again(&accept, ACCEPT), again(ACCEPT, &accept), again(&accept, "")] {
        assert_eq!(exchanged(&accept, &both), Err(HandshakeError::Accept), "{both}");
    }
}

/// C-29, C-43: the response opens the connection, and what stands behind it are frames, however the bytes arrive.
#[test]
fn bytes_behind_the_response_are_frames() {
    let frames = [
        frame(Role::Server, 0x01, "grü".as_bytes()),
        frame(Role::Server, 0x89, b"ping"),
        frame(Role::Server, 0x80, b"n"),
        frame(Role::Server, 0x82, &[0xff; 200]),
        frame(Role::Server, 0x88, &close_body(1001, "bye")),
    ];
    let head = response();
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

/// C-44: a refused version tells those that the server speaks, on one line or several.
#[test]
fn a_refused_version_tells_those_that_the_server_speaks() {
    let response = "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13, 8\r\n\
                    sec-websocket-version: 7\r\nContent-Length: 0\r\n\r\n";
    for pieces in splits(response.as_bytes()) {
        let response = refusal(&Config::new(), pieces, |_| {});
        assert_eq!((response.status(), response.header("Sec-WebSocket-Version")), (426, Some("13, 8")));
        let is_version = |name: &str| name.eq_ignore_ascii_case("Sec-WebSocket-Version");
        let versions = response.headers().filter(|(name, _)| is_version(name)).map(|(_, value)| value);
        assert_eq!(versions.collect::<Vec<_>>(), [&b"13, 8"[..], b"7"]);
    }
}

/// C-45: without an extension no reserved bit may come; whether any is sent stands in the test of what is sent.
#[test]
fn reserved_bits_fail_without_an_extension() {
    for bits in 1..8 {
        for opcode in [0x1, 0x2, 0x9] {
            let mut conn = connecting();
            assert_eq!(feed(&mut conn, response().as_bytes()).len(), 1);
            let frame = frame(Role::Server, 0x80 | bits << 4 | opcode, b"");
            assert_violated(&mut conn, &frame, ProtocolError::ReservedBits);
        }
    }
}

/// C-45, C-47: every frame is masked and has no reserved bit, whoever asked for it and however long it is.
#[test]
fn every_frame_of_a_client_is_masked() {
    let mut conn = client_with(Config::new().keepalive(Duration::from_secs(1), Duration::from_secs(1)));
    let mut expected = Vec::new();
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
        let text = "x".repeat(length);
        conn.send_text(&text).unwrap();
        conn.send_binary(text.as_bytes()).unwrap();
        conn.send(text.clone()).unwrap();
        conn.send(text.clone().into_bytes()).unwrap();
        expected.extend([0x81, 0x82, 0x81, 0x82].map(|first| (first, text.clone().into_bytes())));
    }
    // More output is pending than pings are answered behind: the answer comes last.
    assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, b"later")).len(), 1);
    for (first, last) in [(0x02, false), (0x00, false), (0x80, true)] {
        conn.send_fragment(Kind::Binary, b"part", last).unwrap();
        expected.push((first, b"part".to_vec()));
    }
    conn.ping(b"ping").unwrap();
    conn.pong(b"pong").unwrap();
    expected.extend([(0x89, b"ping".to_vec()), (0x8a, b"pong".to_vec())]);
    assert_masked(&mut conn, &expected);
    assert_masked(&mut conn, &[(0x8a, b"later".to_vec())]);

    assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, &[0xaa; 125])).len(), 1);
    assert_masked(&mut conn, &[(0x8a, vec![0xaa; 125])]);
    conn.advance_time(Duration::ZERO);
    conn.advance_time(Duration::from_secs(1));
    assert_masked(&mut conn, &[(0x89, 1_000_000_000_u64.to_be_bytes().to_vec())]);
    conn.close(CloseCode::NORMAL, "bye").unwrap();
    assert_masked(&mut conn, &[(0x88, close_body(1000, "bye"))]);

    for (arrived, first, answer) in [
        (frame(Role::Server, 0x88, b""), 0x88, vec![]),
        (frame(Role::Server, 0x88, &close_body(3000, "")), 0x88, close_body(3000, "")),
        (frame(Role::Server, 0x81, b"\xff"), 0x88, close_body(1007, "")),
    ] {
        let mut conn = client();
        assert_eq!(feed(&mut conn, &arrived).len(), 1);
        assert_masked(&mut conn, &[(first, answer)]);
    }
}

/// C-48: a masked frame from the server fails the connection, as soon as its second byte is there.
#[test]
fn a_masked_frame_from_the_server_fails() {
    let hello = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    for arrived in [&hello[..], &hello[..2], b"\x89\x80", b"\x88\x80", b"\x02\xfe", b"\x82\xff"] {
        assert_violated(&mut client(), arrived, ProtocolError::MaskedFrame);
    }
    assert!(feed(&mut client(), &hello[..1]).is_empty());
}

/// C-49, C-51: every frame has a key of its own, so that the same payload never looks the same twice.
#[test]
fn every_frame_has_a_fresh_key() {
    const PAYLOAD: &[u8] = b"the same payload";
    let mut conn = client();
    for number in 0..10_000 {
        match number % 4 {
            0 => conn.send_binary(PAYLOAD),
            1 => conn.ping(PAYLOAD),
            2 => conn.send_fragment(Kind::Binary, PAYLOAD, false),
            _ => conn.send_fragment(Kind::Binary, PAYLOAD, true),
        }
        .unwrap();
    }
    let bytes = drain(&mut conn);
    assert_eq!(bytes.len(), 10_000 * (2 + 4 + PAYLOAD.len()));
    let on_the_wire: HashSet<_> = bytes.chunks(2 + 4 + PAYLOAD.len()).map(|frame| &frame[6..]).collect();
    assert_eq!(on_the_wire.len(), 10_000);
    // 10,000 of 2³² may well contain the same twice by chance; with this seed they don't.
    let keys: HashSet<_> = super::support::frames(&bytes).into_iter().map(|frame| frame.key.unwrap()).collect();
    assert_eq!(keys.len(), 10_000);
}

/// C-18, C-49, C-50: nonce and keys are the stream of `ChaCha`, each drawn once and none skipped: nothing weaker is
/// mixed in, and no key tells the next.
#[test]
fn keys_are_drawn_from_a_strong_generator() {
    let mut stream = ChaCha12Rng::from_seed([7; 32]);
    let mut nonce = [0; 16];
    stream.fill_bytes(&mut nonce);
    let mut conn = Connection::client(request(), Config::new(), seed()).unwrap();
    assert_eq!(values(&drain(&mut conn), "Sec-WebSocket-Key"), [BASE64_STANDARD.encode(nonce)]);
    assert_eq!(feed(&mut conn, response().as_bytes()).len(), 1);
    for _ in 0..1000 {
        conn.send_text("text").unwrap();
        assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, b"")).len(), 1);
    }
    // Behind so much output the answer to a ping waits, with a key of its own.
    conn.send_binary(&vec![0; 100_000]).unwrap();
    assert_eq!(feed(&mut conn, &frame(Role::Server, 0x89, b"")).len(), 1);
    let mut frames = sent(&mut conn);
    frames.extend(sent(&mut conn));
    conn.close(CloseCode::NORMAL, "").unwrap();
    frames.extend(sent(&mut conn));
    assert_eq!(frames.len(), 1000 * 2 + 3);
    for sent in frames {
        assert_eq!(sent.key, Some(stream.next_u32().to_ne_bytes()));
    }
}

/// C-51: a call that sends puts a whole frame into the output, so that nobody sees its key before the payload is
/// given; one that fails puts nothing there.
#[test]
fn a_chunk_is_a_whole_frame_with_its_own_key() {
    let mut conn = client();
    let mut keys = HashSet::new();
    for (chunk, last) in [("a", false), ("", false), ("bc", true)] {
        conn.send_fragment(Kind::Text, chunk.as_bytes(), last).unwrap();
        let [Sent { key: Some(key), payload, .. }] = &sent(&mut conn)[..] else { panic!("one masked frame") };
        assert_eq!(payload, chunk.as_bytes());
        assert!(keys.insert(*key));
    }
    assert_eq!(conn.send_fragment(Kind::Text, b"\xff", true), Err(SendError::InvalidUtf8));
    assert_eq!(conn.ping(&[0; 126]), Err(SendError::ControlTooLong));
    assert!(drain(&mut conn).is_empty());
}

/// C-52: after both Close frames the client waits for the server to end the transport, and for no longer than its
/// deadline.
#[test]
fn the_server_ends_the_transport_first() {
    let (start, deadline) = (Duration::from_secs(7), Duration::from_secs(12));
    let just_before = Duration::from_nanos(11_999_999_999);
    for client_first in [false, true] {
        for server_ends in [false, true] {
            let mut conn = client();
            conn.advance_time(start);
            if client_first {
                conn.close(CloseCode::NORMAL, "").unwrap();
                assert_eq!(sent(&mut conn).len(), 1);
                assert_eq!(conn.wants_shutdown(), None);
            }
            let closed = closed(feed(&mut conn, &frame(Role::Server, 0x88, &close_body(1000, ""))));
            assert!(closed.clean);
            assert_eq!(sent(&mut conn).len(), usize::from(!client_first));
            assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, None));
            assert!(turns(&mut conn, start).is_empty());
            assert_eq!(conn.next_timeout(), Some(deadline));
            conn.advance_time(just_before);
            assert_eq!(conn.wants_shutdown(), None);
            if server_ends {
                conn.receive_eof();
                assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
            } else {
                assert!(turns(&mut conn, deadline).is_empty());
                assert_eq!(conn.wants_shutdown(), Some(Shutdown::Abort));
            }
            assert!(events(&mut conn).is_empty());
            assert!(drain(&mut conn).is_empty());
        }
    }
}

/// C-53: the peer's words can't pass for ours, nor command a terminal: they are quoted and escaped.
#[test]
fn the_reason_of_a_close_is_escaped() {
    let reason = "\x1b[2J\"\r\nroot# \u{202e}\0";
    let closed = closed(feed(&mut client(), &frame(Role::Server, 0x88, &close_body(4000, reason))));
    assert_eq!(closed.reason, reason);
    let escaped = r#""\u{1b}[2J\"\r\nroot# \u{202e}\0""#;
    assert_eq!(closed.to_string(), format!("closed with 4000 (private use) {escaped}: the peer closed"));
    let debug = format!("{closed:?}");
    assert!(debug.contains(escaped) && !debug.contains(reason), "{debug}");
    assert_eq!(closed.cause.to_string(), "the peer closed");
}

/// C-54: an open connection whose transport ends without a Close frame has failed, wherever it stood.
#[test]
fn a_transport_that_ends_without_a_close_frame_fails_the_connection() {
    let places: [fn(&mut Connection); 6] = [
        |_| {},
        |conn| assert!(feed(conn, b"\x82").is_empty()),
        |conn| assert!(feed(conn, b"\x82\x02a").is_empty()),
        |conn| assert!(feed(conn, &frame(Role::Server, 0x01, b"part")).is_empty()),
        |conn| assert!(feed(conn, b"\x88\x02\x03").is_empty()),
        |conn| conn.close(CloseCode::NORMAL, "bye").unwrap(),
    ];
    for place in places {
        let mut conn = client();
        place(&mut conn);
        drain(&mut conn);
        assert_lost(&mut conn, Shutdown::Finish);
    }
}

/// C-54: a connection that is over stays as it ended when the transport ends too.
#[test]
fn a_connection_ends_once() {
    let endings: [fn(&mut Connection); 4] = [
        |conn| drop(feed(conn, &frame(Role::Server, 0x88, b""))),
        |conn| drop(feed(conn, b"\x81\x80")),
        Connection::receive_eof,
        Connection::abort,
    ];
    for ending in endings {
        let mut conn = client();
        ending(&mut conn);
        drop(events(&mut conn));
        drain(&mut conn);
        conn.receive_eof();
        assert!(events(&mut conn).is_empty());
        assert_nothing_can_be_sent(&mut conn, SendError::Closed);
    }
}

/// C-56: only a client says that it misses an extension.
#[test]
fn the_code_for_a_missing_extension_is_the_clients() {
    let mut conn = client();
    conn.close(CloseCode::MISSING_EXTENSION, "x-foo").unwrap();
    assert_masked(&mut conn, &[(0x88, close_body(1010, "x-foo"))]);

    let mut conn = server();
    assert_eq!(conn.close(CloseCode::MISSING_EXTENSION, "x-foo"), Err(SendError::CloseCode));
    assert_eq!(conn.state(), State::Open);
    assert!(drain(&mut conn).is_empty());
    let closed = closed(feed(&mut conn, &frame(Role::Client, 0x88, &close_body(1010, "x-foo"))));
    assert_eq!((closed.code, &closed.reason[..]), (CloseCode::MISSING_EXTENSION, "x-foo"));
}

/// A request without offers.
fn plain_request() -> ClientRequest {
    ClientRequest::new("ws://localhost".parse().unwrap())
}

/// A request that offers the subprotocols `a` and `b`.
fn request() -> ClientRequest {
    plain_request().subprotocol("a").subprotocol("b")
}

/// The bytes of a request.
fn request_of(request: ClientRequest) -> Vec<u8> {
    drain(&mut Connection::client(request, Config::new(), seed()).unwrap())
}

fn request_for(uri: &str) -> Vec<u8> {
    request_of(ClientRequest::new(uri.parse().unwrap()))
}

/// Why a request can't be sent.
fn refused(request: ClientRequest) -> RequestError {
    Connection::client(request, Config::new(), seed()).unwrap_err()
}

fn first_line(request: &[u8]) -> &str {
    str::from_utf8(request).unwrap().lines().next().unwrap()
}

/// The values of all lines of that name in a request, as a parser of its own reads it.
fn values(request: &[u8], name: &str) -> Vec<String> {
    let mut slots = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Request::new(&mut slots);
    assert_eq!(parsed.parse(request), Ok(httparse::Status::Complete(request.len())));
    let named = parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| String::from_utf8(header.value.to_vec()).unwrap()).collect()
}

fn numbered_seed(number: u32) -> Seed {
    let mut entropy = [0; 32];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    Seed::new(entropy)
}

/// The key that a client with that seed sends.
fn key_of(seed: Seed) -> String {
    let request = drain(&mut Connection::client(request(), Config::new(), seed).unwrap());
    values(&request, "Sec-WebSocket-Key").remove(0)
}

/// The answer to a key: RFC 6455 4.2.2, item 5.4.
fn accept_of(key: impl AsRef<[u8]>) -> String {
    let hash = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    BASE64_STANDARD.encode(hash)
}

/// The answer that the clients of these tests wait for.
fn accept() -> String {
    accept_of(key_of(seed()))
}

/// The least response that a client accepts.
fn response() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept()
    )
}

/// A client that waits for its response.
fn asked(request: ClientRequest, config: Config) -> Connection {
    let mut conn = Connection::client(request, config, seed()).unwrap();
    drain(&mut conn);
    conn
}

fn connecting() -> Connection {
    asked(request(), Config::new())
}

/// Every way to cut the bytes in two.
fn splits(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    (0..=bytes.len()).map(|cut| bytes.split_at(cut))
}

/// What the least response comes to with one part of it exchanged.
fn exchanged(part: &str, by: &str) -> Result<Option<String>, HandshakeError> {
    let response = response();
    assert!(response.contains(part), "{part:?}");
    answered(&response.replacen(part, by, 1))
}

/// What the least response comes to with further lines of that name.
fn with_values(name: &str, values: &[&str]) -> Result<Option<String>, HandshakeError> {
    let lines: String = values.iter().flat_map(|value| [name, ": ", value, "\r\n"]).collect();
    exchanged("\r\n\r\n", &format!("\r\n{lines}\r\n"))
}

/// What a response comes to: the same at every split of it.
fn answered(response: &str) -> Result<Option<String>, HandshakeError> {
    let whole = outcome(&mut connecting(), (response.as_bytes(), b""));
    for pieces in splits(response.as_bytes()) {
        assert_eq!(outcome(&mut connecting(), pieces), whole, "{pieces:?}");
    }
    whole
}

/// What a response in two pieces comes to: an open connection with its subprotocol, or a failed handshake.
fn outcome(conn: &mut Connection, (first, second): (&[u8], &[u8])) -> Result<Option<String>, HandshakeError> {
    let mut events = feed(conn, first);
    assert!(second.is_empty() || conn.state() != State::Open, "open before the head is whole");
    events.extend(feed(conn, second));
    match &events[..] {
        [Event::Open(response)] => {
            assert_eq!((response.status(), conn.state()), (101, State::Open));
            assert_eq!(conn.wants_shutdown(), None);
            Ok(conn.subprotocol().map(str::to_owned))
        }
        [Event::Closed(closed)] => {
            assert_given_up(conn, closed);
            match closed.cause {
                Cause::Handshake(error) => Err(error),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other:?}"),
    }
}

/// The refusal that a response in two pieces comes to, with what ends it behind them.
fn refusal(config: &Config, pieces: (&[u8], &[u8]), end: impl Fn(&mut Connection)) -> HandshakeResponse {
    let mut conn = asked(request(), config.clone());
    let mut told = feed(&mut conn, pieces.0);
    told.extend(feed(&mut conn, pieces.1));
    end(&mut conn);
    told.extend(events(&mut conn));
    match <[Event; 2]>::try_from(told) {
        Ok([Event::Rejected(response), Event::Closed(closed)]) => {
            assert_eq!(closed.cause, Cause::Rejected(response.status()));
            assert_given_up(&mut conn, &closed);
            *response
        }
        other => panic!("{other:?}, of {}", [pieces.0, pieces.1].concat().escape_ascii()),
    }
}

fn pass_the_opening_deadline(conn: &mut Connection) {
    conn.advance_time(Duration::ZERO);
    conn.advance_time(Duration::from_secs(10));
    assert!(events(conn).is_empty(), "a turn to read in");
    conn.advance_time(Duration::from_secs(10));
}

/// The end of a connection, where nothing else is told.
fn closed(events: Vec<Event<'static>>) -> Closed {
    match <[Event; 1]>::try_from(events).unwrap() {
        [Event::Closed(closed)] => *closed,
        other => panic!("{other:?}"),
    }
}

/// The opening handshake has failed: nothing is left to say or to hear, and the transport is to be closed at once.
fn assert_given_up(conn: &mut Connection, closed: &Closed) {
    assert_eq!((closed.code, &closed.reason[..], closed.clean), (CloseCode::ABNORMAL, "", false));
    assert!(feed(conn, &frame(Role::Server, 0x89, b"ping")).is_empty());
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(Shutdown::Abort)));
    assert!(drain(conn).is_empty());
}

/// The end of the transport is told once, as the end of the connection.
fn assert_lost(conn: &mut Connection, shutdown: Shutdown) {
    conn.receive_eof();
    conn.receive_eof();
    let closed = closed(events(conn));
    let expected = (CloseCode::ABNORMAL, "", false, Cause::Eof);
    assert_eq!((closed.code, &closed.reason[..], closed.clean, closed.cause), expected);
    conn.receive_eof();
    assert!(events(conn).is_empty());
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(shutdown)));
    assert_nothing_can_be_sent(conn, SendError::Closed);
}

/// The bytes break the protocol, and are answered with the Close frame that belongs to it.
fn assert_violated(conn: &mut Connection, bytes: &[u8], error: ProtocolError) {
    let closed = closed(feed(conn, bytes));
    let expected = (CloseCode::ABNORMAL, false, Cause::Protocol(error));
    assert_eq!((closed.code, closed.clean, closed.cause), expected, "{bytes:02x?}");
    assert_masked(conn, &[(0x88, close_body(1002, ""))]);
    assert_eq!(conn.wants_shutdown(), Some(Shutdown::Finish));
}

fn assert_nothing_can_be_sent(conn: &mut Connection, error: SendError) {
    for result in [
        conn.send_text("text"),
        conn.send_binary(b"data"),
        conn.send("text"),
        conn.send_fragment(Kind::Text, b"part", false),
        conn.ping(b""),
        conn.pong(b""),
        conn.close(CloseCode::NORMAL, ""),
    ] {
        assert_eq!(result, Err(error));
    }
    assert!(drain(conn).is_empty());
}

/// The output is exactly these frames, each masked.
fn assert_masked(conn: &mut Connection, expected: &[(u8, Vec<u8>)]) {
    let sent = sent(conn);
    assert!(sent.iter().all(|frame| frame.key.is_some()));
    let frames: Vec<_> = sent.into_iter().map(|frame| (frame.first, frame.payload)).collect();
    assert!(frames == expected, "frames are sent as asked for");
}
