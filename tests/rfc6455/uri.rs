//! The URI of a client (RFC 6455 section 3): its grammar, and the parts that the request contains.

use websocket_proto::{Config, Connection, Event, UriError, client};

use crate::helpers::client::{first_line, header_values, request_bytes, request_bytes_for};
use crate::helpers::pair::request_between;
use crate::support::feed;

/// C-01: a fragment is rejected wherever it is; `%23` is sent as it is.
#[test]
fn a_uri_with_a_fragment_is_refused() {
    for uri in ["ws://h/a#b", "ws://h/#", "ws://h#", "ws://h#/a?b", "ws://h?a#b", "wss://h:443#", "ws://#"] {
        assert_eq!(uri.parse::<client::Uri>(), Err(UriError::Fragment), "{uri}");
    }
    assert_eq!(first_line(&request_bytes_for("ws://h/a%23b?c%23d")), "GET /a%23b?c%23d HTTP/1.1");
}

/// Functions that take a server's URI take each of these.
#[test]
fn a_uri_may_be_a_text_or_parsed() {
    fn converted(uri: impl client::IntoUri) -> Result<String, UriError> {
        uri.into_uri().map(|uri| format!("{uri:?}"))
    }

    let (text, other) = ("wss://user@h:444/a?b".to_owned(), "h/a".to_owned());
    let uri: client::Uri = text.parse().unwrap();
    let expected = Ok("wss://***@h:444/a?b".to_owned());
    for result in [converted(&*text), converted(&text), converted(text), converted(&uri), converted(uri)] {
        assert_eq!(result, expected);
    }
    for result in [converted(&*other), converted(&other), converted(other)] {
        assert_eq!(result, Err(UriError::Scheme));
    }
}

/// C-02, C-11, C-12: the request line asks for path and query with GET and HTTP/1.1, and changes nothing in them.
#[test]
fn the_request_line_has_path_and_query_as_the_uri_has_them() {
    for (uri, resource) in [
        ("ws://h", "/"),
        ("ws://h/", "/"),
        ("ws://h?", "/"),
        ("ws://h/?", "/"),
        ("ws://h?x=1", "/?x=1"),
        ("ws://h:81?x=1", "/?x=1"),
        ("ws://h/p", "/p"),
        ("ws://h/p?", "/p"),
        ("ws://h/p??", "/p??"),
        ("ws://h/a/../b//c;d=e/%7e/", "/a/../b//c;d=e/%7e/"),
        ("ws://h/p?x=%20&y=/?z&&=%C3%A9", "/p?x=%20&y=/?z&&=%C3%A9"),
        ("ws://h/u@v:80", "/u@v:80"),
        ("WSS://[::1]:8443/Path?Query", "/Path?Query"),
    ] {
        let request = request_bytes_for(uri);
        assert_eq!(first_line(&request), format!("GET {resource} HTTP/1.1"), "{uri}");
        let events = feed(&mut Connection::server(Config::new()), &request);
        assert!(matches!(&events[..], [Event::Request(request)] if request.resource() == resource), "{uri}");
    }
}

/// C-03, C-13: one Host, with the port only if it isn't the default of the scheme.
#[test]
fn the_host_header_has_the_port_unless_it_is_the_default() {
    for (uri, header, host, port) in [
        ("ws://h", "h", "h", 80),
        ("ws://h:", "h", "h", 80),
        ("ws://h:80", "h", "h", 80),
        ("ws://h:0080", "h", "h", 80),
        ("ws://h:443", "h:443", "h", 443),
        ("wss://h", "h", "h", 443),
        ("wss://h:443/", "h", "h", 443),
        ("wss://h:80?x", "h:80", "h", 80),
        ("ws://a.example:65535", "a.example:65535", "a.example", 65535),
        ("ws://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1", 1),
        ("ws://[::1]:9000", "[::1]:9000", "::1", 9000),
        ("ws://[::1]", "[::1]", "::1", 80),
        ("wss://[2001:db8::1]:443", "[2001:db8::1]", "2001:db8::1", 443),
    ] {
        assert_eq!(header_values(&request_bytes_for(uri), "Host"), [header], "{uri}");
        let uri: client::Uri = uri.parse().unwrap();
        assert_eq!((uri.host(), uri.port()), (host, port), "{uri}");
    }
}

/// C-04: an invalid component is rejected before there is a connection.
#[test]
fn an_invalid_uri_is_refused() {
    for uri in ["", "h", "ws:h", "ws:/h", "://h", " ws://h", "httpss://h", "wsss://h", "ftp://h"] {
        assert_eq!(uri.parse::<client::Uri>(), Err(UriError::Scheme), "{uri:?}");
    }
    let hosts = [
        "",
        "/a",
        "?a",
        ":80",
        "::1",
        "[]",
        "[::1]a",
        "[h]",
        "[1.2.3]",
        "[::1%eth0]",
        "[h%25eth0]",
        "[::1%25]",
        "[::1%25%00]",
        "[::1%25%FF]",
        "[::1",
        "[::1%25a",
    ];
    let ports = ["h:0", "h:65536", "h:+80", "h:-1", "h:8 0", "h:80:80", "h:x", "h:8\r\n", "[::1]:x"];
    for (error, rests) in [(UriError::Host, &hosts[..]), (UriError::Port, &ports)] {
        for rest in rests {
            assert_eq!(format!("ws://{rest}").parse::<client::Uri>(), Err(error), "{rest:?}");
        }
    }
    for illegal in "\"<>\\^`{|} \0\t\r\n\x7fü%".chars() {
        for rest in ["", "a", "a.example", "[::1%25a"] {
            let close = if rest.starts_with('[') { "]" } else { "" };
            let uri = format!("ws://{rest}{illegal}{close}/");
            assert_eq!(uri.parse::<client::Uri>(), Err(UriError::HostCharacter(illegal)), "{uri:?}");
        }
        for rest in ["", "/", "/a", "?", "/?a"] {
            let rest = if rest.is_empty() { "/x/" } else { rest };
            for more in ["", "0", "g0", "/0z"] {
                let uri = format!("ws://h{rest}{illegal}{more}");
                assert_eq!(uri.parse::<client::Uri>(), Err(UriError::Resource(illegal)), "{uri:?}");
            }
        }
    }
    assert_eq!("ws://a%00b/".parse::<client::Uri>(), Err(UriError::HostCharacter('%')));
    assert_eq!("ws://h/%zz".parse::<client::Uri>(), Err(UriError::Resource('%')));
}

/// C-05: whatever characters host, path and query have, a request line is printable ASCII with two spaces.
#[test]
fn a_request_is_ascii_or_is_refused() {
    for character in '\0'..='\u{ffff}' {
        for uri in [format!("ws://h{character}"), format!("ws://h/{character}"), format!("ws://h?{character}")] {
            let Ok(parsed) = uri.parse::<client::Uri>() else { continue };
            assert!(character.is_ascii(), "{uri:?}");
            let request = request_bytes(client::Request::new(parsed));
            let line = first_line(&request);
            let parts: Vec<_> = line.split(' ').collect();
            assert!(matches!(parts[..], ["GET", target, "HTTP/1.1"] if target.starts_with('/')), "{line:?}");
            assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line:?}");
            assert!(header_values(&request, "Host")[0].bytes().all(|byte| byte.is_ascii_graphic()), "{uri:?}");
        }
    }
}

/// C-04: the characters that may be in path and query as they are: those of RFC 3986, and brackets, which browsers leave.
#[test]
fn what_need_not_be_encoded_is_accepted() {
    for character in '!'..='~' {
        let is_accepted = format!("ws://h/{character}41").parse::<client::Uri>().is_ok();
        let is_legal = character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?[]%".contains(character);
        assert_eq!(is_accepted, is_legal, "{character}");
    }
}

/// C-08: the schemes of HTTP mean those of WebSocket, as they do for browsers.
#[test]
fn the_schemes_of_http_are_accepted() {
    for (http, ws) in [("http://h", "ws://h/"), ("HTTPS://h:443/a?b", "wss://h/a?b"), ("https://h:80", "wss://h:80/")] {
        let uri: client::Uri = http.parse().unwrap();
        assert_eq!((&uri, uri.to_string()), (&ws.parse().unwrap(), ws.to_owned()));
        assert_eq!(uri.is_secure(), ws.starts_with("wss"));
    }
}

/// C-03, C-13: the zone of an IPv6 address is used to connect, and never sent to the server (RFC 6874 section 1).
#[test]
fn a_zone_is_not_sent() {
    for (uri, dialled, header) in [
        ("ws://[fe80::1%25eth0]/a", "fe80::1%eth0", "[fe80::1]"),
        ("ws://[fe80::1%25eth0]:81/a", "fe80::1%eth0", "[fe80::1]:81"),
        ("ws://[fe80::1%25a%2Fb%25%C3%A9]:81/a", "fe80::1%a/b%é", "[fe80::1]:81"),
    ] {
        let parsed: client::Uri = uri.parse().unwrap();
        assert_eq!((parsed.host_with_zone(), parsed.host()), (dialled, "fe80::1"));
        assert_eq!(parsed.host_header(), header);
        assert_eq!(parsed.to_string(), uri);
        assert_eq!(format!("{parsed:?}"), uri);
        let request = request_bytes(client::Request::new(parsed));
        assert_eq!(header_values(&request, "Host"), [header]);
        assert!(!String::from_utf8(request).unwrap().contains('%'));
    }
    for uri in ["ws://h/", "ws://[::1]/", "ws://127.0.0.1/"] {
        let uri: client::Uri = uri.parse().unwrap();
        assert_eq!(uri.host_with_zone(), uri.host());
    }
}

/// C-08: only the URI distinguishes `wss` from `ws`; the bytes on the transport are the same.
#[test]
fn a_secure_request_differs_in_nothing_but_its_transport() {
    assert!("wss://h".parse::<client::Uri>().unwrap().is_secure());
    assert!(!"ws://h".parse::<client::Uri>().unwrap().is_secure());
    assert_eq!(request_bytes_for("wss://h/a?b"), request_bytes_for("ws://h/a?b"));
}

/// B-95: a resource name arrives as it was requested, well-known ones like any other.
#[test]
fn resource_names_pass_through() {
    for resource in ["/", "/.well-known/x", "/.well-known/a%2Fb?c=d&e=%F0", "/a//b/../c?d?", "/~a;b=c,d:@!$'()*+"] {
        for scheme in ["ws", "wss"] {
            let uri = format!("{scheme}://example.com{resource}").parse().unwrap();
            let (_, _, request) = request_between(client::Request::new(uri));
            assert_eq!((request.resource(), request.host()), (resource, "example.com"));
        }
    }
}
