//! Servers for one connection.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use websocket_proto_tokio::{Closed, accept};

/// Serves one TCP connection.
pub(crate) async fn serve<F>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> (SocketAddr, JoinHandle<F::Output>)
where
    F: Future<Output: Send + 'static> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (address, tokio::spawn(async move { serve(listener.accept().await.unwrap().0).await }))
}

/// Echoes messages to the end.
pub(crate) async fn echo<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Closed {
    let mut ws = accept(stream).await.unwrap();
    while let Some(message) = ws.recv().await.unwrap() {
        ws.send(message).await.unwrap();
    }
    ws.closed().unwrap().clone()
}
