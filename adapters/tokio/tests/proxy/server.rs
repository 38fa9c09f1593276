//! A server that does what the path of the request says, and remembers what it has seen.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use websocket_proto_tokio::{Acceptor, CloseCode, Event, Message, WebSocket, server};

/// The messages of `/flood`: more than fits into the sockets between it and a client.
pub(crate) const FLOOD: usize = 400;
pub(crate) const FLOOD_MESSAGE: usize = 256 << 10;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Mutex<mpsc::UnboundedReceiver<Vec<String>>>,
    flooded: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, seen) = mpsc::unbounded_channel();
        let flooded = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&flooded);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, counter) = (sender.clone(), Arc::clone(&counter));
                tokio::spawn(async move {
                    let seen = serve(stream, &counter).await;
                    _ = sender.send(seen);
                });
            }
        });
        Self { address, seen: Mutex::new(seen), flooded }
    }

    /// The log of the next session that has ended.
    pub(crate) async fn seen(&self) -> Vec<String> {
        self.seen.lock().await.recv().await.unwrap()
    }

    /// The number of messages of the flood that the transport has accepted.
    pub(crate) fn flooded(&self) -> usize {
        self.flooded.load(Ordering::Relaxed)
    }
}

async fn serve(stream: TcpStream, flooded: &AtomicUsize) -> Vec<String> {
    let incoming = Acceptor::new().read_request(stream).await.unwrap();
    let request = incoming.request();
    let path = request.resource().to_owned();
    let headers = ["Origin", "Cookie", "X-Trace"].map(|name| request.header(name).map(String::from));
    let mut seen = vec![format!("{path} {headers:?}")];
    if path == "/reject" {
        let rejection = server::Rejection::new(503).header("Retry-After", "7").body("完了\n");
        incoming.reject(rejection).await.unwrap();
        return seen;
    }
    let response = server::Response::new().subprotocol("chat").header("Set-Cookie", "session=8");
    let response = if path == "/flood" { server::Response::new() } else { response };
    let mut ws = incoming.accept(response).await.unwrap();
    if path == "/flood" {
        for _ in 0..FLOOD {
            ws.send(vec![7; FLOOD_MESSAGE]).await.unwrap();
            flooded.fetch_add(1, Ordering::Relaxed);
        }
        ws.close(CloseCode::NORMAL, "").await.unwrap();
        return seen;
    }
    while let Ok(Some(event)) = ws.event().await {
        seen.push(text_of(&event));
        if let Ok(message) = Message::try_from(event)
            && answer(&mut ws, &path, message).await.is_none()
        {
            return seen;
        }
    }
    let closed = ws.closed().unwrap();
    seen.push(format!("{} {:?} {} {}", closed.code, closed.reason, closed.clean, closed.cause));
    seen
}

/// Answers a message; `None` where the connection is dropped.
async fn answer(ws: &mut WebSocket<TcpStream>, path: &str, message: Message) -> Option<()> {
    if let Some(code) = path.strip_prefix("/close/") {
        let code = CloseCode::new(code.parse().unwrap());
        _ = ws.close(code, if code.is_some() { "从服务器" } else { "" }).await;
    } else if path == "/drop" {
        return None;
    } else if path == "/ping" {
        ws.ping(b"from the server").await.unwrap();
        assert!(matches!(ws.event().await, Ok(Some(Event::Pong(payload))) if payload[..] == *b"from the server"));
        _ = ws.close(CloseCode::NORMAL, "").await;
    } else if path.starts_with("/request") {
        _ = ws.close(CloseCode::NORMAL, path).await;
    } else {
        _ = ws.send(message).await;
    }
    Some(())
}

/// An event in a few words.
pub(crate) fn text_of(event: &Event<'_>) -> String {
    match event {
        Event::Text(text) => format!("text of {}", text.len()),
        Event::Binary(data) => format!("binary of {}", data.len()),
        Event::Ping(payload) => format!("ping {payload:?}"),
        Event::Pong(payload) => format!("pong {payload:?}"),
        other => format!("{other:?}"),
    }
}
