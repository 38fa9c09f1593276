//! Servers of hyper: from a request to an open connection, over HTTP/1.1 and HTTP/2.
//!
//! ```text
//! mod.rs         upgrade: request → response, and the connection after it
//! rejection.rs   UpgradeRejection: why not, and what to answer
//! upgrading.rs   Upgrading: waits until the response is sent
//! upgraded.rs    Upgraded: the transport, which was an HTTP connection or is a stream of one
//! ```

mod rejection;
mod upgraded;
mod upgrading;

use std::sync::Arc;

use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, Version};
use websocket_proto::{Config, Connection, HandshakeError, HttpServerHandshake, server};

use crate::Acceptor;
pub use rejection::UpgradeRejection;
pub use upgraded::Upgraded;
pub use upgrading::Upgrading;

/// Accepts a WebSocket connection from a request of hyper, whatever its path and origin, with the
/// [defaults](crate::default_config).
///
/// Returns the response, and a future that yields the connection once hyper has sent the response. The future has to be
/// awaited in a task of its own. [`Acceptor::upgrade`] has everything else.
///
/// Over HTTP/1.1 a connection of hyper has to be served with `with_upgrades`, and over HTTP/2 with `enable_connect_protocol`
/// (RFC 8441). `serve_connection_with_upgrades` of hyper-util's `server::conn::auto` is for both.
///
/// # Errors
///
/// The request is not accepted. [`UpgradeRejection::into_http`] is the response to it, unless you have a page to show:
/// [`UpgradeRejection::is_plain_http`].
///
/// ```
/// use hyper::body::{Bytes, Incoming};
/// use hyper::{Request, Response};
/// use http_body_util::Full;
/// use websocket_proto_tokio::upgrade;
///
/// async fn serve(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
///     let (response, upgrading) = match upgrade(&mut request) {
///         Ok(accepted) => accepted,
///         Err(rejection) => return Ok(rejection.into_http().map(Full::new)),
///     };
///     tokio::spawn(async move {
///         let mut ws = upgrading.await?;
///         while let Some(message) = ws.recv().await? {
///             ws.send(message).await?;
///         }
///         Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
///     });
///     Ok(response.map(|()| Full::default()))
/// }
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
pub fn upgrade<B>(request: &mut Request<B>) -> Result<(Response<()>, Upgrading), UpgradeRejection> {
    Acceptor::new().upgrade(request, server::Response::new())
}

impl Acceptor {
    /// Accepts a WebSocket connection from a request of hyper, over HTTP/1.1 or HTTP/2, as [`upgrade`] does.
    ///
    /// `response` may have headers, and a subprotocol if there are no [supported ones](Self::subprotocols). Pages are up to
    /// the HTTP server: those of [`http`](Self::http) are not asked for.
    ///
    /// # Errors
    ///
    /// The request is not accepted; see [`UpgradeRejection`].
    ///
    /// ```
    /// use hyper::{Request, Response};
    /// use websocket_proto_tokio::{Acceptor, UpgradeRejection, Upgrading, server};
    ///
    /// fn join<B>(acceptor: &Acceptor, request: &mut Request<B>) -> Result<(Response<()>, Upgrading), UpgradeRejection> {
    ///     acceptor.upgrade(request, server::Response::new().header("Set-Cookie", "seen=1"))
    /// }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "hyper")))]
    pub fn upgrade<B>(
        &self,
        request: &mut Request<B>,
        mut response: server::Response,
    ) -> Result<(Response<()>, Upgrading), UpgradeRejection> {
        let offer = handshake(request, &self.config)?;
        if let Some(allowed) = &self.origins {
            HttpServerHandshake::check_origin(request, allowed).map_err(UpgradeRejection::Origin)?;
        }
        if !self.subprotocols.is_empty() {
            response = response.subprotocol(offer.select_subprotocol(&self.subprotocols));
        }
        let (response, negotiated) = offer.accept(response)?;
        // A response that promises an upgrade which hyper doesn't do would leave the client waiting.
        let upgrade = request.extensions_mut().remove::<OnUpgrade>().ok_or(UpgradeRejection::NotUpgradable)?;
        let conn = Connection::upgraded_server(negotiated, Arc::clone(&self.config));
        Ok((response, Upgrading::new(upgrade, conn)))
    }
}

/// Checks the request by the rules of its version of HTTP.
pub(crate) fn handshake<B>(request: &Request<B>, config: &Config) -> Result<HttpServerHandshake, HandshakeError> {
    match (request.version(), request.extensions().get::<Protocol>()) {
        (_, Some(protocol)) => HttpServerHandshake::connect(request, protocol.as_str(), config),
        // RFC 8441 section 4: a request without `:protocol` is plain HTTP.
        (Version::HTTP_2, None) => Err(HandshakeError::NoUpgrade),
        (_, None) => HttpServerHandshake::upgrade(request, config),
    }
}
