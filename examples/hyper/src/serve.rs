//! A connection of HTTP, with deadlines: hyper has none before it knows which version the client speaks.

use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::sync::Notify;
use tokio::time::sleep;

/// How long a client has for its first request; over HTTP/1.1, also for each further one, from the end of the answer before.
/// That it sends a byte now and then doesn't make it longer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often a connection of HTTP/2 is sent a ping, and how long the answer may take. A WebSocket notices by its own pings when
/// the peer has vanished; a connection that carries none, by these.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(20);

/// Serves a connection, whichever version of HTTP it speaks, until it ends or becomes a WebSocket.
pub async fn serve<T, S, B>(stream: T, service: S, watcher: Watcher)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Future: Send + 'static> + Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let asked = Arc::new(Notify::new());
    let noting = {
        let asked = Arc::clone(&asked);
        service_fn(move |request| {
            asked.notify_one();
            service.call(request)
        })
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // RFC 8441 section 3: says that a stream may be asked for by an extended CONNECT.
    builder
        .http2()
        .enable_connect_protocol()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(SILENCE);
    let connection = watcher.watch(builder.serve_connection_with_upgrades(TokioIo::new(stream), noting));
    let first_request = asked.notified();
    tokio::pin!(connection, first_request);
    // How the connection ends is of no interest here.
    select! {
        _ = &mut connection => return,
        () = &mut first_request => {}
        () = sleep(PATIENCE) => return,
    }
    let _ = connection.await;
}
