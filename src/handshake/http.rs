//! Handshakes done elsewhere: by an HTTP library, over HTTP/1.1, HTTP/2 (RFC 8441) or HTTP/3 (RFC 9220).
//!
//! The rules are those of `server.rs` and `client.rs`, on headers that arrive parsed.

use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Version};

use super::accept_key::{self, AcceptKey, Key};
use super::client::{check_choices, check_upgrade};
use super::extensions::Offered;
use super::header_lines::CheckedLines;
use super::headers::{HeaderName, Headers};
use super::server::{self, Upgrade};
use super::{ClientRequest, Negotiated, Rejection, Response};
use crate::config::Config;
use crate::error::{AcceptError, HandshakeError, HeaderError, RequestError};
use crate::rng::MaskKeys;
use crate::seed::Seed;

/// At a server: a request for WebSocket that an HTTP library has parsed, checked by the rules of the built-in
/// handshake.
///
/// For HTTP/1.1, as hyper, axum and others have it:
///
/// ```
/// use std::sync::Arc;
/// use websocket_proto::{Config, Connection, HttpOffer, Response};
///
/// let config = Arc::new(Config::new());
/// # let request = http::Request::get("/chat").header("host", "localhost").header("upgrade", "websocket")
/// #     .header("connection", "Upgrade").header("sec-websocket-version", "13")
/// #     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("sec-websocket-protocol", "chat")
/// #     .body(()).unwrap();
/// // let request: http::Request<_> = …
/// let offer = HttpOffer::upgrade(&request, &config)?;
/// let choice = Response::new().subprotocol(offer.choose(&["chat"]));
/// let (response, negotiated) = offer.accept(choice)?;
/// assert_eq!(response.status(), 101);
/// // Send the response; then, on the upgraded stream:
/// let conn = Connection::upgraded_server(negotiated, config);
/// assert_eq!(conn.subprotocol(), Some("chat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Over HTTP/2 and HTTP/3, the HTTP library must have sent `SETTINGS_ENABLE_CONNECT_PROTOCOL` = 1 (and never 0 after
/// that); the frames travel in the stream's DATA. Its orderly end (`END_STREAM`, FIN) is
/// [`receive_eof`](crate::Connection::receive_eof) and what [`Shutdown::Finish`](crate::Shutdown::Finish) asks for; a
/// reset (`CANCEL`, `H3_REQUEST_CANCELLED`) is [`abort`](crate::Connection::abort) and what
/// [`Shutdown::Abort`](crate::Shutdown::Abort) asks for.
#[derive(Clone, Debug)]
pub struct HttpOffer {
    upgrade: Upgrade,
    version: Version,
}

impl HttpOffer {
    /// Checks a request of HTTP/1.1 (RFC 6455 4.2.1). The configuration, which should be the connection's, says which
    /// extensions may be accepted.
    ///
    /// # Errors
    ///
    /// The rule that the request breaks; [`Rejection::from`] makes its answer, and
    /// [`Rejection::into_http`] a response of that. A request that asks for no upgrade gives
    /// [`HandshakeError::NoUpgrade`].
    pub fn upgrade<B>(request: &http::Request<B>, config: &Config) -> Result<Self, HandshakeError> {
        if request.version() != Version::HTTP_11 {
            return Err(HandshakeError::HttpVersion);
        }
        if request.method() != Method::GET {
            return Err(HandshakeError::Method);
        }
        server::check_framing(request.headers())?;
        let upgrade = server::check_upgrade(request.headers(), config)?.ok_or(HandshakeError::NoUpgrade)?;
        Ok(Self { upgrade, version: Version::HTTP_11 })
    }

    /// Checks an extended CONNECT of HTTP/2 (RFC 8441 4 and 5) or HTTP/3 (RFC 9220). `protocol` is the pseudo-header
    /// `:protocol`, which HTTP libraries keep in a type of their own among the request's extensions.
    ///
    /// The key, if there is one, isn't looked at; the authority is no more than a host's name: nothing is connected to.
    ///
    /// # Errors
    ///
    /// As for [`upgrade`](Self::upgrade); another protocol gives [`HandshakeError::Protocol`], whose status is 501.
    pub fn connect<B>(request: &http::Request<B>, protocol: &str, config: &Config) -> Result<Self, HandshakeError> {
        if request.method() != Method::CONNECT {
            return Err(HandshakeError::Method);
        }
        if protocol != "websocket" {
            return Err(HandshakeError::Protocol);
        }
        // RFC 8441 4: with `:protocol`, `:scheme` and `:path` must be there.
        if request.uri().scheme().is_none() || request.uri().path().is_empty() {
            return Err(HandshakeError::Target);
        }
        let upgrade = server::check_connect(request.headers(), config)?;
        Ok(Self { upgrade, version: request.version() })
    }

    /// The subprotocols that the client offers, in its order of preference.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.upgrade.subprotocols()
    }

    /// The first of `supported`, in the server's order of preference, that the client offers.
    pub fn choose(&self, supported: &[&str]) -> Option<&str> {
        supported.iter().find_map(|supported| self.subprotocols().find(|offered| offered == supported))
    }

    /// The response that opens the connection, 101 or over HTTP/2 and HTTP/3 200, and what was agreed on.
    ///
    /// # Errors
    ///
    /// A subprotocol that wasn't offered, or a header that can't be sent.
    pub fn accept(&self, response: Response) -> Result<(http::Response<()>, Negotiated), AcceptError> {
        let accept = self.upgrade.check(&response)?;
        let mut answer = http::Response::new(());
        *answer.version_mut() = self.version;
        let headers = answer.headers_mut();
        if let Some(accept) = accept {
            headers.insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(http::header::CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(http::header::SEC_WEBSOCKET_ACCEPT, value(&accept)?);
        }
        if let Some(chosen) = response.chosen() {
            headers.insert(http::header::SEC_WEBSOCKET_PROTOCOL, value(chosen.as_bytes())?);
        }
        if let Some(extensions) = self.upgrade.extensions() {
            headers.insert(http::header::SEC_WEBSOCKET_EXTENSIONS, value(extensions.as_bytes())?);
        }
        append(headers, response.checked_headers()?)?;
        *answer.status_mut() = if accept.is_some() { StatusCode::SWITCHING_PROTOCOLS } else { StatusCode::OK };
        Ok((answer, self.upgrade.negotiated(&response)))
    }
}

impl Rejection {
    /// The same answer for an HTTP library to send.
    ///
    /// With 426 come `Upgrade` and `Connection`, as RFC 9110 15.5.22 demands of HTTP/1.1. HTTP/2 and HTTP/3 know
    /// neither: hyper takes them off there, and whoever sends by h2 or h3 directly removes them.
    ///
    /// # Errors
    ///
    /// A status, a body or a header that can't be sent, as for [`reject`](crate::Connection::reject).
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn into_http(self) -> Result<http::Response<Bytes>, AcceptError> {
        self.check()?;
        let (status, lines, body) = self.into_parts();
        let lines = lines.checked()?;
        let mut answer = http::Response::new(body);
        *answer.status_mut() = StatusCode::from_u16(status).map_err(|_| AcceptError::Status)?;
        if status == 426 {
            let headers = answer.headers_mut();
            headers.insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(http::header::CONNECTION, HeaderValue::from_static("Upgrade"));
            if !lines.contains("Sec-WebSocket-Version") {
                headers.insert(http::header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
        }
        append(answer.headers_mut(), lines)?;
        Ok(answer)
    }
}

/// At a client: a request that an HTTP library sends, and what its response is held to.
///
/// ```
/// use std::sync::Arc;
/// use websocket_proto::{ClientRequest, Config, Connection, HttpClient, Seed};
///
/// let request = ClientRequest::new("ws://example.com/chat".parse()?).subprotocol("chat");
/// let config = Arc::new(Config::new());
/// let (request, client) = HttpClient::upgrade(request, &config, Seed::new([1; 32]))?;
/// assert_eq!((request.method().as_str(), request.uri().path()), ("GET", "/chat"));
/// # let offer = websocket_proto::HttpOffer::upgrade(&request, &config)?;
/// # let (response, _) = offer.accept(websocket_proto::Response::new().subprotocol("chat"))?;
/// // Send the request; then, with its response:
/// let negotiated = client.check(&response)?;
/// // …and on the upgraded stream, with another seed:
/// let conn = Connection::upgraded_client(negotiated, config, Seed::new([2; 32]));
/// assert_eq!(conn.subprotocol(), Some("chat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpClient {
    /// Where a key was sent, which it isn't over HTTP/2 and HTTP/3.
    accept: Option<AcceptKey>,
    offered: Vec<String>,
    extensions: Offered,
}

impl HttpClient {
    /// A request of HTTP/1.1, its target in origin-form. The configuration, which should be the connection's, says which
    /// extensions are offered; the seed is for the key alone: the connection wants another.
    ///
    /// # Errors
    ///
    /// What in `request` can't be sent.
    pub fn upgrade(
        request: ClientRequest,
        config: &Config,
        seed: Seed,
    ) -> Result<(http::Request<()>, Self), RequestError> {
        let key: Key = accept_key::encode_key(MaskKeys::new(seed).nonce());
        let (uri, offered, lines) = request.into_parts()?;
        let mut request = http::Request::new(());
        *request.uri_mut() = uri.resource().parse().map_err(|_| RequestError::Target)?;
        let headers = request.headers_mut();
        headers.insert(http::header::HOST, value(uri.host_header().as_bytes())?);
        headers.insert(http::header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(http::header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(http::header::SEC_WEBSOCKET_KEY, value(&key)?);
        let extensions = Offered::new(config);
        offer(headers, &offered, &extensions, lines.checked()?)?;
        Ok((request, Self { accept: Some(accept_key::accept_key(&key)), offered, extensions }))
    }

    /// An extended CONNECT of HTTP/2 (RFC 8441 4 and 5) or HTTP/3 (RFC 9220), once the server has said by
    /// `SETTINGS_ENABLE_CONNECT_PROTOCOL` that it accepts one. Add the pseudo-header `:protocol`, which must be `websocket`,
    /// in the form that your HTTP library has for it. The version is HTTP/2; set it for HTTP/3.
    ///
    /// # Errors
    ///
    /// What in `request` can't be sent.
    pub fn connect(request: ClientRequest, config: &Config) -> Result<(http::Request<()>, Self), RequestError> {
        let (uri, offered, lines) = request.into_parts()?;
        let mut request = http::Request::new(());
        *request.method_mut() = Method::CONNECT;
        *request.version_mut() = Version::HTTP_2;
        let scheme = if uri.is_secure() { "https" } else { "http" };
        *request.uri_mut() = http::Uri::builder()
            .scheme(scheme)
            .authority(uri.host_header())
            .path_and_query(uri.resource())
            .build()
            .map_err(|_| RequestError::Target)?;
        let extensions = Offered::new(config);
        offer(request.headers_mut(), &offered, &extensions, lines.checked()?)?;
        Ok((request, Self { accept: None, offered, extensions }))
    }

    /// Checks the response (RFC 6455 4.1): what was agreed on, if it opens the connection.
    ///
    /// # Errors
    ///
    /// The rule that the response breaks; [`HandshakeError::Status`] where the server said no.
    pub fn check<B>(&self, response: &http::Response<B>) -> Result<Negotiated, HandshakeError> {
        let headers = response.headers();
        match &self.accept {
            Some(accept) => {
                if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    return Err(HandshakeError::Status);
                }
                check_upgrade(headers, accept)?;
            }
            None if response.status().is_success() => {}
            None => return Err(HandshakeError::Status),
        }
        check_choices(headers, &self.offered, &self.extensions)
    }
}

impl Headers for HeaderMap {
    fn all(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name.as_str()).into_iter().map(|value| crate::http_grammar::lists::trim(value.as_bytes()))
    }
}

fn offer(
    headers: &mut HeaderMap,
    subprotocols: &[String],
    extensions: &Offered,
    lines: CheckedLines<'_>,
) -> Result<(), HeaderError> {
    headers.insert(http::header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    if !subprotocols.is_empty() {
        headers.insert(http::header::SEC_WEBSOCKET_PROTOCOL, value(subprotocols.join(", ").as_bytes())?);
    }
    if let Some(extensions) = extensions.header() {
        headers.insert(http::header::SEC_WEBSOCKET_EXTENSIONS, value(extensions.as_bytes())?);
    }
    append(headers, lines)
}

fn append(headers: &mut HeaderMap, lines: CheckedLines<'_>) -> Result<(), HeaderError> {
    for (name, text) in lines.iter() {
        let name = header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderError::Name)?;
        headers.append(name, value(text.as_bytes())?);
    }
    Ok(())
}

fn value(text: &[u8]) -> Result<HeaderValue, HeaderError> {
    HeaderValue::from_bytes(text).map_err(|_| HeaderError::Value)
}
