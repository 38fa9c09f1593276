//! The user information of a URI: how the request sends it, and that it is never shown.

use websocket_proto::{UriError, client};

use crate::helpers::client::{header_values, request_bytes, request_bytes_for};

const URI: &str = "ws://user:secret@localhost/";

/// The value of the header for "user:secret", which is just as secret.
const BASIC: &str = "Basic dXNlcjpzZWNyZXQ=";

/// C-27: RFC 7617: the header has name and password in base64, of the bytes that the percent-encoding means.
#[test]
fn user_information_is_sent_as_basic_authentication() {
    for (user_info, expected) in [
        ("user:secret", BASIC),
        ("u", "Basic dTo="),
        ("u:", "Basic dTo="),
        (":p", "Basic OnA="),
        ("u:p:q", "Basic dTpwOnE="),
        ("%75:%70", "Basic dTpw"),
        ("u%40h:%25%3a%2F", "Basic dUBoOiU6Lw=="),
        ("%C3%A9:\u{21}", "Basic w6k6IQ=="),
        ("%ff:", "Basic /zo="),
        // The example of RFC 7617 section 2.
        ("Aladdin:open%20sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
    ] {
        let request = request_bytes_for(&format!("ws://{user_info}@h:81/a?b@c"));
        assert_eq!(header_values(&request, "Authorization"), [expected], "{user_info}");
        assert_eq!(header_values(&request, "Host"), ["h:81"]);
        assert!(request.starts_with(b"GET /a?b@c HTTP/1.1\r\n"));
    }
    for none in ["", ":"] {
        assert!(header_values(&request_bytes_for(&format!("ws://{none}@h/")), "Authorization").is_empty());
    }
}

/// C-04: user information that can't be sent is rejected, and the error shows nothing of it.
#[test]
fn user_information_that_cannot_be_sent_is_refused() {
    for user_info in [
        "u@v", "u[", "u]", "u^", "u|", "u\"", "u\\v", "u v", "u%", "u%zz", "ü", "u:p%0", "a%3Ab:c", "a%3ab", "%00",
        "u:%0a", "u:%7F", "u\r\nX",
    ] {
        assert_eq!(format!("ws://{user_info}@h/").parse::<client::Uri>(), Err(UriError::UserInfo), "{user_info:?}");
    }
}

/// C-27: your own header is sent instead: it may have more than the URI, such as a token.
#[test]
fn a_header_of_the_caller_replaces_user_information() {
    for name in ["Authorization", "AUTHORIZATION", "authorization"] {
        let request = client::Request::new(URI.parse().unwrap()).header("X", "y").header(name, "Bearer t");
        assert_eq!(header_values(&request_bytes(request), "Authorization"), ["Bearer t"]);
    }
    let request = client::Request::new(URI.parse().unwrap()).header("Proxy-Authorization", "Bearer t");
    assert_eq!(header_values(&request_bytes(request), "Authorization"), [BASIC]);
}

#[test]
fn user_information_is_never_shown() {
    let uri: client::Uri = URI.parse().unwrap();
    let request = client::Request::new(uri.clone());
    let joined = uri.join("/other").unwrap();
    for shown in
        [format!("{uri} {joined}"), format!("{uri:?} {joined:#?}"), format!("{request:?}"), format!("{request:#?}")]
    {
        for secret in ["user", "secret", "dXNlcjpzZWNyZXQ"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    assert_eq!(uri.to_string(), "ws://localhost/");
    assert_eq!(format!("{uri:?}"), "ws://***@localhost/");
    let plain: client::Uri = "ws://localhost/".parse().unwrap();
    assert_eq!(format!("{plain:?}"), "ws://localhost/");
    assert_ne!(uri, plain, "another user is another resource");
    assert_eq!((uri.host(), uri.port(), uri.host_header()), ("localhost", 80, "localhost".to_owned()));
}
