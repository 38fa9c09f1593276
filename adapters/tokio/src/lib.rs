#![cfg_attr(
    // Without `deflate`, the samples do not compile.
    any(not(doctest), feature = "deflate"),
    doc = include_str!("../README.md")
)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod acceptor;
#[cfg(feature = "axum")]
mod axum;
mod connector;
mod defaults;
#[cfg(feature = "hyper")]
mod hyper;
mod reconnecting;
mod websocket;

#[cfg(feature = "axum")]
pub use self::axum::WebSocketUpgrade;
#[cfg(feature = "hyper")]
pub use self::hyper::{UpgradeRejection, Upgraded, Upgrading, upgrade};
#[cfg(any(doc, doctest))]
#[doc = include_str!("coming_from.md")]
pub mod coming_from {}

#[cfg(feature = "rustls")]
pub use acceptor::TlsAcceptor;
pub use acceptor::{AcceptError, Acceptor, Incoming, accept};
pub use connector::{ClientStream, ConnectError, ConnectStage, Connector, ProxyError, ProxyUriError, connect};
pub use defaults::default_config;
pub use reconnecting::Reconnecting;
pub use websocket::{Error, HIGH_WATER, Receiver, Sender, WebSocket};

pub use bytes;
/// The TLS library, for the types that [`Connector::tls`] and [`Acceptor::tls`] take.
#[cfg(feature = "rustls")]
pub use tokio_rustls::rustls;
/// The stream of the connections that [`TlsAcceptor`] accepts.
#[cfg(feature = "rustls")]
pub use tokio_rustls::server::TlsStream;
/// The engine that this crate runs on tokio, with every type of it.
pub use websocket_proto as proto;
pub use websocket_proto::client::IntoUri;
pub use websocket_proto::{
    Cause, CloseCode, Closed, Config, Connection, Event, Message, MessageKind, PreparedMessage, RedirectError,
    SendError, State, client, server,
};
#[cfg(feature = "deflate")]
pub use websocket_proto::{DeflateConfig, DeflateParams};
