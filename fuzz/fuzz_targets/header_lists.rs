//! The lists in a request's headers (`Upgrade`, `Connection`, `Sec-WebSocket-Protocol`, `Sec-WebSocket-Extensions`) are
//! accepted exactly when they follow their grammar, however they are spread over lines.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{Cause, Config, Connection, Event, HandshakeError, server};
use websocket_proto_fuzz::Watched;

#[path = "../../tests/support/mod.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Input {
    /// The usual one, if there is none.
    upgrade: Option<Lines>,
    connection: Option<Lines>,
    protocol: Lines,
    extensions: Lines,
}

type Lines = Vec<Vec<Part>>;

/// A part of a value: words with a meaning, separators, and any other character that a value may contain.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Part {
    Word(Word),
    Separator(Separator),
    Any(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Word {
    Websocket,
    WebSocket,
    Upgrade,
    KeepAlive,
    Chat,
    Name,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Separator {
    Comma,
    Semicolon,
    Equals,
    Quote,
    Backslash,
    Space,
    Tab,
}

fuzz_target!(|input: Input| {
    let upgrade = input.upgrade.as_ref().map_or(vec![b"websocket".to_vec()], |lines| values(lines));
    let connection = input.connection.as_ref().map_or(vec![b"Upgrade".to_vec()], |lines| values(lines));
    let (protocol, extensions) = (values(&input.protocol), values(&input.extensions));

    let mut head = b"GET / HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ".to_vec();
    head.extend(support::KEY.as_bytes());
    head.extend(b"\r\n");
    for (name, values) in [
        ("Upgrade", &upgrade),
        ("connection", &connection),
        ("Sec-WebSocket-Protocol", &protocol),
        ("SEC-WEBSOCKET-EXTENSIONS", &extensions),
    ] {
        for value in values {
            head.extend([name.as_bytes(), b":", value, b"\r\n"].concat());
        }
    }
    head.extend(b"\r\n");

    let mut server = Watched::new(Connection::server(Config::new().max_handshake_size(1 << 24).max_headers(1 << 16)));
    let mut first = None;
    server.receive(&head, |conn, event| {
        if first.is_some() {
            return;
        }
        if let Event::Request(request) = &event {
            assert!(conn.accept(server::Response::new().subprotocol("never, offered")).is_err());
            for name in request.subprotocols() {
                assert_eq!(request.select_subprotocol(&[name]), Some(name));
            }
            conn.accept(server::Response::new().subprotocol(request.subprotocols().last())).unwrap();
        }
        first = Some(event.into_owned());
    });

    let names = elements(&protocol);
    let expected = if !has_token(&upgrade, b"websocket") {
        None
    } else if !has_token(&connection, b"upgrade") {
        Some(Err(HandshakeError::Connection))
    } else if !protocol.is_empty() && !are_subprotocols(&names) {
        Some(Err(HandshakeError::Subprotocol))
    } else if !elements(&extensions).into_iter().all(is_extension) {
        Some(Err(HandshakeError::Extensions))
    } else {
        Some(Ok(()))
    };
    match (expected, first.unwrap()) {
        (None, Event::HttpRequest(_)) => {}
        (Some(Err(error)), Event::Closed(closed)) => assert_eq!(closed.cause, Cause::Handshake(error)),
        (Some(Ok(())), Event::Request(request)) => {
            assert!(request.subprotocols().map(str::as_bytes).eq(names));
        }
        (expected, event) => panic!("{expected:?} is expected, not {event:?}"),
    }
});

fn values(lines: &[Vec<Part>]) -> Vec<Vec<u8>> {
    let text = |part: &Part| match *part {
        Part::Word(Word::Websocket) => b"websocket".to_vec(),
        Part::Word(Word::WebSocket) => b"WebSocket".to_vec(),
        Part::Word(Word::Upgrade) => b"uPgrade".to_vec(),
        Part::Word(Word::KeepAlive) => b"keep-alive".to_vec(),
        Part::Word(Word::Chat) => b"chat".to_vec(),
        Part::Word(Word::Name) => b"x".to_vec(),
        Part::Separator(Separator::Comma) => b",".to_vec(),
        Part::Separator(Separator::Semicolon) => b";".to_vec(),
        Part::Separator(Separator::Equals) => b"=".to_vec(),
        Part::Separator(Separator::Quote) => b"\"".to_vec(),
        Part::Separator(Separator::Backslash) => b"\\".to_vec(),
        Part::Separator(Separator::Space) => b" ".to_vec(),
        Part::Separator(Separator::Tab) => b"\t".to_vec(),
        Part::Any(byte) if byte < 0x20 || byte == 0x7f => b"?".to_vec(),
        Part::Any(byte) => vec![byte],
    };
    lines.iter().map(|parts| parts.iter().flat_map(text).collect()).collect()
}

fn trim(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| *byte != b' ' && *byte != b'\t';
    let Some(start) = text.iter().position(is_text) else { return &[] };
    &text[start..=text.iter().rposition(is_text).unwrap()]
}

/// The elements between commas, without empty ones (RFC 9110 section 5.6.1.2).
fn elements(values: &[Vec<u8>]) -> Vec<&[u8]> {
    values.iter().flat_map(|value| value.split(|byte| *byte == b',')).map(trim).filter(|e| !e.is_empty()).collect()
}

fn has_token(values: &[Vec<u8>], token: &[u8]) -> bool {
    elements(values).iter().any(|element| element.eq_ignore_ascii_case(token))
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_separator = |byte: &u8| b"()<>@,;:\\\"/[]?={} \t".contains(byte);
    !text.is_empty() && text.iter().all(|byte| (0x21..0x7f).contains(byte) && !is_separator(byte))
}

/// RFC 6455 section 4.1, item 10.
fn are_subprotocols(names: &[&[u8]]) -> bool {
    let is_new = |(i, name): (usize, &&[u8])| !names[..i].contains(name);
    !names.is_empty() && names.iter().all(|name| is_token(name)) && names.iter().enumerate().all(is_new)
}

/// RFC 6455 section 9.1. A quoted string contains a token, so it has no separators.
fn is_extension(element: &[u8]) -> bool {
    let mut parts = element.split(|byte| *byte == b';').map(trim);
    parts.next().is_some_and(is_token) && parts.all(is_parameter)
}

fn is_parameter(part: &[u8]) -> bool {
    let Some(equals) = part.iter().position(|byte| *byte == b'=') else { return is_token(part) };
    let (name, value) = (trim(&part[..equals]), trim(&part[equals + 1..]));
    let value = match value {
        [b'"', quoted @ .., b'"'] => unescape(quoted),
        _ => Some(value.to_vec()),
    };
    is_token(name) && value.is_some_and(|value| is_token(&value))
}

fn unescape(quoted: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        text.push(if *byte == b'\\' { *bytes.next()? } else { *byte });
    }
    Some(text)
}
