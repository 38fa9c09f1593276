//! The time between the response and the open connection.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::upgrade::OnUpgrade;
use websocket_proto::Connection;

use super::Upgraded;
use crate::WebSocket;

/// A future that yields the connection once hyper has sent the response. [`upgrade`](crate::upgrade) returns one.
///
/// Await it in another task than the one that returns the response. Its error is hyper's: the client is gone, or over HTTP/2
/// another response was sent. If it is dropped, so is the connection.
///
/// Over HTTP/1.1 hyper does not compare: where another response was sent in the place of this one, it still hands the
/// connection over when the exchange is done. Decide who may connect before you accept the request, not in a layer that
/// replaces the response.
///
/// # Panics
///
/// When polled outside of a tokio runtime, in one whose time driver is not enabled, or after it was ready.
#[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Upgrading {
    upgrade: OnUpgrade,
    /// Until it is ready.
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
