//! TLS, with a certificate that is made for the test.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use websocket_proto_blocking::rustls::crypto::ring::default_provider;
use websocket_proto_blocking::rustls::pki_types::CertificateDer;
use websocket_proto_blocking::rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use websocket_proto_blocking::{CloseCode, ConnectError, ConnectStage, Connector, Message, accept, connect};

use crate::support::{echo, serve};

/// The configuration of a server, and its certificate.
fn identity() -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(cert);
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = builder.with_single_cert(vec![certificate.clone()], signing_key.into()).unwrap();
    (Arc::new(config), certificate)
}

fn tls(config: Arc<ServerConfig>, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config).unwrap(), stream)
}

#[test]
fn messages_go_there_and_back_over_tls() {
    let (config, certificate) = identity();
    let (address, server) = serve(|stream| echo(accept(tls(config, stream)).unwrap()));
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let connector = Connector::new().tls(builder.with_root_certificates(roots).with_no_client_auth());
    let mut ws = connector.connect(format!("wss://localhost:{}/chat", address.port())).unwrap();
    assert!(ws.transport().tls_connection().is_some());
    for message in [Message::from("hello"), Message::from(""), Message::from(vec![7; 1 << 20])] {
        ws.send(message.clone()).unwrap();
        assert_eq!(ws.read().unwrap(), Some(message));
    }
    ws.close(CloseCode::NORMAL, "").unwrap();
    assert!(server.join().unwrap().clean);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_trusted() {
    let (config, _) = identity();
    let (address, server) = serve(|stream| accept(tls(config, stream)).is_err());
    let error = connect(format!("wss://localhost:{}", address.port())).unwrap_err();
    assert!(error.to_string().starts_with("no TLS connection with localhost: "), "{error}");
    assert!(matches!(error, ConnectError::Tls { .. }));
    assert!(server.join().unwrap());
}

#[test]
fn tls_has_its_part_of_the_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connector = Connector::new().timeout(Duration::from_millis(200));
    let error = connector.connect(format!("wss://{}", listener.local_addr().unwrap())).unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(ConnectStage::Tls)), "{error:?}");
}
