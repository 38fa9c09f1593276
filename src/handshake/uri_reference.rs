//! URI references (RFC 3986 section 5), such as the value of a `Location` header.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::uri::Uri;
use crate::error::UriError;

impl Uri {
    /// Resolves a URI reference against this URI, such as the value of the `Location` header of a redirect. It may be a
    /// path, a URI without a scheme, or a whole URI. A fragment is omitted.
    ///
    /// The result has the user information of this URI only if scheme, host and port are the same. To follow redirects, use
    /// [`Redirects`](crate::client::Redirects), which limits them and lets none lead from `wss` to `ws`.
    ///
    /// ```
    /// use websocket_proto::client::Uri;
    ///
    /// let uri: Uri = "wss://user:secret@example.com/rooms/1?from=7".parse()?;
    /// assert_eq!(uri.join("2")?.to_string(), "wss://example.com/rooms/2");
    /// assert_eq!(uri.join("/sign-in#top")?.to_string(), "wss://example.com/sign-in");
    /// assert_eq!(uri.join("https://other.example/")?.to_string(), "wss://other.example/");
    /// # Ok::<(), websocket_proto::UriError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the result is not a WebSocket URI: it has another scheme, or a character that must be percent-encoded.
    pub fn join(&self, location: &str) -> Result<Self, UriError> {
        let reference = location.split_once('#').map_or(location, |(reference, _)| reference);
        if has_scheme(reference) {
            return self.join_authority(reference.parse()?);
        }
        if reference.starts_with("//") {
            let scheme = if self.is_secure() { "wss:" } else { "ws:" };
            return self.join_authority(format!("{scheme}{reference}").parse()?);
        }
        // RFC 3986 section 5.2.2: the reference has the same authority.
        let (base_path, base_query) = split_query(self.resource());
        let resource = match split_query(reference) {
            ("", None) => join_query(base_path.to_owned(), base_query),
            ("", query) => join_query(base_path.to_owned(), query),
            (path, query) if path.starts_with('/') => join_query(remove_dot_segments(path), query),
            (path, query) => {
                // Section 5.2.3: the path of a URI with an authority is never empty here, so it contains a slash.
                let directory = base_path.rsplit_once('/').map_or("", |(directory, _)| directory);
                join_query(remove_dot_segments(&format!("{directory}/{path}")), query)
            }
        };
        self.with_resource(&resource)
    }

    /// Completes a reference that has its own authority.
    fn join_authority(&self, reference: Self) -> Result<Self, UriError> {
        let (path, query) = split_query(reference.resource());
        let mut joined = reference.with_resource(&join_query(remove_dot_segments(path), query))?;
        joined.inherit_from(self);
        Ok(joined)
    }
}

/// RFC 3986 section 3.1: a reference has a scheme if a colon comes before any slash, question mark or fragment. The first
/// segment of a relative path has no colon (section 4.2).
fn has_scheme(reference: &str) -> bool {
    reference.chars().find(|character| matches!(character, ':' | '/' | '?')) == Some(':')
}

fn split_query(resource: &str) -> (&str, Option<&str>) {
    resource.split_once('?').map_or((resource, None), |(path, query)| (path, Some(query)))
}

fn join_query(mut path: String, query: Option<&str>) -> String {
    if let Some(query) = query {
        path.extend(["?", query]);
    }
    path
}

/// RFC 3986 section 5.2.4, for a path that starts with a slash: "." and ".." are directories, and none is above the root.
fn remove_dot_segments(path: &str) -> String {
    let mut output = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            // Removes the last segment and its slash.
            ".." => while output.pop().is_some_and(|character| character != '/') {},
            segment => {
                output.extend(["/", segment]);
                continue;
            }
        }
        if segments.peek().is_none() {
            output.push('/');
        }
    }
    output
}
