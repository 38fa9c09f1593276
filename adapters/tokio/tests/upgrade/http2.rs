//! A client over HTTP/2 (RFC 8441).

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::ext::Protocol;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use websocket_proto_tokio::proto::{HttpClientHandshake, Seed};
use websocket_proto_tokio::{Config, Connection, WebSocket, client};

/// Opens a connection of HTTP/2.
pub(crate) async fn handshake(address: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut builder = Builder::new(TokioExecutor::new());
    // RFC 8441 section 3: no extended CONNECT before the server's settings, for which a request without a stream waits.
    let (sender, connection) = builder.initial_max_send_streams(0).handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// Opens a WebSocket connection as a stream of one of HTTP/2, or returns what the server answered instead.
pub(crate) async fn connect(
    sender: &mut SendRequest<Empty<Bytes>>,
    request: client::Request,
    config: Config,
) -> Result<WebSocket<TokioIo<hyper::upgrade::Upgraded>>, Response<Incoming>> {
    let config = Arc::new(config);
    let (mut request, client) = HttpClientHandshake::connect(request, &config).unwrap();
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let response = sender.send_request(request.map(|()| Empty::new())).await.unwrap();
    let Ok(negotiated) = client.check(&response) else { return Err(response) };
    let upgraded = hyper::upgrade::on(response).await.unwrap();
    Ok(WebSocket::new(
        TokioIo::new(upgraded),
        Connection::upgraded_client(negotiated, config, Seed::from_os().unwrap()),
    ))
}

/// Sends a request without `:protocol`.
pub(crate) async fn plain(sender: &mut SendRequest<Empty<Bytes>>, method: Method, uri: &str) -> Response<Incoming> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    sender.send_request(request).await.unwrap()
}

/// Returns the body as text.
pub(crate) async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}
