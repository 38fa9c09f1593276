//! Connections that are lost, with a server that comes back.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::TcpListener;
use websocket_proto::server;
use websocket_proto_tokio::{Acceptor, CloseCode, ConnectError, Connector, Message, Reconnecting};

/// Delays that a test can wait for.
fn quickly(uri: String) -> Reconnecting {
    Reconnecting::new(Connector::new(), uri).backoff(Duration::from_millis(1), Duration::from_millis(10))
}

#[tokio::test]
async fn a_connection_that_is_lost_is_followed_by_another_until_the_server_says_no() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        // Nothing, a connection that ends, a rejection, a connection that is closed, and at last another rejection.
        drop(listener.accept().await.unwrap());
        for (text, status) in [("one", 503), ("two", 403)] {
            let mut ws = Acceptor::new().accept(listener.accept().await.unwrap().0).await.unwrap();
            ws.send(text).await.unwrap();
            let _ = ws.close(CloseCode::GOING_AWAY, "").await;
            let stream = listener.accept().await.unwrap().0;
            let reject = |_: &server::Request| Err(server::Rejection::new(status));
            Acceptor::new().accept_with(stream, reject).await.unwrap_err();
        }
    });
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let mut connections = quickly(uri).on_retry(move |error, _| report.send(error.to_string()).unwrap());
    for text in ["one", "two"] {
        let mut ws = connections.next().await.unwrap().unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(Message::from(text)));
        assert_eq!(ws.recv().await.unwrap(), None);
    }
    let Some(Err(ConnectError::Rejected(response))) = connections.next().await else { panic!() };
    assert_eq!(response.status(), 403);
    assert!(connections.next().await.is_none());
    server.await.unwrap();
    drop(connections);
    assert!(reports.recv().await.unwrap().starts_with("the connection failed during the opening handshake"));
    assert!(reports.recv().await.unwrap().starts_with("the server answered with status 503"));
    assert_eq!(reports.recv().await, None);
}

#[tokio::test]
async fn it_is_a_stream_that_ends_after_an_invalid_uri() {
    let connections = Reconnecting::new(Connector::new(), "ftp://example.com/");
    let connections = tokio::spawn(connections.collect::<Vec<_>>()).await.unwrap();
    assert!(matches!(connections[..], [Err(ConnectError::Uri(_))]), "{connections:?}");
}
