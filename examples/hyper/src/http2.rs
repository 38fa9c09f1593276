//! A client over HTTP/2 (RFC 8441): an extended CONNECT asks for a stream, and that stream carries the
//! WebSocket.

use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http2;
use hyper::ext::Protocol;
use hyper::rt::Executor;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::timeout;
use websocket_proto::{Config, Connection, HttpClientHandshake, Seed, client};
use websocket_proto_tokio::WebSocket;

/// Opens a WebSocket over a stream on which HTTP/2 is spoken: negotiated (ALPN), or known in advance.
///
/// Fails if the server's SETTINGS don't allow that, or don't arrive in time.
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

    let executor = NotifyingExecutor::default();
    // The number of streams that the server allows, until its SETTINGS have arrived.
    let mut builder = http2::Builder::new(executor.clone());
    let (mut sender, connection) = builder.initial_max_send_streams(0).handshake(TokioIo::new(stream)).await?;
    let connection = timeout(SETTINGS_TIMEOUT, receive_settings(connection, &executor.progress))
        .await
        .map_err(|_| "the server sent no SETTINGS that allow a stream in time")??;
    // RFC 8441 section 3: without this setting, a client may not send an extended CONNECT.
    if !connection.is_extended_connect_protocol_enabled() {
        return Err(NOT_ENABLED.into());
    }
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;

    let negotiated = client.check(&response).map_err(|error| format!("{}: {error}", response.status()))?;
    let upgraded = hyper::upgrade::on(response).await?;
    let conn = Connection::upgraded_client(negotiated, config, Seed::from_os()?);
    Ok(WebSocket::new(TokioIo::new(upgraded), conn))
}

/// The time in which the server has to send SETTINGS that allow a stream.
const SETTINGS_TIMEOUT: Duration = Duration::from_secs(10);

const NOT_ENABLED: &str =
    "the server accepts no WebSocket over HTTP/2: it did not set SETTINGS_ENABLE_CONNECT_PROTOCOL to 1";

type Http2<T> = http2::Connection<TokioIo<T>, Empty<Bytes>, NotifyingExecutor>;

/// Waits until the server allows streams.
async fn receive_settings<T>(
    mut connection: Http2<T>,
    progress: &Notify,
) -> Result<Http2<T>, Box<dyn Error + Send + Sync>>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    while connection.current_max_send_streams() == 0 {
        tokio::select! {
            () = progress.notified() => {}
            ended = &mut connection => {
                ended?;
                return Err("the server closed the connection before its SETTINGS allowed a stream".into());
            }
        }
    }
    Ok(connection)
}

/// Spawns hyper's tasks, and notifies after each of their steps. One of the tasks receives the SETTINGS, and hyper reports
/// that to nobody.
#[derive(Clone, Default)]
struct NotifyingExecutor {
    progress: Arc<Notify>,
}

impl<F> Executor<F> for NotifyingExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        let (mut task, progress) = (Box::pin(task), Arc::clone(&self.progress));
        tokio::spawn(poll_fn(move |cx| {
            let polled = task.as_mut().poll(cx);
            progress.notify_one();
            polled
        }));
    }
}
