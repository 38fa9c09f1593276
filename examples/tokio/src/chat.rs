//! A chat server over any transport: `/` is a page for browsers, messages sent to `/chat` go to everyone there, and
//! every other path echoes.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::sync::{broadcast, watch};
use websocket_proto_tokio::{
    Acceptor, CloseCode, Config, Connection, DeflateConfig, Event, HIGH_WATER, Message, PreparedMessage, WebSocket,
    server,
};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// A peer that is silent for this time gets a ping.
const IDLE: Duration = Duration::from_secs(30);

/// A peer is dropped if it doesn't answer the ping within this time. The ping waits after the bytes that the kernels on
/// both sides hold, which are some MiB if a peer reads slowly. Silence counts only from when the last 256 KiB are handed to
/// the kernel. So a peer stays connected if it accepts what the kernel holds (up to 4 MiB on Linux, `net.ipv4.tcp_wmem`) in
/// both times together: 85 KB/s.
const PATIENCE: Duration = Duration::from_secs(20);

const PAGE: &str = include_str!("../../chat/src/chat.html");

/// The most bytes that may be said at once: what is said waits for the slowest.
const LONGEST: usize = 64 << 10;

/// Messages of so many bytes and more are compressed.
const COMPRESSED: usize = 1024;

/// The number of messages that may wait for the slowest peer.
const BACKLOG: usize = 256;

/// State that all connections share.
#[derive(Debug)]
pub struct Chat {
    acceptor: Acceptor,
    said: broadcast::Sender<PreparedMessage>,
    /// True when the server stops. Every connection has a receiver, so the sender knows when all are gone.
    stopping: watch::Sender<bool>,
    guests: AtomicU64,
}

impl Chat {
    /// An empty chat. Connections are pinged when they are silent, and compressed where the client agrees.
    #[expect(clippy::new_without_default, reason = "there is but one")]
    pub fn new() -> Self {
        // With context takeover, each connection would keep a compressor and a window of its own, 450 KiB together, from
        // its first compressed message on. Without, a thread's scratch has one of each for all.
        let deflate =
            DeflateConfig::new().min_size(COMPRESSED).server_no_context_takeover(true).client_no_context_takeover(true);
        let config = Config::new().keepalive(IDLE, PATIENCE).deflate(deflate);
        Self {
            acceptor: Acceptor::new().config(config).subprotocols(["chat", "echo"]).http(page),
            said: broadcast::Sender::new(BACKLOG),
            stopping: watch::Sender::new(false),
            guests: AtomicU64::new(0),
        }
    }

    /// The configuration and the subprotocols, for handshakes that an HTTP server does.
    pub fn acceptor(&self) -> &Acceptor {
        &self.acceptor
    }

    /// Serves a connection from its first byte to its end.
    ///
    /// # Errors
    ///
    /// It didn't end with a closing handshake: a page was served, the peer is lost.
    pub async fn serve<T: AsyncRead + AsyncWrite + Unpin>(&self, transport: T) -> Result<()> {
        let mut stop = self.stopping.subscribe();
        let mut path = String::new();
        let answer = |request: &server::Request| {
            request.path().clone_into(&mut path);
            respond(request)
        };
        let opened = self.acceptor.accept_with(transport, answer);
        let ws = select! {
            ws = opened => ws?,
            () = told(&mut stop) => return Ok(()),
        };
        Ok(self.talk(ws, &path).await?)
    }

    /// Serves a connection that is open, for what its request has asked for.
    ///
    /// # Errors
    ///
    /// It didn't end with a closing handshake.
    pub async fn talk<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut ws: WebSocket<T>,
        path: &str,
    ) -> Result<(), websocket_proto_tokio::Error> {
        if path != "/chat" {
            return self.echo(&mut ws).await;
        }
        let name = format!("guest-{}", self.guests.fetch_add(1, Ordering::Relaxed) + 1);
        let said = self.said.subscribe();
        self.say(format!("* {name} joined, {} here", self.said.receiver_count()));
        let ended = self.listen(&mut ws, &name, said).await;
        self.say(format!("* {name} left, {} here", self.said.receiver_count()));
        ended
    }

    /// Closes all connections with 1001, and waits until they are gone.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        self.stopping.closed().await;
    }

    async fn listen<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        ws: &mut WebSocket<T>,
        name: &str,
        mut said: broadcast::Receiver<PreparedMessage>,
    ) -> Result<(), websocket_proto_tokio::Error> {
        let mut stop = self.stopping.subscribe();
        let (code, reason) = loop {
            select! {
                message = ws.recv() => match message? {
                    Some(message) if message.payload().len() > LONGEST => {
                        break (CloseCode::TOO_LARGE, "too long for a chat");
                    }
                    Some(message) => match message.as_text() {
                        Some(text) => self.say(format!("{name}: {text}")),
                        None => self.say(message),
                    },
                    None => return Ok(()),
                },
                message = said.recv() => match message {
                    Ok(message) if ws.pending_output() <= HIGH_WATER => {
                        // One that is closing already gets nothing more.
                        let _ = ws.connection_mut().send_prepared(&message);
                    }
                    // Too much is pending, or was said since it last took something.
                    _ => break (CloseCode::TRY_AGAIN_LATER, "too slow"),
                },
                () = told(&mut stop) => break (CloseCode::GOING_AWAY, "the server stops"),
            }
        };
        // What is said meanwhile isn't kept for one that hears no more of it.
        drop(said);
        ws.close(code, reason).await
    }

    async fn echo<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        ws: &mut WebSocket<T>,
    ) -> Result<(), websocket_proto_tokio::Error> {
        let mut stop = self.stopping.subscribe();
        select! {
            ended = ws.run(echo) => ended.map(drop),
            () = told(&mut stop) => ws.close(CloseCode::GOING_AWAY, "the server stops").await,
        }
    }

    /// Says to all in the chat what one says: encoded and compressed once.
    fn say(&self, message: impl Into<Message>) {
        // Without members, the message is dropped.
        let _ = self.said.send(PreparedMessage::compressed(message, &DeflateConfig::new().min_size(COMPRESSED)));
    }
}

/// Waits until the server stops.
async fn told(stop: &mut watch::Receiver<bool>) {
    // Without a sender there is no server any more.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The answer to a request for WebSocket: yes, unless it is one for the chat from a page of another site.
fn respond(request: &server::Request) -> Result<server::Response, server::Rejection> {
    if request.path() == "/chat" {
        request.check_same_origin()?;
    }
    Ok(server::Response::new())
}

/// The answer to a request for a page.
fn page(request: &server::Request) -> Option<server::Rejection> {
    // Any other path is left to the connection, which answers 426.
    (request.path() == "/" && matches!(request.method(), "GET" | "HEAD"))
        .then(|| server::Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE))
}

fn echo(conn: &mut Connection, event: Event<'_>) -> ControlFlow<()> {
    let sent = match event {
        Event::Text(text) => {
            let sent = conn.send_text(&text);
            conn.recycle(text);
            sent
        }
        Event::Binary(data) => {
            let sent = conn.send_binary(&data);
            conn.recycle(data);
            sent
        }
        _ => Ok(()),
    };
    // An answer that can't be sent is dropped: the peer doesn't wait for it, or doesn't read it.
    if sent.is_err() {
        conn.abort();
    }
    ControlFlow::Continue(())
}
