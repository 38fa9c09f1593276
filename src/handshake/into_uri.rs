//! The types that name a server.

use alloc::string::String;

use super::uri::Uri;
use crate::error::UriError;

/// A WebSocket URI, or a value that may be one: `&str`, `String`, [`Uri`], and with the feature `url` a `Url` of the crate
/// `url`.
///
/// Take one where your own function needs the server's URI, so that its callers may pass a literal:
///
/// ```
/// use websocket_proto::{UriError, client};
///
/// fn connect(uri: impl client::IntoUri) -> Result<(), UriError> {
///     let uri = uri.into_uri()?;
///     println!("connecting to {}, port {}", uri.host(), uri.port());
///     Ok(())
/// }
///
/// connect("wss://example.com/chat")?;
/// connect(format!("ws://127.0.0.1:{}/", 9001))?;
/// assert_eq!(connect("ftp://example.com"), Err(UriError::Scheme));
/// # Ok::<(), UriError>(())
/// ```
///
/// The trait is sealed.
pub trait IntoUri: Sealed {
    /// Returns the URI.
    ///
    /// # Errors
    ///
    /// The value is not a WebSocket URI.
    fn into_uri(self) -> Result<Uri, UriError>;
}

mod sealed {
    pub trait Sealed {}
}
use sealed::Sealed;

/// Implements the trait for a type, by an expression that converts a value of it.
macro_rules! into_uri {
    ($named:ty, $value:ident => $converted:expr) => {
        impl Sealed for $named {}
        impl IntoUri for $named {
            fn into_uri(self) -> Result<Uri, UriError> {
                let $value = self;
                $converted
            }
        }
    };
}

into_uri!(Uri, uri => Ok(uri));
into_uri!(&Uri, uri => Ok(uri.clone()));
into_uri!(&str, text => text.parse());
into_uri!(&String, text => text.parse());
into_uri!(String, text => text.parse());
#[cfg(feature = "url")]
into_uri!(::url::Url, url => Uri::try_from(&url));
#[cfg(feature = "url")]
into_uri!(&::url::Url, url => Uri::try_from(url));
