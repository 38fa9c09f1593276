//! The opening handshake (RFC 6455 section 4): HTTP/1.1 heads in and out, both roles as mirror images.
//!
//! ```text
//! server.rs  request head in  ──► rules ──► Request;             Response or Rejection ──► head out
//! client.rs  ClientRequest ──► head out;  response head in ──► rules ──► HandshakeResponse
//!            head_reader.rs: any split → a whole head        head.rs: its lines
//!            fields.rs: received headers                     header_lines.rs: headers to send
//!            headers.rs: those with rules, looked up
//!            accept_key.rs, uri.rs: their values
//!            extensions.rs: what the two ends may agree on   body.rs: what a refusal says
//! ```

use alloc::boxed::Box;

use crate::deflate::DeflateParams;

mod accept_key;
mod body;
mod client;
mod extensions;
mod fields;
mod find_control;
mod head;
mod head_reader;
mod header_lines;
mod headers;
#[cfg(feature = "http")]
mod http;
mod inline_list;
mod response;
mod server;
mod uri;

#[cfg(feature = "http")]
pub use self::http::{HttpClient, HttpOffer};
pub(crate) use client::{ClientHandshake, Outcome};
pub use client::{ClientRequest, HandshakeResponse};
pub(crate) use head_reader::HeadReader;
pub use response::{Rejection, Response};
pub use server::Request;
pub(crate) use server::{Upgrade, read_request};
pub use uri::Uri;

/// What two endpoints agreed on in an opening handshake that was done elsewhere (by an HTTP server or over HTTP/2),
/// for [`Connection::upgraded_server`](crate::Connection::upgraded_server) and its counterpart.
///
/// ```
/// use websocket_proto::{Config, Connection, Negotiated};
///
/// let conn = Connection::upgraded_server(Negotiated::new().subprotocol("chat"), Config::new());
/// assert_eq!(conn.subprotocol(), Some("chat"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Negotiated {
    pub(crate) subprotocol: Option<Box<str>>,
    pub(crate) deflate: Option<DeflateParams>,
}

impl Negotiated {
    /// Neither a subprotocol nor an extension.
    pub fn new() -> Self {
        Self::default()
    }

    /// The subprotocol that the server chose.
    pub fn subprotocol<'a>(mut self, subprotocol: impl Into<Option<&'a str>>) -> Self {
        self.subprotocol = subprotocol.into().map(Into::into);
        self
    }

    /// What was agreed on for compression: that of [`Deflate::answer`](crate::Deflate::answer) at a server, of
    /// [`Deflate::check`](crate::Deflate::check) at a client.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, params: impl Into<Option<DeflateParams>>) -> Self {
        self.deflate = params.into();
        self
    }
}
