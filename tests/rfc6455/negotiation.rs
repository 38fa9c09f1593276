//! What both ends of an opening handshake hold to: extensions only by agreement (RFC 6455 5.8 and 9), names that are
//! only names, and headers that pass through.

use websocket_proto::{
    AcceptError, Cause, ClientRequest, Config, Connection, Event, HandshakeError, HandshakeResponse, HeaderError,
    ProtocolError, Rejection, Request, RequestError, Response, Role,
};

use crate::checks::{OwnedEvent, abnormal, failed, peer, receive};
use crate::support::{drain, feed, request_with, seed};

/// A client and a server after the client's request.
fn asked(request: ClientRequest) -> (Connection, Connection, Box<Request>) {
    let mut client = Connection::client(request, Config::new(), seed()).unwrap();
    let mut server = Connection::server(Config::new());
    let Some(Event::Request(request)) = feed(&mut server, &drain(&mut client)).pop() else { panic!("a request") };
    (client, server, request)
}

fn answered(client: &mut Connection, server: &mut Connection) -> Event<'static> {
    feed(client, &drain(server)).remove(0)
}

fn accepted(request: ClientRequest, response: Response) -> (Connection, Connection, Box<HandshakeResponse>) {
    let (mut client, mut server, _) = asked(request);
    server.accept(response).unwrap();
    let Event::Open(response) = answered(&mut client, &mut server) else { panic!("open") };
    (client, server, response)
}

fn plain() -> ClientRequest {
    ClientRequest::new("ws://localhost/".parse().unwrap())
}

/// The events of a server that receives a request with these header lines.
fn events_of_request_with(lines: &str) -> Vec<OwnedEvent> {
    receive(&mut Connection::server(Config::new()), &request_with(lines))
}

/// B-14, B-57, B-88: a server accepts none of the extensions that it is offered, known or not, and says none; the bits
/// that they would define stay forbidden.
#[test]
fn offered_extensions_are_not_agreed_on() {
    for offer in ["permessage-deflate", "permessage-deflate; client_max_window_bits, x-unknown; a=1; b"] {
        let mut server = Connection::server(Config::new());
        let request = request_with(&format!("Sec-WebSocket-Extensions: {offer}\r\n"));
        assert_eq!(receive(&mut server, &request), [OwnedEvent::Request]);
        server.accept(Response::new()).unwrap();
        let head = String::from_utf8(drain(&mut server)).unwrap();
        assert!(!head.contains("Sec-WebSocket-Extensions"));
        let compressed = peer(Role::Server, &[(0xc1, b"\xf2\x48\xcd\xc9\xc9\x07\x00")]);
        assert_eq!(receive(&mut server, &compressed), [failed(ProtocolError::ReservedBits)]);
    }
}

/// B-57, B-88: an extension that wasn't offered is fatal to a client, malformed or not.
#[test]
fn extensions_that_were_not_offered_end_the_handshake() {
    let cases = [
        ("permessage-deflate", HandshakeError::ExtensionNotOffered),
        ("x-unknown; a=\"b\"", HandshakeError::ExtensionNotOffered),
        ("a;b=\"c d\"", HandshakeError::Extensions),
    ];
    for (extension, error) in cases {
        let (mut client, mut server, _) = asked(plain());
        server.accept(Response::new()).unwrap();
        let head = String::from_utf8(drain(&mut server)).unwrap();
        let head = head.replace("\r\n\r\n", &format!("\r\nSec-WebSocket-Extensions: {extension}\r\n\r\n"));
        assert_eq!(receive(&mut client, head.as_bytes()), [abnormal(Cause::Handshake(error))]);
    }
}

/// B-14, B-57: no header of the caller's own brings an extension in.
#[test]
fn extensions_cannot_be_written_by_hand() {
    let request = plain().header("sec-websocket-extensions", "permessage-deflate");
    let error = Connection::client(request, Config::new(), seed()).unwrap_err();
    assert_eq!(error, RequestError::Header(HeaderError::Reserved));
    let (_, mut server, _) = asked(plain());
    let response = Response::new().header("SEC-WEBSOCKET-EXTENSIONS", "permessage-deflate");
    assert_eq!(server.accept(response), Err(AcceptError::Header(HeaderError::Reserved)));
}

/// B-86: the grammar of extensions: parameters are tokens or quoted tokens, and what is quoted doesn't split.
#[test]
fn extension_lists_follow_the_grammar() {
    for good in ["foo", "foo;bar=baz", "foo;bar=\"baz\"", "foo ; bar=\"b\\az\" , foo;bar", "a, b;c;d=e"] {
        assert_eq!(
            events_of_request_with(&format!("Sec-WebSocket-Extensions: {good}\r\n")),
            [OwnedEvent::Request],
            "{good}"
        );
    }
    let bad = [
        "foo;bar=\"\"",
        "foo;bar=\"a b\"",
        "foo;bar=\"a\\\"b\"",
        "foo;bar=\"a,b\"",
        "foo;bar=\"a;b\"",
        "foo;bar=\"open",
        "foo;",
        "foo;=x",
        "foo;bar=",
        "foo bar",
        "fo(o",
    ];
    for bad in bad {
        let expected = abnormal(Cause::Handshake(HandshakeError::Extensions));
        assert_eq!(events_of_request_with(&format!("Sec-WebSocket-Extensions: {bad}\r\n")), [expected], "{bad}");
    }
}

/// B-92: what is wrong in a request is answered with an HTTP error, never with a Close frame.
#[test]
fn a_wrong_request_gets_an_http_error() {
    for wrong in ["\x00", "Upgrade\r\n", "Sec-WebSocket-Version: 12\r\n", "Host: second\r\n", "A: \u{7f}\r\n"] {
        let mut server = Connection::server(Config::new());
        let events = receive(&mut server, &request_with(wrong));
        assert!(
            matches!(&events[..], [OwnedEvent::Closed { cause: Cause::Handshake(_), clean: false, .. }]),
            "{wrong:?}"
        );
        assert!(drain(&mut server).starts_with(b"HTTP/1.1 400 "), "{wrong:?}");
    }
}

/// B-94: subprotocols are names and nothing else: whatever is a token passes, as it is written.
#[test]
fn subprotocols_are_opaque_names() {
    for name in ["soap", "not.registered.anywhere", "v2+x", "!#$%&'*+-.^_`|~09aZ", "Chat"] {
        let request = plain().subprotocol("other").subprotocol(name);
        let (client, server, _) = accepted(request, Response::new().subprotocol(name));
        assert_eq!((client.subprotocol(), server.subprotocol()), (Some(name), Some(name)));
    }
    // Names differ where their case does.
    let (_, mut server, request) = asked(plain().subprotocol("Chat"));
    assert_eq!(request.choose(&["chat"]), None);
    assert_eq!(server.accept(Response::new().subprotocol("chat")), Err(AcceptError::SubprotocolNotOffered));
}

/// B-95: a resource name arrives as it was asked for, well-known ones like any other.
#[test]
fn resource_names_pass_through() {
    for resource in ["/", "/.well-known/x", "/.well-known/a%2Fb?c=d&e=%F0", "/a//b/../c?d?", "/~a;b=c,d:@!$'()*+"] {
        for scheme in ["ws", "wss"] {
            let uri = format!("{scheme}://example.com{resource}").parse().unwrap();
            let (_, _, request) = asked(ClientRequest::new(uri));
            assert_eq!((request.resource(), request.host()), (resource, "example.com"));
        }
    }
}

/// B-47: headers pass through both ways, so that any HTTP authentication may be used.
#[test]
fn authentication_passes_through() {
    let with = || plain().header("Authorization", "Basic Zm9vOmJhcg==").header("Cookie", "id=7");
    let (mut client, mut server, request) = asked(with());
    assert_eq!(request.header("authorization"), Some("Basic Zm9vOmJhcg=="));
    assert_eq!(request.header("Cookie"), Some("id=7"));
    server.reject(Rejection::new(401).header("WWW-Authenticate", "Basic realm=\"x\"")).unwrap();
    let Event::Rejected(response) = answered(&mut client, &mut server) else { panic!("rejected") };
    assert_eq!((response.status(), response.header("www-authenticate")), (401, Some("Basic realm=\"x\"")));

    let (_, _, response) = accepted(with(), Response::new().header("Set-Cookie", "id=8"));
    assert_eq!(response.header("set-cookie"), Some("id=8"));
}
