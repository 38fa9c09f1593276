//! `Sec-WebSocket-Extensions` (RFC 6455 section 9.1), without a configured extension.

use websocket_proto::{
    AcceptError, Cause, Config, Connection, HandshakeError, HeaderError, ProtocolError, RequestError, Role, server,
};

use crate::checks::{OwnedEvent, abnormal, failed, peer, receive};
use crate::helpers::client::{
    assert_protocol_error, client_request, connecting, header_values, minimal_response, outcome_with_header,
    plain_request, request_bytes, request_error,
};
use crate::helpers::pair::request_between;
use crate::helpers::server::{accept, accept_fails, accepted, assert_refused, with_header_added};
use crate::support::{drain, feed, frame, request, request_with, seed};

/// C-26, C-45: no extension is offered, and a caller can't offer one with a header.
#[test]
fn no_extension_is_offered() {
    assert!(header_values(&request_bytes(client_request()), "Sec-WebSocket-Extensions").is_empty());
    for offer in ["permessage-deflate", "x-foo; a=\"b\"", "a;;b", ""] {
        let error = request_error(client_request().header("Sec-WebSocket-Extensions", offer));
        assert_eq!(error, RequestError::Header(HeaderError::Reserved("Sec-WebSocket-Extensions".into())), "{offer:?}");
    }
}

/// S-19: the grammar of RFC 6455 section 9.1, unknown extensions included.
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
        // A quoted string doesn't continue on the next line.
        "a; b=\"c\nd\"",
    ] {
        assert_refused(&with_header_added("Sec-WebSocket-Extensions", values), HandshakeError::Extensions);
    }
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

/// S-28: without an offer nothing is accepted, whatever the configuration, and the caller can't claim otherwise.
#[test]
fn no_extension_is_accepted_that_was_not_offered() {
    assert!(accept(&request(), server::Response::new()).values("Sec-WebSocket-Extensions").is_empty());
    let response = server::Response::new().header("Sec-WebSocket-Extensions", "permessage-deflate");
    accept_fails(response, AcceptError::Header(HeaderError::Reserved("Sec-WebSocket-Extensions".into())));
}

/// C-36, C-42: an extension that wasn't offered fails, on whichever line it is; several lines are one list.
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
        assert_eq!(outcome_with_header("Sec-WebSocket-Extensions", values), Err(HandshakeError::ExtensionNotOffered));
    }
    // RFC 9110 section 5.6.1.2: empty elements of a list are ignored.
    for values in [&[""][..], &[","], &["", ""]] {
        assert_eq!(outcome_with_header("Sec-WebSocket-Extensions", values), Ok(None));
    }
}

/// C-42, C-46: extensions that don't follow the grammar fail, on whichever line they are.
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
            assert_eq!(
                outcome_with_header("Sec-WebSocket-Extensions", values),
                Err(HandshakeError::Extensions),
                "{values:?}"
            );
        }
    }
    // Each line is a list of its own: a string can't continue on the next.
    let halves = ["a;b=\"c", "d\""];
    assert_eq!(outcome_with_header("Sec-WebSocket-Extensions", &halves), Err(HandshakeError::Extensions));
}

/// C-45: without an extension no reserved bit may be received; another test checks that none is sent.
#[test]
fn reserved_bits_fail_without_an_extension() {
    for bits in 1..8 {
        for opcode in [0x1, 0x2, 0x9] {
            let mut conn = connecting();
            assert_eq!(feed(&mut conn, minimal_response().as_bytes()).len(), 1);
            let frame = frame(Role::Server, 0x80 | bits << 4 | opcode, b"");
            assert_protocol_error(&mut conn, &frame, ProtocolError::ReservedBits);
        }
    }
}

/// B-14, B-57, B-88: a server accepts none of the extensions that it is offered, known or not, and announces none; the
/// bits that they would define stay forbidden.
#[test]
fn offered_extensions_are_not_agreed_on() {
    for offer in ["permessage-deflate", "permessage-deflate; client_max_window_bits, x-unknown; a=1; b"] {
        let mut server = Connection::server(Config::new());
        let request = request_with(&format!("Sec-WebSocket-Extensions: {offer}\r\n"));
        assert_eq!(receive(&mut server, &request), [OwnedEvent::Request]);
        server.accept(server::Response::new()).unwrap();
        let head = String::from_utf8(drain(&mut server)).unwrap();
        assert!(!head.contains("Sec-WebSocket-Extensions"));
        let compressed = peer(Role::Server, &[(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00")]);
        assert_eq!(receive(&mut server, &compressed), [failed(ProtocolError::ReservedBits)]);
    }
}

/// B-57, B-88: an extension that wasn't offered fails the client's handshake, malformed or not.
#[test]
fn extensions_that_were_not_offered_end_the_handshake() {
    let cases = [
        ("permessage-deflate", HandshakeError::ExtensionNotOffered),
        ("x-unknown; a=\"b\"", HandshakeError::ExtensionNotOffered),
        ("a;b=\"c d\"", HandshakeError::Extensions),
    ];
    for (extension, error) in cases {
        let (mut client, mut server, _) = request_between(plain_request());
        server.accept(server::Response::new()).unwrap();
        let head = String::from_utf8(drain(&mut server)).unwrap();
        let head = head.replace("\r\n\r\n", &format!("\r\nSec-WebSocket-Extensions: {extension}\r\n\r\n"));
        assert_eq!(receive(&mut client, head.as_bytes()), [abnormal(Cause::Handshake(error))]);
    }
}

/// B-14, B-57: no header added by the caller enables an extension.
#[test]
fn extensions_cannot_be_written_by_hand() {
    let request = plain_request().header("sec-websocket-extensions", "permessage-deflate");
    let error = Connection::client(request, Config::new(), seed()).unwrap_err();
    assert_eq!(error, RequestError::Header(HeaderError::Reserved("sec-websocket-extensions".into())));
    let (_, mut server, _) = request_between(plain_request());
    let response = server::Response::new().header("SEC-WEBSOCKET-EXTENSIONS", "permessage-deflate");
    let error = HeaderError::Reserved("SEC-WEBSOCKET-EXTENSIONS".into());
    assert_eq!(server.accept(response), Err(AcceptError::Header(error)));
}

/// B-86: the grammar of extensions: parameters are tokens or quoted tokens, and quoted separators don't split.
#[test]
fn extension_lists_follow_the_grammar() {
    for good in ["foo", "foo;bar=baz", "foo;bar=\"baz\"", "foo ; bar=\"b\\az\" , foo;bar", "a, b;c;d=e"] {
        assert_eq!(
            events_of_request_with(&format!("Sec-WebSocket-Extensions: {good}\r\n")),
            [OwnedEvent::Request],
            "{good}"
        );
    }
    let bad = [
        "foo;bar=\"\"",
        "foo;bar=\"a b\"",
        "foo;bar=\"a\\\"b\"",
        "foo;bar=\"a,b\"",
        "foo;bar=\"a;b\"",
        "foo;bar=\"open",
        "foo;",
        "foo;=x",
        "foo;bar=",
        "foo bar",
        "fo(o",
    ];
    for bad in bad {
        let expected = abnormal(Cause::Handshake(HandshakeError::Extensions));
        assert_eq!(events_of_request_with(&format!("Sec-WebSocket-Extensions: {bad}\r\n")), [expected], "{bad}");
    }
}

/// The events of a server that receives a request with these header lines.
fn events_of_request_with(lines: &str) -> Vec<OwnedEvent> {
    receive(&mut Connection::server(Config::new()), &request_with(lines))
}
