#![cfg_attr(
    // Without the default features, the samples do not compile.
    any(not(doctest), all(feature = "deflate", feature = "rustls")),
    doc = include_str!("../README.md")
)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod acceptor;
mod connector;
mod defaults;
mod transport;
mod websocket;

pub use acceptor::{AcceptError, Acceptor, accept};
pub use connector::{ClientStream, ConnectError, ConnectStage, Connector, connect};
pub use defaults::default_config;
pub use transport::{Transport, TryClone};
pub use websocket::{Error, HIGH_WATER, Reader, WebSocket, Writer};

pub use bytes;
/// The `rustls` crate, whose `ClientConfig` is the argument of [`Connector::tls`].
#[cfg(feature = "rustls")]
pub use rustls;
/// The engine that this crate runs on blocking streams, with all its types.
pub use websocket_proto as proto;
pub use websocket_proto::client::IntoUri;
pub use websocket_proto::{
    Cause, CloseCode, Closed, Config, Connection, Event, Message, MessageKind, PreparedMessage, RedirectError,
    SendError, State, client, server,
};
#[cfg(feature = "deflate")]
pub use websocket_proto::{DeflateConfig, DeflateParams};
