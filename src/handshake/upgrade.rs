//! The parts of a request for WebSocket that a server keeps until it answers: the key and the client's offers.

use alloc::string::String;

use super::accept_key::{self, AcceptKey, Key};
use super::extensions::Accepted;
use super::headers::{HeaderName, Headers};
use super::negotiated::Negotiated;
use super::response::Response;
use crate::config::Config;
use crate::error::{AcceptError, HandshakeError};
use crate::http_grammar::lists;

/// A valid request for an upgrade of HTTP/1.1.
#[derive(Clone)]
pub(crate) struct Upgrade {
    /// The key, which is hashed only when the request is accepted: a rejection needs no accept key.
    key: Key,
    offers: Offers,
}

impl Upgrade {
    pub(super) fn new(key: Key, offers: Offers) -> Self {
        Self { key, offers }
    }

    /// Returns the accept key of the response that opens the connection.
    pub(crate) fn accept_key(&self) -> AcceptKey {
        accept_key::accept_key(&self.key)
    }

    pub(crate) fn offers(&self) -> &Offers {
        &self.offers
    }
}

/// The offers of a client, over any version of HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Offers {
    /// The subprotocols, each followed by a comma.
    subprotocols: String,
    /// The offered extensions that the server accepts.
    extensions: Accepted,
}

impl Offers {
    /// RFC 6455 section 4.2.1, items 8 and 9.
    pub(super) fn parse(headers: &impl Headers, config: &Config) -> Result<Self, HandshakeError> {
        let mut subprotocols = String::new();
        if headers.contains(HeaderName::Protocol) {
            lists::check_subprotocols(headers.all(HeaderName::Protocol))?;
            let offered = lists::subprotocols(headers.all(HeaderName::Protocol));
            subprotocols.extend(offered.flat_map(|name| [name, ","]));
        }
        let extensions = Accepted::new(config, headers.all(HeaderName::Extensions))?;
        Ok(Self { subprotocols, extensions })
    }

    pub(crate) fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.subprotocols.split_terminator(',')
    }

    /// Returns the value of `Sec-WebSocket-Extensions` for the response.
    pub(crate) fn extensions(&self) -> Option<String> {
        self.extensions.header()
    }

    /// Returns the result of the handshake with this response. RFC 6455 section 4.2.2, item 5.5: the server may select
    /// only a subprotocol that the client offers.
    pub(crate) fn negotiate(&self, response: &Response) -> Result<Negotiated, AcceptError> {
        match response.selected_subprotocol() {
            Some(selected) if !self.subprotocols().any(|offered| offered == selected) => {
                Err(AcceptError::SubprotocolNotOffered(selected.into()))
            }
            selected => Ok(self.extensions.negotiated().subprotocol(selected)),
        }
    }
}

/// Selects the first subprotocol of `supported` that the client offers. `supported` is in the server's order of
/// preference.
pub(crate) fn select_subprotocol<'r, I: Iterator<Item = &'r str>>(
    supported: &[impl AsRef<str>],
    offered: impl Fn() -> I,
) -> Option<&'r str> {
    supported.iter().find_map(|supported| offered().find(|offered| *offered == supported.as_ref()))
}
