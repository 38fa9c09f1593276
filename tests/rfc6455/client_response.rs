//! The response that a client waits for (RFC 6455 section 4.1, items 1 to 4), and responses that fail.

use websocket_proto::{HandshakeError, SendError, State};

use crate::helpers::assert_nothing_can_be_sent;
use crate::helpers::client::{connecting, minimal_response, outcome_at_every_split, outcome_of_replacing};
use crate::support::feed;

/// C-28, C-29: until the response is whole the connection isn't open, and nothing can be sent, at every byte.
#[test]
fn nothing_is_sent_before_the_response() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno.";
    for response in [&minimal_response(), &format!("HTTP/1.1 100 Continue\r\n\r\n{}", minimal_response()), refusal] {
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

/// C-31: there is exactly one Upgrade, and it is `websocket` in any case.
#[test]
fn the_upgrade_header_must_be_websocket() {
    for right in ["Upgrade: WebSocket", "UPGRADE: WEBSOCKET", "upgrade:websocket", "Upgrade: \t websocket \t"] {
        assert_eq!(outcome_of_replacing("Upgrade: websocket", right), Ok(None), "{right}");
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
        assert_eq!(outcome_of_replacing("Upgrade: websocket", wrong), Err(HandshakeError::Upgrade), "{wrong}");
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
        assert_eq!(outcome_of_replacing("Connection: Upgrade", right), Ok(None), "{right}");
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
        assert_eq!(outcome_of_replacing("Connection: Upgrade", wrong), Err(HandshakeError::Connection), "{wrong}");
    }
}

/// C-38: RFC 9112 section 2.2: a line may end with a bare LF. Browsers accept it, and small devices send it.
#[test]
fn lines_may_end_with_a_bare_line_feed() {
    for (part, by) in [
        ("HTTP/1.1", "\nHTTP/1.1"),
        ("Protocols\r\n", "Protocols\n"),
        ("websocket\r\n", "websocket\n"),
        ("websocket\r\n", "websocket \t\n"),
        ("websocket\r\n", "websocket\nX:\n"),
        ("\r\n\r\n", "\r\n\n"),
        ("\r\n\r\n", "\n\r\n"),
        ("\r\n\r\n", "\n\n"),
    ] {
        assert_eq!(outcome_of_replacing(part, by), Ok(None), "{by:?}");
    }
    let bare = minimal_response().replace("\r\n", "\n");
    assert_eq!(outcome_at_every_split(&bare), Ok(None));
    let old = bare.replace("HTTP/1.1", "HTTP/2");
    assert_eq!(outcome_at_every_split(&old), Err(HandshakeError::HttpVersion));
}

/// C-38: a head that isn't HTTP/1.1 to the letter fails, before anything in it counts.
#[test]
fn a_malformed_response_fails() {
    for version in ["HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/2", "HTTP/0.9"] {
        assert_eq!(outcome_of_replacing("HTTP/1.1", version), Err(HandshakeError::HttpVersion), "{version}");
    }
    for garbage in ["http/1.1", "HTTP/11", "HTTP/1.1\t", "SSH-2.0"] {
        assert_eq!(outcome_of_replacing("HTTP/1.1", garbage), Err(HandshakeError::Head), "{garbage}");
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
        ("Protocols\r\n", "Protocols\r"),
        ("Protocols\r\n", "Protocols\r\r\n"),
        ("Protocols", "Proto\x07cols"),
        ("Protocols", "Proto\rcols"),
        ("websocket\r\n", "websocket\r"),
        ("websocket\r\n", "websocket\r\r\n"),
        ("websocket\r\n", "websocket\r\r\n\n"),
        // RFC 9112 section 5.2: a folded line.
        ("Connection: ", "Connection:\r\n "),
        ("Connection: ", "Connection:\r\n\t"),
        ("Connection: ", "Connection:\n "),
        ("Upgrade: ", " Upgrade: "),
        // RFC 9112 section 5.1: no space between name and colon.
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
        assert_eq!(outcome_of_replacing(part, by), Err(HandshakeError::Head), "{by:?}");
    }
}
