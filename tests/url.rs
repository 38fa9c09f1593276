//! URIs of the crate `url`.
#![cfg(feature = "url")]

use url::Url;
use websocket_proto::{UriError, client};

#[test]
fn urls_are_converted() {
    for (url, expected) in [
        ("ws://h", "ws://h/"),
        ("wss://h:443/a/../b?c", "wss://h/b?c"),
        ("http://h:81", "ws://h:81/"),
        ("https://user:pa%40ss@h/", "wss://user:pa%40ss@h/"),
        ("ws://u@h/", "ws://u@h/"),
        ("ws://:p@h/", "ws://:p@h/"),
        ("ws://50%:a'b@h/", "ws://50%25:a'b@h/"),
        ("ws://[::1]:9001/", "ws://[::1]:9001/"),
        ("ws://BÜCHER.example/", "ws://xn--bcher-kva.example/"),
        ("ws://h/a b\u{fc}\"<>^`{|}%zz%41", "ws://h/a%20b%C3%BC%22%3C%3E%5E%60%7B%7C%7D%25zz%41"),
        ("ws://h/?a b\u{fc}\"<>\\^`{|}%zz%41&x[]=1", "ws://h/?a%20b%C3%BC%22%3C%3E%5C%5E%60%7B%7C%7D%25zz%41&x[]=1"),
        ("ws://h/?", "ws://h/"),
    ] {
        let parsed = Url::parse(url).unwrap();
        assert_eq!(client::Uri::try_from(&parsed), Ok(expected.parse().unwrap()), "{parsed}");
    }
}

#[test]
fn urls_that_are_none_of_websocket_are_refused() {
    for (url, error) in [
        ("ftp://h/", UriError::Scheme),
        ("mailto:a@b", UriError::Scheme),
        ("data:,", UriError::Scheme),
        ("ws://h/#", UriError::Fragment),
        ("ws://h/a?b#c", UriError::Fragment),
        ("ws://h:0/", UriError::Port),
        ("ws://a`b/", UriError::HostCharacter('`')),
        ("ws://a%3Ab@h/", UriError::UserInfo),
    ] {
        assert_eq!(client::Uri::try_from(&Url::parse(url).unwrap()), Err(error), "{url}");
    }
}

#[test]
fn functions_that_take_a_uri_take_a_url() {
    let into_uri = |uri: Url| (client::IntoUri::into_uri(&uri), client::IntoUri::into_uri(uri));
    let expected = || Ok("wss://h/a".parse().unwrap());
    assert_eq!(into_uri(Url::parse("wss://h/a").unwrap()), (expected(), expected()));
    let expected = || Err(UriError::Scheme);
    assert_eq!(into_uri(Url::parse("ftp://h/a").unwrap()), (expected(), expected()));
}
