//! The opening handshake: what is asked for, what is answered, and how both fail.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use websocket_proto_blocking::{
    AcceptError, Acceptor, ConnectError, ConnectStage, Connector, RedirectError, accept, connect, server,
};

use crate::support::{serve, tcp_pair};

const SHORT: Duration = Duration::from_millis(100);

#[test]
fn headers_and_subprotocols_are_negotiated() {
    let (address, server) = serve(|stream| {
        let acceptor = Acceptor::new().subprotocols(["new", "old"]).origins(["https://example.com"]);
        acceptor.accept_with(stream, |request| {
            assert_eq!(request.header("x-token"), Some("1"));
            Ok(server::Response::new().header("x-answer", "2"))
        })
    });
    let connector = Connector::new().subprotocol("old").header("X-Token", "1").origin("https://example.com");
    let mut ws = connector.connect(format!("ws://{address}")).unwrap();
    assert_eq!(ws.subprotocol(), Some("old"));
    assert_eq!(ws.take_response().unwrap().header("x-answer"), Some("2"));
    assert!(ws.take_response().is_none());
    assert_eq!(server.join().unwrap().unwrap().subprotocol(), Some("old"));
}

#[test]
fn a_rejection_has_its_status_headers_and_body() {
    let (address, server) = serve(|stream| {
        Acceptor::new().accept_with(stream, |_| {
            Err(server::Rejection::new(401).header("WWW-Authenticate", "Bearer").body("who are you?"))
        })
    });
    let Err(ConnectError::Rejected(response)) = connect(format!("ws://{address}")) else { panic!("it was rejected") };
    assert_eq!(response.status(), 401);
    assert_eq!(response.header("www-authenticate"), Some("Bearer"));
    assert_eq!(response.body(), b"who are you?");
    assert!(matches!(server.join().unwrap(), Err(AcceptError::Rejected(401))));
}

#[test]
fn a_redirect_is_followed_without_the_cookies_of_another_origin() {
    let (there, other) = serve(|stream| {
        Acceptor::new().accept_with(stream, |request| {
            assert_eq!((request.header("Cookie"), request.header("X-Trace")), (None, Some("1")));
            Ok(server::Response::new())
        })
    });
    let location = format!("http://{there}/");
    let redirect = move |stream| {
        Acceptor::new().accept_with(stream, |request| {
            assert_eq!(request.header("Cookie"), Some("id=7"));
            Err(server::Rejection::new(307).header("Location", &location))
        })
    };
    let connector = Connector::new().header("Cookie", "id=7").header("X-Trace", "1");
    let (here, first) = serve(redirect.clone());
    connector.clone().redirects(1).connect(format!("ws://{here}")).unwrap();
    first.join().unwrap().unwrap_err();
    other.join().unwrap().unwrap();

    let (here, first) = serve(redirect);
    let Err(ConnectError::Rejected(response)) = connector.connect(format!("ws://{here}")) else {
        panic!("not by default")
    };
    assert_eq!(response.status(), 307);
    first.join().unwrap().unwrap_err();
}

#[test]
fn a_redirect_that_is_not_followed_is_an_error() {
    let (address, server) = serve(|stream| {
        Acceptor::new().accept_with(stream, |_| Err(server::Rejection::new(302).header("Location", "/#again")))
    });
    let connected = Connector::new().redirects(3).connect(format!("ws://{address}"));
    let Err(ConnectError::Redirect { error: RedirectError::Loop(_), response }) = connected else { panic!("a loop") };
    assert_eq!(response.header("Location"), Some("/#again"));
    server.join().unwrap().unwrap_err();
}

#[test]
fn other_origins_are_rejected() {
    let (address, server) = serve(|stream| Acceptor::new().origins(["https://example.com"]).accept(stream));
    let rejected = Connector::new().origin("https://example.org").connect(format!("ws://{address}"));
    assert!(matches!(rejected, Err(ConnectError::Rejected(response)) if response.status() == 403));
    assert!(matches!(server.join().unwrap(), Err(AcceptError::Rejected(403))));
}

/// What is not one origin in text is not one that is allowed.
#[test]
fn a_malformed_origin_is_rejected() {
    for origin in [
        &b"Origin: https://example.com\r\nOrigin: https://example.com"[..],
        b"Origin: https://evil\xe9.example",
        b"Origin: https://example.com, https://example.com",
        b"Origin:",
    ] {
        let (address, server) = serve(|stream| Acceptor::new().origins(["https://example.com"]).accept(stream));
        let mut client = TcpStream::connect(address).unwrap();
        let head =
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        client.write_all(&[head, origin, b"\r\n\r\n"].concat()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 403 "), "{:?}", String::from_utf8_lossy(origin));
        assert!(matches!(server.join().unwrap(), Err(AcceptError::Rejected(403))));
    }
}

#[test]
fn plain_http_is_answered() {
    for (path, status) in [("/", 200), ("/other", 426)] {
        let (address, server) = serve(|stream| {
            let page = |request: &server::Request| {
                (request.path() == "/").then(|| server::Rejection::new(200).body("<h1>Hello</h1>"))
            };
            Acceptor::new().http(page).accept(stream)
        });
        let mut browser = TcpStream::connect(address).unwrap();
        write!(browser, "GET {path} HTTP/1.1\r\nHost: example.com\r\n\r\n").unwrap();
        let mut answer = String::new();
        browser.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let error = server.join().unwrap().unwrap_err();
        match status {
            200 => assert!(matches!(error, AcceptError::Http(200)), "{error:?}"),
            _ => assert!(matches!(error, AcceptError::Handshake(_)), "{error:?}"),
        }
    }
}

#[test]
fn a_client_that_sends_no_request_is_dropped() {
    let (stream, silent) = tcp_pair();
    let acceptor = Acceptor::new().configure(|config| config.handshake_timeout(SHORT));
    assert!(matches!(acceptor.accept(stream), Err(AcceptError::Timeout)));
    drop(silent);
}

#[test]
fn a_client_that_sends_half_a_request_is_told_so() {
    let (stream, mut slow) = tcp_pair();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    let acceptor = Acceptor::new().configure(|config| config.handshake_timeout(SHORT));
    assert!(matches!(acceptor.accept(stream), Err(AcceptError::Timeout)));
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn a_client_that_leaves_is_named() {
    let (stream, client) = tcp_pair();
    client.shutdown(Shutdown::Write).unwrap();
    let Err(AcceptError::Io(error)) = accept(stream) else { panic!("the client has left") };
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_server_that_does_not_answer_is_dropped_by_either_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("ws://{}", listener.local_addr().unwrap());
    for connector in
        [Connector::new().timeout(SHORT), Connector::new().configure(|config| config.handshake_timeout(SHORT))]
    {
        let error = connector.connect(&uri).unwrap_err();
        assert!(matches!(error, ConnectError::Timeout(ConnectStage::Handshake)), "{error:?}");
    }
}

#[test]
fn the_part_of_a_rejection_that_has_come_is_reported_at_the_deadline() {
    let (address, server) = serve(|mut stream| {
        stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nlater").unwrap();
        stream
    });
    let error = Connector::new().timeout(SHORT).connect(format!("ws://{address}")).unwrap_err();
    let ConnectError::Rejected(response) = error else { panic!("{error:?}") };
    assert_eq!((response.status(), response.body()), (503, &b"later"[..]));
    drop(server.join().unwrap());
}

#[test]
fn every_address_of_a_host_is_tried() {
    // `localhost` may be ::1 first, where nobody listens.
    let (address, server) = serve(accept::<TcpStream>);
    let ws = connect(format!("ws://localhost:{}", address.port())).unwrap();
    assert_eq!(ws.transport().tcp_stream().peer_addr().unwrap(), address);
    server.join().unwrap().unwrap();
}

#[test]
fn what_is_wrong_with_a_host_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let error = connect(format!("ws://{closed}")).unwrap_err();
    assert!(matches!(&error, ConnectError::Tcp { address, .. } if *address == closed), "{error:?}");
    let error = connect("ws://host.invalid").unwrap_err();
    assert!(matches!(error, ConnectError::Resolve { .. } | ConnectError::Timeout(ConnectStage::Resolve)), "{error:?}");
    assert!(matches!(connect("http//"), Err(ConnectError::Uri(_))));
    #[cfg(not(feature = "rustls"))]
    {
        let (address, _server) = serve(|stream| stream);
        let error = connect(format!("wss://{address}")).unwrap_err();
        assert!(error.to_string().ends_with("wss needs the feature rustls of websocket-proto-blocking"), "{error}");
    }
}
