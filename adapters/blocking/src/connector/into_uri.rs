//! The types that name a server.

use websocket_proto::UriError;
use websocket_proto::client::Uri;

/// A WebSocket URI, or a string that is parsed as one: `&str`, `String` and [`Uri`].
///
/// This trait is sealed.
pub trait IntoUri: Sealed {
    /// Returns the URI.
    ///
    /// # Errors
    ///
    /// The string is not a WebSocket URI.
    fn into_uri(self) -> Result<Uri, UriError>;
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

impl Sealed for Uri {}
impl IntoUri for Uri {
    fn into_uri(self) -> Result<Uri, UriError> {
        Ok(self)
    }
}

impl Sealed for &Uri {}
impl IntoUri for &Uri {
    fn into_uri(self) -> Result<Uri, UriError> {
        Ok(self.clone())
    }
}

impl Sealed for &str {}
impl IntoUri for &str {
    fn into_uri(self) -> Result<Uri, UriError> {
        self.parse()
    }
}

impl Sealed for &String {}
impl IntoUri for &String {
    fn into_uri(self) -> Result<Uri, UriError> {
        self.parse()
    }
}

impl Sealed for String {}
impl IntoUri for String {
    fn into_uri(self) -> Result<Uri, UriError> {
        self.parse()
    }
}
