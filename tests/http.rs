//! Handshakes of HTTP libraries, with the types of the `http` crate: RFC 6455 over HTTP/1.1, RFC 8441 over HTTP/2, RFC
//! 9220 over HTTP/3.
#![cfg(feature = "http")]

#[path = "support/mod.rs"]
mod support;

use http::{Method, Request, Response as HttpResponse, StatusCode, Version};
use support::{ACCEPT, KEY, feed, frame, sent};
use websocket_proto::{
    AcceptError, Cause, Config, Connection, Event, HandshakeError, HeaderError, HttpClientHandshake,
    HttpServerHandshake, RequestError, Role, Seed, TransportShutdown, client, server,
};

/// The answer over HTTP/1.1 has the headers of the built-in one, and further headers in order.
#[test]
fn accepting_over_http_1() {
    let offer = HttpServerHandshake::upgrade(&upgrade_request("a, b"), &Config::new()).unwrap();
    assert_eq!(offer.subprotocols().collect::<Vec<_>>(), ["a", "b"]);
    let choice = server::Response::new()
        .subprotocol(offer.select_subprotocol(&["b", "a"]))
        .header("Set-Cookie", "x=1")
        .header("set-cookie", "y");
    let (response, negotiated) = offer.accept(choice).unwrap();
    assert_eq!((response.status(), response.version()), (StatusCode::SWITCHING_PROTOCOLS, Version::HTTP_11));
    let header = |name| response.headers().get_all(name).iter().map(|v| v.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(header("sec-websocket-accept"), [ACCEPT]);
    assert_eq!(header("upgrade"), ["websocket"]);
    assert_eq!(header("connection"), ["Upgrade"]);
    assert_eq!(header("sec-websocket-protocol"), ["b"]);
    assert_eq!(header("set-cookie"), ["x=1", "y"]);
    assert_eq!(Connection::upgraded_server(negotiated, Config::new()).subprotocol(), Some("b"));

    let refused = offer.accept(server::Response::new().subprotocol("c")).err();
    assert_eq!(refused, Some(AcceptError::SubprotocolNotOffered("c".into())));
    let reserved = server::Response::new().header("Upgrade", "h2c");
    assert_eq!(offer.accept(reserved).err(), Some(AcceptError::Header(HeaderError::Reserved("Upgrade".into()))));
    assert!(offer.accept(server::Response::new()).unwrap().0.headers().get("sec-websocket-protocol").is_none());
}

/// A request asks for WebSocket by its header `Upgrade` alone: everything else is checked afterwards.
#[test]
fn a_request_for_websocket_is_recognised() {
    assert!(HttpServerHandshake::is_requested(&upgrade_request("a")));
    for (value, expected) in [("websocket", true), ("h2c, WebSocket", true), ("h2c", false), ("websockets", false)] {
        assert_eq!(HttpServerHandshake::is_requested(&request(&[("upgrade", value)])), expected, "{value}");
    }
    assert!(!HttpServerHandshake::is_requested(&request(&[("connection", "upgrade")])));
}

/// H-12, H-18: rejections are ordinary responses; the status for another protocol is 501.
#[test]
fn rejecting_with_an_ordinary_response() {
    let response = server::Rejection::from(HandshakeError::UnsupportedVersion).into_http().unwrap();
    // RFC 9110 15.5.22.
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["connection"], "Upgrade");
    assert_eq!(
        (response.status(), &response.headers()["sec-websocket-version"]),
        (StatusCode::UPGRADE_REQUIRED, &"13".parse().unwrap())
    );
    // A version of your own is not repeated.
    let versions = server::Rejection::new(426).header("sec-websocket-version", "13, 8").into_http().unwrap();
    assert_eq!(versions.headers().get_all("sec-websocket-version").iter().collect::<Vec<_>>(), ["13, 8"]);
    let response = server::Rejection::new(404).header("X-Why", "gone").body("no").into_http().unwrap();
    assert_eq!(
        (response.status(), &response.headers()["x-why"], &response.body()[..]),
        (StatusCode::NOT_FOUND, &"gone".parse().unwrap(), &b"no"[..])
    );
    assert!(server::Rejection::new(404).header("a b", "").into_http().is_err());
    for status in [100, 101, 199, 600, 999] {
        assert_eq!(server::Rejection::new(status).into_http().err(), Some(AcceptError::Status(status)));
    }
    assert_eq!(server::Rejection::new(304).body("x").into_http().err(), Some(AcceptError::Body(304)));

    let other = HttpServerHandshake::connect(&connect(&[]), "connect-udp", &Config::new()).unwrap_err();
    assert_eq!((other, other.status()), (HandshakeError::Protocol, 501));
}

/// H-04, H-05, H-06, H-08, H-09, H-10, H-11: an extended CONNECT is checked by the rules that apply to it, and accepted
/// with 200.
#[test]
fn accepting_over_http_2_and_3() {
    for version in [Version::HTTP_2, Version::HTTP_3] {
        let mut request =
            connect(&[("sec-websocket-protocol", "chat"), ("sec-websocket-key", "ignored"), ("origin", "null")]);
        *request.version_mut() = version;
        let offer = HttpServerHandshake::connect(&request, "websocket", &Config::new()).unwrap();
        let (response, negotiated) = offer.accept(server::Response::new().subprotocol("chat")).unwrap();
        assert_eq!((response.status(), response.version()), (StatusCode::OK, version));
        let names: Vec<_> = response.headers().keys().map(http::HeaderName::as_str).collect();
        assert_eq!(names, ["sec-websocket-protocol"], "no upgrade, no accept");
        assert_eq!(Connection::upgraded_server(negotiated, Config::new()).subprotocol(), Some("chat"));
    }
}

/// H-04, H-05, H-07, H-08, H-09: a client's request has the scheme, the authority and the path, and neither an upgrade
/// nor a key.
#[test]
fn connecting_over_http_2() {
    for (uri, expected) in
        [("ws://h/a?b", "http://h/a?b"), ("wss://h:8443", "https://h:8443/"), ("wss://[::1]", "https://[::1]/")]
    {
        let request =
            client::Request::new(uri.parse().unwrap()).subprotocol("chat").origin("null").header("Cookie", "a=1");
        let (request, _) = HttpClientHandshake::connect(request, &Config::new()).unwrap();
        assert_eq!((request.method(), request.uri().to_string()), (&Method::CONNECT, expected.to_owned()));
        assert_eq!(request.version(), http::Version::HTTP_2);
        let mut names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["cookie", "origin", "sec-websocket-protocol", "sec-websocket-version"]);
    }
}

/// The user information of a URI is neither in the URI nor in the authority, but in a header that is not shown.
#[test]
fn user_information_over_http() {
    let request = || client::Request::new("wss://user:secret@h/".parse().unwrap());
    let upgrade = HttpClientHandshake::upgrade(request(), &Config::new(), Seed::new([1; 32])).unwrap().0;
    let connect = HttpClientHandshake::connect(request(), &Config::new()).unwrap().0;
    assert_eq!(connect.uri(), "https://h/");
    for sent in [upgrade, connect] {
        assert_eq!(sent.headers()["authorization"], "Basic dXNlcjpzZWNyZXQ=");
        assert!(!format!("{sent:?}").contains("dXNlcjpzZWNyZXQ"), "{sent:?}");
    }
    let own = HttpClientHandshake::connect(request().header("Authorization", "Bearer t"), &Config::new()).unwrap().0;
    assert_eq!(own.headers().get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer t"]);
}

/// H-11, H-12: any status from 200 to 299 opens the connection, no other does; the chosen subprotocol must have been
/// offered.
#[test]
fn responses_over_http_2() {
    let client = || {
        HttpClientHandshake::connect(client::Request::new("wss://h/".parse().unwrap()).subprotocol("a"), &Config::new())
            .unwrap()
            .1
    };
    let response = |status: u16| HttpResponse::builder().status(status).body(()).unwrap();
    for (status, opens) in
        [(200, true), (204, true), (299, true), (101, false), (301, false), (403, false), (500, false)]
    {
        let result = client().check(&response(status)).map(|_| ());
        assert_eq!(result, if opens { Ok(()) } else { Err(HandshakeError::Status(status)) }, "{status}");
    }
    let chosen = |value: &str| HttpResponse::builder().header("sec-websocket-protocol", value).body(()).unwrap();
    assert!(client().check(&chosen("a")).is_ok());
    assert_eq!(client().check(&chosen("b")).err(), Some(HandshakeError::SubprotocolNotOffered));
    let extension = HttpResponse::builder().header("sec-websocket-extensions", "x").body(()).unwrap();
    assert_eq!(client().check(&extension).err(), Some(HandshakeError::ExtensionNotOffered));
}

/// A client over HTTP/1.1 sends the same request as the built-in one, and makes the same checks.
#[test]
fn a_client_over_http_1() {
    let uri = "ws://h:81/a?b".parse().unwrap();
    let (request, client) =
        HttpClientHandshake::upgrade(client::Request::new(uri).subprotocol("a"), &Config::new(), Seed::new([1; 32]))
            .unwrap();
    assert_eq!((request.uri().to_string(), &request.headers()["host"]), ("/a?b".to_owned(), &"h:81".parse().unwrap()));
    let offer = HttpServerHandshake::upgrade(&request, &Config::new()).unwrap();
    let (response, _) = offer.accept(server::Response::new().subprotocol("a")).unwrap();
    assert!(client.check(&response).is_ok());

    let changed = |change: fn(&mut HttpResponse<()>)| {
        let mut response = response.clone();
        change(&mut response);
        client.check(&response).err()
    };
    assert_eq!(changed(|r| *r.status_mut() = StatusCode::OK), Some(HandshakeError::Status(200)));
    // RFC 9110 section 7.8: HTTP/1.0 has no upgrades.
    assert_eq!(changed(|r| *r.version_mut() = Version::HTTP_10), Some(HandshakeError::HttpVersion));
    assert_eq!(changed(|r| drop(r.headers_mut().remove("upgrade"))), Some(HandshakeError::Upgrade));
    assert_eq!(changed(|r| drop(r.headers_mut().remove("connection"))), Some(HandshakeError::Connection));
    assert_eq!(changed(|r| drop(r.headers_mut().remove("sec-websocket-accept"))), Some(HandshakeError::Accept));
    assert_eq!(
        changed(|r| drop(r.headers_mut().insert("sec-websocket-protocol", "b".parse().unwrap()))),
        Some(HandshakeError::SubprotocolNotOffered)
    );

    let twice = client::Request::new("ws://h/".parse().unwrap()).subprotocol("a").subprotocol("a");
    let refused = HttpClientHandshake::connect(twice, &Config::new()).err();
    assert_eq!(refused, Some(RequestError::DuplicateSubprotocol("a".into())));
    let reserved = client::Request::new("ws://h/".parse().unwrap()).header("Host", "b");
    assert_eq!(
        HttpClientHandshake::upgrade(reserved, &Config::new(), Seed::new([1; 32])).err(),
        Some(RequestError::Header(HeaderError::Reserved("Host".into())))
    );
}

/// H-13, H-14, H-15, H-17, H-19: after the handshake everything is as over TCP: a client masks, the end of the stream
/// is the end of the transport, an abort is an abort.
#[test]
fn frames_over_a_stream() {
    let offer = HttpServerHandshake::connect(&connect(&[]), "websocket", &Config::new()).unwrap();
    let (response, negotiated) = offer.accept(server::Response::new()).unwrap();
    let client =
        HttpClientHandshake::connect(client::Request::new("wss://h/".parse().unwrap()), &Config::new()).unwrap().1;
    let agreed = client.check(&response).unwrap();
    let mut server = Connection::upgraded_server(negotiated, Config::new());
    let mut client = Connection::upgraded_client(agreed, Config::new(), Seed::new([3; 32]));

    client.send_text("你好").unwrap();
    let wire = support::drain(&mut client);
    assert!(matches!(&feed(&mut server, &wire)[..], [Event::Text(text)] if text == "你好"));
    server.send_text("hi").unwrap();
    assert_eq!(sent(&mut server)[0].key, None);
    assert!(matches!(&feed(&mut client, b"\x81\x85\0\0\0\0hello")[..], [Event::Closed(_)]), "a server doesn't mask");

    server.receive_eof();
    assert!(matches!(&support::pending_events(&mut server)[..], [Event::Closed(closed)] if closed.cause == Cause::Eof));
    assert_eq!(server.wants_shutdown(), Some(TransportShutdown::Graceful));
    let mut reset = support::server();
    feed(&mut reset, &frame(Role::Client, 0x01, b"half"));
    reset.abort();
    assert_eq!(reset.wants_shutdown(), Some(TransportShutdown::Abort));
}

fn request(headers: &[(&'static str, &'static str)]) -> Request<()> {
    headers.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}

fn upgrade_request(subprotocols: &'static str) -> Request<()> {
    request(&[
        ("host", "localhost"),
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-key", KEY),
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", subprotocols),
    ])
}

/// An extended CONNECT as an HTTP/2 library has parsed it.
fn connect(headers: &[(&'static str, &'static str)]) -> Request<()> {
    let request =
        Request::connect("https://example.com/chat").version(Version::HTTP_2).header("sec-websocket-version", "13");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(()).unwrap()
}
