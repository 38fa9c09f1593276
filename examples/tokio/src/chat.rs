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

/// The maximum size of a chat message in bytes. Messages are kept until the slowest peer has them.
const LONGEST: usize = 64 << 10;

/// The size in bytes from which on messages are compressed.
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
    /// Creates an empty chat. Silent connections are pinged, and messages are compressed if the client agrees.
    #[expect(clippy::new_without_default, reason = "a server has only one")]
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

    /// Returns the configuration and the subprotocols, for opening handshakes done by an HTTP server.
    pub fn acceptor(&self) -> &Acceptor {
        &self.acceptor
    }

    /// Accepts a connection over a transport, and serves it until its end.
    ///
    /// # Errors
    ///
    /// Fails if there was no connection, for example because a page was served, or if it ended without a closing
    /// handshake.
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
            () = stopped(&mut stop) => return Ok(()),
        };
        Ok(self.talk(ws, &path).await?)
    }

    /// Serves an open connection until its end: the chat or an echo, depending on the path of its request.
    ///
    /// # Errors
    ///
    /// Fails if the connection ended without a closing handshake.
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

    /// Closes all connections with 1001, and waits until they have ended.
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
                        // It fails if the connection is closing already.
                        let _ = ws.connection_mut().send_prepared(&message);
                    }
                    // The peer reads too slowly.
                    _ => break (CloseCode::TRY_AGAIN_LATER, "too slow"),
                },
                () = stopped(&mut stop) => break (CloseCode::GOING_AWAY, "the server stops"),
            }
        };
        // No more messages are kept for this peer while it closes.
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
            () = stopped(&mut stop) => ws.close(CloseCode::GOING_AWAY, "the server stops").await,
        }
    }

    /// Sends a message to everyone in the chat. It is encoded and compressed once.
    fn say(&self, message: impl Into<Message>) {
        // Without members, the message is dropped.
        let _ = self.said.send(PreparedMessage::compressed(message, &DeflateConfig::new().min_size(COMPRESSED)));
    }
}

/// Waits until the server stops.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Without a sender, the server has ended.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Accepts a request, unless it asks for the chat and comes from a page of another site.
fn respond(request: &server::Request) -> Result<server::Response, server::Rejection> {
    if request.path() == "/chat" {
        request.check_same_origin()?;
    }
    Ok(server::Response::new())
}

/// Answers a plain HTTP request for the page.
fn page(request: &server::Request) -> Option<server::Rejection> {
    // The connection answers other requests by itself, for example with 426.
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
