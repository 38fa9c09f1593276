//! The result of an opening handshake.

use alloc::boxed::Box;

use crate::deflate::DeflateParams;

/// The result of an opening handshake that was done elsewhere, such as by an HTTP library.
/// [`Connection::upgraded_server`](crate::Connection::upgraded_server) and
/// [`Connection::upgraded_client`](crate::Connection::upgraded_client) create an open connection from it.
///
/// ```
/// use websocket_proto::{Config, Connection, Negotiated};
///
/// let conn = Connection::upgraded_server(Negotiated::new().subprotocol("chat"), Config::new());
/// assert_eq!(conn.subprotocol(), Some("chat"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiated {
    pub(crate) subprotocol: Option<Box<str>>,
    pub(crate) deflate: Option<DeflateParams>,
}

impl Negotiated {
    /// Creates a result with neither a subprotocol nor an extension.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the subprotocol that the server selected.
    pub fn subprotocol<'a>(mut self, subprotocol: impl Into<Option<&'a str>>) -> Self {
        self.subprotocol = subprotocol.into().map(Into::into);
        self
    }

    /// Sets the negotiated compression parameters. A server gets them from
    /// [`DeflateConfig::answer`](crate::DeflateConfig::answer), a client from
    /// [`DeflateConfig::check`](crate::DeflateConfig::check).
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, params: impl Into<Option<DeflateParams>>) -> Self {
        self.deflate = params.into();
        self
    }
}
