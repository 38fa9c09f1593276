//! An extractor for axum, over HTTP/1.1 and HTTP/2.
//!
//! ```text
//! mod.rs         WebSocketUpgrade: what may be set, and on_upgrade
//! extract.rs     request → WebSocketUpgrade, or the response to a request that isn't one
//! ```

mod extract;

use std::fmt;
use std::sync::Arc;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use hyper::Request;
#[cfg(feature = "deflate")]
use websocket_proto::DeflateConfig;
use websocket_proto::{Config, server};

use crate::{Acceptor, Upgraded, WebSocket};

/// An axum extractor that opens a WebSocket connection, over HTTP/1.1 and HTTP/2.
///
/// The request is a GET over HTTP/1.1 and a CONNECT over HTTP/2 (RFC 8441). Use `any` for routes that accept both.
/// `axum::serve` accepts both if axum's feature `http2` is on. If you run the server with hyper, call
/// `enable_connect_protocol`.
///
/// ```
/// use axum::Router;
/// use axum::response::Response;
/// use axum::routing::any;
/// use websocket_proto_tokio::{Error, Upgraded, WebSocket, WebSocketUpgrade};
///
/// async fn handler(upgrade: WebSocketUpgrade) -> Response {
///     upgrade.subprotocols(["chat"]).on_upgrade(async |ws| {
///         let _ = echo(ws).await;
///     })
/// }
///
/// async fn echo(mut ws: WebSocket<Upgraded>) -> Result<(), Error> {
///     while let Some(message) = ws.recv().await? {
///         ws.send(message).await?;
///     }
///     Ok(())
/// }
///
/// let routes: Router = Router::new().route("/chat", any(handler));
/// ```
///
/// A request that is not a valid opening handshake is rejected, for example with status 426 if it is plain HTTP.
/// `Option<WebSocketUpgrade>` is `None` for plain HTTP, so that the route can respond with a page.
#[must_use = "the client waits for the response, which `on_upgrade` returns"]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub struct WebSocketUpgrade {
    acceptor: Acceptor,
    /// The head of the request, with hyper's upgrade in its extensions.
    request: Request<()>,
    on_failed_upgrade: Option<Box<OnFailedUpgrade>>,
}

type OnFailedUpgrade = dyn FnOnce(hyper::Error) + Send;

impl WebSocketUpgrade {
    /// Returns the response, and calls `serve` with the connection once the response is sent, in its own task.
    ///
    /// If the [origin](Self::origins) may not connect, the response is the rejection, and `serve` is not called. Over
    /// HTTP/1.1, a layer that replaces the response does not prevent the call, so check who may connect before.
    pub fn on_upgrade<F>(mut self, serve: impl FnOnce(WebSocket<Upgraded>) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (response, upgrading) = match self.acceptor.upgrade(&mut self.request, server::Response::new()) {
            Ok(accepted) => accepted,
            Err(rejection) => return rejection.into_response(),
        };
        let on_failed_upgrade = self.on_failed_upgrade;
        tokio::spawn(async move {
            match upgrading.await {
                Ok(ws) => serve(ws).await,
                Err(error) => {
                    if let Some(on_failed_upgrade) = on_failed_upgrade {
                        on_failed_upgrade(error);
                    }
                }
            }
        });
        response.map(|()| Body::empty())
    }

    /// Sets a function that is called if the upgrade fails after the response: the client has disconnected, or over
    /// HTTP/2 a layer has replaced the response. By default, such a failure is ignored.
    pub fn on_failed_upgrade(mut self, report: impl FnOnce(hyper::Error) + Send + 'static) -> Self {
        self.on_failed_upgrade = Some(Box::new(report));
        self
    }

    /// Sets the supported subprotocols in the order of preference, as [`Acceptor::subprotocols`] does.
    pub fn subprotocols(self, supported: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.change(|acceptor| acceptor.subprotocols(supported))
    }

    /// Sets the origins whose pages may connect, as [`Acceptor::origins`] does. Others are rejected with 403.
    pub fn origins(self, allowed: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.change(|acceptor| acceptor.origins(allowed))
    }

    /// Compresses messages for clients that offer it (permessage-deflate, RFC 7692).
    ///
    /// ```
    /// # use axum::response::Response;
    /// use websocket_proto_tokio::{DeflateConfig, WebSocketUpgrade};
    ///
    /// async fn handler(upgrade: WebSocketUpgrade) -> Response {
    ///     upgrade.compression(DeflateConfig::new()).on_upgrade(async |ws| {
    ///         println!("{:?}", ws.deflate());
    ///     })
    /// }
    /// ```
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(all(feature = "axum", feature = "deflate"))))]
    pub fn compression(self, config: DeflateConfig) -> Self {
        self.configure(|all| all.deflate(config))
    }

    /// Replaces the limits, deadlines, keepalive and compression, as [`Acceptor::config`] does.
    pub fn config(self, config: impl Into<Arc<Config>>) -> Self {
        self.change(|acceptor| acceptor.config(config))
    }

    /// Changes the configuration: limits, deadlines, keepalive and compression.
    pub fn configure(self, change: impl FnOnce(Config) -> Config) -> Self {
        self.change(|acceptor| acceptor.configure(change))
    }

    /// Replaces all settings with those of an acceptor, which may be part of the server's state. Its connections share
    /// one configuration in memory.
    ///
    /// ```
    /// # use axum::extract::State;
    /// # use axum::response::Response;
    /// use websocket_proto_tokio::{Acceptor, WebSocketUpgrade};
    ///
    /// async fn handler(State(acceptor): State<Acceptor>, upgrade: WebSocketUpgrade) -> Response {
    ///     upgrade.acceptor(acceptor).on_upgrade(async |ws| drop(ws))
    /// }
    /// ```
    pub fn acceptor(self, acceptor: Acceptor) -> Self {
        self.change(|_| acceptor)
    }

    fn change(mut self, change: impl FnOnce(Acceptor) -> Acceptor) -> Self {
        self.acceptor = change(self.acceptor);
        self
    }
}

/// Omits the request, whose headers may be secret.
impl fmt::Debug for WebSocketUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade")
            .field("version", &self.request.version())
            .field("acceptor", &self.acceptor)
            .finish_non_exhaustive()
    }
}
