//! Following redirects, which RFC 6455 section 4.1 allows clients to do.

use websocket_proto::UriError;
use websocket_proto::client::{Response, Uri};

use super::{ConnectError, Connector};

impl Connector {
    /// Sets how many redirects [`connect`](Self::connect) follows. A redirect is a response with status 301, 302, 303,
    /// 307 or 308 and a `Location` header. 0 by default, with which a redirect is a
    /// [rejection](ConnectError::Rejected).
    ///
    /// The headers `Authorization`, `Cookie` and `Proxy-Authorization` and the user information of the URI are only
    /// sent to the origin (scheme, host and port) that you connect to. After a redirect to another origin, they are not
    /// sent again. All other headers are sent to each server.
    ///
    /// A redirect is not followed if it leads from `wss` to `ws`, to a URI that was requested before, to something
    /// other than a WebSocket URI, or if there are more than `max`. The result is then [`ConnectError::Redirect`]. The
    /// [`timeout`](Self::timeout) covers all requests.
    ///
    /// [`handshake`](Self::handshake) follows no redirects, since its stream is connected to one server.
    ///
    /// ```
    /// use websocket_proto_tokio::Connector;
    ///
    /// let connector = Connector::new().redirects(5);
    /// ```
    pub fn redirects(mut self, max: usize) -> Self {
        self.redirects = max;
        self
    }
}

/// The reason why a redirect was not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// More redirects than [`Connector::redirects`](crate::Connector::redirects) permits, which is this number.
    #[error("the limit is {0}")]
    TooMany(usize),
    /// The redirect leads to a URI that has been requested before.
    #[error("{0} has been requested before")]
    Loop(Uri),
    /// The redirect leads from `wss` to `ws`.
    #[error("{0} is not secure")]
    Insecure(Uri),
    /// The `Location` header does not lead to a WebSocket URI.
    #[error("its Location is not a WebSocket URI: {0}")]
    Location(#[source] UriError),
}

/// The URIs that were requested for one connection.
#[derive(Debug)]
pub(super) struct Route {
    uri: Uri,
    requested: Vec<Uri>,
    limit: usize,
    may_see_secrets: bool,
}

impl Route {
    pub(super) fn new(uri: Uri, limit: usize) -> Self {
        Self { uri, requested: Vec::new(), limit, may_see_secrets: true }
    }

    /// The URI to request.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns whether a header of the caller may be sent to the server of [`uri`](Self::uri). Credentials are only for
    /// the origin that the caller named. They are not sent again after a redirect to another one, even if a further
    /// redirect leads back.
    pub(super) fn permits_header(&self, name: &str) -> bool {
        self.may_see_secrets || !CREDENTIALS.iter().any(|credentials| name.eq_ignore_ascii_case(credentials))
    }

    /// Follows a response. If it is not a redirect, or redirects are not enabled, it is a rejection.
    pub(super) fn follow(&mut self, response: Box<Response>) -> Result<(), ConnectError> {
        let Some(location) = location(&response).filter(|_| self.limit > 0) else {
            return Err(ConnectError::Rejected(response));
        };
        match self.next(location) {
            Ok(next) => {
                self.may_see_secrets &= is_same_origin(&self.uri, &next);
                self.requested.push(std::mem::replace(&mut self.uri, next));
                Ok(())
            }
            Err(error) => Err(ConnectError::Redirect { error, response }),
        }
    }

    fn next(&self, location: &str) -> Result<Uri, RedirectError> {
        if self.requested.len() == self.limit {
            return Err(RedirectError::TooMany(self.limit));
        }
        // `join` keeps user information only for the same origin.
        let next = self.uri.join(location).map_err(RedirectError::Location)?;
        if self.uri.is_secure() && !next.is_secure() {
            return Err(RedirectError::Insecure(next));
        }
        let mut requested = self.requested.iter().chain([&self.uri]);
        if requested.any(|uri| is_same_origin(uri, &next) && uri.resource() == next.resource()) {
            return Err(RedirectError::Loop(next));
        }
        Ok(next)
    }
}

/// The headers that must not be sent to another origin.
const CREDENTIALS: [&str; 3] = ["Authorization", "Cookie", "Proxy-Authorization"];

/// Returns the target of a redirect. The method is always GET, so 303 and 307 mean the same (RFC 9110 section 15.4).
fn location(response: &Response) -> Option<&str> {
    matches!(response.status(), 301 | 302 | 303 | 307 | 308).then(|| response.header("Location"))?
}

/// Returns whether scheme, host and port are the same (RFC 6454 section 5).
fn is_same_origin(one: &Uri, other: &Uri) -> bool {
    (one.is_secure(), one.port()) == (other.is_secure(), other.port()) && one.host().eq_ignore_ascii_case(other.host())
}

#[cfg(test)]
mod tests {
    use super::{RedirectError, Route};

    fn next(from: &str, location: &str) -> Result<String, RedirectError> {
        Route::new(from.parse().unwrap(), 1).next(location).map(|uri| uri.to_string())
    }

    #[test]
    fn tls_is_never_left() {
        assert_eq!(next("ws://a/", "https://a/").as_deref(), Ok("wss://a/"));
        assert_eq!(next("wss://a:1/", "/b").as_deref(), Ok("wss://a:1/b"));
        for location in ["ws://b/", "http://b/"] {
            assert_eq!(next("wss://a/", location), Err(RedirectError::Insecure("ws://b/".parse().unwrap())));
        }
    }

    #[test]
    fn the_same_resource_in_another_spelling_is_a_loop() {
        for location in ["", "/b?c", "#top", "//a/b?c", "http://A:80/b?c", "ws://user@a/b?c"] {
            assert!(matches!(next("ws://a/b?c", location), Err(RedirectError::Loop(_))), "{location}");
        }
        for location in ["/B?c", "?d", "wss://a/b?c", "//a:81/b?c"] {
            assert!(next("ws://a/b?c", location).is_ok(), "{location}");
        }
    }
}
