//! `Sec-WebSocket-Protocol` (RFC 6455 section 1.9): offered by clients, selected by servers, checked by clients.

use websocket_proto::{AcceptError, Config, Connection, HandshakeError, RequestError, server};

use crate::helpers::client::{
    awaiting_response, client_request, header_values, minimal_response, outcome, outcome_with_header, plain_request,
    request_bytes, request_error, splits,
};
use crate::helpers::pair::{open_between, request_between};
use crate::helpers::server::{
    ParsedResponse, accept_fails, accepted, assert_awaits_answer, assert_refused, awaiting_answer, with_header_added,
};
use crate::support::{drain, request, seed};

/// C-24: a subprotocol is a token; each separator of RFC 2616 and each byte outside 0x21 to 0x7E makes it none.
#[test]
fn subprotocols_that_are_not_tokens_are_refused() {
    assert_eq!(request_error(client_request().subprotocol("")), RequestError::Subprotocol("".into()));
    for character in '\0'..='\u{ff}' {
        let is_allowed = matches!(character, '!'..='~') && !"()<>@,;:\\\"/[]?={}".contains(character);
        let offer = format!("x{character}y");
        let result = Connection::client(client_request().subprotocol(&offer), Config::new(), seed());
        assert_eq!(result.err(), (!is_allowed).then(|| RequestError::Subprotocol(offer.as_str().into())), "{offer:?}");
    }
}

/// C-25: a subprotocol is offered once; names that differ in case are different names.
#[test]
fn subprotocols_offered_twice_are_refused() {
    let twice = |subprotocol: &str| RequestError::DuplicateSubprotocol(subprotocol.into());
    assert_eq!(request_error(client_request().subprotocol("a")), twice("a"));
    assert_eq!(request_error(client_request().subprotocol("c").subprotocol("b")), twice("b"));
    let offers =
        header_values(&request_bytes(client_request().subprotocol("B").subprotocol("A")), "Sec-WebSocket-Protocol");
    assert_eq!(offers, ["a, b, B, A"], "in the order of preference");
}

/// S-17: different tokens; only empty elements are tolerated.
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
        assert_refused(&with_header_added("Sec-WebSocket-Protocol", values), HandshakeError::Subprotocol);
    }
}

/// S-16: lines are one list, its order kept.
#[test]
fn subprotocols_may_span_lines() {
    for values in ["a, b, c", "a\nb\nc", "a, b\nc", "a,\n,b , c"] {
        let request = accepted(&with_header_added("sec-websocket-PROTOCOL", values));
        assert!(request.subprotocols().eq(["a", "b", "c"]), "{values:?}");
        // The server's preference counts.
        assert_eq!(request.select_subprotocol(&["x", "c", "a"]), Some("c"));
        assert_eq!(request.select_subprotocol(&["A", "x", ""]), None);
        assert_eq!(request.select_subprotocol(&[""; 0]), None);
    }
    assert_eq!(accepted(&request()).subprotocols().next(), None);
}

/// S-25: every subprotocol that was offered may be chosen, and no other.
#[test]
fn the_chosen_subprotocol_was_offered() {
    let request = with_header_added("Sec-WebSocket-Protocol", "chat, v2.chat\nx");
    for chosen in ["chat", "v2.chat", "x"] {
        let (mut conn, _) = awaiting_answer(&request);
        conn.accept(server::Response::new().subprotocol(chosen)).unwrap();
        assert_eq!(ParsedResponse::parse(&drain(&mut conn)).values("Sec-WebSocket-Protocol"), [chosen]);
        assert_eq!(conn.subprotocol(), Some(chosen));
    }
    let (mut conn, _) = awaiting_answer(&request);
    conn.accept(server::Response::new().subprotocol(None)).unwrap();
    assert_eq!(conn.subprotocol(), None);
    for wrong in ["", " ", "Chat", "cha", "v2", "chat, v2.chat", "chat,v2.chat", ",", "chat,", "x\r\nA: b"] {
        let (mut conn, _) = awaiting_answer(&request);
        let refused = conn.accept(server::Response::new().subprotocol(wrong));
        assert_eq!(refused, Err(AcceptError::SubprotocolNotOffered(wrong.into())), "{wrong:?}");
        assert_awaits_answer(conn);
    }
}

/// S-26: neither an empty subprotocol nor one where nothing was offered.
#[test]
fn without_an_offer_no_subprotocol_can_be_chosen() {
    for wrong in ["", "a"] {
        accept_fails(server::Response::new().subprotocol(wrong), AcceptError::SubprotocolNotOffered(wrong.into()));
    }
}

/// C-37: the subprotocol is none, or exactly one of those that were offered.
#[test]
fn the_subprotocol_must_have_been_offered() {
    for right in ["a", "b", " \tb\t "] {
        assert_eq!(outcome_with_header("sec-websocket-protocol", &[right]), Ok(Some(right.trim().to_owned())));
    }
    for wrong in ["zz", "A", "B", "aa", "ab", "a|b"] {
        let result = outcome_with_header("Sec-WebSocket-Protocol", &[wrong]);
        assert_eq!(result, Err(HandshakeError::SubprotocolNotOffered), "{wrong}");
    }
    let response = minimal_response().replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: a\r\n\r\n");
    for chunks in splits(response.as_bytes()) {
        let mut conn = awaiting_response(plain_request(), Config::new());
        assert_eq!(outcome(&mut conn, chunks), Err(HandshakeError::SubprotocolNotOffered), "none was offered");
    }
}

/// C-39, C-41: the answer is a single token on a single line.
#[test]
fn the_subprotocol_must_be_a_single_token() {
    for wrong in
        [&[""][..], &[" "], &["a, b"], &["a,"], &[",a"], &["a b"], &["a;b"], &["\"a\""], &["a", "b"], &["a", "a"]]
    {
        assert_eq!(outcome_with_header("Sec-WebSocket-Protocol", wrong), Err(HandshakeError::Subprotocol), "{wrong:?}");
    }
    assert_eq!(outcome_with_header("Sec-WebSocket-Protocol", &["", "a"]), Err(HandshakeError::Subprotocol));
}

/// B-94: subprotocols are opaque names: every token passes, as it is written.
#[test]
fn subprotocols_are_opaque_names() {
    for name in ["soap", "not.registered.anywhere", "v2+x", "!#$%&'*+-.^_`|~09aZ", "Chat"] {
        let request = plain_request().subprotocol("other").subprotocol(name);
        let (client, server, _) = open_between(request, server::Response::new().subprotocol(name));
        assert_eq!((client.subprotocol(), server.subprotocol()), (Some(name), Some(name)));
    }
    // Names that differ in case are different.
    let (_, mut server, request) = request_between(plain_request().subprotocol("Chat"));
    assert_eq!(request.select_subprotocol(&["chat"]), None);
    let refused = server.accept(server::Response::new().subprotocol("chat"));
    assert_eq!(refused, Err(AcceptError::SubprotocolNotOffered("chat".into())));
}
