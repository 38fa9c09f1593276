//! The handshakes of HTTP libraries judge any request and any response as the built-in handshake judges the same head as
//! text: they accept the same, choose the same, and fail with the same error. An extended CONNECT (RFC 8441) is judged as
//! the upgrade with the same headers.
#![no_main]

use arbitrary::Arbitrary;
use bytes::Buf;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use websocket_proto::{
    Cause, Config, Connection, DeflateConfig, Event, HandshakeError, HttpClientHandshake, HttpServerHandshake,
    Negotiated, Seed, client, server, server::Rejection,
};

#[derive(Arbitrary, Debug)]
enum Input {
    Request {
        compresses: bool,
        method: Method,
        target: String,
        version: u8,
        /// The headers of a right request, which the others are added to.
        is_complete: bool,
        headers: Vec<Header>,
        selected: u8,
        own: Vec<(String, String)>,
        origins: Vec<String>,
    },
    Connect {
        compresses: bool,
        method: Method,
        target: String,
        version: u8,
        protocol: String,
        headers: Vec<Header>,
    },
    Response {
        compresses: bool,
        connects: bool,
        uri: u8,
        subprotocols: u8,
        own: Vec<(String, String)>,
        status: u16,
        is_complete: bool,
        headers: Vec<Header>,
    },
}

#[derive(Arbitrary, Debug)]
enum Method {
    Get,
    Connect,
    Other(String),
}

#[derive(Arbitrary, Debug)]
struct Header {
    name: Name,
    value: Value,
}

#[derive(Arbitrary, Debug)]
enum Name {
    Known(u8),
    Other(String),
}

#[derive(Arbitrary, Debug)]
enum Value {
    Known(u8),
    Other(Vec<u8>),
}

const NAMES: &[&str] = &[
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-websocket-accept",
    "content-length",
    "transfer-encoding",
    "origin",
    "te",
    "keep-alive",
    "proxy-connection",
];

const VALUES: &[&str] = &[
    "localhost",
    "localhost:80",
    "websocket",
    "Upgrade",
    "keep-alive, upgrade",
    "13",
    "8",
    KEY,
    "chat, superchat",
    "chat",
    "superchat",
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_max_window_bits=9",
    "0",
    "trailers",
    "chunked",
    "http://localhost",
    "https://localhost:443",
];

/// RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// The headers of a right request.
const REQUEST: &[(&str, &str)] = &[
    ("host", "localhost"),
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-key", KEY),
    ("sec-websocket-version", "13"),
];

const SUBPROTOCOLS: [&str; 3] = ["chat", "superchat", "v2"];

fuzz_target!(|input: Input| match input {
    Input::Request { compresses, method, target, version, is_complete, headers, selected, own, origins } => {
        let mut all = if is_complete { map(REQUEST) } else { HeaderMap::new() };
        add(&mut all, &headers, "");
        let version = [http::Version::HTTP_10, http::Version::HTTP_11][usize::from(version % 4 != 0)];
        let Some(request) = request(&method, &target, version, all) else { return };
        check_upgrade(&request, &config(compresses), selected, &own, &origins);
    }
    Input::Connect { compresses, method, target, version, protocol, headers } => {
        let versions = [http::Version::HTTP_2, http::Version::HTTP_3, http::Version::HTTP_11, http::Version::HTTP_10];
        let version = versions[usize::from(version) % versions.len()];
        let mut all = map(&[("sec-websocket-version", "13")]);
        add(&mut all, &headers, "");
        let Some(request) = request(&method, &target, version, all) else { return };
        check_connect(&request, &protocol, &config(compresses));
    }
    Input::Response { compresses, connects, uri, subprotocols, own, status, is_complete, headers } => {
        check_client(&config(compresses), connects, uri, subprotocols, &own, status, is_complete, &headers);
    }
});

fn config(compresses: bool) -> Config {
    let config = Config::new().max_handshake_size(1 << 20).max_headers(1 << 12);
    if compresses { config.deflate(DeflateConfig::new()) } else { config }
}

/// The parts of a request, if the `http` crate can express them.
fn request(method: &Method, target: &str, version: http::Version, headers: HeaderMap) -> Option<http::Request<()>> {
    let mut request = http::Request::new(());
    *request.method_mut() = match method {
        Method::Get => http::Method::GET,
        Method::Connect => http::Method::CONNECT,
        Method::Other(method) => method.parse().ok()?,
    };
    *request.uri_mut() = target.parse().ok()?;
    *request.version_mut() = version;
    *request.headers_mut() = headers;
    Some(request)
}

/// The same request as text. The `http` crate has removed a fragment from the target.
fn text(request: &http::Request<()>) -> Vec<u8> {
    let mut head = format!("{} {} {:?}\r\n", request.method(), target(request.uri()), request.version()).into_bytes();
    append(&mut head, request.headers());
    head
}

fn target(uri: &http::Uri) -> String {
    // Its `Display` leaves an empty path out.
    match (uri.scheme_str(), uri.authority(), uri.path_and_query()) {
        (Some(scheme), Some(authority), Some(resource)) => format!("{scheme}://{authority}{resource}"),
        _ => uri.to_string(),
    }
}

fn append(head: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend(b"\r\n");
}

fn check_upgrade(
    request: &http::Request<()>,
    config: &Config,
    selected: u8,
    own: &[(String, String)],
    origins: &[String],
) {
    let judged = HttpServerHandshake::upgrade(request, config);
    let mut conn = Connection::server(config.clone());
    let mut head = text(request);
    let mut rest = &mut head[..];
    match conn.receive(&mut rest) {
        Some(Event::Request(arrived)) => {
            assert!(HttpServerHandshake::is_requested(request));
            let offer = judged.unwrap();
            assert!(offer.subprotocols().eq(arrived.subprotocols()));
            assert_eq!(offer.select_subprotocol(&SUBPROTOCOLS), arrived.select_subprotocol(&SUBPROTOCOLS));
            assert_eq!(HttpServerHandshake::check_origin(request, origins), arrived.check_origin(origins));
            // The server of an absolute target is the one that is asked, whatever `Host` says (RFC 9112 section 3.2.2).
            assert_eq!(HttpServerHandshake::check_same_origin(request), arrived.check_same_origin());
            let mut response = server::Response::new();
            response = response.subprotocol(arrived.subprotocols().nth(selected.into()));
            for (name, value) in own {
                response = response.header(name, value);
            }
            let Ok((answer, negotiated)) = offer.accept(response.clone()) else {
                return assert!(conn.accept(response.clone()).err() == offer.accept(response).err());
            };
            conn.accept(response).unwrap();
            assert_eq!(answer.status(), 101);
            same_headers(&mut conn, answer.headers());
            let upgraded = Connection::upgraded_server(negotiated, config.clone());
            assert_eq!((upgraded.subprotocol(), upgraded.deflate()), (conn.subprotocol(), conn.deflate()));
        }
        Some(Event::HttpRequest(_)) => {
            assert!(!HttpServerHandshake::is_requested(request));
            // Unanswered, it fails with the next call.
            let Some(Event::Closed(closed)) = conn.receive(&mut &mut [][..]) else { panic!("it wasn't answered") };
            assert_eq!(judged.err().map(Cause::Handshake), Some(closed.cause));
        }
        Some(Event::Closed(closed)) => {
            let error = judged.unwrap_err();
            assert_eq!(Cause::Handshake(error), closed.cause);
            same_rejection(&mut conn, error);
        }
        event => panic!("{event:?} of a whole head"),
    }
}

/// The rejection of an error is the same in both forms.
fn same_rejection(conn: &mut Connection, error: HandshakeError) {
    let output = drain(conn);
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut sent = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(end)) = sent.parse(&output) else { panic!("a whole head") };
    let rejection = Rejection::from(error).into_http().unwrap();
    assert_eq!(sent.code, Some(rejection.status().as_u16()));
    assert_eq!(sent.code, Some(error.status()));
    assert_eq!(&output[end..], &rejection.body()[..]);
}

/// RFC 8441 section 5: what the upgrade has in `Upgrade`, `Connection` and `Sec-WebSocket-Key`, the CONNECT has in its
/// method and in `:protocol`.
fn check_connect(request: &http::Request<()>, protocol: &str, config: &Config) {
    let judged = HttpServerHandshake::connect(request, protocol, config);
    let is_connect = request.method() == http::Method::CONNECT;
    let expected = match (request.version(), is_connect) {
        (http::Version::HTTP_2 | http::Version::HTTP_3, true) => connect_error(request, protocol),
        (http::Version::HTTP_10, _) => Some(HandshakeError::HttpVersion),
        _ => Some(HandshakeError::Method),
    };
    if expected.is_some() {
        return assert_eq!(judged.err(), expected);
    }
    // A key is ignored, and so is what is only for a client to read.
    let uri = request.uri();
    let mut all = request.headers().clone();
    all.remove("sec-websocket-key");
    let hosts = all.get_all("host").iter().count();
    for &(name, value) in REQUEST.iter().filter(|(name, _)| *name != "sec-websocket-version") {
        all.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let host = HeaderValue::from_str(uri.authority().unwrap().as_str()).unwrap();
    all.insert("host", host);
    let mut upgrade = http::Request::new(());
    *upgrade.uri_mut() = uri.path_and_query().unwrap().as_str().parse().unwrap();
    *upgrade.headers_mut() = all;
    match (judged, HttpServerHandshake::upgrade(&upgrade, config)) {
        (Ok(offer), Ok(same)) => {
            assert!(offer.subprotocols().eq(same.subprotocols()));
            let (answer, negotiated) = offer.accept(server::Response::new()).unwrap();
            let (_, expected) = same.accept(server::Response::new()).unwrap();
            assert_eq!((answer.status().as_u16(), answer.version()), (200, request.version()));
            assert_eq!(negotiated, expected);
            assert!(
                ["upgrade", "connection", "sec-websocket-accept"]
                    .iter()
                    .all(|name| !answer.headers().contains_key(*name))
            );
            assert!(hosts <= 1);
        }
        (Err(error), Err(same)) => assert_eq!(error, same),
        (judged, same) => panic!("{judged:?}, but {same:?}"),
    }
}

/// The rules that only a CONNECT has.
fn connect_error(request: &http::Request<()>, protocol: &str) -> Option<HandshakeError> {
    let (uri, headers) = (request.uri(), request.headers());
    if protocol != "websocket" {
        return Some(HandshakeError::Protocol);
    }
    let has_all = uri.authority().is_some() && uri.path_and_query().is_some();
    if !has_all || !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Some(HandshakeError::Target);
    }
    // The same URI as the target of a GET: `:authority` and `:path` are checked alike.
    let mut get = http::Request::new(());
    *get.uri_mut() = uri.clone();
    if HttpServerHandshake::upgrade(&get, &Config::new()).err() == Some(HandshakeError::Target) {
        return Some(HandshakeError::Target);
    }
    // RFC 9113 section 8.2.2.
    let forbidden = ["connection", "keep-alive", "proxy-connection", "upgrade"];
    let te = headers.get_all("te").iter().any(|value| !trim(value.as_bytes()).eq_ignore_ascii_case(b"trailers"));
    if te || forbidden.iter().any(|name| headers.contains_key(*name)) {
        return Some(HandshakeError::ConnectionSpecific);
    }
    // RFC 9113 section 8.3.1.
    let hosts: Vec<_> =
        headers.get_all("host").iter().map(|value| trim(value.as_bytes()).to_ascii_lowercase()).collect();
    let port: &[u8] = if uri.scheme_str() == Some("http") { b":80" } else { b":443" };
    let plain = |host: &[u8]| host.strip_suffix(port).unwrap_or(host).to_vec();
    let authority = plain(uri.authority().unwrap().as_str().to_ascii_lowercase().as_bytes());
    let is_same = match &hosts[..] {
        [] => true,
        [host] => plain(host) == authority,
        _ => false,
    };
    (!is_same).then_some(HandshakeError::Host)
}

#[expect(clippy::too_many_arguments, reason = "the fields of one input")]
fn check_client(
    config: &Config,
    connects: bool,
    uri: u8,
    subprotocols: u8,
    own: &[(String, String)],
    status: u16,
    is_complete: bool,
    headers: &[Header],
) {
    let uris = ["ws://localhost/", "wss://user:pass@[::1]:8443/a?b[]=c", "wss://example.com", "ws://a!b;=/%20"];
    let mut request = client::Request::new(uris[usize::from(uri) % uris.len()].parse().unwrap());
    for (i, name) in SUBPROTOCOLS.iter().enumerate() {
        if subprotocols & 1 << i != 0 {
            request = request.subprotocol(name);
        }
    }
    for (name, value) in own {
        request = request.header(name, value);
    }
    let seed = || Seed::new([7; 32]);
    let (mut conn, sent, check) = match (
        Connection::client(request.clone(), config.clone(), seed()),
        HttpClientHandshake::upgrade(request.clone(), config, seed()),
    ) {
        (Ok(conn), Ok((sent, check))) => (conn, sent, check),
        (Err(error), Err(same)) => return assert_eq!(error, same),
        (conn, sent) => panic!("{:?}, but {:?}", conn.err(), sent.err()),
    };
    let head = drain(&mut conn);
    let mut parsed = [httparse::EMPTY_HEADER; 1 << 10];
    let mut text = httparse::Request::new(&mut parsed);
    assert_eq!(text.parse(&head), Ok(httparse::Status::Complete(head.len())));
    assert_eq!((sent.method().as_str(), sent.uri().to_string().as_str()), ("GET", text.path.unwrap()));
    same_fields(text.headers, sent.headers());
    if !connects {
        let key = sent.headers()["sec-websocket-key"].to_str().unwrap();
        let response = response(status, is_complete, headers, &accept(key));
        if let Some(response) = response {
            check_response(&mut conn, &check.check(&response), &response, config);
        }
        return;
    }

    let (connect, check) = HttpClientHandshake::connect(request.clone(), config).unwrap();
    assert_eq!(connect.method(), "CONNECT");
    let uri = request.uri();
    assert_eq!(connect.uri().scheme_str(), Some(if uri.is_secure() { "https" } else { "http" }));
    assert_eq!(connect.uri().authority().unwrap().as_str(), uri.host_header());
    assert_eq!(connect.uri().path_and_query().unwrap().as_str(), uri.resource());
    // The fields of the upgrade but those that HTTP/2 has no use for.
    let mut expected = sent.headers().clone();
    for name in ["host", "upgrade", "connection", "sec-websocket-key"] {
        expected.remove(name);
    }
    assert_eq!(connect.headers(), &expected);

    // Any 2xx opens it, and the choices are checked like those of the upgrade.
    let Some(answer) = response(status, false, headers, "") else { return };
    let result = check.check(&answer);
    if !(200..300).contains(&answer.status().as_u16()) {
        return assert_eq!(result, Err(HandshakeError::Status(answer.status().as_u16())));
    }
    let mut same = answer.clone();
    *same.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
    let key = sent.headers()["sec-websocket-key"].to_str().unwrap();
    let map = same.headers_mut();
    map.insert("upgrade", HeaderValue::from_static("websocket"));
    map.insert("connection", HeaderValue::from_static("Upgrade"));
    map.insert("sec-websocket-accept", HeaderValue::from_str(&accept(key)).unwrap());
    check_response(&mut conn, &result, &same, config);
}

/// The accept key, as a server computes it.
fn accept(key: &str) -> String {
    let mut all = map(REQUEST);
    all.insert("sec-websocket-key", HeaderValue::from_str(key).unwrap());
    let mut request = http::Request::new(());
    *request.headers_mut() = all;
    let (response, _) =
        HttpServerHandshake::upgrade(&request, &Config::new()).unwrap().accept(server::Response::new()).unwrap();
    response.headers()["sec-websocket-accept"].to_str().unwrap().into()
}

fn response(status: u16, is_complete: bool, headers: &[Header], accept: &str) -> Option<http::Response<()>> {
    let status = if is_complete && status % 2 == 0 { 101 } else { status % 1000 };
    let mut response = http::Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(status).ok()?;
    if is_complete {
        *response.headers_mut() = map(&[("upgrade", "websocket"), ("connection", "Upgrade")]);
        response.headers_mut().insert("sec-websocket-accept", HeaderValue::from_str(accept).unwrap());
    }
    add(response.headers_mut(), headers, accept);
    Some(response)
}

/// The client that reads text judges the response in the same way.
fn check_response(
    conn: &mut Connection,
    judged: &Result<Negotiated, HandshakeError>,
    response: &http::Response<()>,
    config: &Config,
) {
    let status = response.status().as_u16();
    let mut head = format!("HTTP/1.1 {status} \r\n").into_bytes();
    append(&mut head, response.headers());
    conn.receive_eof();
    let event = conn.receive(&mut &mut head[..]);
    match event {
        Some(Event::Open(_)) => {
            let negotiated = judged.clone().unwrap();
            let upgraded = Connection::upgraded_client(negotiated, config.clone(), Seed::new([7; 32]));
            assert_eq!((upgraded.subprotocol(), upgraded.deflate()), (conn.subprotocol(), conn.deflate()));
        }
        Some(Event::Rejected(response)) => {
            assert_eq!(judged, &Err(HandshakeError::Status(response.status())));
        }
        Some(Event::Closed(closed)) => match closed.cause {
            Cause::Handshake(error) if status == 101 => assert_eq!(judged, &Err(error)),
            // An interim response, or a status that is none (RFC 9110 section 15).
            Cause::Eof => assert!(status < 200 && judged == &Err(HandshakeError::Status(status))),
            Cause::Handshake(_) => assert!(status >= 600 && judged == &Err(HandshakeError::Status(status))),
            cause => panic!("{cause}"),
        },
        event => panic!("{event:?}"),
    }
}

/// The head that was sent has these headers.
fn same_headers(conn: &mut Connection, headers: &HeaderMap) {
    let head = drain(conn);
    let mut parsed = [httparse::EMPTY_HEADER; 1 << 10];
    let mut text = httparse::Response::new(&mut parsed);
    assert_eq!(text.parse(&head), Ok(httparse::Status::Complete(head.len())));
    same_fields(text.headers, headers);
}

/// The same values in the same order, for each name.
fn same_fields(text: &[httparse::Header<'_>], headers: &HeaderMap) {
    assert_eq!(text.len(), headers.len());
    for header in text {
        let same = text.iter().filter(|other| other.name.eq_ignore_ascii_case(header.name));
        assert!(
            same.map(|other| other.value).eq(headers.get_all(header.name).iter().map(|value| trim(value.as_bytes())))
        );
    }
}

fn add(all: &mut HeaderMap, headers: &[Header], accept: &str) {
    for Header { name, value } in headers {
        let name = match name {
            Name::Known(number) => NAMES[usize::from(*number) % NAMES.len()],
            Name::Other(name) => name,
        };
        let value = match value {
            Value::Known(255) => accept.as_bytes(),
            Value::Known(number) => VALUES[usize::from(*number) % VALUES.len()].as_bytes(),
            Value::Other(value) => value,
        };
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            all.append(name, value);
        }
    }
}

fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    let header = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    headers.iter().map(header).collect()
}

fn drain(conn: &mut Connection) -> Vec<u8> {
    let length = conn.pending_output();
    conn.output().copy_to_bytes(length).into()
}

fn trim(value: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = value.iter().position(|byte| !is_space(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}
