//! HTTP proxies.

use std::io::ErrorKind;

use tokio::net::TcpListener;
use websocket_proto_tokio::{ConnectError, ConnectStage, Connector, ProxyError, ProxyUriError, RedirectError};

use super::http_proxy::{Answer, HttpProxy, established, start};
use super::{NAME, proxy_error, talk_over_ws};

/// As many bytes as the head of a response may have.
static LONG: [u8; 16 << 10] = [b'x'; 16 << 10];

async fn error(answer: Answer) -> ProxyError {
    proxy_error(format!("http://{}", start(answer).await.address)).await
}

#[tokio::test]
async fn ws_and_wss_are_tunnelled() {
    let HttpProxy { address, mut requests } = start(established).await;
    let with_proxy = |connector: Connector| connector.proxy(format!("http://{address}"));
    let port = talk_over_ws(&with_proxy(Connector::new())).await;
    let target = format!("{NAME}:{port}");
    let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    assert_eq!(requests.recv().await.unwrap(), head);
    #[cfg(feature = "rustls-ring")]
    {
        let port = super::talk_over_wss(with_proxy).await;
        assert!(requests.recv().await.unwrap().starts_with(&format!("CONNECT {NAME}:{port} ")));
    }
}

#[tokio::test]
async fn credentials_are_for_the_proxy_alone() {
    let answer: Answer = |head| {
        if head.contains("\r\nProxy-Authorization: Basic dTpwQHM=\r\n") {
            established(head)
        } else {
            vec![b"HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"]
        }
    };
    let address = start(answer).await.address;
    talk_over_ws(&Connector::new().proxy(format!("http://u:p%40s@{address}"))).await;
    for user_info in ["", "u:p@"] {
        let error = proxy_error(format!("http://{user_info}{address}")).await;
        assert_eq!(error.to_string(), "the proxy answered with status 407 Who are you?");
        assert!(matches!(error, ProxyError::Status { status: 407, .. }));
    }
}

#[tokio::test]
async fn what_follows_the_head_is_the_servers() {
    let answer: Answer =
        |_| vec![b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nfull"];
    let proxy = start(answer).await;
    let connector = Connector::new().proxy(proxy.address.to_string());
    let Err(ConnectError::Rejected(response)) = connector.connect("ws://server.test:1/").await else { panic!() };
    assert_eq!((response.status(), response.body()), (503, &b"full"[..]));
}

#[tokio::test]
async fn a_head_may_come_byte_by_byte_and_after_interim_responses() {
    let answer: Answer = |_| {
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.0 200 OK\r\nVia: x\r\n\r\n"
            .chunks(1)
            .collect()
    };
    let proxy = start(answer).await;
    talk_over_ws(&Connector::new().proxy(format!("http://{}", proxy.address))).await;
}

#[tokio::test]
async fn a_status_other_than_2xx_is_named() {
    let named = error(|_| vec![b"HTTP/1.1 502 Bad Gateway\r\n\r\n<h1>"]).await;
    assert_eq!(named.to_string(), "the proxy answered with status 502 Bad Gateway");
    assert!(matches!(
        error(|_| vec![b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"]).await,
        ProxyError::Status { status: 302, .. }
    ));
    assert!(matches!(error(|_| vec![b"HTTP/1.1 101 Switching\r\n\r\n"]).await, ProxyError::Status { status: 101, .. }));
}

#[tokio::test]
async fn what_is_malformed_or_has_no_end_is_named() {
    assert!(matches!(error(|_| vec![b"SSH-2.0-OpenSSH\r\n\r\n"]).await, ProxyError::Head));
    assert!(matches!(error(|_| vec![b"HTTP/1.1 100 Continue\r\n\r\n"; 100]).await, ProxyError::Head));
    // One byte more than 16 KiB, and the longest head that is accepted.
    assert_eq!(b"HTTP/1.1 403 \r\n\r\n".len(), 17);
    let head = error(|_| vec![b"HTTP/1.1 403 ", &LONG[16..], b"\r\n\r\n"]).await;
    assert!(matches!(head, ProxyError::Head), "{head:?}");
    let head = error(|_| vec![b"HTTP/1.1 403 ", &LONG[17..], b"\r\n\r\n"]).await;
    assert!(matches!(head, ProxyError::Status { status: 403, .. }), "{head:?}");
    let head = error(|_| vec![b"HTTP/1.1 200 ", &LONG, &LONG, &LONG]).await;
    assert!(matches!(head, ProxyError::Head), "{head:?}");
}

#[tokio::test]
async fn a_proxy_that_ends_is_named() {
    for answer in [(|_| vec![]) as Answer, |_| vec![b"HTTP/1.1 2"]] {
        let ended = error(answer).await;
        assert!(matches!(&ended, ProxyError::Io(error) if error.kind() == ErrorKind::UnexpectedEof), "{ended:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = listener.local_addr().unwrap();
    drop(listener);
    let error = proxy_error(format!("http://{refusing}")).await;
    let ProxyError::Unreachable(error) = error else { panic!("{error:?}") };
    assert!(matches!(*error, ConnectError::Tcp { address, .. } if address == refusing), "{error:?}");
    let error = proxy_error("http://nobody.invalid:1".to_owned()).await;
    assert!(error.to_string().starts_with("can't resolve nobody.invalid: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_proxy_has_its_part_of_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for scheme in ["http", "socks5"] {
        let connector = Connector::new().proxy(format!("{scheme}://{}", listener.local_addr().unwrap()));
        let begun = tokio::time::Instant::now();
        let error = connector.connect("ws://server.test/").await.unwrap_err();
        assert!(matches!(error, ConnectError::Timeout(ConnectStage::Proxy)), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), 10);
    }
}

#[tokio::test]
async fn each_redirect_goes_through_the_proxy() {
    let answer: Answer = |_| {
        vec![b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 302 Found\r\nLocation: ws://other.test/\r\nContent-Length: 0\r\n\r\n"]
    };
    let HttpProxy { address, mut requests } = start(answer).await;
    let connector = Connector::new().proxy(format!("http://{address}")).redirects(3);
    let Err(ConnectError::Redirect { error, .. }) = connector.connect("ws://server.test/").await else { panic!() };
    assert_eq!(error, RedirectError::Loop("ws://other.test/".parse().unwrap()));
    assert!(requests.recv().await.unwrap().starts_with("CONNECT server.test:80 "));
    assert!(requests.recv().await.unwrap().starts_with("CONNECT other.test:80 "));
}

#[tokio::test]
async fn a_malformed_uri_is_an_error_that_does_not_show_it() {
    let error = Connector::new().proxy("ftp://u:secret@proxy").connect("ws://server.test/").await.unwrap_err();
    assert!(matches!(error, ConnectError::ProxyUri { variable: None, error: ProxyUriError::Scheme }), "{error:?}");
    let connector = Connector::new().proxy("http://u:secret@proxy");
    assert!(!format!("{error:?} {error} {connector:?}").contains("secret"));
}
