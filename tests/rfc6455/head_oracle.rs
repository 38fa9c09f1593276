//! Heads are read as another parser reads them, with every byte value in every place.

use websocket_proto::{Cause, Config, Connection, Event, HandshakeError, client, server};

use crate::support::{self, drain};

type Fields = Vec<(String, Vec<u8>)>;

/// The start line and the fields.
#[test]
fn requests_are_read_as_by_another_parser() {
    let head =
        String::from_utf8(support::request_with("X-Empty:\r\nx_1:\t a\tb \r\nCookie: a=b; c=\"d\"\r\n")).unwrap();
    for_every_byte(head.as_bytes(), |head| {
        let mut slots = [httparse::EMPTY_HEADER; 32];
        let mut other = httparse::Request::new(&mut slots);
        let is_whole = other.parse(head).is_ok_and(|status| status.is_complete());
        let mut server = Connection::server(Config::new());
        let mut events = support::feed(&mut server, head);
        server.receive_eof();
        events.extend(support::pending_events(&mut server));
        match events.remove(0) {
            Event::Request(request) | Event::HttpRequest(request) => {
                assert!(is_whole, "{}", head.escape_ascii());
                assert_eq!(other.path, Some(request.resource()));
                assert_eq!(fields_of_request(&request), fields(other.headers));
            }
            Event::Closed(closed) if closed.cause == Cause::Handshake(HandshakeError::Head) => {
                // The other parser accepts bare line feeds.
                assert!(!is_whole || has_bare_line_feed(head), "{}", head.escape_ascii());
            }
            _ => {}
        }
    });
}

/// The status line and the fields.
#[test]
fn responses_are_read_as_by_another_parser() {
    let head = b"HTTP/1.1 403 No way\r\nContent-Length: 0\r\nServer: x/1 (y)\r\nX-Empty:\r\nx_1:\t a\tb \r\n\r\n";
    for_every_byte(head, |head| {
        let mut slots = [httparse::EMPTY_HEADER; 32];
        let mut other = httparse::Response::new(&mut slots);
        let is_whole = other.parse(head).is_ok_and(|status| status.is_complete());
        let mut client = support::client();
        drain(&mut client);
        let mut events = support::feed(&mut client, head);
        client.receive_eof();
        events.extend(support::pending_events(&mut client));
        match events.remove(0) {
            Event::Open(response) | Event::Rejected(response) => {
                assert!(is_whole, "{}", head.escape_ascii());
                assert_eq!((other.code, other.reason), (Some(response.status()), Some(response.reason())));
                assert_eq!(fields_of_response(&response), fields(other.headers));
            }
            Event::Closed(closed) if closed.cause == Cause::Handshake(HandshakeError::Head) => {
                let is_no_status = other.code.is_none_or(|code| !(100..600).contains(&code));
                assert!(!is_whole || is_no_status, "{}", head.escape_ascii());
            }
            _ => {}
        }
    });
}

/// A field that comes in several lines is all of them, in order, with others in between, however many there are.
#[test]
fn lines_of_a_field_are_found_among_others() {
    for others in [0, 1, 7, 40] {
        let between = "X-Other: y\r\nSec-WebSocket-Protocox: z\r\n".repeat(others);
        let lines: Vec<_> = ["a", "b, c", "d", "e"].map(|value| format!("Sec-WebSocket-PROTOCOL: {value}\r\n")).into();
        let head = support::request_with(&lines.join(&between));
        let config = Config::new().max_headers(1000);
        let mut server = Connection::server(config);
        let [Event::Request(request)] = &support::feed(&mut server, &head)[..] else { panic!() };
        assert_eq!(request.subprotocols().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"], "{others} in between");
        assert_eq!(request.headers().count(), 5 + 4 + 3 * 2 * others);
        // What may be chosen is what was offered, also in the lines in the middle.
        server.accept(server::Response::new().subprotocol("c")).unwrap();
    }
}

/// Every byte in every place: instead of the existing one, and before it.
fn for_every_byte(head: &[u8], check: impl Fn(&[u8])) {
    for at in 0..head.len() {
        for byte in 0..=255 {
            let (before, behind) = head.split_at(at);
            check(&[before, &[byte], behind].concat());
            check(&[before, &[byte], &behind[1..]].concat());
        }
    }
}

fn fields(headers: &[httparse::Header<'_>]) -> Fields {
    let trim = |value: &[u8]| value.trim_ascii().to_vec();
    headers.iter().map(|header| (header.name.to_owned(), trim(header.value))).collect()
}

fn fields_of_request(request: &server::Request) -> Fields {
    request.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

fn fields_of_response(response: &client::Response) -> Fields {
    response.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    let is_bare = |(i, byte): (usize, &u8)| *byte == b'\n' && (i == 0 || head[i - 1] != b'\r');
    head.iter().enumerate().any(is_bare)
}
