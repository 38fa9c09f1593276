//! `upgrade` in a server of hyper.

use std::convert::Infallible;
use std::net::SocketAddr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpListener;
use websocket_proto_tokio::{
    Acceptor, CloseCode, Config, ConnectError, Connector, UpgradeRejection, client, connect, server, upgrade,
};

use crate::http2;
use crate::support::{echo, get, talk};

/// Serves connections that echo, with a cookie, and a page for plain HTTP.
async fn serve(acceptor: Acceptor) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut builder = Builder::new(TokioExecutor::new());
                builder.http2().enable_connect_protocol();
                let service = service_fn(|request| {
                    let response = answer(request, &acceptor);
                    async { Ok::<_, Infallible>(response) }
                });
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

fn answer(mut request: Request<Incoming>, acceptor: &Acceptor) -> Response<Full<Bytes>> {
    match acceptor.upgrade(&mut request, server::Response::new().header("Set-Cookie", "seen=1")) {
        Ok((response, upgrading)) => {
            tokio::spawn(async { echo(upgrading.await.unwrap()).await });
            response.map(|()| Full::default())
        }
        Err(rejection) if rejection.is_plain_http() && request.uri().path() == "/page" => Response::new("hello".into()),
        Err(rejection) => rejection.into_http().map(Full::new),
    }
}

#[tokio::test]
async fn messages_go_there_and_back_over_http_1() {
    let address = serve(Acceptor::new().subprotocols(["b", "a"])).await;
    let connector = Connector::new().subprotocol("a").subprotocol("b");
    let mut ws = connector.connect(format!("ws://{address}/")).await.unwrap();
    // The first that the server supports.
    assert_eq!(ws.subprotocol(), Some("b"));
    assert_eq!(ws.take_response().unwrap().header("Set-Cookie"), Some("seen=1"));
    talk(&mut ws).await;
}

#[tokio::test]
async fn messages_go_there_and_back_over_http_2_in_streams_of_one_connection() {
    let address = serve(Acceptor::new().subprotocols(["b", "a"])).await;
    let mut sender = http2::handshake(address).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let request = client::Request::new(format!("ws://{address}/").parse().unwrap()).subprotocol("a");
        sockets.push(http2::connect(&mut sender, request, Config::new()).await.unwrap());
    }
    for ws in &mut sockets {
        assert_eq!(ws.subprotocol(), Some("a"));
        talk(ws).await;
    }
}

#[tokio::test]
async fn the_function_accepts_with_the_defaults() {
    let mut request = request();
    // Without a server there is nothing to upgrade.
    let rejection = upgrade(&mut request).unwrap_err();
    assert!(matches!(rejection, UpgradeRejection::NotUpgradable), "{rejection:?}");
    assert_eq!(rejection.into_http().status(), 500);
}

#[tokio::test]
async fn a_response_that_cannot_be_sent_is_reported() {
    let response = server::Response::new().subprotocol("unasked");
    let rejection = Acceptor::new().upgrade(&mut request(), response).unwrap_err();
    assert!(matches!(rejection, UpgradeRejection::Answer(_)), "{rejection:?}");
}

#[tokio::test]
async fn pages_of_other_origins_may_not_connect() {
    let address = serve(Acceptor::new().origins(["https://example.com"])).await;
    let connect = async |origin| Connector::new().origin(origin).connect(format!("ws://{address}/")).await;
    assert!(connect("https://example.com").await.is_ok());
    let Err(ConnectError::Rejected(response)) = connect("https://example.net").await else { panic!() };
    assert_eq!((response.status(), response.body()), (403, &b"pages of this origin may not connect\n"[..]));
}

#[tokio::test]
async fn the_configuration_is_the_acceptors() {
    let address = serve(Acceptor::new().configure(|config| config.max_message_size(10))).await;
    let mut ws = connect(format!("ws://{address}/")).await.unwrap();
    ws.send("more than 10 bytes").await.unwrap();
    let _ = ws.recv().await;
    assert_eq!(ws.closed().unwrap().code, CloseCode::TOO_LARGE);
}

#[tokio::test]
async fn plain_http_has_its_page_over_both_versions() {
    let address = serve(Acceptor::new()).await;
    let response = get(address, "").await;
    assert!(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{response}");
    assert!(response.to_ascii_lowercase().contains("\r\nupgrade: websocket\r\n"), "{response}");

    let mut sender = http2::handshake(address).await;
    let response = http2::plain(&mut sender, Method::GET, &format!("http://{address}/")).await;
    assert_eq!(response.status(), 426);
    // RFC 9113 section 8.2.2: it has neither of them.
    assert!(!response.headers().contains_key("connection") && !response.headers().contains_key("upgrade"));
    let page = http2::plain(&mut sender, Method::GET, &format!("http://{address}/page")).await;
    assert_eq!((page.status().as_u16(), http2::text(page).await), (200, "hello".to_owned()));
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_has_the_engines_response() {
    let address = serve(Acceptor::new()).await;
    let lines = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let response = get(address, lines).await;
    assert!(response.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{response}");
    assert!(response.to_ascii_lowercase().contains("\r\nsec-websocket-version: 13\r\n"), "{response}");
}

/// A valid opening handshake that no server has received.
fn request() -> Request<()> {
    let request = Request::get("/chat").header("host", "localhost").header("upgrade", "websocket");
    let request = request.header("connection", "Upgrade").header("sec-websocket-version", "13");
    request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").body(()).unwrap()
}
