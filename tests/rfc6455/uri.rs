//! The URI of a client (RFC 6455 section 3): its grammar, and what the request takes from it.

use websocket_proto::{Config, Connection, Event, UriError, client};

use crate::helpers::client::{first_line, header_values, request_bytes, request_bytes_for};
use crate::helpers::pair::request_between;
use crate::support::feed;

/// C-01: a fragment is refused wherever it stands; `%23` travels as it is.
#[test]
fn a_uri_with_a_fragment_is_refused() {
    for uri in ["ws://h/a#b", "ws://h/#", "ws://h#", "ws://h#/a?b", "ws://h?a#b", "wss://h:443#", "ws://#"] {
        assert_eq!(uri.parse::<client::Uri>(), Err(UriError::Fragment), "{uri}");
    }
    assert_eq!(first_line(&request_bytes_for("ws://h/a%23b?c%23d")), "GET /a%23b?c%23d HTTP/1.1");
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

/// C-03, C-13: one Host, in which the port stands only where it isn't the scheme's own.
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

/// C-04: a component that isn't valid is refused before there is a connection.
#[test]
fn an_invalid_uri_is_refused() {
    for uri in ["", "h", "ws:h", "ws:/h", "://h", " ws://h", "http://h", "wsss://h"] {
        assert_eq!(uri.parse::<client::Uri>(), Err(UriError::Scheme), "{uri:?}");
    }
    let hosts = [
        "", "/a", "?a", ":80", "a b", "h ", "h\r\nX", "h\n", "h\0", "h\x7f", "h\\a", "hü", "::1", "[::1", "[]",
        "[::1]a", "[h]", "[1.2.3]",
    ];
    let ports = ["h:0", "h:65536", "h:+80", "h:-1", "h:8 0", "h:80:80", "h:x", "h:8\r\n", "[::1]:x"];
    let resources = [
        ("h/a b", ' '),
        ("h/\r\nX", '\r'),
        ("h/\r", '\r'),
        ("h/\n", '\n'),
        ("h/\0", '\0'),
        ("h/\t", '\t'),
        ("h/\x7f", '\x7f'),
        ("h/ü", 'ü'),
        ("h?a b", ' '),
        ("h?\r", '\r'),
        ("h/?ü ", 'ü'),
    ];
    for (error, rests) in
        [(UriError::Host, &hosts[..]), (UriError::Port, &ports), (UriError::UserInfo, &["u@h", "u:p@h/a", "@h"])]
    {
        for rest in rests {
            assert_eq!(format!("ws://{rest}").parse::<client::Uri>(), Err(error), "{rest:?}");
        }
    }
    for (rest, character) in resources {
        assert_eq!(format!("ws://{rest}").parse::<client::Uri>(), Err(UriError::Resource(character)), "{rest:?}");
    }
}

/// C-05: whatever character stands in host, path or query, a request line is printable ASCII with two spaces.
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

/// C-08: the URI says whether the transport must be TLS; the bytes on it are the same.
#[test]
fn a_secure_request_differs_in_nothing_but_its_transport() {
    assert!("wss://h".parse::<client::Uri>().unwrap().is_secure());
    assert!(!"ws://h".parse::<client::Uri>().unwrap().is_secure());
    assert_eq!(request_bytes_for("wss://h/a?b"), request_bytes_for("ws://h/a?b"));
}

/// B-95: a resource name arrives as it was asked for, well-known ones like any other.
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
