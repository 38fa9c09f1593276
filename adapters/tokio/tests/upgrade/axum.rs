//! The extractor `WebSocketUpgrade` in a server of axum.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::any;
use hyper::Method;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use websocket_proto_tokio::{
    Acceptor, CloseCode, Config, ConnectError, Connector, DeflateConfig, Error, WebSocketUpgrade, client, connect,
    default_config,
};

use crate::http2;
use crate::support::{echo, get, send, talk};

async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, routes).await });
    address
}

/// Serves connections that echo, at the root.
async fn serve_echo(
    settings: impl Fn(WebSocketUpgrade) -> WebSocketUpgrade + Clone + Send + Sync + 'static,
) -> SocketAddr {
    let handler = async move |upgrade: WebSocketUpgrade| settings(upgrade).on_upgrade(echo);
    serve(Router::new().route("/", any(handler))).await
}

#[tokio::test]
async fn messages_go_there_and_back_over_http_1() {
    let address = serve_echo(|upgrade| upgrade).await;
    let mut ws = connect(format!("ws://{address}/")).await.unwrap();
    assert_eq!((ws.subprotocol(), ws.deflate()), (None, None));
    talk(&mut ws).await;
}

#[tokio::test]
async fn subprotocol_and_compression_are_agreed_on_over_http_1() {
    let address = serve_echo(|upgrade| upgrade.subprotocols(["b", "a"]).compression(DeflateConfig::new())).await;
    let connector = Connector::new().subprotocol("a").subprotocol("b");
    let connector = connector.configure(|config| config.deflate(DeflateConfig::new()));
    let mut ws = connector.connect(format!("ws://{address}/")).await.unwrap();
    assert_eq!(ws.subprotocol(), Some("b"));
    assert!(ws.deflate().is_some());
    talk(&mut ws).await;
}

#[tokio::test]
async fn subprotocol_and_compression_are_agreed_on_over_http_2() {
    let address = serve_echo(|upgrade| upgrade.subprotocols(["b", "a"]).compression(DeflateConfig::new())).await;
    let request = client::Request::new(format!("ws://{address}/").parse().unwrap()).subprotocol("a").subprotocol("b");
    let mut sender = http2::handshake(address).await;
    let config = Config::new().deflate(DeflateConfig::new());
    let mut ws = http2::connect(&mut sender, request, config).await.unwrap();
    assert_eq!(ws.subprotocol(), Some("b"));
    assert!(ws.deflate().is_some());
    talk(&mut ws).await;
}

#[tokio::test]
async fn pages_of_other_origins_may_not_connect() {
    let address = serve_echo(|upgrade| upgrade.origins(["https://example.com"])).await;
    let connect = async |origin| Connector::new().origin(origin).connect(format!("ws://{address}/")).await;
    assert!(connect("https://example.com").await.is_ok());
    let Err(ConnectError::Rejected(response)) = connect("https://example.net").await else { panic!() };
    assert_eq!((response.status(), response.body()), (403, &b"pages of this origin may not connect\n"[..]));

    let request = client::Request::new(format!("ws://{address}/").parse().unwrap()).origin("https://example.net");
    let mut sender = http2::handshake(address).await;
    let response = http2::connect(&mut sender, request, Config::new()).await.unwrap_err();
    assert_eq!(response.status(), 403);
    assert_eq!(http2::text(response).await, "pages of this origin may not connect\n");
}

#[tokio::test]
async fn each_setter_of_the_configuration_is_heeded() {
    for settings in [
        (|upgrade| upgrade.config(default_config().max_message_size(10))) as fn(WebSocketUpgrade) -> WebSocketUpgrade,
        |upgrade| upgrade.configure(|config| config.max_message_size(10)),
        |upgrade| upgrade.acceptor(Acceptor::new().configure(|config| config.max_message_size(10))),
    ] {
        let address = serve_echo(settings).await;
        let mut ws = connect(format!("ws://{address}/")).await.unwrap();
        ws.send("more than 10 bytes").await.unwrap();
        let _ = ws.recv().await;
        assert_eq!(ws.closed().unwrap().code, CloseCode::TOO_LARGE);
    }
}

#[tokio::test]
async fn plain_http_is_rejected_unless_the_extractor_is_optional() {
    let optional = async |upgrade: Option<WebSocketUpgrade>| match upgrade {
        Some(upgrade) => upgrade.on_upgrade(echo),
        None => Html("hello").into_response(),
    };
    let address = serve(Router::new().route("/", any(optional))).await;
    let response = get(address, "").await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n") && response.ends_with("\r\n\r\nhello"), "{response}");
    for probe in ["HEAD / HTTP/1.0\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n"] {
        let response = send(address, format!("{probe}\r\nhi")).await;
        assert!(response.contains(" 200 OK\r\n"), "{probe}: {response}");
    }
    talk(&mut connect(format!("ws://{address}/")).await.unwrap()).await;
    let response = get(address, "Upgrade: websocket\r\n").await;
    assert!(response.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{response}");

    let address = serve_echo(|upgrade| upgrade).await;
    let response = get(address, "").await;
    assert!(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{response}");
    assert!(response.contains("\r\nsec-websocket-version: 13\r\n"), "{response}");
    let mut sender = http2::handshake(address).await;
    assert_eq!(http2::plain(&mut sender, Method::GET, &format!("http://{address}/")).await.status(), 426);
}

#[tokio::test]
async fn the_other_extractors_see_the_whole_request() {
    let handler = async |upgrade: WebSocketUpgrade, headers: HeaderMap| {
        let user = headers["x-user"].to_str().unwrap().to_owned();
        upgrade.on_upgrade(async move |mut ws| ws.send(user).await.unwrap())
    };
    let address = serve(Router::new().route("/", any(handler))).await;
    let mut ws = Connector::new().header("X-User", "ann").connect(format!("ws://{address}/")).await.unwrap();
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("ann"));
}

#[tokio::test]
async fn an_upgrade_that_does_not_happen_is_reported() {
    let (report, mut reports) = mpsc::unbounded_channel();
    let handler = async move |upgrade: WebSocketUpgrade| -> Response {
        let upgrade = upgrade.on_failed_upgrade(move |error| report.send(error).unwrap());
        drop(upgrade.on_upgrade(async |_| panic!("there is no connection")));
        // Something between the handler and hyper has another response.
        StatusCode::FORBIDDEN.into_response()
    };
    let address = serve(Router::new().route("/", any(handler))).await;
    let request = client::Request::new(format!("ws://{address}/").parse().unwrap());
    let mut sender = http2::handshake(address).await;
    assert_eq!(http2::connect(&mut sender, request, Config::new()).await.unwrap_err().status(), 403);
    // The routes keep a sender: without a report, this would wait forever.
    let error = timeout(Duration::from_secs(10), reports.recv()).await.expect("a report").unwrap();
    assert!(error.is_canceled());
}

#[tokio::test]
async fn a_connection_that_is_dropped_is_lost_over_http_2() {
    let (report, mut reports) = mpsc::unbounded_channel();
    let handler = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |mut ws| {
            let error = ws.recv().await.unwrap_err();
            report.send((error, ws.closed().unwrap().code)).unwrap();
        })
    };
    let address = serve(Router::new().route("/", any(handler))).await;
    let mut sender = http2::handshake(address).await;
    let request = client::Request::new(format!("ws://{address}/").parse().unwrap());
    drop(http2::connect(&mut sender, request, Config::new()).await.unwrap());
    let (error, code) = reports.recv().await.unwrap();
    assert!(matches!(error, Error::Closed(_)), "{error:?}");
    assert_eq!(code, CloseCode::ABNORMAL);
}

#[tokio::test]
async fn over_http_1_a_response_that_is_replaced_leaves_a_connection_that_is_lost() {
    let (report, mut reports) = mpsc::unbounded_channel();
    let handler = async move |upgrade: WebSocketUpgrade| -> Response {
        drop(upgrade.on_upgrade(async move |mut ws| report.send(ws.recv().await).unwrap()));
        "another response".into_response()
    };
    let address = serve(Router::new().route("/", any(handler))).await;
    let Err(ConnectError::Rejected(response)) = connect(format!("ws://{address}/")).await else { panic!() };
    assert_eq!(response.body(), b"another response");
    // hyper 1 hands the connection over once the client has closed it.
    let received = timeout(Duration::from_secs(10), reports.recv()).await.expect("a report").unwrap();
    assert!(received.is_err());
}
