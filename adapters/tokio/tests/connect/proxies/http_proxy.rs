//! A small HTTP proxy that knows nothing but CONNECT.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// The responses of a proxy to the head of a request, each written by itself.
pub(super) type Answer = fn(&str) -> Vec<&'static [u8]>;

pub(super) struct HttpProxy {
    pub(super) address: SocketAddr,
    /// The heads of the requests.
    pub(super) requests: mpsc::UnboundedReceiver<String>,
}

/// Opens each tunnel.
pub(super) fn established(_: &str) -> Vec<&'static [u8]> {
    vec![b"HTTP/1.1 200 Connection established\r\n\r\n"]
}

/// Starts a proxy that connects to the port of loopback which the request names, whatever its host is.
pub(super) async fn start(answer: Answer) -> HttpProxy {
    start_over(async |stream| Some(stream), answer).await
}

/// Starts a proxy over what a function makes of each TCP stream.
pub(super) async fn start_over<S, F>(over: impl Fn(TcpStream) -> F + Send + 'static, answer: Answer) -> HttpProxy
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    F: Future<Output = Option<S>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (heads, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let client = over(stream);
            let heads = heads.clone();
            tokio::spawn(async move {
                if let Some(client) = client.await {
                    serve(client, answer, heads).await;
                }
            });
        }
    });
    HttpProxy { address, requests }
}

async fn serve<S>(mut client: S, answer: Answer, heads: mpsc::UnboundedSender<String>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = read_head(&mut client).await;
    let port = head.split(' ').nth(1).and_then(|target| target.rsplit(':').next()).unwrap();
    let server = format!("127.0.0.1:{port}");
    let responses = answer(&head);
    // Not every test listens.
    let _ = heads.send(head);
    for response in &responses {
        if client.write_all(response).await.is_err() {
            return;
        }
        // TLS may have kept it.
        let _ = client.flush().await;
        tokio::task::yield_now().await;
    }
    if responses.concat().windows(5).any(|part| part == b" 200 ")
        && let Ok(mut server) = TcpStream::connect(server).await
    {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    } else {
        // An end that is no reset: what the client sent has been read.
        let _ = client.shutdown().await;
        let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
    }
}

async fn read_head(client: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
