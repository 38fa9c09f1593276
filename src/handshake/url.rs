//! URIs from the `url` crate, which supports internationalized domain names and percent-encoding.

use alloc::format;
use core::fmt::Write as _;

use ::url::Url;

use super::uri::Uri;
use crate::error::UriError;
use crate::http_grammar::charset::{RESOURCE, USER_INFO};
use crate::http_grammar::percent;

impl TryFrom<&Url> for Uri {
    type Error = UriError;

    /// Converts a parsed URL. `Url` has converted the host into its `xn--` form, and has percent-encoded most
    /// characters of path and query that must not be sent. The remaining ones are encoded here.
    ///
    /// ```
    /// use websocket_proto::client::Uri;
    ///
    /// let url = url::Url::parse("wss://bücher.example/straße?q={\"a b\"}")?;
    /// let uri = Uri::try_from(&url)?;
    /// assert_eq!(uri.host(), "xn--bcher-kva.example");
    /// assert_eq!(uri.resource(), "/stra%C3%9Fe?q=%7B%22a%20b%22%7D");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails as parsing a string does, for example if the scheme is not `ws`, `wss`, `http` or `https`. A fragment is
    /// an error as well; remove it with `url.set_fragment(None)`.
    fn try_from(url: &Url) -> Result<Self, UriError> {
        if url.fragment().is_some() {
            return Err(UriError::Fragment);
        }
        let mut text = format!("{}://", url.scheme());
        if !url.username().is_empty() || url.password().is_some() {
            percent::encode_illegal(url.username(), &USER_INFO, &mut text);
            text.push(':');
            percent::encode_illegal(url.password().unwrap_or_default(), &USER_INFO, &mut text);
            text.push('@');
        }
        text.push_str(url.host_str().unwrap_or_default());
        if let Some(port) = url.port() {
            // Writing to a string can't fail.
            let _ = write!(text, ":{port}");
        }
        percent::encode_illegal(url.path(), &RESOURCE, &mut text);
        if let Some(query) = url.query() {
            text.push('?');
            percent::encode_illegal(query, &RESOURCE, &mut text);
        }
        text.parse()
    }
}
