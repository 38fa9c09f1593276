//! Codes and reasons of Close frames (RFC 6455 section 7.4).

use websocket_proto::{CloseCode, Role, SendError, State};

use crate::helpers::client::assert_masked;
use crate::helpers::closed;
use crate::support::{client, close_body, drain, feed, frame, server};

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
