//! Accepting connections in servers that use hyper, over HTTP/1.1 and HTTP/2.
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

/// Accepts a WebSocket connection from a hyper request, whatever its path and origin, with the
/// [defaults](crate::default_config).
///
/// Returns the response, and a future that yields the connection once hyper has sent the response. Await the future in
/// its own task. For any other settings, use [`Acceptor::upgrade`].
///
/// Serve hyper's connections with `with_upgrades` over HTTP/1.1, and with `enable_connect_protocol` over HTTP/2 (RFC
/// 8441). `serve_connection_with_upgrades` in hyper-util's `server::conn::auto` is for both.
///
/// # Errors
///
/// Returns the reason if the request is not accepted. [`UpgradeRejection::into_http`] converts it into the response. If
/// [`UpgradeRejection::is_plain_http`] is true, you can respond with a page instead.
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
    /// Accepts a WebSocket connection from a hyper request over HTTP/1.1 or HTTP/2, as [`upgrade`] does.
    ///
    /// `response` may have headers, and a subprotocol if there are no [supported ones](Self::subprotocols). The HTTP
    /// server answers plain HTTP requests: the function of [`http`](Self::http) is not called.
    ///
    /// # Errors
    ///
    /// Returns the reason if the request is not accepted; see [`UpgradeRejection`].
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
        // If hyper could not do the upgrade after such a response, the client would wait in vain.
        let upgrade = request.extensions_mut().remove::<OnUpgrade>().ok_or(UpgradeRejection::NotUpgradable)?;
        let conn = Connection::upgraded_server(negotiated, Arc::clone(&self.config));
        Ok((response, Upgrading::new(upgrade, conn)))
    }
}

/// Checks the request by the rules of its version of HTTP.
pub(crate) fn handshake<B>(request: &Request<B>, config: &Config) -> Result<HttpServerHandshake, UpgradeRejection> {
    let (checked, is_requested) = match (request.version(), request.extensions().get::<Protocol>()) {
        (_, Some(protocol)) => (HttpServerHandshake::connect(request, protocol.as_str(), config), true),
        // RFC 8441 section 4: a request without `:protocol` is plain HTTP.
        (Version::HTTP_2, None) => (Err(HandshakeError::NoUpgrade), false),
        (_, None) => (HttpServerHandshake::upgrade(request, config), HttpServerHandshake::is_requested(request)),
    };
    checked.map_err(if is_requested { UpgradeRejection::Handshake } else { UpgradeRejection::PlainHttp })
}
