//! The redirects that a client follows.

use alloc::vec::Vec;
use core::mem;

use super::client_request::Request;
use super::handshake_response::Response;
use super::uri::Uri;
use crate::error::UriError;

/// A client's request on its way from redirect to redirect (RFC 6455 section 4.1: a client may follow them).
///
/// A redirect is a response with status 301, 302, 303, 307 or 308 and a header `Location`. These are the rules for
/// following it:
///
/// - It doesn't lead from `wss` to `ws`.
/// - The headers `Authorization`, `Cookie` and `Proxy-Authorization` and the user information of the URI stay with the
///   origin (scheme, host and port) of your request. After a redirect to another one they are not sent again, even if a
///   further redirect leads back. All other headers are sent to each server.
/// - No URI is requested twice, and the number of redirects is limited.
///
/// ```
/// use websocket_proto::{Config, Connection, Event, Seed, client};
///
/// # #[cfg(feature = "getrandom")] {
/// let request = client::Request::new("ws://example.com/chat".parse()?).header("Cookie", "id=7");
/// let mut redirects = client::Redirects::new(request, 5);
/// # let mut responses = ["307 Over There\r\nLocation: //eu.example.com/chat?room=1", "503 Busy"].into_iter();
/// let response = loop {
///     let uri = redirects.request().uri(); // …connect to its host…
///     # assert_eq!(uri.host(), if responses.len() == 2 { "example.com" } else { "eu.example.com" });
///     let mut conn = Connection::client(redirects.request().clone(), Config::new(), Seed::from_os()?)?;
///     # let head = String::from_utf8(conn.output().take().unwrap().to_vec())?;
///     # assert_eq!(head.contains("Cookie: id=7"), responses.len() == 2);
///     # let mut input = format!("HTTP/1.1 {}\r\nContent-Length: 0\r\n\r\n", responses.next().unwrap()).into_bytes();
///     // …write its output, read…
///     match conn.receive(&mut &mut input[..]) {
///         Some(Event::Rejected(response)) if redirects.follow(&response)? => continue,
///         Some(Event::Rejected(response)) => break response, // not a redirect
///         _ => {}
///     }
///     # unreachable!();
/// };
/// # assert_eq!(response.status(), 503);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redirects {
    request: Request,
    /// The URIs of the requests before this one.
    requested: Vec<Uri>,
    max: usize,
}

impl Redirects {
    /// Begins with your request. At most `max` redirects are followed; with 0, a redirect is like any other rejection.
    ///
    /// ```
    /// use websocket_proto::client;
    ///
    /// let request = client::Request::new("wss://example.com/chat".parse()?);
    /// let redirects = client::Redirects::new(request.clone(), 5);
    /// assert_eq!(redirects.request(), &request);
    /// # Ok::<(), websocket_proto::UriError>(())
    /// ```
    pub fn new(request: Request, max: usize) -> Self {
        Self { request, requested: Vec::new(), max }
    }

    /// Returns the request to send next: yours at first, and after a redirect the one to the URI that it leads to.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Follows a response, if it is a redirect. Returns whether it is one.
    ///
    /// # Errors
    ///
    /// The redirect is not to be followed. [`request`](Self::request) is as before.
    ///
    /// ```
    /// use websocket_proto::{RedirectError, client};
    ///
    /// fn next(redirects: &mut client::Redirects, response: &client::Response) -> Option<client::Request> {
    ///     match redirects.follow(response) {
    ///         Ok(true) => Some(redirects.request().clone()),
    ///         Ok(false) => None, // 401, 404, 503...
    ///         Err(RedirectError::Insecure(uri)) => {
    ///             println!("{uri} is not secure: not followed");
    ///             None
    ///         }
    ///         Err(_) => None,
    ///     }
    /// }
    /// ```
    pub fn follow(&mut self, response: &Response) -> Result<bool, RedirectError> {
        let Some(location) = location(response).filter(|_| self.max > 0) else {
            return Ok(false);
        };
        let next = self.next(location)?;
        if !is_same_origin(self.request.uri(), &next) {
            self.request.remove_headers(&CREDENTIALS);
        }
        self.requested.push(mem::replace(self.request.uri_mut(), next));
        Ok(true)
    }

    fn next(&self, location: &str) -> Result<Uri, RedirectError> {
        if self.requested.len() == self.max {
            return Err(RedirectError::TooMany(self.max));
        }
        let uri = self.request.uri();
        // `join` keeps user information for the same origin only.
        let next = uri.join(location).map_err(RedirectError::Location)?;
        if uri.is_secure() && !next.is_secure() {
            return Err(RedirectError::Insecure(next));
        }
        let mut requested = self.requested.iter().chain([uri]);
        if requested.any(|uri| is_same_origin(uri, &next) && uri.resource() == next.resource()) {
            return Err(RedirectError::Loop(next));
        }
        Ok(next)
    }
}

/// Why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// As many redirects as [`Redirects::new`](crate::client::Redirects::new) permits were followed before: this number.
    #[error("more than {0} redirects")]
    TooMany(usize),
    /// The redirect leads to a URI that has been requested before.
    #[error("{0} has been requested before")]
    Loop(Uri),
    /// The redirect leads from `wss` to `ws`.
    #[error("{0} is not secure")]
    Insecure(Uri),
    /// The header `Location` leads to what is not a WebSocket URI.
    #[error("its Location is not a WebSocket URI: {0}")]
    Location(#[source] UriError),
}

/// The headers that no other origin may see.
const CREDENTIALS: [&str; 3] = ["Authorization", "Cookie", "Proxy-Authorization"];

/// The target of a redirect. The method is GET in any case, so that 303 and 307 are the same (RFC 9110 section 15.4).
fn location(response: &Response) -> Option<&str> {
    matches!(response.status(), 301 | 302 | 303 | 307 | 308).then(|| response.header("Location"))?
}

/// RFC 6454 section 5: scheme, host and port are the same.
fn is_same_origin(one: &Uri, other: &Uri) -> bool {
    (one.is_secure(), one.port()) == (other.is_secure(), other.port()) && one.host().eq_ignore_ascii_case(other.host())
}
