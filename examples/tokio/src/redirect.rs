//! Where a server sends its clients to (RFC 6455 4.1: a client may follow).

use websocket_proto_tokio::client;

/// Where a refused client is to go instead; `None` where the refusal is no redirect, or one that isn't followed: to
/// something that isn't a WebSocket URI, or from TLS to none. Count them: a server may send in circles.
pub fn location(from: &client::Uri, response: &client::Response) -> Option<client::Uri> {
    match response.status() {
        301 | 302 | 303 | 307 | 308 => resolve(from, response.header("Location")?),
        _ => None,
    }
}

/// Makes an absolute URI of a `Location`: a whole URI, one without a scheme, or an absolute path. A server that speaks of
/// `http` means `ws`.
fn resolve(from: &client::Uri, location: &str) -> Option<client::Uri> {
    let scheme = if from.is_secure() { "wss" } else { "ws" };
    let (location, _fragment) = location.split_once('#').unwrap_or((location, ""));
    let absolute = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{}{location}", from.host_header())
    } else if let Some(rest) = location.strip_prefix("http") {
        format!("ws{rest}")
    } else {
        location.to_owned()
    };
    let to: client::Uri = absolute.parse().ok()?;
    (to.is_secure() || !from.is_secure()).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::resolve;

    fn resolved(from: &str, location: &str) -> Option<String> {
        resolve(&from.parse().unwrap(), location).map(|uri| uri.to_string())
    }

    #[test]
    fn what_is_missing_is_taken_from_the_request() {
        for (location, uri) in [
            ("/b?c", "ws://a:81/b?c"),
            ("/b#c", "ws://a:81/b"),
            ("//b/c", "ws://b/c"),
            ("ws://b/c", "ws://b/c"),
            ("wss://b", "wss://b/"),
            ("http://b:82/", "ws://b:82/"),
            ("https://b/", "wss://b/"),
        ] {
            assert_eq!(resolved("ws://a:81/x?y", location).as_deref(), Some(uri), "{location}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_not_followed() {
        for location in ["", "b", "ftp://b/", "http:b", "mailto:b", "httpd://b/", "/b c"] {
            assert_eq!(resolved("ws://a/", location), None, "{location}");
        }
    }

    #[test]
    fn tls_is_not_left() {
        assert_eq!(resolved("wss://a/", "ws://a/"), None);
        assert_eq!(resolved("wss://a/", "http://a/"), None);
        assert_eq!(resolved("wss://a:1/", "/b").as_deref(), Some("wss://a:1/b"));
    }
}
