//! Without TLS.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::net::TcpListener;
use websocket_proto::{CloseCode, Message, server};
use websocket_proto_tokio::{Acceptor, ConnectError, ConnectStage, Connector, connect};

use crate::support::{echo, serve};

#[tokio::test]
async fn messages_go_there_and_back() {
    let (address, server) = serve(echo).await;
    let mut ws = connect(format!("ws://{address}/chat")).await.unwrap();
    assert_eq!(ws.transport().tcp_stream().peer_addr().unwrap(), address);
    assert!(ws.transport().tcp_stream().nodelay().unwrap());
    for message in [Message::from("hello"), Message::from(""), Message::from(vec![7; 1 << 20])] {
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(message));
    }
    ws.close(CloseCode::new(3001).unwrap(), "done").await.unwrap();
    assert!(ws.closed().unwrap().clean);
    let closed = server.await.unwrap();
    assert_eq!((closed.code.get(), &*closed.reason, closed.clean), (3001, "done", true));
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn compression_is_agreed_on_where_both_want_it() {
    use websocket_proto_tokio::DeflateConfig;

    for (client_wants, server_wants) in [(true, true), (true, false), (false, true), (false, false)] {
        let (address, server) = serve(move |stream| async move {
            let acceptor = Acceptor::new();
            let acceptor =
                if server_wants { acceptor.configure(|config| config.deflate(DeflateConfig::new())) } else { acceptor };
            let mut ws = acceptor.accept(stream).await.unwrap();
            let message = ws.recv().await.unwrap().unwrap();
            ws.send(message).await.unwrap();
            ws.recv().await.unwrap();
            ws.deflate()
        })
        .await;
        let connector = Connector::new();
        let connector =
            if client_wants { connector.configure(|config| config.deflate(DeflateConfig::new())) } else { connector };
        let mut ws = connector.connect(format!("ws://{address}/")).await.unwrap();
        assert_eq!(ws.deflate().is_some(), client_wants && server_wants);
        let message = Message::from("again and ".repeat(1000));
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(message));
        ws.close(None, "").await.unwrap();
        assert_eq!(server.await.unwrap(), ws.deflate());
    }
}

#[tokio::test]
async fn a_rejection_has_status_headers_and_body() {
    let (address, server) = serve(|stream| async {
        let reject = |_: &server::Request| Err(server::Rejection::new(503).header("Retry-After", "7").body("full"));
        Acceptor::new().accept_with(stream, reject).await.unwrap_err().to_string()
    })
    .await;
    let Err(ConnectError::Rejected(response)) = connect(format!("ws://{address}")).await else { panic!() };
    assert_eq!((response.status(), response.header("Retry-After"), response.body()), (503, Some("7"), &b"full"[..]));
    assert_eq!(server.await.unwrap(), "the request was rejected with status 503");
}

#[tokio::test]
async fn an_ipv6_address_stands_in_brackets() {
    // Some machines have no IPv6.
    let Ok(listener) = TcpListener::bind("[::1]:0").await else { return };
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { echo(listener.accept().await.unwrap().0).await });
    let mut ws = connect(format!("ws://{address}/")).await.unwrap();
    assert_eq!(ws.transport().tcp_stream().peer_addr().unwrap(), address);
    ws.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(server.await.unwrap().clean);
}

#[tokio::test]
async fn an_address_that_refuses_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = listener.local_addr().unwrap();
    drop(listener);
    let error = connect(format!("ws://{refusing}")).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("can't connect to {refusing}: ")), "{error}");
    let ConnectError::Tcp { address, error, others } = error else { panic!() };
    assert_eq!((address, error.kind(), others.len()), (refusing, ErrorKind::ConnectionRefused, 0));
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_named() {
    // RFC 6761 section 6.4: no name ends so.
    let error = connect("ws://nobody.invalid").await.unwrap_err();
    assert!(error.to_string().starts_with("can't resolve nobody.invalid: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_says_nothing_has_as_long_as_it_is_given() {
    for (connector, seconds) in [(Connector::new(), 10), (Connector::new().timeout(Duration::from_secs(2)), 2)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let begun = tokio::time::Instant::now();
        let error = connector.connect(format!("ws://{address}")).await.unwrap_err();
        assert!(matches!(error, ConnectError::Timeout(_)), "{error:?}");
        assert_eq!(begun.elapsed().as_secs(), seconds);
    }
    assert_eq!(
        ConnectError::Timeout(ConnectStage::Handshake).to_string(),
        "timed out while waiting for the server's response"
    );
}
