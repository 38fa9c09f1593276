//! Helpers for servers and clients of both kinds.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use websocket_proto_tokio::{CloseCode, Message, WebSocket};

/// Echoes messages to the end.
pub(crate) async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut ws: WebSocket<S>) {
    while let Ok(Some(message)) = ws.recv().await {
        ws.send(message).await.unwrap();
    }
}

/// Sends messages to a server that echoes, and closes the connection.
pub(crate) async fn talk<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocket<S>) {
    for message in [Message::from("hello"), Message::from(""), Message::from(vec![7; 1 << 20])] {
        ws.send(message.clone()).await.unwrap();
        assert_eq!(ws.recv().await.unwrap(), Some(message));
    }
    ws.close(CloseCode::NORMAL, "bye").await.unwrap();
    assert!(ws.closed().unwrap().clean);
}

/// Returns the whole response to a GET over HTTP/1.1 with these header lines.
pub(crate) async fn get(address: SocketAddr, lines: &str) -> String {
    send(address, format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{lines}\r\n")).await
}

/// Sends a request, and returns the whole response.
pub(crate) async fn send(address: SocketAddr, request: String) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}
