//! HTTP proxies that are reached by TLS.

use std::io::ErrorKind;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};
use websocket_proto_tokio::{ConnectError, ConnectStage, Connector, ProxyError};

use super::http_proxy::{Answer, HttpProxy, established, start_over};
use super::{NAME, talk, talk_over_ws};
use crate::support::{echo, serve};
use crate::tls::{acceptor, certificate, client_config_of, trusting};

type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

async fn start_https(identity: Identity, answer: Answer) -> HttpProxy {
    let acceptor = acceptor(identity, &["http/1.1"]);
    start_over(
        move |stream| {
            let accepted = acceptor.accept(stream);
            async { accepted.await.ok() }
        },
        answer,
    )
    .await
}

/// A connector that trusts a proxy, and its requests.
async fn trusted_proxy(answer: Answer) -> (Connector, HttpProxy) {
    let identity = certificate("localhost");
    let trusted = identity.0.clone();
    let proxy = start_https(identity, answer).await;
    (trusting(trusted, &[]).proxy(format!("https://localhost:{}", proxy.address.port())), proxy)
}

/// Why there is no connection with the proxy itself.
async fn unreachable(connector: Connector) -> ConnectError {
    match connector.connect(format!("ws://{NAME}:1/")).await.unwrap_err() {
        ConnectError::Proxy { error: ProxyError::Unreachable(error), .. } => *error,
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn ws_goes_through_tls_with_the_proxy_alone() {
    let (connector, mut proxy) = trusted_proxy(established).await;
    let port = talk_over_ws(&connector).await;
    let target = format!("{NAME}:{port}");
    let head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    assert_eq!(proxy.requests.recv().await.unwrap(), head);
}

#[tokio::test]
async fn wss_is_tls_with_the_server_in_tls_with_the_proxy() {
    let (of_proxy, of_server) = (certificate("localhost"), certificate(NAME));
    let mut roots = RootCertStore::empty();
    roots.add(of_proxy.0.clone()).unwrap();
    roots.add(of_server.0.clone()).unwrap();
    let proxy = start_https(of_proxy, established).await;
    let acceptor = acceptor(of_server, &[]);
    let (address, server) = serve(|stream| async move { echo(acceptor.accept(stream).await.unwrap()).await }).await;
    let connector =
        Connector::new().tls(client_config_of(roots, &[])).proxy(format!("https://localhost:{}", proxy.address.port()));
    talk(&connector, format!("wss://{NAME}:{}/", address.port())).await;
    assert!(server.await.unwrap().clean);
}

#[tokio::test]
async fn the_tcp_stream_leads_to_the_proxy_and_its_tls_is_not_that_of_the_server() {
    let (connector, proxy) = trusted_proxy(established).await;
    let (address, _server) = serve(echo).await;
    let ws = connector.connect(format!("ws://{NAME}:{}/", address.port())).await.unwrap();
    assert_eq!(ws.transport().tcp_stream().peer_addr().unwrap(), proxy.address);
    assert!(ws.transport().tls_connection().is_none());
}

#[tokio::test]
async fn what_follows_the_head_is_the_servers() {
    let (connector, _proxy) = trusted_proxy(|_| {
        vec![b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nfull"]
    })
    .await;
    let Err(ConnectError::Rejected(response)) = connector.connect("ws://server.test:1/").await else { panic!() };
    assert_eq!((response.status(), response.body()), (503, &b"full"[..]));
}

#[tokio::test]
async fn a_head_may_come_byte_by_byte() {
    let (connector, _proxy) = trusted_proxy(|_| {
        b"HTTP/1.1 103 Early Hints\nLink: x\n\nHTTP/1.0 200 OK\r\nVia: x\r\n\r\n".chunks(1).collect()
    })
    .await;
    talk_over_ws(&connector).await;
}

#[tokio::test]
async fn an_end_and_a_rejection_are_named() {
    let error = |answer: Answer| async move {
        let (connector, _proxy) = trusted_proxy(answer).await;
        match connector.connect(format!("ws://{NAME}:1/")).await.unwrap_err() {
            ConnectError::Proxy { error, .. } => error,
            error => panic!("{error:?}"),
        }
    };
    let ended = error(|_| vec![b"HTTP/1.1 2"]).await;
    assert!(matches!(&ended, ProxyError::Io(error) if error.kind() == ErrorKind::UnexpectedEof), "{ended:?}");
    let rejected = error(|_| vec![b"HTTP/1.1 403 Forbidden\r\n\r\n"]).await;
    assert!(matches!(rejected, ProxyError::Status { status: 403, .. }), "{rejected:?}");
}

#[tokio::test]
async fn the_certificate_of_the_proxy_is_checked() {
    let port = start_https(certificate("localhost"), established).await.address.port();
    let error = unreachable(Connector::new().proxy(format!("https://localhost:{port}"))).await;
    let ConnectError::Tls { host, error } = &error else { panic!("{error:?}") };
    assert_eq!(host, "localhost");
    let error: &Error = error.get_ref().unwrap().downcast_ref().unwrap();
    assert_eq!(*error, Error::InvalidCertificate(CertificateError::UnknownIssuer));
    // Another name than that of the proxy: the certificate is not the server's.
    let identity = certificate(NAME);
    let trusted = identity.0.clone();
    let port = start_https(identity, established).await.address.port();
    let error = unreachable(trusting(trusted, &[]).proxy(format!("https://localhost:{port}"))).await;
    assert!(error.to_string().starts_with("no TLS connection with localhost: "), "{error}");
}

#[tokio::test]
async fn a_proxy_without_tls_is_named() {
    let (address, _server) = serve(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    })
    .await;
    let error = unreachable(Connector::new().proxy(format!("https://localhost:{}", address.port()))).await;
    let ConnectError::Tls { error, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(error.get_ref().unwrap().downcast_ref(), Some(Error::InvalidMessage(_))), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn tls_with_the_proxy_has_its_part_of_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connector = Connector::new().proxy(format!("https://{}", listener.local_addr().unwrap()));
    let begun = tokio::time::Instant::now();
    let error = connector.connect("ws://server.test/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(ConnectStage::Proxy)), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}
