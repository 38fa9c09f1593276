//! Headers that you add to a request, a response or a rejection are either refused, by the rule that an own reading of RFC
//! 9110 section 5 gives, or found unchanged by the parser `httparse` and by the peer: no value begins another line, and no
//! header is written twice that the handshake writes itself.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{
    AcceptError, Config, Connection, Event, HeaderError, RequestError, Seed, client, server, server::Rejection,
};

#[derive(Arbitrary, Debug)]
struct Input {
    uri_has_credentials: bool,
    subprotocols: Vec<String>,
    request: Vec<Header>,
    origin: Option<String>,
    /// The offered subprotocol that the response selects, or another text.
    selected: Result<u8, String>,
    response: Vec<Header>,
    rejection: Option<Refusal>,
}

#[derive(Arbitrary, Debug)]
struct Refusal {
    status: u16,
    headers: Vec<Header>,
    body: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
struct Header {
    name: Name,
    value: String,
}

#[derive(Arbitrary, Debug)]
enum Name {
    /// One of [`KNOWN`], and whether it is in lower case.
    Known(u8, bool),
    Other(String),
}

/// The names that have a rule, and some that don't.
const KNOWN: &[&str] = &[
    "Authorization",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "Expect",
    "Host",
    "Location",
    "Origin",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// The headers that frame a body or decide what the connection becomes, in any head.
const NEVER: &[&str] = &["connection", "content-length", "sec-websocket-accept", "transfer-encoding", "upgrade"];
/// The headers that the handshake negotiates with, in a request and in the response that accepts it.
const NEGOTIATION: &[&str] =
    &["sec-websocket-extensions", "sec-websocket-key", "sec-websocket-protocol", "sec-websocket-version"];
/// The headers of a message with a body, and of the server's name.
const REQUEST: &[&str] = &["host", "trailer"];

/// More than any input here has.
const SIZE: usize = 1 << 20;
const LINES: usize = 1 << 12;

fuzz_target!(|input: Input| {
    let config = || Config::new().max_handshake_size(SIZE).max_headers(LINES).max_rejection_body(SIZE);
    let uri =
        if input.uri_has_credentials { "ws://user:password@localhost/chat?a=b" } else { "ws://localhost/chat?a=b" };
    let own: Vec<_> = input.request.iter().map(|header| (header.name.text(), &header.value[..])).collect();
    let mut request = client::Request::new(uri.parse().unwrap());
    for subprotocol in &input.subprotocols {
        request = request.subprotocol(subprotocol);
    }
    for (name, value) in &own {
        request = request.header(name, value);
    }
    if let Some(origin) = &input.origin {
        request = request.origin(origin);
    }
    let mut client = match (Connection::client(request, config(), Seed::new([7; 32])), request_error(&input, &own)) {
        (Ok(client), None) => client,
        (Err(error), Some(expected)) => return assert_eq!(error, expected),
        (conn, expected) => panic!("{:?}, but {expected:?}", conn.err()),
    };

    let mut head = drain(&mut client);
    check_request(&head, &input, &own);
    let mut server = Connection::server(config());
    let mut rest = &mut head[..];
    let Some(Event::Request(request)) = server.receive(&mut rest) else { panic!("a server reads what a client sends") };
    assert!(rest.is_empty());
    for (name, value) in own.iter().filter(|(name, _)| !is(name, "Origin")) {
        assert!(request.headers().any(|(other, arrived)| other == *name && arrived == trim(value).as_bytes()));
    }
    assert!(request.subprotocols().eq(input.subprotocols.iter().map(String::as_str)));

    if let Some(refusal) = &input.rejection {
        check_rejection(&mut server, &mut client, refusal);
    } else {
        check_response(&mut server, &mut client, &input);
    }
});

fn request_error(input: &Input, own: &[(&str, &str)]) -> Option<RequestError> {
    for (i, name) in input.subprotocols.iter().enumerate() {
        if !is_token(name) {
            return Some(RequestError::Subprotocol(name.as_str().into()));
        }
        if input.subprotocols[..i].contains(name) {
            return Some(RequestError::DuplicateSubprotocol(name.as_str().into()));
        }
    }
    // The last Origin replaces those before it, so that a mistake in one of them doesn't matter.
    let origin = origin(input, own).and_then(|value| header_error("Origin", value, &[]));
    let others = own.iter().filter(|(name, _)| !is(name, "Origin"));
    let first = || others.filter_map(|(name, value)| header_error(name, value, &[NEGOTIATION, REQUEST])).next();
    origin.or_else(first).map(RequestError::Header)
}

fn origin<'i>(input: &'i Input, own: &[(&str, &'i str)]) -> Option<&'i str> {
    let last = own.iter().rfind(|(name, _)| is(name, "Origin")).map(|(_, value)| *value);
    input.origin.as_deref().or(last)
}

fn header_error(name: &str, value: &str, reserved: &[&[&str]]) -> Option<HeaderError> {
    if !is_token(name) {
        return Some(HeaderError::Name(name.into()));
    }
    // RFC 9110 section 5.5: CR, LF and NUL are dangerous, and the other control characters are invalid.
    if value.bytes().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
        return Some(HeaderError::Value(name.into()));
    }
    let is_reserved = reserved.iter().chain([&NEVER]).any(|names| names.iter().any(|other| is(name, other)));
    is_reserved.then(|| HeaderError::Reserved(name.into()))
}

/// The request has exactly these headers, each on its own line.
fn check_request(head: &[u8], input: &Input, own: &[(&str, &str)]) {
    let mut headers = [httparse::EMPTY_HEADER; LINES];
    let mut request = httparse::Request::new(&mut headers);
    assert_eq!(request.parse(head), Ok(httparse::Status::Complete(head.len())));
    assert_eq!((request.method, request.path, request.version), (Some("GET"), Some("/chat?a=b"), Some(1)));
    let mut expected: Vec<(&str, Vec<u8>)> =
        [("Host", "localhost"), ("Upgrade", "websocket"), ("Connection", "Upgrade")]
            .map(|(name, value)| (name, value.into()))
            .into();
    let key = request.headers.iter().find(|header| header.name == "Sec-WebSocket-Key").unwrap().value;
    expected.extend([("Sec-WebSocket-Key", key.to_vec()), ("Sec-WebSocket-Version", b"13".to_vec())]);
    if !input.subprotocols.is_empty() {
        expected.push(("Sec-WebSocket-Protocol", input.subprotocols.join(", ").into()));
    }
    if let Some(origin) = origin(input, own) {
        expected.push(("Origin", trim(origin).into()));
    }
    let has_own = own.iter().any(|(name, _)| is(name, "Authorization"));
    if input.uri_has_credentials && !has_own {
        expected.push(("Authorization", b"Basic dXNlcjpwYXNzd29yZA==".to_vec()));
    }
    let others = own.iter().filter(|(name, _)| !is(name, "Origin"));
    expected.extend(others.map(|&(name, value)| (name, trim(value).into())));
    same_headers(request.headers, &expected);
}

fn check_response(server: &mut Connection, client: &mut Connection, input: &Input) {
    let offered = |at: &u8| input.subprotocols.get(usize::from(*at)).map(String::as_str);
    let selected = match &input.selected {
        Ok(at) => offered(at),
        Err(other) => Some(other.as_str()),
    };
    let own: Vec<_> = input.response.iter().map(|header| (header.name.text(), &header.value[..])).collect();
    let mut response = server::Response::new().subprotocol(selected);
    for (name, value) in &own {
        response = response.header(name, value);
    }
    let not_offered = selected
        .filter(|selected| !input.subprotocols.iter().any(|offered| offered == selected))
        .map(|selected| AcceptError::SubprotocolNotOffered(selected.into()));
    let header = own.iter().find_map(|(name, value)| header_error(name, value, &[NEGOTIATION]));
    let expected = not_offered.or(header.map(AcceptError::Header));
    assert_eq!(server.accept(response).err(), expected);
    let mut head = drain(server);
    if expected.is_some() {
        assert_eq!(head, b"");
        // The request is still pending.
        server.accept(server::Response::new()).unwrap();
        return;
    }
    let mut headers = [httparse::EMPTY_HEADER; LINES];
    let mut response = httparse::Response::new(&mut headers);
    assert_eq!(response.parse(&head), Ok(httparse::Status::Complete(head.len())));
    assert_eq!((response.code, response.version), (Some(101), Some(1)));
    let accept = response.headers.iter().find(|header| header.name == "Sec-WebSocket-Accept").unwrap().value;
    let mut expected: Vec<(&str, Vec<u8>)> = vec![
        ("Upgrade", b"websocket".to_vec()),
        ("Connection", b"Upgrade".to_vec()),
        ("Sec-WebSocket-Accept", accept.to_vec()),
    ];
    expected.extend(selected.map(|selected| ("Sec-WebSocket-Protocol", selected.into())));
    expected.extend(own.iter().map(|&(name, value)| (name, trim(value).into())));
    same_headers(response.headers, &expected);

    let mut rest = &mut head[..];
    let Some(Event::Open(response)) = client.receive(&mut rest) else { panic!("a client reads what a server sends") };
    assert!(rest.is_empty());
    assert!(response.headers().eq(expected.iter().map(|(name, value)| (*name, &value[..]))));
    assert_eq!(client.subprotocol(), selected);
}

fn check_rejection(server: &mut Connection, client: &mut Connection, refusal: &Refusal) {
    let Refusal { status, headers, body } = refusal;
    // Most numbers are no status.
    let status = if status % 2 == 0 { 200 + status / 2 % 400 } else { status / 2 };
    let own: Vec<_> = headers.iter().map(|header| (header.name.text(), &header.value[..])).collect();
    let mut rejection = Rejection::new(status).body(body.clone());
    for (name, value) in &own {
        rejection = rejection.header(name, value);
    }
    let has_no_content = [204, 205, 304].contains(&status);
    let expected = if !(200..=599).contains(&status) {
        Some(AcceptError::Status(status))
    } else if has_no_content && !body.is_empty() {
        Some(AcceptError::Body(status))
    } else {
        own.iter().find_map(|(name, value)| header_error(name, value, &[])).map(AcceptError::Header)
    };
    // Over HTTP libraries, it is the same response without the headers that they write themselves.
    let http = rejection.clone().into_http();
    assert_eq!(http.as_ref().err(), expected.as_ref());
    assert_eq!(server.reject(rejection).err(), expected);
    let mut output = drain(server);
    if expected.is_some() {
        assert_eq!(output, b"");
        server.reject(Rejection::new(404)).unwrap();
        return;
    }
    let mut headers = [httparse::EMPTY_HEADER; LINES];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(end)) = response.parse(&output) else { panic!("a whole head") };
    assert_eq!((response.code, response.version), (Some(status), Some(1)));
    assert_eq!(&output[end..], body);

    let has = |wanted: &str| own.iter().any(|(name, _)| is(name, wanted));
    let mut expected: Vec<(&str, Vec<u8>)> = Vec::new();
    if status == 426 {
        expected.extend([("Connection", b"close, Upgrade".to_vec()), ("Upgrade", b"websocket".to_vec())]);
        if !has("Sec-WebSocket-Version") {
            expected.push(("Sec-WebSocket-Version", b"13".to_vec()));
        }
    } else {
        expected.push(("Connection", b"close".to_vec()));
    }
    if !body.is_empty() && !has("Content-Type") {
        expected.push(("Content-Type", b"text/plain; charset=utf-8".to_vec()));
    }
    // A 205 has no content, and says so.
    if ![204, 304].contains(&status) {
        expected.push(("Content-Length", body.len().to_string().into()));
    }
    expected.extend(own.iter().map(|&(name, value)| (name, trim(value).into())));
    same_headers(response.headers, &expected);

    let http = http.unwrap();
    assert_eq!((http.status().as_u16(), &http.body()[..]), (status, &body[..]));
    for (name, _) in &own {
        let arrived: Vec<_> = http.headers().get_all(*name).iter().map(|value| trim_bytes(value.as_bytes())).collect();
        let sent: Vec<_> =
            own.iter().filter(|(other, _)| is(other, name)).map(|(_, value)| trim(value).as_bytes()).collect();
        assert_eq!(arrived, sent);
    }

    let mut rest = &mut output[..];
    let Some(Event::Rejected(response)) = client.receive(&mut rest) else { panic!("a client reads a rejection") };
    assert_eq!((response.status(), response.body()), (status, &body[..]));
    assert!(response.headers().eq(expected.iter().map(|(name, value)| (*name, &value[..]))));
}

/// The same headers in the same order.
fn same_headers(headers: &[httparse::Header<'_>], expected: &[(&str, Vec<u8>)]) {
    let found: Vec<_> = headers.iter().map(|header| (header.name, header.value)).collect();
    let expected: Vec<_> = expected.iter().map(|(name, value)| (*name, &value[..])).collect();
    assert_eq!(found, expected);
}

fn drain(conn: &mut Connection) -> Vec<u8> {
    let length = conn.pending_output();
    conn.output().copy_to_bytes(length).into()
}

impl Name {
    fn text(&self) -> &str {
        match self {
            Self::Other(name) => name,
            Self::Known(number, lower) => {
                let names: &'static [&'static str] = if *lower { LOWER } else { KNOWN };
                names[usize::from(*number) % names.len()]
            }
        }
    }
}

/// Some of them in other spellings.
const LOWER: &[&str] = &[
    "authorization",
    "CONNECTION",
    "content-length",
    "content-type",
    "host",
    "origin",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "transfer-ENCODING",
    "upgrade",
];

fn is(name: &str, other: &str) -> bool {
    name.eq_ignore_ascii_case(other)
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// RFC 9110 section 5.5: white space around a value isn't part of it.
fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

fn trim_bytes(value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}
