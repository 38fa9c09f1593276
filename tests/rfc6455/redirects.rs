//! Redirects (RFC 6455 section 4.1): which a client follows, and with which headers.

use websocket_proto::client::{Redirects, Request, Response, Uri};
use websocket_proto::{Config, Event, RedirectError, UriError};

use crate::helpers::client::{awaiting_response, first_line, header_values, plain_request, request_bytes};
use crate::support::feed;

#[test]
fn each_status_of_a_redirect_is_followed_and_no_other() {
    for status in [301, 302, 303, 307, 308] {
        let mut redirects = from("ws://a/b", 1);
        assert_eq!(redirects.follow(&response(status, Some("c"))), Ok(true), "{status}");
        assert_eq!(redirects.request().uri(), &uri("ws://a/c"));
        // Without a Location it leads nowhere.
        assert_eq!(from("ws://a/b", 1).follow(&response(status, None)), Ok(false), "{status}");
        assert_eq!(from("ws://a/b", 0).follow(&response(status, Some("c"))), Ok(false), "{status}");
    }
    for status in [200, 300, 304, 305, 306, 401, 503] {
        let mut redirects = from("ws://a/b", 1);
        assert_eq!(redirects.follow(&response(status, Some("c"))), Ok(false), "{status}");
        assert_eq!(redirects.request().uri(), &uri("ws://a/b"));
    }
}

#[test]
fn a_location_is_resolved_against_the_last_uri() {
    let mut redirects = from("ws://a/b/c?d", 4);
    for (location, expected) in
        [("e", "ws://a/b/e"), ("../f?g", "ws://a/f?g"), ("https://h:1/i/", "wss://h:1/i/"), ("j", "wss://h:1/i/j")]
    {
        assert_eq!(follow(&mut redirects, location), Ok(true));
        assert_eq!(redirects.request().uri(), &uri(expected));
    }
}

#[test]
fn tls_is_never_left() {
    assert_eq!(follow(&mut from("ws://a/", 1), "https://a/"), Ok(true));
    assert_eq!(follow(&mut from("wss://a:1/", 1), "/b"), Ok(true));
    for location in ["ws://b/", "http://b/"] {
        assert_eq!(follow(&mut from("wss://a/", 1), location), Err(RedirectError::Insecure(uri("ws://b/"))));
    }
}

#[test]
fn the_same_resource_in_another_spelling_is_a_loop() {
    for location in ["", "/b?c", "#top", "//a/b?c", "http://A:80/b?c", "ws://user@a/b?c"] {
        let error = follow(&mut from("ws://a/b?c", 1), location);
        assert!(matches!(error, Err(RedirectError::Loop(_))), "{location}");
    }
    for location in ["/B?c", "?d", "wss://a/b?c", "//a:81/b?c", "//b/b?c"] {
        assert_eq!(follow(&mut from("ws://a/b?c", 1), location), Ok(true), "{location}");
    }
    let mut redirects = from("ws://a/", 9);
    assert_eq!((follow(&mut redirects, "/b"), follow(&mut redirects, "/c")), (Ok(true), Ok(true)));
    for again in ["/", "/b", "/c"] {
        let looping = uri("ws://a/").join(again).unwrap();
        assert_eq!(follow(&mut redirects, again), Err(RedirectError::Loop(looping)));
    }
}

#[test]
fn a_redirect_that_is_not_followed_changes_nothing() {
    let mut redirects = from("wss://a/", 2);
    assert_eq!(follow(&mut redirects, "ftp://b/"), Err(RedirectError::Location(UriError::Scheme)));
    assert!(follow(&mut redirects, "ws://b/").is_err() && follow(&mut redirects, "/").is_err());
    assert_eq!(redirects.request(), from("wss://a/", 2).request());
    // None of them counts.
    assert_eq!((follow(&mut redirects, "/1"), follow(&mut redirects, "/2")), (Ok(true), Ok(true)));
    assert_eq!(follow(&mut redirects, "/3"), Err(RedirectError::TooMany(2)));
    assert_eq!(redirects.request().uri(), &uri("wss://a/2"));
}

#[test]
fn credentials_stay_with_the_first_origin() {
    let request = Request::new(uri("ws://a/"))
        .subprotocol("chat")
        .origin("https://page")
        .header("X-Trace", "1")
        .header("cookie", "id=7")
        .header("AUTHORIZATION", "Bearer secret")
        .header("Proxy-Authorization", "Basic eA==")
        .header("X-Trace", "2");
    for other in ["ws://b/", "ws://a:81/", "wss://a/"] {
        let mut redirects = Redirects::new(request.clone(), 9);
        for (location, are_sent) in [("/1", true), ("//A:80/2", true), (other, false), ("3", false)] {
            assert_eq!(follow(&mut redirects, location), Ok(true));
            let sent = request_bytes(redirects.request().clone());
            for name in ["Authorization", "Cookie", "Proxy-Authorization"] {
                assert_eq!(header_values(&sent, name).len(), usize::from(are_sent), "{name}, {location}");
            }
            assert_eq!(header_values(&sent, "X-Trace"), ["1", "2"]);
            assert_eq!(header_values(&sent, "Origin"), ["https://page"]);
            assert_eq!(header_values(&sent, "Sec-WebSocket-Protocol"), ["chat"]);
        }
        assert_eq!(first_line(&request_bytes(redirects.request().clone())), "GET /3 HTTP/1.1");
    }
    // A server that leads away and back learns nothing by that.
    let mut redirects = Redirects::new(request, 2);
    assert_eq!((follow(&mut redirects, "//b/"), follow(&mut redirects, "//a/back")), (Ok(true), Ok(true)));
    assert!(header_values(&request_bytes(redirects.request().clone()), "Cookie").is_empty());
}

#[test]
fn user_information_stays_with_its_origin() {
    let mut redirects = from("ws://user:secret@a/", 4);
    for (location, is_sent) in [("/1", true), ("//a/2", true), ("//b/", false), ("//a/3", false)] {
        assert_eq!(follow(&mut redirects, location), Ok(true));
        let sent = request_bytes(redirects.request().clone());
        assert_eq!(header_values(&sent, "Authorization").len(), usize::from(is_sent), "{location}");
    }
}

fn from(start: &str, max: usize) -> Redirects {
    Redirects::new(Request::new(uri(start)), max)
}

fn follow(redirects: &mut Redirects, location: &str) -> Result<bool, RedirectError> {
    redirects.follow(&response(302, Some(location)))
}

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn response(status: u16, location: Option<&str>) -> Response {
    let location = location.map(|location| format!("Location: {location}\r\n")).unwrap_or_default();
    let head = format!("HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n{location}\r\n");
    match feed(&mut awaiting_response(plain_request(), Config::new()), head.as_bytes()).swap_remove(0) {
        Event::Rejected(response) => *response,
        event => panic!("{event:?}"),
    }
}
