//! One HTTP connection, and how long it may be idle.

use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;

use crate::activity::Activity;

/// How long a connection may be without a WebSocket after it was opened, after each request, and after its last WebSocket.
/// By then there has to be another request, as a whole.
///
/// That is one deadline for all that a client may leave undone: the first byte, the rest of a request, the preface of
/// HTTP/2, the settings after it, another request on a connection that is kept alive, taking the response. hyper's own
/// `header_read_timeout` begins when the version of HTTP is known, which a client may never let be, and HTTP/2 has none.
/// An answer has to be there by then, too.
pub const IDLE: Duration = Duration::from_secs(10);

/// The time that a closing connection has to end by itself: a response may be in progress. HTTP/2 announces with GOAWAY
/// that no more requests are accepted, so that a client knows which of them to repeat elsewhere.
pub const GRACE: Duration = Duration::from_secs(1);

/// After so long a silence an HTTP/2 connection is pinged. A WebSocket notices by its own pings when the peer has vanished;
/// this is for all of them at once.
const PING_AFTER: Duration = Duration::from_secs(30);

/// Serves a connection, whichever version of HTTP it speaks, until it has been [idle](IDLE) for too long, or until
/// `stopping`. WebSockets that have come out of it aren't closed by that: over HTTP/2 it waits for their end.
pub async fn serve<T, S, B>(transport: T, service: S, stopping: impl Future<Output = ()>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let activity = Activity::new();
    let service = service_fn(|mut request: Request<Incoming>| {
        activity.note();
        // For `hold`.
        request.extensions_mut().insert(activity.clone());
        service.call(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().header_read_timeout(None);
    // RFC 8441 section 3: says that a stream may be asked for by an extended CONNECT.
    builder.http2().enable_connect_protocol().timer(TokioTimer::new()).keep_alive_interval(PING_AFTER);
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(transport), service));

    // How it ends is of no interest here. It has its turn first: a process that was held up finds requests that have come in
    // time when their deadline has passed.
    select! {
        biased;
        _ = connection.as_mut() => return,
        () = activity.idle_for(IDLE) => {}
        () = stopping => {}
    }
    connection.as_mut().graceful_shutdown();
    activity.note();
    select! {
        biased;
        _ = connection => {}
        () = activity.idle_for(GRACE) => {}
    }
}
