//! Client handshakes that are done by an HTTP library.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Version};

use super::header_map::{append_lines, header_value};
use crate::config::Config;
use crate::error::{HandshakeError, HeaderError, RequestError};
use crate::handshake::accept_key::{self, AcceptKey};
use crate::handshake::client::{check_choices, check_upgrade};
use crate::handshake::client_request::{CheckedRequest, Request as ClientRequest};
use crate::handshake::extensions::Offered;
use crate::handshake::negotiated::Negotiated;
use crate::rng::MaskKeys;
use crate::seed::Seed;

/// The client side of an opening handshake that is done by an HTTP library: it creates the request and checks the
/// response.
///
/// ```
/// use std::sync::Arc;
/// use websocket_proto::{Config, Connection, HttpClientHandshake, Seed, client};
///
/// let request = client::Request::new("ws://example.com/chat".parse()?).subprotocol("chat");
/// let config = Arc::new(Config::new());
/// let (request, client) = HttpClientHandshake::upgrade(request, &config, Seed::new([1; 32]))?;
/// assert_eq!((request.method().as_str(), request.uri().path()), ("GET", "/chat"));
/// # let offer = websocket_proto::HttpServerHandshake::upgrade(&request, &config)?;
/// # let (response, _) = offer.accept(websocket_proto::server::Response::new().subprotocol("chat"))?;
/// // Send the request, then check the response:
/// let negotiated = client.check(&response)?;
/// // Then, on the upgraded stream, with another seed:
/// let conn = Connection::upgraded_client(negotiated, config, Seed::new([2; 32]));
/// assert_eq!(conn.subprotocol(), Some("chat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpClientHandshake {
    /// The accept key that the response must have. No key is sent over HTTP/2 and HTTP/3.
    accept: Option<AcceptKey>,
    subprotocols: Vec<String>,
    extensions: Offered,
}

impl HttpClientHandshake {
    /// Creates a request of HTTP/1.1 with a target in origin-form. `config` decides which extensions are offered, so
    /// pass the configuration of the connection. The seed is only for the key. The connection needs another one.
    ///
    /// # Errors
    ///
    /// Fails if a part of `request` cannot be sent.
    pub fn upgrade(
        request: ClientRequest,
        config: &Config,
        seed: Seed,
    ) -> Result<(http::Request<()>, Self), RequestError> {
        let key = accept_key::encode_key(MaskKeys::new(seed).nonce());
        let extensions = Offered::new(config);
        let checked = request.checked()?;
        let mut upgrade = http::Request::new(());
        *upgrade.uri_mut() = checked.uri.resource().parse().map_err(|_| RequestError::Target)?;
        let headers = upgrade.headers_mut();
        headers.insert(header::HOST, header_value(&header::HOST, checked.uri.authority().as_bytes())?);
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_KEY, header_value(&header::SEC_WEBSOCKET_KEY, &key)?);
        insert_offers(headers, &checked, &extensions)?;
        let accept = Some(accept_key::accept_key(&key));
        Ok((upgrade, Self { accept, subprotocols: request.into_subprotocols(), extensions }))
    }

    /// Creates an extended CONNECT for HTTP/2 (RFC 8441 sections 4 and 5) or HTTP/3 (RFC 9220). Send it only after the
    /// server has announced support with `SETTINGS_ENABLE_CONNECT_PROTOCOL`.
    ///
    /// Add the pseudo-header `:protocol` with the value `websocket`, in the way that your HTTP library provides. The
    /// version of the request is HTTP/2. Change it for HTTP/3.
    ///
    /// # Errors
    ///
    /// Fails if a part of `request` cannot be sent.
    pub fn connect(request: ClientRequest, config: &Config) -> Result<(http::Request<()>, Self), RequestError> {
        let extensions = Offered::new(config);
        let checked = request.checked()?;
        let mut connect = http::Request::new(());
        *connect.method_mut() = Method::CONNECT;
        *connect.version_mut() = Version::HTTP_2;
        *connect.uri_mut() = http::Uri::builder()
            .scheme(if checked.uri.is_secure() { "https" } else { "http" })
            .authority(checked.uri.authority())
            .path_and_query(checked.uri.resource())
            .build()
            .map_err(|_| RequestError::Target)?;
        insert_offers(connect.headers_mut(), &checked, &extensions)?;
        Ok((connect, Self { accept: None, subprotocols: request.into_subprotocols(), extensions }))
    }

    /// Checks the response (RFC 6455 section 4.1). Returns the result of the handshake if the response opens the
    /// connection.
    ///
    /// # Errors
    ///
    /// Returns the rule that the response violates, or [`HandshakeError::Status`] if the server rejected the request.
    pub fn check<B>(&self, response: &http::Response<B>) -> Result<Negotiated, HandshakeError> {
        let headers = response.headers();
        match &self.accept {
            Some(accept) => {
                if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    return Err(HandshakeError::Status(response.status().as_u16()));
                }
                // RFC 9110 section 7.8: HTTP/1.0 does not support upgrades.
                if response.version() != Version::HTTP_11 {
                    return Err(HandshakeError::HttpVersion);
                }
                check_upgrade(headers, accept)?;
            }
            None if response.status().is_success() => {}
            None => return Err(HandshakeError::Status(response.status().as_u16())),
        }
        check_choices(headers, &self.subprotocols, &self.extensions)
    }
}

/// Omits the accept key.
impl fmt::Debug for HttpClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientHandshake")
            .field("subprotocols", &self.subprotocols)
            .field("extensions", &self.extensions.header())
            .finish_non_exhaustive()
    }
}

/// Adds the headers that a request has in any version of HTTP, and those of the caller.
fn insert_offers(
    headers: &mut HeaderMap,
    request: &CheckedRequest<'_>,
    extensions: &Offered,
) -> Result<(), HeaderError> {
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    if let [first, rest @ ..] = request.subprotocols {
        let mut subprotocols = first.clone();
        for subprotocol in rest {
            subprotocols.extend([", ", subprotocol]);
        }
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            header_value(&header::SEC_WEBSOCKET_PROTOCOL, subprotocols.as_bytes())?,
        );
    }
    if let Some(extensions) = extensions.header() {
        headers.insert(
            header::SEC_WEBSOCKET_EXTENSIONS,
            header_value(&header::SEC_WEBSOCKET_EXTENSIONS, extensions.as_bytes())?,
        );
    }
    append_lines(headers, request.origin)?;
    if let Some(authorization) = request.authorization {
        let mut value = header_value(&header::AUTHORIZATION, authorization.as_bytes())?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    append_lines(headers, request.headers)
}
