//! `Debug` of public types: it shows what you want to see in a log, and no secret.

#[cfg(feature = "deflate")]
#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/mod.rs"]
mod support;

use std::fmt::Debug;

use support::{KEY, client, request, request_with, server};
use websocket_proto::{Config, Connection, Event, Scratch, Seed, client, server};

/// Secrets that grant access, as the tests below send and receive them.
const SECRETS: [&str; 4] = ["Basic c2VjcmV0", "id=secret", "secret-proxy", KEY];

#[track_caller]
fn shows(value: impl Debug, expected: &str) {
    let debug = format!("{value:?}");
    assert_eq!(debug, expected);
    assert_no_secret(&debug);
    assert_no_secret(&format!("{value:#?}"));
}

/// Neither as text nor as a list of bytes.
#[track_caller]
fn assert_no_secret(debug: &str) {
    for secret in SECRETS {
        assert!(!debug.contains(secret), "{secret} in {debug}");
        let bytes = format!("{:?}", secret.as_bytes());
        assert!(!debug.contains(bytes.trim_matches(['[', ']'])), "{secret} as bytes in {debug}");
    }
}

#[test]
fn a_uri_is_shown_as_its_text() {
    let uri: client::Uri = "wss://example.com:444/chat?room=1".parse().unwrap();
    shows(uri, "wss://example.com:444/chat?room=1");
}

#[test]
fn requests_and_responses_to_be_sent_are_shown_without_secrets() {
    let request = client::Request::new("ws://example.com/".parse().unwrap())
        .subprotocol("chat")
        .header("authorization", "Basic c2VjcmV0")
        .header("X-Room", "7")
        .header("Cookie", "id=secret")
        .header("Proxy-Authorization", "secret-proxy");
    shows(
        request,
        "Request { uri: ws://example.com/, subprotocols: [\"chat\"], headers: {\"authorization\": .., \"X-Room\": \"7\", \
         \"Cookie\": .., \"Proxy-Authorization\": ..}, origin: {} }",
    );
    let response = server::Response::new().subprotocol("chat").header("Set-Cookie", "id=secret");
    shows(response, "Response { subprotocol: Some(\"chat\"), headers: {\"Set-Cookie\": ..} }");
    let rejection = server::Rejection::new(401).header("WWW-Authenticate", "Basic").body("who are you?");
    shows(rejection, "Rejection { status: 401, headers: {\"WWW-Authenticate\": \"Basic\"}, body: b\"who are you?\" }");
    // The header that can't be sent is named.
    let broken = server::Rejection::new(401).header("Authorization", "Basic c2VjcmV0\n");
    shows(broken, "Rejection { status: 401, headers: Err(Value(\"Authorization\")), body: b\"\" }");
}

#[test]
fn a_received_request_is_shown_without_secrets() {
    let mut bytes = request_with(
        "Cookie: id=secret\r\nAUTHORIZATION: Basic c2VjcmV0\r\nProxy-Authorization: secret-proxy\r\nOrigin: null\r\n",
    );
    let mut conn = Connection::server(Config::new());
    let event = conn.receive(&mut &mut bytes[..]).unwrap();
    assert_no_secret(&format!("{event:?} {event:#?}"));
    let debug = format!("{event:?}");
    for shown in
        ["Request(Request { resource: \"/\"", "\"Origin\": \"null\"", "\"Cookie\": ..", "\"AUTHORIZATION\": .."]
    {
        assert!(debug.contains(shown), "{shown} in {debug}");
    }
}

#[test]
fn a_received_response_is_shown_with_its_body() {
    let request = client::Request::new("ws://example.com/".parse().unwrap());
    let mut conn = Connection::client(request, Config::new(), Seed::new([1; 32])).unwrap();
    let mut bytes =
        *b"HTTP/1.1 403 Forbidden\r\nSet-Cookie: id=secret\r\nX-Why: you\r\nContent-Length: 4\r\n\r\nno\xff\n";
    let Some(Event::Rejected(response)) = conn.receive(&mut &mut bytes[..]) else { panic!() };
    shows(
        response,
        "Response { status: 403, reason: \"Forbidden\", headers: {\"Set-Cookie\": .., \"X-Why\": \"you\", \
         \"Content-Length\": \"4\"}, body: b\"no\\xff\\n\" }",
    );
}

/// Whatever a connection holds, it shows only its state.
#[test]
fn a_connection_shows_its_state_and_none_of_its_bytes() {
    let request_to_send = client::Request::new("ws://example.com/".parse().unwrap())
        .header("Authorization", "Basic c2VjcmV0")
        .header("Cookie", "id=secret");
    let conn = Connection::client(request_to_send, Config::new(), Seed::new([1; 32])).unwrap();
    let debug = format!("{conn:?}");
    let remaining = debug.split("remaining: ").nth(1).unwrap().split(',').next().unwrap();
    assert!(remaining.parse::<usize>().unwrap() > 150, "{debug}");
    shows(
        &conn,
        &format!(
            "Connection {{ role: Client, state: Connecting, subprotocol: None, output: Output {{ remaining: {remaining}, .. \
             }}, next_timeout: Some(0ns), .. }}"
        ),
    );

    // A server that has received a part of a request, and one whose request waits, with data after it.
    let secret_lines = "Cookie: id=secret\r\nAuthorization: Basic c2VjcmV0\r\n";
    let mut whole = [request_with(secret_lines), b"id=secret".to_vec()].concat();
    for cut in [whole.len() - 15, whole.len()] {
        let mut conn = Connection::server(Config::new());
        let mut input = &mut whole[..cut];
        while conn.receive(&mut input).is_some() {}
        shows(
            &conn,
            "Connection { role: Server, state: Connecting, subprotocol: None, output: Output { remaining: 0, .. }, \
             next_timeout: Some(0ns), .. }",
        );
    }

    let mut conn = server();
    conn.send_text("id=secret").unwrap();
    conn.attach_scratch(Scratch::new());
    shows(
        &conn,
        "Connection { role: Server, state: Open, subprotocol: None, output: Output { remaining: 11, .. }, next_timeout: \
         None, .. }",
    );
    shows(conn.output(), "Output { remaining: 11, .. }");
    assert_no_secret(&format!("{:?}", client()));
    shows(Scratch::new(), "Scratch(None)");
    shows(Seed::new(*b"Basic c2VjcmV0 id=secret 1234567"), "Seed(..)");
}

/// Nor does a scratch show what passed through its buffers.
#[test]
fn a_used_scratch_shows_none_of_its_bytes() {
    let mut conn = server();
    conn.attach_scratch(Scratch::new());
    conn.send(bytes::Bytes::from(b"id=secret ".repeat(1_000))).unwrap();
    conn.recycle(b"id=secret".to_vec());
    let debug = format!("{:?}", conn.detach_scratch().unwrap());
    assert!(debug.contains("BufferPool { buffers: 1, "), "{debug}");
    assert_no_secret(&debug);
}

#[cfg(feature = "deflate")]
#[test]
fn a_scratch_used_by_compression_shows_none_of_its_bytes() {
    use websocket_proto::Role;

    let settings = deflate::without_takeover();
    let mut server = deflate::endpoint(Role::Server, Config::new(), &settings);
    let mut client = deflate::endpoint(Role::Client, Config::new(), &settings);
    let mut scratch = Scratch::new();
    for _ in 0..2 {
        client.send_text(&"id=secret".repeat(100)).unwrap();
        let wire = support::drain(&mut client);
        // The first part of the message stays in the receiver.
        for part in [&wire[..wire.len() / 2], &wire[wire.len() / 2..]] {
            server.attach_scratch(scratch);
            for event in support::feed(&mut server, part) {
                assert_eq!(event, Event::Text("id=secret".repeat(100).into()));
                server.send_text("id=secret").unwrap();
                support::drain(&mut server);
            }
            scratch = server.detach_scratch().unwrap();
            assert_no_secret(&format!("{scratch:?}"));
        }
    }
    let debug = format!("{scratch:?}");
    assert!(debug.contains("Inflater(..)") && debug.contains("Stream(StreamConfig { "), "{debug}");
}

#[cfg(feature = "http")]
#[test]
fn handshakes_done_elsewhere_are_shown_without_the_key() {
    use websocket_proto::{HttpClientHandshake, HttpServerHandshake};

    let request = http::Request::get("/")
        .header("host", "localhost")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "a, b")
        .header("sec-websocket-key", KEY)
        .body(())
        .unwrap();
    let offer = HttpServerHandshake::upgrade(&request, &Config::new()).unwrap();
    shows(offer, "HttpServerHandshake { version: HTTP/1.1, subprotocols: [\"a\", \"b\"], extensions: None }");
    let request = http::Request::connect("https://localhost/")
        .version(http::Version::HTTP_2)
        .header("sec-websocket-version", "13")
        .body(())
        .unwrap();
    let offer = HttpServerHandshake::connect(&request, "websocket", &Config::new()).unwrap();
    shows(offer, "HttpServerHandshake { version: HTTP/2.0, subprotocols: [], extensions: None }");
    let request = client::Request::new("ws://example.com/".parse().unwrap()).subprotocol("a");
    let (_, client) = HttpClientHandshake::upgrade(request, &Config::new(), Seed::new([1; 32])).unwrap();
    shows(client, "HttpClientHandshake { subprotocols: [\"a\"], extensions: None, .. }");
}

/// The table of secrets is written out here, in any case; `request()` has a key.
#[test]
fn the_key_of_a_request_is_a_secret() {
    let mut bytes = request();
    let mut conn = Connection::server(Config::new());
    let Some(Event::Request(request)) = conn.receive(&mut &mut bytes[..]) else { panic!() };
    assert_eq!(request.header("sec-websocket-key"), Some(KEY));
    assert!(format!("{request:?}").contains("\"Sec-WebSocket-Key\": .."), "{request:?}");
}
