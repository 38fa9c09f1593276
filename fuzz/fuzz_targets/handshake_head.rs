//! Any head is judged once and always the same way: a request as a server reads it can be sent again with the same
//! result, and a response as a client reads it has the fields of the head.
//!
//! Input: one byte of choices, then a head. Bits of the first byte: 1 small limits, 2 a response (where `@ACCEPT@` is
//! replaced by the right answer to the client's key) instead of a request.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, Config, Connection, Event, State, client, server};
use websocket_proto_fuzz::{Watched, config, response};

fuzz_target!(|data: &[u8]| {
    static ACCEPT: OnceLock<Vec<u8>> = OnceLock::new();
    let Some((choice, bytes)) = data.split_first() else { return };
    let config = config(choice & 1 != 0);
    if choice & 2 == 0 {
        check_request(bytes, config);
    } else {
        let bytes = response::fill_in(bytes, ACCEPT.get_or_init(response::accept));
        check_response(&bytes, config);
    }
});

fn check_request(bytes: &[u8], config: Config) {
    let mut server = Watched::new(Connection::server(config));
    let mut asked = None;
    server.receive(bytes, |_, event| match event {
        Event::Request(request) => asked = Some((request, true)),
        Event::HttpRequest(request) => asked = Some((request, false)),
        Event::Closed(_) => {}
        event => panic!("{event:?} before an answer"),
    });
    let refused = server.closed().map(|closed| closed.cause);
    let Some((request, is_upgrade)) = asked else {
        assert!(matches!(refused, None | Some(Cause::Handshake(_))));
        let output = server.end();
        match refused {
            Some(Cause::Handshake(error)) => {
                assert!(output.starts_with(format!("HTTP/1.1 {} ", error.status()).as_bytes()));
            }
            _ => assert_eq!(output, b"", "a head that is cut off isn't answered"),
        }
        return;
    };

    let is_asterisk = request.resource() == "*" && request.method() == "OPTIONS" && !is_upgrade;
    assert!(request.resource().starts_with('/') || is_asterisk);
    assert!(!is_upgrade || (request.method(), request.version()) == ("GET", (1, 1)));
    assert!(request.resource().bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(request.resource().strip_prefix(request.path()).map(|rest| rest.strip_prefix('?')), {
        Some(request.query())
    });
    assert!(!request.host().is_empty() || request.version() == (1, 0) && !is_upgrade);
    for (name, value) in request.headers() {
        assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
        let first = request.headers().find(|(other, _)| other.eq_ignore_ascii_case(name)).unwrap().1;
        assert_eq!(request.header(name), std::str::from_utf8(first).ok());
    }
    if !is_upgrade {
        // It wasn't answered before the next call.
        let status = match (request.method(), request.version()) {
            (_, (1, 0)) => 505,
            ("GET", _) => 426,
            _ => 405,
        };
        assert!(server.end().starts_with(format!("HTTP/1.1 {status} ").as_bytes()));
    } else if refused.is_none() {
        for subprotocol in request.subprotocols() {
            assert_eq!(request.select_subprotocol(&["\0", subprotocol]), Some(subprotocol));
        }
        assert!(server.conn.accept(server::Response::new().subprotocol("not offered")).is_err());
        server.conn.accept(server::Response::new().subprotocol(request.subprotocols().next())).unwrap();
        assert_ne!(server.conn.state(), State::Connecting);
        assert!(server.end().starts_with(b"HTTP/1.1 101 "));
    }
    send_again(&request, is_upgrade);
}

fn send_again(request: &server::Request, is_upgrade: bool) {
    let (major, minor) = request.version();
    let mut head = format!("{} {} HTTP/{major}.{minor}\r\n", request.method(), request.resource()).into_bytes();
    for (name, value) in request.headers() {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    let mut server = Connection::server(Config::new().max_handshake_size(1 << 20));
    let (again, is_still_upgrade) = match server.receive(&mut &mut head[..]) {
        Some(Event::Request(request)) => (request, true),
        Some(Event::HttpRequest(request)) => (request, false),
        event => panic!("{event:?}"),
    };
    assert_eq!(is_upgrade, is_still_upgrade);
    assert_eq!((again.method(), again.version()), (request.method(), request.version()));
    assert_eq!(again.resource(), request.resource());
    assert!(again.headers().eq(request.headers()));
    assert!(again.subprotocols().eq(request.subprotocols()));
}

fn check_response(bytes: &[u8], config: Config) {
    let mut conn = response::client(config);
    conn.output().take();
    let mut client = Watched::new(conn);
    let mut opened = false;
    client.receive(bytes, |conn, event| match event {
        Event::Open(response) => {
            opened = true;
            assert_eq!(response.status(), 101);
            assert_eq!(conn.subprotocol(), response.header("Sec-WebSocket-Protocol"));
            assert!(conn.subprotocol().is_none_or(|chosen| ["chat", "superchat"].contains(&chosen)));
            check_headers(&response, bytes);
        }
        Event::Rejected(response) => {
            assert!((200..600).contains(&response.status()));
            check_headers(&response, bytes);
        }
        _ => {}
    });
    if !opened && client.closed().is_none() {
        client.end();
        return;
    }
    let rest = client.end();
    assert!(opened || rest.is_empty(), "a client has nothing to say to a response that it refuses");
}

fn check_headers(response: &client::Response, bytes: &[u8]) {
    for (name, value) in response.headers() {
        let stands_there = |part: &[u8]| part.is_empty() || bytes.windows(part.len()).any(|window| window == part);
        assert!(stands_there(name.as_bytes()) && stands_there(value));
        assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
    }
    assert!(response.body().is_empty() || bytes.len() >= response.body().len());
}
