//! Server handshakes that are done by an HTTP library.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::Authority;
use http::{Method, StatusCode, Uri, Version};

use super::header_map::{append_lines, header_value};
use crate::config::Config;
use crate::error::{AcceptError, HandshakeError};
use crate::handshake::negotiated::Negotiated;
use crate::handshake::origin::{check_origin, check_same_origin};
use crate::handshake::rejection::Rejection;
use crate::handshake::response::Response;
use crate::handshake::server::{Purpose, asks_for_upgrade, parse_connect, parse_purpose};
use crate::handshake::target::{check_absolute, check_parts, check_without_authority, error_of_request};
use crate::handshake::upgrade::{Offers, Upgrade, select_subprotocol};
use crate::http_grammar::lists::trim;

/// The server side of an opening handshake that is done by an HTTP library: it checks the request and creates the
/// response. The rules are those of the built-in handshake.
///
/// With HTTP/1.1, for example by hyper or axum:
///
/// ```
/// use std::sync::Arc;
/// use websocket_proto::{Config, Connection, HttpServerHandshake, server};
///
/// let config = Arc::new(Config::new());
/// # let request = http::Request::get("/chat").header("host", "localhost").header("upgrade", "websocket")
/// #     .header("connection", "Upgrade").header("sec-websocket-version", "13")
/// #     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").header("sec-websocket-protocol", "chat")
/// #     .body(()).unwrap();
/// // let request: http::Request<_> = …
/// let offer = HttpServerHandshake::upgrade(&request, &config)?;
/// let choice = server::Response::new().subprotocol(offer.select_subprotocol(&["chat"]));
/// let (response, negotiated) = offer.accept(choice)?;
/// assert_eq!(response.status(), 101);
/// // Send the response. Then, on the upgraded stream:
/// let conn = Connection::upgraded_server(negotiated, config);
/// assert_eq!(conn.subprotocol(), Some("chat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Over HTTP/2 and HTTP/3, the HTTP library must have sent `SETTINGS_ENABLE_CONNECT_PROTOCOL` = 1 (and never 0 after
/// that). WebSocket frames are sent in the DATA frames of the stream.
///
/// - Report the orderly end of the stream (`END_STREAM`, FIN) with [`receive_eof`](crate::Connection::receive_eof). For
///   [`TransportShutdown::Graceful`](crate::TransportShutdown::Graceful), end your side in this way.
/// - Report a reset (`CANCEL`, `H3_REQUEST_CANCELLED`) with [`abort`](crate::Connection::abort). For
///   [`TransportShutdown::Abort`](crate::TransportShutdown::Abort), reset the stream.
#[derive(Clone)]
pub struct HttpServerHandshake(Form);

/// The two forms of a request for WebSocket.
#[derive(Clone)]
enum Form {
    /// A GET request of HTTP/1.1.
    Upgrade(Upgrade),
    /// An extended CONNECT of HTTP/2 or HTTP/3.
    Connect(Offers, Version),
}

impl HttpServerHandshake {
    /// Checks a request of HTTP/1.1 (RFC 6455 section 4.2.1). `config` decides which extensions may be accepted, so
    /// pass the configuration of the connection.
    ///
    /// # Errors
    ///
    /// Returns the rule that the request violates, or [`HandshakeError::NoUpgrade`] if it asks for no upgrade.
    /// [`Rejection::from`] converts the error into a response, and [`Rejection::into_http`] converts that into one of
    /// the `http` crate.
    pub fn upgrade<B>(request: &http::Request<B>, config: &Config) -> Result<Self, HandshakeError> {
        let minor_version = match request.version() {
            Version::HTTP_10 => 0,
            Version::HTTP_11 => 1,
            _ => return Err(HandshakeError::HttpVersion),
        };
        let method = request.method().as_str();
        check_target(method, request.uri()).map_err(|error| error_of_request(method, minor_version, error))?;
        match parse_purpose(method, minor_version, request.headers(), config)? {
            Purpose::WebSocket(upgrade) => Ok(Self(Form::Upgrade(upgrade))),
            Purpose::Http(request) => Err(request.unanswered),
        }
    }

    /// Returns whether a request of HTTP/1 asks for an upgrade to WebSocket. One that doesn't is plain HTTP, whatever its
    /// method, version and body: answer it as any HTTP server does.
    ///
    /// ```
    /// use websocket_proto::HttpServerHandshake;
    ///
    /// let probe = http::Request::head("/").version(http::Version::HTTP_10).body(()).unwrap();
    /// assert!(!HttpServerHandshake::is_requested(&probe));
    /// let request = http::Request::get("/chat").header("upgrade", "websocket").body(()).unwrap();
    /// assert!(HttpServerHandshake::is_requested(&request));
    /// ```
    pub fn is_requested<B>(request: &http::Request<B>) -> bool {
        asks_for_upgrade(request.headers())
    }

    /// Checks an extended CONNECT over HTTP/2 (RFC 8441 sections 4 and 5) or HTTP/3 (RFC 9220). `protocol` is the value
    /// of the pseudo-header `:protocol`. HTTP libraries store it in the extensions of the request, each as its own
    /// type.
    ///
    /// Besides the rules for HTTP/1.1, connection-specific headers are not allowed (RFC 9113 section 8.2.2), and a
    /// `Host` header must name the same server as `:authority`. A key is ignored. The authority is only the name of a
    /// host, as in any other request: this is not a proxy, and no connection is made to it.
    ///
    /// # Errors
    ///
    /// Fails as [`upgrade`](Self::upgrade) does, and with [`HandshakeError::Protocol`] (status 501) for another
    /// protocol.
    pub fn connect<B>(request: &http::Request<B>, protocol: &str, config: &Config) -> Result<Self, HandshakeError> {
        match request.version() {
            Version::HTTP_2 | Version::HTTP_3 if request.method() == Method::CONNECT => {}
            // HTTP/1.1 has no extended CONNECT, so the method is wrong.
            Version::HTTP_11 | Version::HTTP_2 | Version::HTTP_3 => return Err(HandshakeError::Method),
            _ => return Err(HandshakeError::HttpVersion),
        }
        if protocol != "websocket" {
            return Err(HandshakeError::Protocol);
        }
        let (scheme, authority) = check_pseudo_headers(request.uri())?;
        check_connection_specific(request.headers())?;
        let offers = parse_connect(scheme, authority, request.headers(), config)?;
        Ok(Self(Form::Connect(offers, request.version())))
    }

    /// Checks that a request comes from a page with one of the allowed origins, or does not come from a page at all,
    /// like [`server::Request::check_origin`](crate::server::Request::check_origin).
    ///
    /// # Errors
    ///
    /// Returns the rejection to send, with status 403. [`Rejection::into_http`] converts it into a response of the
    /// `http` crate.
    pub fn check_origin<B>(request: &http::Request<B>, allowed: &[impl AsRef<str>]) -> Result<(), Rejection> {
        check_origin(origins(request.headers()), allowed)
    }

    /// Checks that a request comes from a page of this server itself, or from no page at all, as
    /// [`server::Request::check_same_origin`](crate::server::Request::check_same_origin) does.
    ///
    /// # Errors
    ///
    /// As for [`check_origin`](Self::check_origin).
    pub fn check_same_origin<B>(request: &http::Request<B>) -> Result<(), Rejection> {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().authority().map(Authority::as_str).or(host).unwrap_or_default();
        check_same_origin(origins(request.headers()), host)
    }

    /// Returns the subprotocols that the client offers, in its order of preference.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.offers().subprotocols()
    }

    /// Returns the first subprotocol of `supported` that the client offers. List them in the server's order of
    /// preference.
    pub fn select_subprotocol(&self, supported: &[impl AsRef<str>]) -> Option<&str> {
        select_subprotocol(supported, || self.subprotocols())
    }

    /// Returns the response that opens the connection, and the result of the handshake. The status is 101, or 200 over
    /// HTTP/2 and HTTP/3.
    ///
    /// # Errors
    ///
    /// Fails if the client does not offer the selected subprotocol, or if a header cannot be sent.
    pub fn accept(&self, response: Response) -> Result<(http::Response<()>, Negotiated), AcceptError> {
        let negotiated = self.offers().negotiate(&response)?;
        let mut answer = http::Response::new(());
        let headers = answer.headers_mut();
        let (status, version) = match &self.0 {
            Form::Upgrade(upgrade) => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
                headers.insert(
                    header::SEC_WEBSOCKET_ACCEPT,
                    header_value(&header::SEC_WEBSOCKET_ACCEPT, &upgrade.accept_key())?,
                );
                (StatusCode::SWITCHING_PROTOCOLS, Version::HTTP_11)
            }
            Form::Connect(_, version) => (StatusCode::OK, *version),
        };
        if let Some(selected) = response.selected_subprotocol() {
            headers.insert(
                header::SEC_WEBSOCKET_PROTOCOL,
                header_value(&header::SEC_WEBSOCKET_PROTOCOL, selected.as_bytes())?,
            );
        }
        if let Some(extensions) = self.offers().extensions() {
            headers.insert(
                header::SEC_WEBSOCKET_EXTENSIONS,
                header_value(&header::SEC_WEBSOCKET_EXTENSIONS, extensions.as_bytes())?,
            );
        }
        append_lines(headers, response.checked_headers()?)?;
        *answer.status_mut() = status;
        *answer.version_mut() = version;
        Ok((answer, negotiated))
    }

    fn offers(&self) -> &Offers {
        match &self.0 {
            Form::Upgrade(upgrade) => upgrade.offers(),
            Form::Connect(offers, _) => offers,
        }
    }
}

/// Omits the key.
impl fmt::Debug for HttpServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match &self.0 {
            Form::Upgrade(_) => Version::HTTP_11,
            Form::Connect(_, version) => *version,
        };
        let subprotocols: Vec<_> = self.subprotocols().collect();
        f.debug_struct("HttpServerHandshake")
            .field("version", &version)
            .field("subprotocols", &subprotocols)
            .field("extensions", &self.offers().extensions())
            .finish()
    }
}

/// The values of all headers `Origin`.
fn origins(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(header::ORIGIN).iter().map(|value| trim(value.as_bytes()))
}

/// Checks the target of a request of HTTP/1.
fn check_target(method: &str, uri: &Uri) -> Result<(), HandshakeError> {
    match (uri.scheme_str(), uri.authority(), uri.path_and_query()) {
        (None, None, Some(resource)) => check_without_authority(method, resource.as_str()),
        (Some(scheme), Some(authority), Some(resource)) => {
            check_absolute(method, scheme, authority.as_str(), resource.as_str())
        }
        // RFC 9112 section 3.2.3: only a CONNECT has an authority as its target.
        _ => Err(HandshakeError::Target),
    }
}

/// Returns `:scheme` and `:authority`. RFC 8441 section 4: a request with `:protocol` has `:scheme`, `:authority` and
/// `:path`. Section 5: the scheme is that of HTTP.
fn check_pseudo_headers(uri: &Uri) -> Result<(&str, &str), HandshakeError> {
    match (uri.scheme_str(), uri.authority(), uri.path_and_query()) {
        (Some(scheme @ ("http" | "https")), Some(authority), Some(resource)) => {
            check_parts(authority.as_str(), resource.as_str())?;
            Ok((scheme, authority.as_str()))
        }
        _ => Err(HandshakeError::Target),
    }
}

/// RFC 9113 section 8.2.2, RFC 9114 section 4.2: connection-specific headers make a request malformed, and so does `TE`
/// with a value other than `trailers`. `Transfer-Encoding` announces a body and is rejected as one.
fn check_connection_specific(headers: &HeaderMap) -> Result<(), HandshakeError> {
    let is_specific =
        ["connection", "keep-alive", "proxy-connection", "upgrade"].iter().any(|&name| headers.contains_key(name));
    let is_trailers = |value: &HeaderValue| trim(value.as_bytes()).eq_ignore_ascii_case(b"trailers");
    if is_specific || !headers.get_all(header::TE).iter().all(is_trailers) {
        return Err(HandshakeError::ConnectionSpecific);
    }
    Ok(())
}

impl Rejection {
    /// Converts the response for an HTTP library to send.
    ///
    /// A response with status 426 has the headers `Upgrade` and `Connection`, which RFC 9110 section 15.5.22 requires
    /// in HTTP/1.1. HTTP/2 and HTTP/3 do not allow them. hyper removes them; if you send the response with h2 or h3
    /// directly, remove them yourself.
    ///
    /// # Errors
    ///
    /// Fails if the status, the body or a header cannot be sent, as [`reject`](crate::Connection::reject) does.
    #[cfg_attr(docsrs, doc(cfg(feature = "http")))]
    pub fn into_http(self) -> Result<http::Response<Bytes>, AcceptError> {
        let lines = self.checked_headers()?;
        let mut answer = http::Response::new(());
        *answer.status_mut() = StatusCode::from_u16(self.status()).map_err(|_| AcceptError::Status(self.status()))?;
        let headers = answer.headers_mut();
        if self.status() == 426 {
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            if !lines.contains("Sec-WebSocket-Version") {
                headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
        }
        append_lines(headers, lines)?;
        Ok(answer.map(|()| self.into_body()))
    }
}
