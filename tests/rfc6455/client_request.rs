//! The request that a client sends (RFC 6455 section 4.1): its bytes, and the headers that you may add.
//!
//! C-06 and C-55 are rules for code that opens and reopens transports; an engine has nothing to test there.

use websocket_proto::{Config, Connection, HeaderError, RequestError, State};

use crate::helpers::client::{client_request, header_values, request_bytes, request_error};
use crate::support::{drain, pending_events, seed};

/// C-09, C-10, C-14, C-15, C-16, C-21, C-22: the exact request is in the output before anything has arrived.
#[test]
fn the_request_is_sent_first() {
    let mut conn = Connection::client(client_request(), Config::new(), seed()).unwrap();
    assert_eq!(conn.state(), State::Connecting);
    assert!(pending_events(&mut conn).is_empty());
    let request = drain(&mut conn);
    let [key] = &header_values(&request, "Sec-WebSocket-Key")[..] else { panic!("one key") };
    let expected = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\n\r\n"
    );
    assert_eq!(String::from_utf8(request).unwrap(), expected);
}

/// C-10: no argument of the caller can break out of its place.
#[test]
fn headers_that_would_break_the_request_are_refused() {
    for name in ["", " ", "a b", "a:", "a\r\nb", "a\nb", "a\0", "ä", "a(b)"] {
        let error = request_error(client_request().header(name, "value"));
        assert_eq!(error, RequestError::Header(HeaderError::Name(name.into())), "{name:?}");
    }
    for value in ["\r\nX: y", "a\nb", "a\rb", "\0", "a\x1b", "\x7f"] {
        let expected = |name: &str| RequestError::Header(HeaderError::Value(name.into()));
        assert_eq!(request_error(client_request().header("X-Name", value)), expected("X-Name"), "{value:?}");
        assert_eq!(request_error(client_request().origin(value)), expected("Origin"), "{value:?}");
        let expected = RequestError::Subprotocol(value.into());
        assert_eq!(request_error(client_request().subprotocol(value)), expected, "{value:?}");
    }
}

/// C-13, C-14, C-15, C-19, C-23, C-27: headers that the handshake writes itself can't be added, whatever their case.
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
            let error = request_error(client_request().header("X-Name", "value").header(&name, "13"));
            assert_eq!(error, RequestError::Header(HeaderError::Reserved(name.as_str().into())), "{name}");
        }
    }
}

/// C-20: an origin is sent once, as it was given, and only if it was.
#[test]
fn the_origin_is_sent_as_given() {
    assert!(header_values(&request_bytes(client_request()), "Origin").is_empty());
    for with_origin in [
        client_request().origin("https://Example.com:8443"),
        client_request().origin("null").origin("https://Example.com:8443"),
        client_request().origin("null").header("oRIGIN", "https://Example.com:8443"),
    ] {
        assert_eq!(header_values(&request_bytes(with_origin), "Origin"), ["https://Example.com:8443"]);
    }
}

/// C-27: further headers are sent in order, after those of the handshake, as often as they were added.
#[test]
fn further_headers_are_sent_in_order() {
    let request = client_request()
        .header("Cookie", "id=7; theme=\"dark\"")
        .header("Authorization", "Basic dTpw")
        .header("X-Empty", "")
        .header("cookie", "tab\there");
    let sent = String::from_utf8(request_bytes(request)).unwrap();
    let expected = "\r\nCookie: id=7; theme=\"dark\"\r\nAuthorization: Basic dTpw\r\nX-Empty: \r\n\
                    cookie: tab\there\r\n\r\n";
    assert!(sent.ends_with(expected), "{sent}");
    assert_eq!(header_values(sent.as_bytes(), "Cookie"), ["id=7; theme=\"dark\"", "tab\there"]);
}
