//! The opening handshake: who is let in, and what the others are told.

use example_tokio::{Error, Message, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use websocket_proto::{Cause, Connection, Event, HandshakeError, client, server};

use crate::support::{Result, config, seed};

fn request() -> client::Request {
    client::Request::new("ws://example.com/chat?room=1".parse().unwrap()).subprotocol("chat").header("Cookie", "id=7")
}

fn connect(transport: DuplexStream) -> tokio::task::JoinHandle<Result<WebSocket<DuplexStream>>> {
    tokio::spawn(WebSocket::connect(transport, request(), config(), seed()))
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
            Ok(server::Response::new().subprotocol(request.select_subprotocol(&["chat"])))
        };
        let mut server = WebSocket::accept(one, config(), answer).await?;
        assert_eq!(path, "/chat");
        let mut client = connected.await.unwrap()?;
        assert_eq!((server.subprotocol(), client.subprotocol()), (Some("chat"), Some("chat")));
        server.send("hello").await?;
        tokio::select! {
            received = client.recv() => assert_eq!(received?, Some(Message::Text("hello".into()))),
            received = server.recv() => panic!("{received:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_says_why() {
    let (one, other) = duplex(1000);
    let connected = connect(other);
    let answer =
        |_: &server::Request| Err(server::Rejection::new(401).header("WWW-Authenticate", "Basic").body("who are you?"));
    let accepted = WebSocket::accept(one, config(), answer).await;
    assert!(matches!(accepted, Err(Error::Closed(closed)) if closed.cause == Cause::Rejected(401)));
    let Err(Error::Refused(response)) = connected.await.unwrap() else { panic!() };
    assert_eq!((response.status(), response.header("www-authenticate")), (401, Some("Basic")));
    assert_eq!(response.body(), b"who are you?");
}

#[tokio::test]
async fn an_answer_may_take_its_time() -> Result {
    let (one, other) = duplex(1000);
    let connected = connect(other);
    let mut server = WebSocket::new(one, Connection::server(config()));
    let Some(Event::Request(request)) = server.event().await? else { panic!() };
    tokio::task::yield_now().await;
    assert_eq!(request.query(), Some("room=1"));
    server.conn().accept(server::Response::new())?;
    server.send("come in").await?;
    assert_eq!(connected.await.unwrap()?.recv().await?, Some(Message::Text("come in".into())));
    Ok(())
}

#[tokio::test]
async fn an_answer_that_can_not_be_sent_is_the_callers_mistake() {
    let (one, other) = duplex(1000);
    let _connected = connect(other);
    let accepted = WebSocket::accept(one, config(), |_| Ok(server::Response::new().header("a b", ""))).await;
    assert!(matches!(accepted, Err(Error::Accept(_))));
    let (transport, _) = duplex(1000);
    let connected = WebSocket::connect(transport, request().header("Host", "b"), config(), seed()).await;
    assert!(matches!(connected, Err(Error::Request(_))));
}

/// What a browser that isn't one is told.
async fn fetch(request: &[u8], page: impl FnMut(&server::Request) -> Option<server::Rejection>) -> (Cause, String) {
    let (one, mut other) = duplex(10_000);
    other.write_all(request).await.unwrap();
    let served = WebSocket::accept_or_serve(one, config(), |_| Ok(server::Response::new()), page);
    let read = async {
        let mut answer = String::new();
        other.read_to_string(&mut answer).await.unwrap();
        drop(other);
        answer
    };
    match tokio::join!(served, read) {
        (Err(Error::Closed(closed)), answer) => (closed.cause, answer),
        (served, _) => panic!("{served:?}"),
    }
}

#[tokio::test]
async fn plain_requests_get_a_page_or_are_told_to_upgrade() {
    let page = |request: &server::Request| {
        (request.path() == "/" && request.method() != "POST").then(|| server::Rejection::new(200).body("a page"))
    };
    let (cause, answer) = fetch(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", page).await;
    assert_eq!(cause, Cause::Rejected(200));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\na page"), "{answer}");

    let (cause, answer) = fetch(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", page).await;
    assert_eq!(cause, Cause::Handshake(HandshakeError::NoUpgrade));
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");

    // Load balancers ask so.
    let (cause, answer) = fetch(b"HEAD / HTTP/1.0\r\n\r\n", page).await;
    assert_eq!(cause, Cause::Rejected(200));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");

    let (cause, answer) = fetch(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", page).await;
    assert_eq!(cause, Cause::Handshake(HandshakeError::Method));
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}
