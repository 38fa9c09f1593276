//! `Sec-WebSocket-Extensions` (RFC 6455 section 9.1), where no extension is configured.

use websocket_proto::{AcceptError, HandshakeError, HeaderError, ProtocolError, RequestError, Response, Role};

use crate::helpers::client::{
    assert_protocol_error, client_request, connecting, header_values, minimal_response, outcome_with_header,
    request_bytes, request_error,
};
use crate::helpers::server::{accept, accept_fails, accepted, assert_refused, with_header_added};
use crate::support::{feed, frame, request};

/// C-26, C-45: no extension is offered, and a caller can't offer one on its own account.
#[test]
fn no_extension_is_offered() {
    assert!(header_values(&request_bytes(client_request()), "Sec-WebSocket-Extensions").is_empty());
    for offer in ["permessage-deflate", "x-foo; a=\"b\"", "a;;b", ""] {
        let error = request_error(client_request().header("Sec-WebSocket-Extensions", offer));
        assert_eq!(error, RequestError::Header(HeaderError::Reserved), "{offer:?}");
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

/// S-28: without an offer nothing is accepted, whatever the configuration; neither may the caller say so.
#[test]
fn no_extension_is_accepted_that_was_not_offered() {
    assert!(accept(&request(), Response::new()).values("Sec-WebSocket-Extensions").is_empty());
    let response = Response::new().header("Sec-WebSocket-Extensions", "permessage-deflate");
    accept_fails(response, AcceptError::Header(HeaderError::Reserved));
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
        assert_eq!(outcome_with_header("Sec-WebSocket-Extensions", values), Err(HandshakeError::ExtensionNotOffered));
    }
    // RFC 9110 5.6.1.2: empty elements of a list don't count.
    for values in [&[""][..], &[","], &["", ""]] {
        assert_eq!(outcome_with_header("Sec-WebSocket-Extensions", values), Ok(None));
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
            assert_eq!(
                outcome_with_header("Sec-WebSocket-Extensions", values),
                Err(HandshakeError::Extensions),
                "{values:?}"
            );
        }
    }
    // Each line is a list of its own: a string can't go on in the next.
    let halves = ["a;b=\"c", "d\""];
    assert_eq!(outcome_with_header("Sec-WebSocket-Extensions", &halves), Err(HandshakeError::Extensions));
}

/// C-45: without an extension no reserved bit may come; whether any is sent stands in the test of what is sent.
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
