//! A server and a client over HTTP/2, in memory: what is agreed on, what is refused, and how it ends.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use example_hyper::connect;
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper::ext::Protocol;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use websocket_proto::{CloseCode, Config, DeflateConfig, client, server};
use websocket_proto_tokio::{Acceptor, Upgraded, WebSocket};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::test]
async fn both_sides_know_what_was_agreed_on() -> Outcome {
    let (stream, mut server) = serving(true);
    let request = client::Request::new("wss://chat.example/path".parse()?).subprotocol("b").subprotocol("a");
    let mut client = connect(stream, request, config()).await?;
    let mut server = server.recv().await.ok_or("nothing was accepted")?;
    // The first that the server knows.
    assert_eq!((client.subprotocol(), server.subprotocol()), (Some("a"), Some("a")));
    assert!(client.deflate().is_some() && server.deflate().is_some());
    client.send("你好 👋".repeat(100)).await?;
    assert_eq!(server.recv().await?, Some("你好 👋".repeat(100).into()));
    let (closed, told) = tokio::join!(client.close(CloseCode::NORMAL, "bye"), server.recv());
    assert_eq!((closed?, told?), ((), None));
    let closed = server.closed().ok_or("it isn't closed")?;
    assert_eq!((closed.code, &*closed.reason, closed.clean), (CloseCode::NORMAL, "bye", true));
    Ok(())
}

#[tokio::test]
async fn several_sockets_share_a_connection() -> Outcome {
    let (stream, mut accepted) = serving(true);
    let mut sender = handshake(stream).await?;
    let mut pairs = Vec::new();
    for _ in 0..3 {
        let response = sender.send_request(request("websocket")).await?;
        assert_eq!(response.status(), StatusCode::OK);
        pairs.push((response, accepted.recv().await.ok_or("nothing was accepted")?));
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_a_lost_connection() -> Outcome {
    let (stream, mut server) = serving(true);
    let client = connect(stream, client::Request::new("ws://chat.example/".parse()?), config()).await?;
    let mut server = server.recv().await.ok_or("nothing was accepted")?;
    drop(client);
    assert!(server.recv().await.is_err());
    assert_eq!(server.closed().map(|closed| closed.code), Some(CloseCode::ABNORMAL));
    Ok(())
}

#[tokio::test]
async fn what_is_no_websocket_is_refused() -> Outcome {
    let (stream, _accepted) = serving(true);
    let mut sender = handshake(stream).await?;
    let other = sender.send_request(request("connect-udp")).await?;
    assert_eq!(other.status(), StatusCode::NOT_IMPLEMENTED);
    let mut old = request("websocket");
    old.headers_mut().insert("sec-websocket-version", "8".parse()?);
    let old = sender.send_request(old).await?;
    assert_eq!((old.status(), &old.headers()["sec-websocket-version"]), (StatusCode::UPGRADE_REQUIRED, &"13".parse()?));
    Ok(())
}

#[tokio::test]
async fn a_server_may_not_take_it() -> Outcome {
    let (stream, _accepted) = serving(false);
    let refused = connect(stream, client::Request::new("ws://chat.example/".parse()?), config()).await;
    assert!(refused.is_err());
    Ok(())
}

fn config() -> Arc<Config> {
    Arc::new(Config::new().deflate(DeflateConfig::new()))
}

/// The other end of a server's stream, and the sockets that the server accepts.
fn serving(takes_connect: bool) -> (DuplexStream, mpsc::UnboundedReceiver<WebSocket<Upgraded>>) {
    let (ours, theirs) = duplex(1 << 16);
    let (accepted, sockets) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut builder = Builder::new(TokioExecutor::new());
        if takes_connect {
            builder.http2().enable_connect_protocol();
        }
        let service = service_fn(|request| {
            let answer = answer(request, accepted.clone());
            async { Ok::<_, Infallible>(answer) }
        });
        let _ = builder.serve_connection_with_upgrades(TokioIo::new(theirs), service).await;
    });
    (ours, sockets)
}

fn answer(
    mut request: Request<Incoming>,
    accepted: mpsc::UnboundedSender<WebSocket<Upgraded>>,
) -> Response<Full<Bytes>> {
    let acceptor = Acceptor::new().config(config()).subprotocols(["a", "b"]);
    match acceptor.upgrade(&mut request, server::Response::new()) {
        Ok((response, upgrading)) => {
            tokio::spawn(async move {
                if let Ok(ws) = upgrading.await {
                    let _ = accepted.send(ws);
                }
            });
            response.map(|()| Full::default())
        }
        Err(rejection) => rejection.into_http().map(Full::new),
    }
}

async fn handshake(stream: DuplexStream) -> hyper::Result<http2::SendRequest<Empty<Bytes>>> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.initial_max_send_streams(0).handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn request(protocol: &'static str) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = "http://chat.example/".parse().expect("a URI");
    request.headers_mut().insert("sec-websocket-version", "13".parse().expect("a value"));
    request.extensions_mut().insert(Protocol::from_static(protocol));
    request
}
