//! References (RFC 3986 section 5), as redirects have them in `Location`, and `Retry-After`.

use std::time::Duration;

use websocket_proto::{Config, UriError, client};

use crate::helpers::client::{header_values, rejected_response, request_bytes};

/// The normal and the abnormal examples of RFC 3986 sections 5.4.1 and 5.4.2, apart from fragments, which are left out.
#[test]
fn the_examples_of_rfc_3986() {
    let base = "http://a/b/c/d;p?q";
    for (reference, expected) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        ("g;x", "http://a/b/c/g;x"),
        ("g;x?y#s", "http://a/b/c/g;x?y"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "http://a/b/c/y"),
        ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("g#s/./x", "http://a/b/c/g"),
        ("g#s/../x", "http://a/b/c/g"),
    ] {
        assert_eq!(joined(base, reference), uri(expected), "{reference}");
    }
    // Those with another scheme are no WebSocket URIs.
    for reference in ["g:h", "http:g", "mailto:a@b", "ftp://a/", "a:b/../c", ":"] {
        assert_eq!(uri(base).join(reference), Err(UriError::Scheme), "{reference}");
    }
}

#[test]
fn references_keep_the_server_or_name_another() {
    for (base, reference, expected) in [
        ("wss://a", "b", "wss://a/b"),
        ("wss://a?x", "b", "wss://a/b"),
        ("wss://a:81/b/c?x/y", "d", "wss://a:81/b/d"),
        ("wss://a:81/b?x", "?", "wss://a:81/b"),
        ("wss://a:81/b", "//c:82/d", "wss://c:82/d"),
        ("ws://a:81/b", "//c?d", "ws://c/?d"),
        ("ws://a/b", "https://c/d/../e?f#g", "wss://c/e?f"),
        ("wss://a/b", "http://c", "ws://c/"),
        ("wss://a/b", "WSS://C/./", "wss://C/"),
        ("ws://a/b//c", "../d", "ws://a/b/d"),
        ("ws://a/b/%2E/c", "d%2F..", "ws://a/b/%2E/d%2F.."),
        ("ws://a/b", "/c:d", "ws://a/c:d"),
        ("ws://a/b", "./c:d", "ws://a/c:d"),
        ("ws://[fe80::1%25eth0]/b", "c", "ws://[fe80::1%25eth0]/c"),
        // The server doesn't know the zone, but it is the same server.
        ("ws://[fe80::1%25eth0]/b", "http://[fe80::1]:81/c", "ws://[fe80::1%25eth0]:81/c"),
        ("ws://[fe80::1%25eth0]/b", "http://[fe80::1%25wlan0]/c", "ws://[fe80::1%25wlan0]/c"),
        ("ws://[fe80::1%25eth0]/b", "http://[fe80::2]/c", "ws://[fe80::2]/c"),
    ] {
        assert_eq!(joined(base, reference), uri(expected), "{base} {reference}");
    }
    for (reference, error) in [
        ("/a b", UriError::Resource(' ')),
        ("\\\\evil", UriError::Resource('\\')),
        ("/é", UriError::Resource('é')),
        ("//", UriError::Host),
        ("//h:x/", UriError::Port),
        ("https://u%zz@h/", UriError::UserInfo),
    ] {
        assert_eq!(uri("ws://a/").join(reference), Err(error), "{reference}");
    }
}

/// Credentials belong to a server: scheme, host and port.
#[test]
fn user_information_stays_with_its_server() {
    let sent = |base: &str, reference: &str| {
        let request = client::Request::new(joined(base, reference));
        header_values(&request_bytes(request), "Authorization").pop()
    };
    let (base, basic) = ("wss://u:p@a.example/b", Some("Basic dTpw".to_owned()));
    for kept in ["", "c", "/c", "?d", "#e", "//a.example/c", "wss://a.example", "https://A.EXAMPLE:443/c"] {
        assert_eq!(sent(base, kept), basic, "{kept}");
    }
    for dropped in [
        "//b.example/c",
        "https://b.example/",
        "ws://a.example/",
        "http://a.example:443/",
        "https://a.example:444/",
        "https://a.example.evil/",
        "https://xa.example/",
        "https://example/",
        "//a.example:80",
    ] {
        assert_eq!(sent(base, dropped), None, "{dropped}");
    }
    // What the reference names itself is used.
    assert_eq!(sent(base, "https://v@b.example/"), Some("Basic djo=".to_owned()));
    assert_eq!(sent(base, "https://v@a.example/"), Some("Basic djo=".to_owned()));
}

/// RFC 9110 section 10.2.3: a number of seconds; a date is for those who have a clock.
#[test]
fn retry_after_is_a_number_of_seconds() {
    for (value, expected) in [
        ("Retry-After: 0", Some(Duration::ZERO)),
        ("retry-after: 120", Some(Duration::from_secs(120))),
        ("Retry-After: 007", Some(Duration::from_secs(7))),
        ("Retry-After: 99999999999999999999", Some(Duration::from_secs(u64::MAX))),
        ("Retry-After: 5\r\nRetry-After: 6", Some(Duration::from_secs(5))),
        ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", None),
        ("Retry-After:", None),
        ("Retry-After: -1", None),
        ("Retry-After: +1", None),
        ("Retry-After: 1.5", None),
        ("Retry-After: 1s", None),
        ("X-Retry-After: 1", None),
    ] {
        let response = format!("HTTP/1.1 503 Service Unavailable\r\n{value}\r\nContent-Length: 0\r\n\r\n");
        let response = rejected_response(&Config::new(), (response.as_bytes(), b""), |_| {});
        assert_eq!(response.retry_after(), expected, "{value}");
    }
}

fn uri(text: &str) -> client::Uri {
    text.parse().unwrap()
}

fn joined(base: &str, reference: &str) -> client::Uri {
    uri(base).join(reference).unwrap_or_else(|error| panic!("{base} {reference}: {error}"))
}
