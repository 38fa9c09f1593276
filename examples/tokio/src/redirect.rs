//! Where a server sends its clients to (RFC 6455 section 4.1: a client may follow).

use websocket_proto_tokio::client;

/// Returns where a rejected client is to go instead; `None` if the response is no redirect, or leads to something that isn't a
/// WebSocket URI, or from TLS to none. Count them: a server may send in circles.
pub fn location(from: &client::Uri, response: &client::Response) -> Option<client::Uri> {
    match response.status() {
        301 | 302 | 303 | 307 | 308 => follow(from, response.header("Location")?),
        _ => None,
    }
}

fn follow(from: &client::Uri, location: &str) -> Option<client::Uri> {
    let to = from.join(location).ok()?;
    (to.is_secure() || !from.is_secure()).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::follow;

    fn followed(from: &str, location: &str) -> Option<String> {
        follow(&from.parse().unwrap(), location).map(|uri| uri.to_string())
    }

    #[test]
    fn what_is_missing_is_taken_from_the_request() {
        for (location, uri) in [
            ("/b?c", "ws://a:81/b?c"),
            ("/b#c", "ws://a:81/b"),
            ("b", "ws://a:81/b"),
            ("//b/c", "ws://b/c"),
            ("ws://b/c", "ws://b/c"),
            ("wss://b", "wss://b/"),
            ("http://b:82/", "ws://b:82/"),
            ("https://b/", "wss://b/"),
        ] {
            assert_eq!(followed("ws://a:81/x?y", location).as_deref(), Some(uri), "{location}");
        }
    }

    #[test]
    fn what_leads_nowhere_is_not_followed() {
        for location in ["ftp://b/", "mailto:b", "httpd://b/", "/b c"] {
            assert_eq!(followed("ws://a/", location), None, "{location}");
        }
    }

    #[test]
    fn tls_is_not_left() {
        assert_eq!(followed("wss://a/", "ws://a/"), None);
        assert_eq!(followed("wss://a/", "http://a/"), None);
        assert_eq!(followed("wss://a:1/", "/b").as_deref(), Some("wss://a:1/b"));
    }
}
