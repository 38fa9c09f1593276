//! The time between the response and the open connection.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::upgrade::OnUpgrade;
use websocket_proto::Connection;

use super::Upgraded;
use crate::WebSocket;

/// A future that yields the connection once hyper has sent the response, returned by [`upgrade`](crate::upgrade).
///
/// Await it in a different task than the one that returns the response. It fails with hyper's error if the client has
/// disconnected, or over HTTP/2 if another response was sent. Dropping it drops the connection.
///
/// Over HTTP/1.1, hyper does not check which response was sent: it yields the connection even if another response was
/// sent instead of this one. Decide who may connect before you accept the request, not in a layer that replaces the
/// response.
///
/// # Panics
///
/// Panics if polled outside of a tokio runtime, in one whose time driver is not enabled, or after it was ready.
#[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Upgrading {
    upgrade: OnUpgrade,
    /// `None` once the future was ready.
    conn: Option<Box<Connection>>,
}

impl Upgrading {
    pub(super) fn new(upgrade: OnUpgrade, conn: Connection) -> Self {
        Self { upgrade, conn: Some(Box::new(conn)) }
    }
}

impl Future for Upgrading {
    type Output = Result<WebSocket<Upgraded>, hyper::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let upgraded = ready!(Pin::new(&mut this.upgrade).poll(cx))?;
        let conn = this.conn.take().expect("not polled after it was ready");
        Poll::Ready(Ok(WebSocket::new(Upgraded::new(upgraded), *conn)))
    }
}
