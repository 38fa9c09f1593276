//! One table of requests, run through each way to receive them: the built-in handshake, a request of HTTP/1.1 that an
//! HTTP library has parsed, and an extended CONNECT.
#![cfg(feature = "http")]

#[path = "support/mod.rs"]
mod support;

use HandshakeError::{
    Body, Connection as ConnectionToken, ConnectionSpecific, Extensions, Host, HttpVersion, Key, Method, NoUpgrade,
    Protocol, Subprotocol, Target, UnsupportedVersion, Version as VersionHeader,
};
use http::{Request, Uri, Version};
use support::{KEY, feed};
use websocket_proto::{Cause, Config, Connection, Event, HandshakeError, HttpServerHandshake};

/// One difference from a request that opens a connection.
#[derive(Clone, Copy, Debug)]
enum Change {
    Nothing,
    Method(&'static str),
    Version(&'static str),
    /// The target, which for a CONNECT has scheme, authority and path.
    Target(&'static str),
    /// One header line of that name instead of the existing ones.
    Set(&'static str, &'static str),
    /// One more header line.
    Add(&'static str, &'static str),
    Remove(&'static str),
    /// `:protocol`, which HTTP/1.1 doesn't have.
    Protocol(&'static str),
}

use Change::{Add, Nothing, Remove, Set};

type Outcome = Result<(), HandshakeError>;

/// Each change, with its result in HTTP/1.1 and in an extended CONNECT.
#[rustfmt::skip]
const CASES: &[(Change, Outcome, Outcome)] = &[
    (Nothing, Ok(()), Ok(())),
    // The request line (RFC 6455 section 4.2.1, item 1; RFC 8441 section 4).
    (Change::Method("GET"), Ok(()), Err(Method)),
    (Change::Method("HEAD"), Err(Method), Err(Method)),
    (Change::Method("POST"), Err(Method), Err(Method)),
    (Change::Method("get"), Err(Method), Err(Method)),
    (Change::Method("CONNECT"), Err(Method), Ok(())),
    (Change::Version("1.0"), Err(HttpVersion), Err(HttpVersion)),
    (Change::Version("1.1"), Ok(()), Err(Method)),
    (Change::Version("2.0"), Err(HttpVersion), Ok(())),
    (Change::Version("3.0"), Err(HttpVersion), Ok(())),
    (Change::Target("/"), Ok(()), Err(Target)),
    (Change::Target("/a?b"), Ok(()), Err(Target)),
    (Change::Target("*"), Err(Target), Err(Target)),
    (Change::Target("nopath"), Err(Target), Err(Target)),
    (Change::Target("h:80"), Err(Target), Err(Target)),
    (Change::Target("/\u{e9}"), Err(Target), Err(Target)),
    (Change::Target("http://h/a?b"), Ok(()), Ok(())),
    (Change::Target("https://[::1]:8443/"), Ok(()), Ok(())),
    (Change::Target("https://h"), Ok(()), Ok(())),
    (Change::Target("https://h?a"), Ok(()), Ok(())),
    (Change::Target("ws://h/"), Ok(()), Err(Target)),
    (Change::Target("wss://h/"), Ok(()), Err(Target)),
    (Change::Target("ftp://h/"), Err(Target), Err(Target)),
    (Change::Target("https://user@h/"), Err(Target), Err(Target)),
    (Change::Target("https://h:x/"), Err(Target), Err(Target)),
    (Change::Target("https://h:65536/"), Err(Target), Err(Target)),
    (Change::Target("https://[::g]/"), Err(Target), Err(Target)),
    (Change::Target("https://h/\u{e9}"), Err(Target), Err(Target)),
    (Change::Protocol("websocket"), Ok(()), Ok(())),
    (Change::Protocol("connect-udp"), Ok(()), Err(Protocol)),
    (Change::Protocol("WebSocket"), Ok(()), Err(Protocol)),
    // Host (RFC 9112 section 3.2; RFC 9113 section 8.3.1: what `:authority` says).
    (Remove("host"), Err(Host), Ok(())),
    (Set("host", "LOCALHOST"), Ok(()), Ok(())),
    (Set("host", "localhost:443"), Ok(()), Ok(())),
    (Set("host", "localhost:444"), Ok(()), Err(Host)),
    (Set("host", "other"), Ok(()), Err(Host)),
    (Set("host", ""), Err(Host), Err(Host)),
    (Set("host", "a b"), Err(Host), Err(Host)),
    (Set("host", "user@localhost"), Err(Host), Err(Host)),
    (Add("host", "b"), Err(Host), Err(Host)),
    // A body (RFC 9112 section 6), which in HTTP/2 a Content-Length announces as well.
    (Add("content-length", "0"), Ok(()), Ok(())),
    (Add("content-length", "5"), Err(Body), Err(Body)),
    (Add("content-length", "0, 5"), Err(Body), Err(Body)),
    (Add("content-length", ""), Err(Body), Err(Body)),
    (Add("transfer-encoding", "chunked"), Err(Body), Err(Body)),
    (Add("transfer-encoding", "identity"), Err(Body), Err(Body)),
    // The upgrade, which is an error in HTTP/2 (RFC 9113 section 8.2.2).
    (Remove("upgrade"), Err(NoUpgrade), Ok(())),
    (Set("upgrade", "h2c"), Err(NoUpgrade), Err(ConnectionSpecific)),
    (Set("upgrade", "h2c, WebSocket"), Ok(()), Err(ConnectionSpecific)),
    (Remove("connection"), Err(ConnectionToken), Ok(())),
    (Set("connection", "close"), Err(ConnectionToken), Err(ConnectionSpecific)),
    (Set("connection", "keep-alive, Upgrade"), Ok(()), Err(ConnectionSpecific)),
    (Add("keep-alive", "timeout=5"), Ok(()), Err(ConnectionSpecific)),
    (Add("proxy-connection", "keep-alive"), Ok(()), Err(ConnectionSpecific)),
    (Add("te", "gzip"), Ok(()), Err(ConnectionSpecific)),
    (Add("te", "trailers, gzip"), Ok(()), Err(ConnectionSpecific)),
    (Add("te", "Trailers"), Ok(()), Ok(())),
    // The key, which is ignored in HTTP/2 (RFC 8441 section 5).
    (Remove("sec-websocket-key"), Err(Key), Ok(())),
    (Set("sec-websocket-key", "AAAA"), Err(Key), Ok(())),
    (Add("sec-websocket-key", "AAAA"), Err(Key), Ok(())),
    // The other rules of RFC 6455 section 4.2.1.
    (Remove("sec-websocket-version"), Err(VersionHeader), Err(VersionHeader)),
    (Set("sec-websocket-version", "8"), Err(UnsupportedVersion), Err(UnsupportedVersion)),
    (Set("sec-websocket-version", "013"), Err(VersionHeader), Err(VersionHeader)),
    (Set("sec-websocket-version", ""), Err(VersionHeader), Err(VersionHeader)),
    (Add("sec-websocket-version", "13"), Err(VersionHeader), Err(VersionHeader)),
    (Add("sec-websocket-protocol", "a, b"), Ok(()), Ok(())),
    (Add("sec-websocket-protocol", "a, a"), Err(Subprotocol), Err(Subprotocol)),
    (Add("sec-websocket-protocol", ""), Err(Subprotocol), Err(Subprotocol)),
    (Add("sec-websocket-extensions", "a; b=\"c\""), Ok(()), Ok(())),
    (Add("sec-websocket-extensions", "a;;b"), Err(Extensions), Err(Extensions)),
    (Add("x-other", "anything"), Ok(()), Ok(())),
];

/// H-04, H-05, H-08, H-09, H-16: each way gives the result in the table.
#[test]
fn one_table_of_rules() {
    for &(change, http1, connect) in CASES {
        let one = Message::http1().with(change);
        assert_eq!(one.built_in(), http1, "built in: {change:?}");
        let result = HttpServerHandshake::upgrade(&one.parsed(), &Config::new()).map(drop);
        assert_eq!(result, http1, "upgrade: {change:?}");
        let two = Message::connect().with(change);
        let result = HttpServerHandshake::connect(&two.parsed(), two.protocol, &Config::new()).map(drop);
        assert_eq!(result, connect, "connect: {change:?}");
    }
}

/// S-02, S-03: a request that asks for no upgrade is not for this crate. If nobody else answers it, it gets the answer
/// of the built-in handshake.
#[test]
fn plain_requests_come_to_the_same() {
    for (method, version, target, error) in [
        ("GET", "1.1", "/", NoUpgrade),
        ("HEAD", "1.1", "/", Method),
        ("HEAD", "1.0", "/", HttpVersion),
        ("HEAD", "1.0", "*", Method),
        ("POST", "1.1", "http://h/", Method),
        ("OPTIONS", "1.1", "*", Method),
        ("OPTIONS", "1.1", "/", Method),
        ("GET", "1.0", "/", HttpVersion),
        ("OPTIONS", "1.0", "*", HttpVersion),
        ("CONNECT", "1.1", "h:80", Method),
        ("GET", "1.1", "*", Target),
    ] {
        let request = Message { method, target, version, ..Message::http1() }.with(Remove("upgrade"));
        assert_eq!(request.built_in(), Err(error), "{method} {version} {target}");
        let parsed = request.parsed();
        assert_eq!(HttpServerHandshake::upgrade(&parsed, &Config::new()).err(), Some(error), "{parsed:?}");
    }
    // HTTP/1.0 needs no Host, but has no upgrade either.
    let request = Message { version: "1.0", ..Message::http1() }.with(Remove("upgrade")).with(Remove("host"));
    assert_eq!(request.built_in(), Err(HttpVersion));
}

/// H-05: a target that no text parses to, but that an HTTP/2 library could make from pseudo-headers.
#[test]
fn targets_that_are_made_of_parts() {
    let uri = |scheme: &str, authority: &str, path: &str| {
        Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().unwrap()
    };
    let results = |uri: Uri| {
        let (mut one, mut two) = (Message::http1().parsed(), Message::connect().parsed());
        *one.uri_mut() = uri.clone();
        *two.uri_mut() = uri;
        [
            HttpServerHandshake::upgrade(&one, &Config::new()).map(drop),
            HttpServerHandshake::connect(&two, "websocket", &Config::new()).map(drop),
        ]
    };
    assert_eq!(results(uri("https", "localhost", "/a")), [Ok(()); 2]);
    assert_eq!(results(uri("https", "localhost", "")), [Ok(()); 2]);
    assert_eq!(results(uri("https", "localhost", "*")), [Err(Target); 2]);
    assert_eq!(results(Uri::from_static("*")), [Err(Target); 2]);
}

/// A request, before it becomes text or a value of the `http` crate.
#[derive(Clone)]
struct Message {
    method: &'static str,
    target: &'static str,
    version: &'static str,
    protocol: &'static str,
    headers: Vec<(&'static str, &'static str)>,
}

impl Message {
    fn http1() -> Self {
        let headers = vec![
            ("host", "localhost"),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-key", KEY),
            ("sec-websocket-version", "13"),
        ];
        Self { method: "GET", target: "/", version: "1.1", protocol: "websocket", headers }
    }

    fn connect() -> Self {
        let headers = vec![("sec-websocket-version", "13")];
        Self { method: "CONNECT", target: "https://localhost/chat", version: "2.0", protocol: "websocket", headers }
    }

    fn with(mut self, change: Change) -> Self {
        match change {
            Nothing => {}
            Change::Method(method) => self.method = method,
            Change::Version(version) => self.version = version,
            Change::Target(target) => self.target = target,
            Change::Protocol(protocol) => self.protocol = protocol,
            Add(name, value) => self.headers.push((name, value)),
            Remove(name) => self.headers.retain(|(this, _)| *this != name),
            Set(name, value) => {
                self.headers.retain(|(this, _)| *this != name);
                self.headers.push((name, value));
            }
        }
        self
    }

    /// The result of the built-in handshake for this text.
    fn built_in(&self) -> Outcome {
        let lines = self.headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect::<String>();
        let head = format!("{} {} HTTP/{}\r\n{lines}\r\n", self.method, self.target, self.version);
        let mut events = feed(&mut Connection::server(Config::new()), head.as_bytes());
        events.retain(|event| !matches!(event, Event::HttpRequest(_)));
        match &events[..] {
            [Event::Request(_)] => Ok(()),
            [Event::Closed(closed)] => match closed.cause {
                Cause::Handshake(error) => Err(error),
                cause => panic!("{cause:?}"),
            },
            events => panic!("{events:?}"),
        }
    }

    /// The request as an HTTP library has parsed it.
    fn parsed(&self) -> Request<()> {
        let version = match self.version {
            "1.0" => Version::HTTP_10,
            "1.1" => Version::HTTP_11,
            "2.0" => Version::HTTP_2,
            _ => Version::HTTP_3,
        };
        let request = Request::builder().method(self.method).uri(self.target).version(version);
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap()
    }
}
