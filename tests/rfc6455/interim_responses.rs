//! Interim responses (RFC 9110 section 15.2) before the response that counts.

use websocket_proto::{Config, HandshakeError};

use crate::helpers::client::{
    awaiting_response, client_request, minimal_response, outcome, outcome_at_every_split, rejected_response, splits,
};

/// C-30: interim responses precede the answer and are not it, whatever they contain, at every split.
#[test]
fn interim_responses_are_passed_over() {
    let interim = minimal_response().replace(" 101 ", " 100 ") + "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let opens = interim.clone() + &minimal_response();
    assert_eq!(outcome_at_every_split(&opens), Ok(None));
    let fails = interim.clone() + &minimal_response().replace("Upgrade: websocket", "Upgrade: h2c");
    assert_eq!(outcome_at_every_split(&fails), Err(HandshakeError::Upgrade));
    let refuses = interim + "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello";
    for chunks in splits(refuses.as_bytes()) {
        let response = rejected_response(&Config::new(), chunks, |_| {});
        assert_eq!((response.status(), response.header("Link"), response.body()), (404, None, &b"hello"[..]));
    }
}

/// C-30: interim responses can't continue forever: the limit of a head applies to them and the answer together.
#[test]
fn interim_responses_are_bounded() {
    let response = "HTTP/1.1 100 Continue\r\n\r\n".repeat(3) + &minimal_response();
    for (size, expected) in [(response.len(), Ok(None)), (response.len() - 1, Err(HandshakeError::HeadTooLarge))] {
        for chunks in splits(response.as_bytes()) {
            let mut conn = awaiting_response(client_request(), Config::new().max_handshake_size(size));
            assert_eq!(outcome(&mut conn, chunks), expected);
        }
    }
}
