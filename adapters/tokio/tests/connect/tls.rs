//! With TLS, and certificates that are made for the test.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore, ServerConfig};
use websocket_proto::{CloseCode, Message};
use websocket_proto_tokio::{ConnectError, ConnectStage, Connector, connect};

use crate::support::{echo, serve};

/// A certificate for that name, and its key.
pub(crate) fn certificate(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    (cert.into(), signing_key.into())
}

fn provider() -> Arc<tokio_rustls::rustls::crypto::CryptoProvider> {
    Arc::new(tokio_rustls::rustls::crypto::ring::default_provider())
}

pub(crate) fn acceptor(identity: (CertificateDer<'static>, PrivateKeyDer<'static>), alpn: &[&str]) -> TlsAcceptor {
    server_config(identity, alpn).into()
}

pub(crate) fn server_config(
    identity: (CertificateDer<'static>, PrivateKeyDer<'static>),
    alpn: &[&str],
) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![identity.0], identity.1).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

pub(crate) fn trusting(certificate: CertificateDer<'static>, alpn: &[&str]) -> Connector {
    Connector::new().tls(client_config(certificate, alpn))
}

pub(crate) fn client_config(certificate: CertificateDer<'static>, alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    client_config_of(roots, alpn)
}

pub(crate) fn client_config_of(roots: RootCertStore, alpn: &[&str]) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// The error of rustls that is in there.
fn tls_error(error: &ConnectError) -> &Error {
    let ConnectError::Tls { error, .. } = error else { panic!("{error:?}") };
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[tokio::test]
async fn messages_go_there_and_back() {
    // A server that knows nothing of ALPN is no obstacle.
    for alpn in [&["h2", "http/1.1"][..], &[]] {
        let identity = certificate("localhost");
        let (trusted, acceptor) = (identity.0.clone(), acceptor(identity, alpn));
        let (address, server) = serve(|stream| async move { echo(acceptor.accept(stream).await.unwrap()).await }).await;
        let connector = trusting(trusted, &[]);
        let mut ws = connector.connect(format!("wss://localhost:{}/chat", address.port())).await.unwrap();
        let negotiated = ws.transport().tls_connection().unwrap().alpn_protocol();
        assert_eq!(negotiated, (!alpn.is_empty()).then_some(&b"http/1.1"[..]));
        for message in [Message::from("hello"), Message::from(""), Message::from(vec![7; 1 << 20])] {
            ws.send(message.clone()).await.unwrap();
            assert_eq!(ws.recv().await.unwrap(), Some(message));
        }
        ws.close(CloseCode::NORMAL, "").await.unwrap();
        assert!(server.await.unwrap().clean);
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let acceptor = acceptor(certificate("localhost"), &[]);
    let (address, server) = serve(|stream| async move { acceptor.accept(stream).await.is_err() }).await;
    let error = connect(format!("wss://localhost:{}", address.port())).await.unwrap_err();
    assert_eq!(tls_error(&error), &Error::InvalidCertificate(CertificateError::UnknownIssuer));
    assert!(error.to_string().starts_with("no TLS connection with localhost: "), "{error}");
    assert!(server.await.unwrap());
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let identity = certificate("example.com");
    let (trusted, acceptor) = (identity.0.clone(), acceptor(identity, &[]));
    let (address, server) = serve(|stream| async move { acceptor.accept(stream).await.is_err() }).await;
    let error = trusting(trusted, &[]).connect(format!("wss://localhost:{}", address.port())).await.unwrap_err();
    assert!(
        matches!(tls_error(&error), Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })),
        "{error:?}"
    );
    assert!(server.await.unwrap());
}

#[tokio::test]
async fn a_server_that_selects_http_2_is_named() {
    let identity = certificate("localhost");
    let (trusted, acceptor) = (identity.0.clone(), acceptor(identity, &["h2"]));
    let (address, _server) = serve(|stream| async move { acceptor.accept(stream).await.map(drop) }).await;
    let connector = trusting(trusted, &["h2", "http/1.1"]);
    let error = connector.connect(format!("wss://localhost:{}", address.port())).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no TLS connection with localhost: the server selected \"h2\" by ALPN, instead of http/1.1"
    );
}

#[tokio::test]
async fn a_server_without_tls_is_named() {
    let (address, _server) = serve(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    })
    .await;
    let error = connect(format!("wss://localhost:{}", address.port())).await.unwrap_err();
    assert!(matches!(tls_error(&error), Error::InvalidMessage(_)), "{error:?}");
}

#[tokio::test]
async fn tls_has_its_part_of_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connector = Connector::new().timeout(Duration::from_millis(500));
    let error = connector.connect(format!("wss://localhost:{port}")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(ConnectStage::Tls)), "{error:?}");
    assert_eq!(error.to_string(), "timed out while establishing TLS");
}

#[tokio::test(start_paused = true)]
async fn there_is_a_deadline_by_default() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let begun = tokio::time::Instant::now();
    let connected = tokio::time::timeout(Duration::from_secs(60), connect(format!("wss://localhost:{port}"))).await;
    assert!(matches!(connected, Ok(Err(ConnectError::Timeout(_)))), "{connected:?}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}
