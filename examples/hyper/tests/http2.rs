//! A server and a client over HTTP/2, in memory: what is agreed on, what is refused, and how it ends.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

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
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use websocket_proto::{CloseCode, Config, DeflateConfig, client, server};
use websocket_proto_tokio::{Acceptor, Upgraded, WebSocket};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::test]
async fn both_sides_know_what_was_agreed_on() -> Outcome {
    let (stream, mut server) = serving();
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
    let (stream, mut accepted) = serving();
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
    let (stream, mut server) = serving();
    let client = connect(stream, client::Request::new("ws://chat.example/".parse()?), config()).await?;
    let mut server = server.recv().await.ok_or("nothing was accepted")?;
    drop(client);
    assert!(server.recv().await.is_err());
    assert_eq!(server.closed().map(|closed| closed.code), Some(CloseCode::ABNORMAL));
    Ok(())
}

#[tokio::test]
async fn what_is_no_websocket_is_refused() -> Outcome {
    let (stream, _accepted) = serving();
    let mut sender = handshake(stream).await?;
    let other = sender.send_request(request("connect-udp")).await?;
    assert_eq!(other.status(), StatusCode::NOT_IMPLEMENTED);
    let mut old = request("websocket");
    old.headers_mut().insert("sec-websocket-version", "8".parse()?);
    let old = sender.send_request(old).await?;
    assert_eq!((old.status(), &old.headers()["sec-websocket-version"]), (StatusCode::UPGRADE_REQUIRED, &"13".parse()?));
    Ok(())
}

/// RFC 8441 section 3: a client may send an extended CONNECT only after the server's setting has arrived.
#[tokio::test(start_paused = true)]
async fn without_the_setting_the_client_asks_for_nothing() -> Outcome {
    for settings in [frame(SETTINGS, &[]), frame(SETTINGS, &[0, 8, 0, 0, 0, 0])] {
        let (ours, mut theirs) = duplex(1 << 16);
        theirs.write_all(&settings).await?;
        let error = open(ours).await;
        assert!(error.contains("SETTINGS_ENABLE_CONNECT_PROTOCOL"), "{error}");
        let types = frame_types(theirs).await?;
        assert!(types.contains(&SETTINGS) && !types.contains(&HEADERS), "{types:?}");
    }
    Ok(())
}

/// The server sends no SETTINGS, or SETTINGS that allow no stream.
#[tokio::test(start_paused = true)]
async fn the_client_waits_only_so_long_for_the_settings() -> Outcome {
    for settings in [vec![], frame(SETTINGS, &[0, 3, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1])] {
        let (ours, mut theirs) = duplex(1 << 16);
        theirs.write_all(&settings).await?;
        let error = open(ours).await;
        assert_eq!(error, "the server sent no SETTINGS that allow a stream in time");
        assert!(!frame_types(theirs).await?.contains(&HEADERS));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_client_reports_a_connection_that_ends_before_the_settings() -> Outcome {
    let (ours, mut theirs) = duplex(1 << 16);
    theirs.shutdown().await?;
    let started = Instant::now();
    let error = open(ours).await;
    assert!(!error.contains("in time"), "{error}");
    assert_eq!(started.elapsed(), Duration::ZERO);
    Ok(())
}

/// The types of HTTP/2's frames (RFC 9113 section 6).
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, payload.len() as u8, kind, 0, 0, 0, 0, 0], payload].concat()
}

/// The types of the frames that a client has sent, until it closed the connection.
async fn frame_types(mut stream: DuplexStream) -> Outcome<Vec<u8>> {
    let mut wire = Vec::new();
    stream.read_to_end(&mut wire).await?;
    let mut rest = wire.strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").ok_or("no preface")?;
    let mut types = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, tail @ ..] = rest {
        types.push(*kind);
        rest = tail.get(u32::from_be_bytes([0, *a, *b, *c]) as usize..).ok_or("a frame is cut")?;
    }
    Ok(types)
}

/// The error with which the client doesn't open a WebSocket.
async fn open(stream: DuplexStream) -> String {
    let request = client::Request::new("ws://chat.example/".parse().expect("a URI"));
    let opened = timeout(Duration::from_secs(60), connect(stream, request, config())).await;
    opened.expect("the client waits").expect_err("a WebSocket").to_string()
}

fn config() -> Arc<Config> {
    Arc::new(Config::new().deflate(DeflateConfig::new()))
}

/// The other end of a server's stream, and the sockets that the server accepts.
fn serving() -> (DuplexStream, mpsc::UnboundedReceiver<WebSocket<Upgraded>>) {
    let (ours, theirs) = duplex(1 << 16);
    let (accepted, sockets) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http2().enable_connect_protocol();
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
