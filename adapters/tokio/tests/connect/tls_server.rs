//! Servers that speak TLS, and clients that are slow or speak something else.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use websocket_proto_tokio::{AcceptError, Acceptor, CloseCode, ConnectError, Message, TlsAcceptor, server};

use crate::support::serve;
use crate::tls::{certificate, client_config, server_config, trusting};

const SECOND: Duration = Duration::from_secs(1);

fn acceptor() -> TlsAcceptor {
    Acceptor::new().tls(server_config(certificate("localhost"), &[]))
}

#[tokio::test]
async fn messages_go_there_and_back() {
    let identity = certificate("localhost");
    let trusted = identity.0.clone();
    let acceptor = Acceptor::new().subprotocols(["chat"]).tls(server_config(identity, &[]));
    let (address, server) = serve(|stream| async move {
        let mut ws = acceptor.accept(stream).await.unwrap();
        assert!(ws.transport().get_ref().1.protocol_version().is_some());
        while let Some(message) = ws.recv().await.unwrap() {
            ws.send(message).await.unwrap();
        }
        ws.closed().unwrap().clean
    })
    .await;
    let connector = trusting(trusted, &[]).subprotocol("chat");
    let mut ws = connector.connect(format!("wss://localhost:{}/", address.port())).await.unwrap();
    assert_eq!(ws.subprotocol(), Some("chat"));
    for message in [Message::from("hello"), Message::from(vec![7; 1 << 20])] {
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(message));
    }
    ws.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(server.await.unwrap());
}

#[tokio::test]
async fn a_function_decides_over_tls_as_well() {
    let identity = certificate("localhost");
    let trusted = identity.0.clone();
    let acceptor = Acceptor::new().tls(server_config(identity, &[]));
    let (address, server) = serve(|stream| async move {
        acceptor.accept_with(stream, |request| Err(server::Rejection::new(403).body(request.path().to_owned()))).await
    })
    .await;
    let connector = trusting(trusted, &[]);
    let error = connector.connect(format!("wss://localhost:{}/room", address.port())).await.unwrap_err();
    let ConnectError::Rejected(response) = error else { panic!("{error:?}") };
    assert_eq!((response.status(), response.body()), (403, &b"/room"[..]));
    assert!(matches!(server.await.unwrap(), Err(AcceptError::Rejected(403))));
}

#[tokio::test]
async fn a_client_that_speaks_something_else_is_an_error_of_tls() {
    let (stream, mut client) = duplex(1 << 10);
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let error = acceptor().accept(stream).await.unwrap_err();
    assert!(matches!(error, AcceptError::Tls(_)), "{error:?}");
    // RFC 8446 section 6.2: it is sent a fatal alert.
    let mut alert = Vec::new();
    client.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert[0], 21);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_begin_tls_is_dropped() {
    for (configured, seconds) in [(None, 10), (Some(3 * SECOND), 3)] {
        let mut acceptor = Acceptor::new();
        if let Some(time) = configured {
            acceptor = acceptor.configure(|config| config.handshake_timeout(time));
        }
        let acceptor = acceptor.tls(server_config(certificate("localhost"), &[]));
        let (stream, _silent) = duplex(1 << 10);
        let begun = Instant::now();
        let error = acceptor.accept(stream).await.unwrap_err();
        assert!(matches!(error, AcceptError::TlsTimeout), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_come_one_by_one_do_not_put_it_off() {
    let (stream, mut client) = duplex(1 << 10);
    let drips = tokio::spawn(async move {
        // The header of a record (RFC 8446 section 5.1), and then its 16 KiB.
        let mut bytes = [22, 3, 1, 64, 0].into_iter().chain(std::iter::repeat(1));
        while client.write_all(&[bytes.next().unwrap()]).await.is_ok() {
            sleep(SECOND).await;
        }
    });
    let begun = Instant::now();
    let error = acceptor().accept(stream).await.unwrap_err();
    assert!(matches!(error, AcceptError::TlsTimeout), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 10);
    // The stream was dropped.
    drips.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tls_and_the_request_have_one_deadline() {
    let identity = certificate("localhost");
    let connector = TlsConnector::from(client_config(identity.0.clone(), &[]));
    let acceptor = Acceptor::new().tls(server_config(identity, &[]));
    let (stream, client) = duplex(1 << 14);
    let client = tokio::spawn(async move {
        sleep(4 * SECOND).await;
        connector.connect(ServerName::try_from("localhost").unwrap(), client).await.unwrap()
    });
    let begun = Instant::now();
    let error = acceptor.accept(stream).await.unwrap_err();
    assert!(matches!(error, AcceptError::Timeout), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 10);
    drop(client.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn without_a_timeout_it_waits() {
    let acceptor = Acceptor::new().configure(|config| config.handshake_timeout(None));
    let acceptor = acceptor.tls(server_config(certificate("localhost"), &[]));
    let (stream, _silent) = duplex(1 << 10);
    assert!(timeout(1000 * SECOND, acceptor.accept(stream)).await.is_err());
}
