//! Any text is a WebSocket URI, or not, exactly as the crate `url` and the grammar of RFC 3986 say, and both find the same
//! host, port, resource and credentials in it.
//!
//! The two differ where the WHATWG standard repairs what a user types and RFC 6455 section 3 asks for a URI. The functions
//! [`why_only_url_accepts`] and [`why_only_we_accept`] list these differences: any other one is a fault.
//!
//! Input: the text.
#![no_main]

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use url::{Host, ParseError, Url};
use websocket_proto::{Config, Connection, Seed, UriError, client};

fuzz_target!(|text: &str| {
    match (text.parse::<client::Uri>(), Url::parse(text)) {
        (Ok(ours), Ok(theirs)) => {
            same(text, &ours, &theirs);
            check(&ours);
        }
        (Ok(ours), Err(error)) => {
            why_only_we_accept(&ours, error);
            check(&ours);
        }
        (Err(error), Ok(theirs)) => why_only_url_accepts(text, error, &theirs),
        (Err(_), Err(_)) => {}
    }
    if let Ok(theirs) = Url::parse(text) {
        converted(&theirs);
    }
});

fn same(text: &str, ours: &client::Uri, theirs: &Url) {
    assert_eq!(ours.is_secure(), ["wss", "https"].contains(&theirs.scheme()));
    // Only a scheme that `url` doesn't know as special would be without.
    assert_eq!(Some(ours.port()), theirs.port_or_known_default());
    match theirs.host().unwrap() {
        Host::Domain(name) => assert!(ours.host().eq_ignore_ascii_case(name)),
        Host::Ipv6(address) => assert_eq!(ours.host().parse(), Ok(address)),
        // `url` reads numbers as addresses: 127.1 and 0x7f000001 are 127.0.0.1. RFC 3986 section 3.2.2 has only four
        // decimal numbers, and anything else is a name, which the resolver may read in the same way.
        Host::Ipv4(address) => match ours.host().parse::<Ipv4Addr>() {
            Ok(ours) => assert_eq!(ours, address),
            Err(_) => assert!(is_numeric(ours.host())),
        },
    }
    let credentials = credentials(theirs);
    assert_eq!(authorization(ours), credentials);
    // `url` removes dot segments (RFC 3986 section 5.2.4), which no client has to do: the server does.
    if !has_dot_segment(text) {
        assert_eq!(plain(ours.resource()), plain(&resource(theirs)));
    }
}

/// The reasons for which a text that `url` repairs isn't a URI.
fn why_only_url_accepts(text: &str, error: UriError, theirs: &Url) {
    // `url` removes line breaks and tabs anywhere, and control characters and spaces at both ends.
    if text.contains(['\t', '\n', '\r']) || text.trim_matches(|c| c <= ' ') != text {
        return;
    }
    let is_known = ["ws", "wss", "http", "https"].contains(&theirs.scheme());
    // `url` takes a backslash for a slash, and any number of slashes for two.
    let Some((_, rest)) = text.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case(theirs.scheme()))
    else {
        return assert_eq!(error, UriError::Scheme);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap();
    if authority.contains('\\') {
        return;
    }
    let (user_info, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    match error {
        UriError::Scheme => assert!(!is_known),
        UriError::Fragment => assert!(theirs.fragment().is_some()),
        // RFC 7617 section 2 and RFC 3986 section 3.2.1.
        UriError::UserInfo => assert!(illegal(user_info, "-._~!$&'()*+,;=:").is_some() || !is_sendable(theirs)),
        // `url` ignores further slashes before the host.
        UriError::Host => assert!(host.is_empty() || host.starts_with(':')),
        // `url` decodes a host, and converts what isn't ASCII.
        UriError::HostCharacter(character) => {
            assert!(host.contains(character));
            assert!(!is_one_of(character, "-._~!$&'()*+,;="));
        }
        UriError::Port => assert_eq!(theirs.port(), Some(0)),
        // `url` encodes it.
        UriError::Resource(character) => {
            let resource = &rest[authority.len()..];
            assert_eq!(illegal(resource, "-._~!$&'()*+,;=:@/?[]"), Some(character));
        }
        error => panic!("{error}"),
    }
}

/// The reasons for which `url` refuses a URI of RFC 3986.
fn why_only_we_accept(ours: &client::Uri, error: ParseError) {
    match error {
        // Numbers that aren't an IPv4 address are a name.
        ParseError::InvalidIpv4Address => assert!(is_numeric(ours.host())),
        // The WHATWG standard has no zones (RFC 6874).
        ParseError::InvalidIpv6Address => assert!(ours.host_with_zone().contains('%')),
        // A name that looks like an international one and isn't: the resolver won't find it.
        ParseError::IdnaError => assert!(ours.host().to_ascii_lowercase().contains("xn--"), "{ours}"),
        error => panic!("{error}: {ours}"),
    }
}

/// The rules for every URI, whatever `url` says.
fn check(uri: &client::Uri) {
    assert!(uri.resource().starts_with('/') && illegal(uri.resource(), "-._~!$&'()*+,;=:@/?[]").is_none());
    assert!(uri.port() != 0 && !uri.host().is_empty());
    let is_default = uri.port() == if uri.is_secure() { 443 } else { 80 };
    let host = if uri.host().contains(':') { format!("[{}]", uri.host()) } else { uri.host().into() };
    assert_eq!(uri.host_header(), if is_default { host } else { format!("{host}:{}", uri.port()) });
    assert_eq!(uri.host_with_zone().split('%').next(), Some(uri.host()));
    assert!(!uri.host_with_zone().contains('%') || uri.host().parse::<Ipv6Addr>().is_ok());

    // What is displayed is the same URI without its credentials.
    let again: client::Uri = uri.to_string().parse().unwrap();
    let parts = |uri: &client::Uri| {
        (uri.is_secure(), uri.host_header(), uri.host_with_zone().to_owned(), uri.port(), uri.resource().to_owned())
    };
    assert_eq!(parts(&again), parts(uri));
    assert_eq!(authorization(&again), None);
    let hidden = uri.to_string().replacen("://", "://***@", 1);
    assert_eq!(format!("{uri:?}"), if authorization(uri).is_some() { hidden } else { uri.to_string() });
}

/// A parsed URL becomes the URI of the same server and resource.
fn converted(url: &Url) {
    let mut url = url.clone();
    url.set_fragment(None);
    let Ok(uri) = client::Uri::try_from(&url) else {
        let is_known = ["ws", "wss", "http", "https"].contains(&url.scheme());
        let host = url.host_str().unwrap_or_default();
        let has_address = matches!(url.host(), Some(Host::Ipv6(_)));
        return assert!(
            !is_known
                || url.port() == Some(0)
                || !is_sendable(&url)
                || !has_address && illegal(host, "-._~!$&'()*+,;=").is_some(),
            "{url}"
        );
    };
    check(&uri);
    assert_eq!(
        (uri.is_secure(), Some(uri.port())),
        (["wss", "https"].contains(&url.scheme()), url.port_or_known_default())
    );
    let host = url.host_str().unwrap();
    assert_eq!(uri.host(), host.trim_start_matches('[').trim_end_matches(']'));
    assert_eq!(authorization(&uri), credentials(&url));
    assert_eq!(decode(uri.resource()), decode(&resource(&url)));
}

/// The `Authorization` of the request, decoded.
fn authorization(uri: &client::Uri) -> Option<Vec<u8>> {
    let mut conn = Connection::client(client::Request::new(uri.clone()), Config::new(), Seed::new([7; 32])).unwrap();
    let length = conn.pending_output();
    let head = conn.output().copy_to_bytes(length);
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut headers);
    assert_eq!(request.parse(&head), Ok(httparse::Status::Complete(head.len())));
    assert_eq!((request.method, request.path, request.version), (Some("GET"), Some(uri.resource()), Some(1)));
    let all = |name: &str| -> Vec<&[u8]> {
        request.headers.iter().filter(|header| header.name == name).map(|header| header.value).collect()
    };
    assert_eq!(all("Host"), [uri.host_header().as_bytes()]);
    let values = all("Authorization");
    assert!(values.len() <= 1);
    let encoded = values.first()?.strip_prefix(b"Basic ").unwrap();
    Some(BASE64_STANDARD.decode(encoded).unwrap())
}

/// User and password as RFC 7617 section 2 joins them.
fn credentials(url: &Url) -> Option<Vec<u8>> {
    let (user, password) = (decode(url.username()), decode(url.password().unwrap_or_default()));
    (!user.is_empty() || !password.is_empty()).then(|| [user, b":".to_vec(), password].concat())
}

/// RFC 7617 section 2: no control characters, and no colon in the name.
fn is_sendable(url: &Url) -> bool {
    let (user, password) = (decode(url.username()), decode(url.password().unwrap_or_default()));
    !user.contains(&b':') && !user.iter().chain(&password).any(u8::is_ascii_control)
}

fn resource(url: &Url) -> String {
    match url.query() {
        None | Some("") => url.path().to_owned(),
        Some(query) => format!("{}?{query}", url.path()),
    }
}

/// `url` encodes the apostrophe of a query.
fn plain(resource: &str) -> String {
    resource.replace("%27", "'")
}

/// The last label is a number, as the WHATWG standard has it: decimal, octal or hexadecimal.
fn is_numeric(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let digits = last.strip_prefix("0x").unwrap_or(&last);
    digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && (digits.len() < last.len() || last.bytes().all(|byte| byte.is_ascii_digit()))
}

fn has_dot_segment(text: &str) -> bool {
    let text = text.to_ascii_lowercase().replace("%2e", ".");
    let path = text.split('?').next().unwrap();
    path.split('/').any(|segment| segment == "." || segment == "..")
}

/// The first character that is neither alphanumeric, nor one of the others, nor part of a percent-encoded byte.
fn illegal(text: &str, others: &str) -> Option<char> {
    let is_encoded = |at: usize| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        text.as_bytes()[at] == b'%' && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.char_indices().find(|&(at, c)| !is_one_of(c, others) && !is_encoded(at)).map(|(_, c)| c)
}

fn is_one_of(character: char, others: &str) -> bool {
    character.is_ascii_alphanumeric() || others.contains(character)
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((16 * high + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}
