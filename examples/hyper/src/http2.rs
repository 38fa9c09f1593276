//! A client over HTTP/2 (RFC 8441): an extended CONNECT asks for a stream, and that stream carries the
//! WebSocket.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper::ext::Protocol;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use websocket_proto::{Config, Connection, HttpClientHandshake, Seed, client};
use websocket_proto_tokio::WebSocket;

/// Opens a WebSocket over a stream on which HTTP/2 is spoken: negotiated (ALPN), or known in advance.
pub async fn connect<T>(
    stream: T,
    request: client::Request,
    config: Arc<Config>,
) -> Result<WebSocket<TokioIo<Upgraded>>, Box<dyn Error + Send + Sync>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut request, client) = HttpClientHandshake::connect(request, &config)?;
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    let request = request.map(|()| Empty::<Bytes>::new());

    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        // RFC 8441 3: no extended CONNECT before the server's settings, which say that it takes one. Without a stream to begin
        // with, the request waits for them; a server that doesn't take it refuses the stream.
        .initial_max_send_streams(0)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;

    let negotiated = client.check(&response).map_err(|error| format!("{}: {error}", response.status()))?;
    let upgraded = hyper::upgrade::on(response).await?;
    let conn = Connection::upgraded_client(negotiated, config, Seed::from_os()?);
    Ok(WebSocket::new(TokioIo::new(upgraded), conn))
}
