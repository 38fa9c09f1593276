//! The opening handshake, over pipes: what is accepted, and what the others are told.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::sleep;
use websocket_proto::{Cause, CloseCode, Config, HandshakeError, ProtocolError, RequestError, server};
use websocket_proto_tokio::{
    AcceptError, Acceptor, ConnectError, Connector, Error, Message, WebSocket, accept, default_config,
};

use crate::support::Result;

const URI: &str = "ws://example.com/chat?room=1";

type Connecting = tokio::task::JoinHandle<std::result::Result<WebSocket<DuplexStream>, ConnectError>>;

fn connect(transport: DuplexStream) -> Connecting {
    connect_by(Connector::new().subprotocol("chat").header("Cookie", "id=7"), transport)
}

fn connect_by(connector: Connector, transport: DuplexStream) -> Connecting {
    tokio::spawn(async move { connector.handshake(URI, transport).await })
}

#[tokio::test]
async fn a_request_is_answered() -> Result {
    // Also where the pipe takes a byte at a time.
    for pipe in [1, 10_000] {
        let (one, other) = duplex(pipe);
        let connected = connect(other);
        let mut path = String::new();
        let answer = |request: &server::Request| {
            request.path().clone_into(&mut path);
            assert_eq!(request.header("Cookie"), Some("id=7"));
            Ok(server::Response::new().subprotocol(request.select_subprotocol(&["chat"])).header("X-Node", "3"))
        };
        let mut server = Acceptor::new().accept_with(one, answer).await.unwrap();
        assert_eq!(path, "/chat");
        let mut client = connected.await.unwrap().unwrap();
        assert_eq!((server.subprotocol(), client.subprotocol()), (Some("chat"), Some("chat")));
        assert_eq!(client.take_response().unwrap().header("x-node"), Some("3"));
        assert!(client.take_response().is_none() && server.take_response().is_none());
        server.send("hello").await?;
        tokio::select! {
            received = client.recv() => assert_eq!(received?, Some(Message::from("hello"))),
            received = server.recv() => panic!("{received:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_rejection_says_why() {
    let (one, other) = duplex(1000);
    let connected = connect(other);
    let answer =
        |_: &server::Request| Err(server::Rejection::new(401).header("WWW-Authenticate", "Basic").body("who are you?"));
    let accepted = Acceptor::new().accept_with(one, answer).await;
    assert!(matches!(accepted, Err(AcceptError::Rejected(401))));
    let error = connected.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "the server answered with status 401 Unauthorized");
    let ConnectError::Rejected(response) = error else { panic!() };
    assert_eq!((response.status(), response.header("www-authenticate")), (401, Some("Basic")));
    assert_eq!(response.body(), b"who are you?");
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_its_time() -> Result {
    let (one, other) = duplex(1000);
    let patient = Connector::new().timeout(None).configure(|config| config.handshake_timeout(None));
    let connected = connect_by(patient, other);
    let incoming = Acceptor::new().subprotocols(["chat"]).read_request(one).await.unwrap();
    // Longer than a client has for its request.
    sleep(Duration::from_secs(15)).await;
    assert_eq!(incoming.request().query(), Some("room=1"));
    let mut server = incoming.accept(server::Response::new()).await.unwrap();
    server.send("come in").await?;
    assert_eq!(connected.await.unwrap().unwrap().recv().await?, Some(Message::from("come in")));

    let (one, other) = duplex(1000);
    let connected = connect(other);
    let incoming = Acceptor::new().read_request(one).await.unwrap();
    tokio::task::yield_now().await;
    incoming.reject(server::Rejection::new(503).header("Retry-After", "7")).await.unwrap();
    let Err(ConnectError::Rejected(response)) = connected.await.unwrap() else { panic!() };
    assert_eq!((response.status(), response.header("Retry-After")), (503, Some("7")));
    Ok(())
}

#[tokio::test]
async fn what_a_client_says_before_the_answer_is_kept() -> Result {
    let (one, mut other) = duplex(1000);
    other
        .write_all(
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x82\0\0\0\0hi",
        )
        .await
        .unwrap();
    let mut server = accept(one).await.unwrap();
    assert_eq!(server.recv().await?, Some(Message::from("hi")));
    Ok(())
}

#[tokio::test]
async fn the_first_supported_subprotocol_is_selected() {
    for (offered, supported, selected) in [
        (&["a", "b"][..], &["b", "a"][..], Some("b")),
        (&["a", "b"], &["c", "a"], Some("a")),
        (&["a"], &["c"], None),
        (&[], &["c"], None),
        (&["a"], &[], None),
    ] {
        let (one, other) = duplex(1000);
        let connector = offered.iter().fold(Connector::new(), |connector, offer| connector.subprotocol(*offer));
        let connected = connect_by(connector, other);
        let server = Acceptor::new().subprotocols(supported.iter().copied()).accept(one).await.unwrap();
        assert_eq!(server.subprotocol(), selected);
        assert_eq!(connected.await.unwrap().unwrap().subprotocol(), selected);
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_rejected() {
    for (origin, is_allowed) in [
        (Some("https://example.com"), true),
        (Some("HTTPS://EXAMPLE.COM"), true),
        (Some("https://example.com.evil.com"), false),
        (Some("http://example.com"), false),
        (Some("null"), false),
        (None, true),
    ] {
        let (one, other) = duplex(1000);
        let connector = Connector::new();
        let connected = connect_by(origin.map_or(connector.clone(), |origin| connector.origin(origin)), other);
        let accepted = Acceptor::new().origins(["https://example.org", "https://example.com"]).accept(one).await;
        match (is_allowed, accepted, connected.await.unwrap()) {
            (true, Ok(_), Ok(_)) => {}
            (false, Err(AcceptError::Rejected(403)), Err(ConnectError::Rejected(response))) => {
                assert_eq!(response.status(), 403);
            }
            (_, accepted, connected) => panic!("{origin:?}: {accepted:?}, {connected:?}"),
        }
    }
}

/// What is not one origin in text is not one that is allowed.
#[tokio::test]
async fn a_malformed_origin_is_rejected() {
    for origin in [
        &b"Origin: https://example.com\r\nOrigin: https://example.com"[..],
        b"Origin: https://evil\xe9.example",
        b"Origin: https://example.com, https://example.com",
        b"Origin:",
    ] {
        let (one, mut other) = duplex(1000);
        let accepted = tokio::spawn(async { Acceptor::new().origins(["https://example.com"]).accept(one).await });
        let head =
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        other.write_all(&[head, origin, b"\r\n\r\n"].concat()).await.unwrap();
        other.shutdown().await.unwrap();
        let mut answer = Vec::new();
        other.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 403 "), "{:?}", String::from_utf8_lossy(origin));
        assert!(matches!(accepted.await.unwrap(), Err(AcceptError::Rejected(403))));
    }
}

#[tokio::test]
async fn an_answer_or_a_request_that_can_not_be_sent_is_the_callers_mistake() {
    let (one, other) = duplex(1000);
    let _connected = connect(other);
    let accepted = Acceptor::new().accept_with(one, |_| Ok(server::Response::new().header("a b", ""))).await;
    assert!(matches!(accepted, Err(AcceptError::Answer(_))));
    for connector in [
        Connector::new().header("Host", "b"),
        Connector::new().header("a", "b\r\nc: d"),
        Connector::new().subprotocol("a b"),
    ] {
        let connected = connector.handshake(URI, duplex(1000).0).await;
        assert!(matches!(
            connected,
            Err(ConnectError::Request(RequestError::Header(_) | RequestError::Subprotocol(_)))
        ));
    }
    for uri in ["ftp://a/", "ws://", "ws://a/#b", "a"] {
        assert!(matches!(Connector::new().connect(uri).await, Err(ConnectError::Uri(_))), "{uri}");
    }
}

/// A client that is no browser, and what it is told.
async fn fetch(acceptor: Acceptor, request: &[u8]) -> (AcceptError, String) {
    let (one, mut other) = duplex(10_000);
    other.write_all(request).await.unwrap();
    let read = async {
        let mut answer = String::new();
        other.read_to_string(&mut answer).await.unwrap();
        drop(other);
        answer
    };
    match tokio::join!(acceptor.accept(one), read) {
        (Err(error), answer) => (error, answer),
        (served, _) => panic!("{served:?}"),
    }
}

#[tokio::test]
async fn plain_requests_get_a_page_or_are_told_to_upgrade() {
    let acceptor =
        Acceptor::new().http(|request| (request.path() == "/").then(|| server::Rejection::new(200).body("a page")));
    let (error, answer) = fetch(acceptor.clone(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(matches!(error, AcceptError::Http(200)), "{error:?}");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\na page"), "{answer}");

    let (error, answer) = fetch(acceptor.clone(), b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(matches!(error, AcceptError::Handshake(HandshakeError::NoUpgrade)), "{error:?}");
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");

    let (error, answer) = fetch(acceptor, b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(matches!(error, AcceptError::Handshake(HandshakeError::Method)), "{error:?}");
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");

    let (error, answer) = fetch(Acceptor::new(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(matches!(error, AcceptError::Handshake(HandshakeError::NoUpgrade)), "{error:?}");
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_named() {
    for (answer, expected) in [
        (
            &b"SSH-2.0-OpenSSH_9.9\r\n\r\n"[..],
            &*format!("the server's response is not a valid opening handshake: {}", HandshakeError::Head),
        ),
        (b"", "the connection failed during the opening handshake: unexpected end of file"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgr",
            "the connection failed during the opening handshake: unexpected end of file",
        ),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\npart", "the server answered with status 404 Not Found"),
    ] {
        let (one, mut other) = duplex(1000);
        let connected = connect(one);
        other.write_all(answer).await.unwrap();
        other.shutdown().await.unwrap();
        assert_eq!(connected.await.unwrap().unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn a_client_that_leaves_before_its_request_is_an_end_of_the_stream() {
    for request in [&b""[..], b"GET / HT"] {
        let (one, mut other) = duplex(1000);
        other.write_all(request).await.unwrap();
        drop(other);
        let Err(AcceptError::Io(error)) = accept(one).await else { panic!() };
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn a_configuration_holds_on_either_side() {
    for limited_server in [true, false] {
        let limit = |config: Config| config.max_message_size(10);
        let (acceptor, connector) = if limited_server {
            (Acceptor::new().configure(limit), Connector::new())
        } else {
            (Acceptor::new(), Connector::new().config(limit(default_config())))
        };
        let (one, other) = duplex(1000);
        let connected = connect_by(connector, other);
        let (server, client) = (acceptor.accept(one).await.unwrap(), connected.await.unwrap().unwrap());
        let (mut limited, mut sends) = if limited_server { (server, client) } else { (client, server) };
        sends.send("more than ten bytes").await.unwrap();
        let sender = tokio::spawn(async move { sends.recv().await.map(|_| sends.closed().unwrap().code) });
        let Err(Error::Closed(closed)) = limited.recv().await else { panic!() };
        assert_eq!(closed.cause, Cause::Protocol(ProtocolError::MessageTooLarge));
        assert_eq!(sender.await.unwrap().unwrap(), CloseCode::TOO_LARGE);
    }
}

#[tokio::test]
async fn a_request_says_what_it_was_asked_to() {
    let (one, other) = duplex(1000);
    let connector =
        Connector::new().header("Cookie", "id=7").header("X-Id", "8").origin("https://a").subprotocol("chat");
    let _connected = connect_by(connector, other);
    let incoming = Acceptor::new().read_request(one).await.unwrap();
    let request = incoming.request();
    assert_eq!((request.resource(), request.host()), ("/chat?room=1", "example.com"));
    assert_eq!((request.header("Cookie"), request.header("X-Id")), (Some("id=7"), Some("8")));
    assert_eq!((request.origin(), request.subprotocols().collect::<Vec<_>>()), (Some("https://a"), vec!["chat"]));
}
