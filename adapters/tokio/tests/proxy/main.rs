//! The example `proxy`, between a client and a server that don't notice it: sessions through it are what they are without it.

#[path = "../../examples/proxy.rs"]
#[allow(dead_code, reason = "its main function")]
mod proxy;
mod server;

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use server::Server;
use tokio::net::TcpListener;
use tokio::time::sleep;
use websocket_proto_tokio::{ClientStream, CloseCode, ConnectError, Connector, Event, Message, WebSocket};

/// Both ends of a session with the server and through the proxy have seen the same.
async fn is_transparent(path: &str, script: impl AsyncFn(&mut WebSocket<ClientStream>)) {
    let server = Server::start().await;
    let direct = session(&server, server.address, path, &script).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(proxy::serve(listener, format!("ws://{}", server.address).parse().unwrap()));
    let proxied = session(&server, address, path, &script).await;
    assert_eq!(direct, proxied, "{path}");
    assert!(direct.len() >= 2, "{direct:?}");
}

/// A session from the request to the end, as the client and then the server has seen it.
async fn session(
    server: &Server,
    address: SocketAddr,
    path: &str,
    script: impl AsyncFn(&mut WebSocket<ClientStream>),
) -> Vec<String> {
    let connector = Connector::new()
        .origin("https://app.example")
        .header("Cookie", "session=7")
        .header("X-Trace", "abc")
        .subprotocol("unknown")
        .subprotocol("chat");
    let mut seen = Vec::new();
    match connector.connect(format!("ws://{address}{path}")).await {
        Ok(mut ws) => {
            seen.push(format!("subprotocol {:?}", ws.subprotocol()));
            let cookie = ws.take_response().and_then(|response| response.header("Set-Cookie").map(String::from));
            seen.push(format!("Set-Cookie {cookie:?}"));
            script(&mut ws).await;
            while let Ok(Some(event)) = ws.event().await {
                seen.push(server::text_of(&event));
            }
            let closed = ws.closed().unwrap();
            seen.push(format!("{} {:?} {} {}", closed.code, closed.reason, closed.clean, closed.cause));
        }
        Err(ConnectError::Rejected(response)) => {
            let retry = response.header("Retry-After");
            seen.push(format!("{} {:?} {retry:?}", response.status(), String::from_utf8_lossy(response.body())));
        }
        Err(error) => panic!("{error}"),
    }
    // Then the server's side.
    seen.extend(server.seen().await);
    seen
}

async fn hello(ws: &mut WebSocket<ClientStream>) {
    ws.send("hello").await.unwrap();
}

/// Requests and rejections pass through, with headers and body.
#[tokio::test]
async fn requests_and_rejections() {
    is_transparent("/request?room=1", hello).await;
    is_transparent("/reject", hello).await;
}

/// Codes and reasons of either side pass through, and so does their absence.
#[tokio::test]
async fn close_codes_and_reasons() {
    for code in [1000, 1001, 1005, 1012, 3000] {
        is_transparent(&format!("/close/{code}"), hello).await;
        is_transparent("/echo", async |ws| {
            hello(ws).await;
            let code = CloseCode::new(code);
            let reason = if code.is_some() { "从客户端" } else { "" };
            ws.close(code, reason).await.unwrap();
        })
        .await;
    }
}

/// If one side disappears, the other one is dropped as well.
#[tokio::test]
async fn dropped_connections() {
    is_transparent("/drop", hello).await;
    is_transparent("/echo", async |ws| {
        hello(ws).await;
        ws.recv().await.unwrap();
        ws.connection_mut().abort();
    })
    .await;
}

/// Pings and pongs pass through, with their payloads.
#[tokio::test]
async fn pings_and_pongs() {
    is_transparent("/ping", async |ws| {
        ws.ping(b"from the client").await.unwrap();
        let Some(Event::Pong(payload)) = ws.event().await.unwrap() else { panic!("no pong") };
        assert_eq!(&payload[..], b"from the client");
        hello(ws).await;
    })
    .await;
}

/// Messages of all sizes arrive as they were sent, up to 10 MiB, of which a proxy has a chunk at a time.
#[tokio::test]
async fn messages_of_all_sizes() {
    is_transparent("/echo", async |ws| {
        for size in [0, 1, 125, 126, 65_535, 65_536, 200_000, 10 << 20] {
            for message in [Message::from("聊".repeat(size / 3)), Message::from(vec![7; size])] {
                ws.send(message.clone()).await.unwrap();
                assert!(ws.recv().await.unwrap().unwrap() == message, "{size} bytes");
            }
        }
        ws.close(CloseCode::NORMAL, "").await.unwrap();
    })
    .await;
}

/// While the client doesn't read, the server can't send, and the proxy does nothing. Then everything arrives.
#[tokio::test]
async fn a_stalled_client() {
    let server = Server::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let upstream = format!("ws://{}", server.address).parse().unwrap();
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut forward = pin!(proxy::forward(stream, upstream));
        poll_fn(|cx| {
            counted.fetch_add(1, Ordering::Relaxed);
            forward.as_mut().poll(cx)
        })
        .await
    });
    let mut ws = Connector::new().connect(format!("ws://{address}/flood")).await.unwrap();
    let mut state = (0, 0);
    loop {
        sleep(Duration::from_millis(100)).await;
        let now = (server.flooded(), polls.load(Ordering::Relaxed));
        if now == state {
            break;
        }
        state = now;
    }
    assert!(state.0 < server::FLOOD, "the server has sent {} messages to a client that reads none", state.0);
    let mut received = 0;
    while let Some(message) = ws.recv().await.unwrap() {
        assert_eq!(message.payload().len(), server::FLOOD_MESSAGE);
        received += 1;
    }
    assert_eq!(received, server::FLOOD);
}
