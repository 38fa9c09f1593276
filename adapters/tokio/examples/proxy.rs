//! A transparent WebSocket proxy: requests, rejections, messages in chunks, pings, pongs and closes pass through.
//!
//! `cargo run -p websocket-proto-tokio --example proxy -- 127.0.0.1:8080 ws://127.0.0.1:9001` forwards to port 9001.

use std::error::Error;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use websocket_proto_tokio::client::{Response, Uri};
use websocket_proto_tokio::{
    Acceptor, Cause, ClientStream, Config, ConnectError, Connection, Connector, Event, MessageKind, Receiver,
    SendError, Sender, WebSocket, default_config, server,
};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(upstream)) = (arguments.next(), arguments.next()) else {
        return Err("usage: proxy ADDRESS:PORT WEBSOCKET-URI".into());
    };
    let listener = TcpListener::bind(listen).await?;
    println!("listening on ws://{}", listener.local_addr()?);
    serve(listener, upstream.parse()?).await
}

/// Accepts connections, and forwards each.
pub(crate) async fn serve(listener: TcpListener, upstream: Uri) -> Result<()> {
    loop {
        let (stream, address) = listener.accept().await?;
        let forwarding = forward(stream, upstream.clone());
        tokio::spawn(async move {
            if let Err(error) = forwarding.await {
                eprintln!("{address}: {error}");
            }
        });
    }
}

/// Pings are answered by the far side, and large messages pass in chunks.
fn config() -> Arc<Config> {
    let config = default_config().auto_pong(false).chunk_threshold(64 << 10).max_chunked_message_size(u64::MAX);
    Arc::new(config.max_fragments(u32::MAX).max_pending_output(256 << 10))
}

pub(crate) async fn forward(stream: TcpStream, upstream: Uri) -> Result<()> {
    let incoming = Acceptor::new().config(config()).read_request(stream).await?;
    let (near, far) = match connect(incoming.request(), &upstream).await {
        Ok(mut far) => {
            let mut response = server::Response::new().subprotocol(far.subprotocol());
            let theirs = far.take_response();
            for (name, value) in theirs.iter().flat_map(|theirs| end_to_end(theirs.headers())) {
                response = response.header(name, value);
            }
            (incoming.accept(response).await?, far)
        }
        Err(ConnectError::Rejected(response)) => return Ok(incoming.reject(rejection(&response)).await?),
        Err(error) => {
            incoming.reject(server::Rejection::new(502).body("the server can't be reached\n")).await?;
            return Err(error.into());
        }
    };
    let (near_sender, near_receiver) = near.into_split();
    let (far_sender, far_receiver) = far.into_split();
    tokio::join!(pump(near_receiver, far_sender), pump(far_receiver, near_sender));
    Ok(())
}

/// Asks the server for what the client has asked for.
async fn connect(request: &server::Request, upstream: &Uri) -> Result<WebSocket<ClientStream>, ConnectError> {
    let mut connector = Connector::new().config(config());
    for (name, value) in end_to_end(request.headers()) {
        connector = connector.header(name, value);
    }
    for subprotocol in request.subprotocols() {
        connector = connector.subprotocol(subprotocol);
    }
    connector.connect(upstream.join(request.resource())?).await
}

fn rejection(response: &Response) -> server::Rejection {
    let rejection = server::Rejection::new(response.status()).body(response.body().to_vec());
    end_to_end(response.headers()).fold(rejection, |rejection, (name, value)| rejection.header(name, value))
}

/// The headers that are meant for the other end, not for this connection (RFC 9110 section 7.6.1).
fn end_to_end<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> impl Iterator<Item = (&'a str, &'a str)> {
    const CONNECTION: [&str; 8] =
        ["host", "connection", "upgrade", "keep-alive", "te", "trailer", "transfer-encoding", "content-length"];
    headers.filter_map(|(name, value)| {
        let lowercase = name.to_ascii_lowercase();
        let is_of_connection = CONNECTION.contains(&&lowercase[..])
            || ["sec-websocket-", "proxy-"].iter().any(|prefix| lowercase.starts_with(prefix));
        if is_of_connection { None } else { Some((name, str::from_utf8(value).ok()?)) }
    })
}

/// Forwards what one side sends, and how it ends.
async fn pump<A, B>(mut from: Receiver<A>, mut to: Sender<B>)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    while let Ok(Some(event)) = from.event().await {
        if pass(event, &mut to).await.is_err() {
            break; // The other side has ended, and its own pump says how.
        }
    }
    match from.closed() {
        Some(closed) if closed.cause == Cause::Peer => {
            _ = to.close(closed.code.for_forwarding(), &closed.reason);
            _ = to.flush().await;
        }
        // The other pump has closed this side.
        Some(closed) if matches!(closed.cause, Cause::Local(_)) => {}
        _ => to.with_connection(Connection::abort),
    }
}

async fn pass<B: AsyncRead + AsyncWrite + Unpin>(event: Event<'_>, to: &mut Sender<B>) -> Result<()> {
    match event {
        Event::Text(text) => fragment(to, MessageKind::Text, text.as_bytes(), true).await,
        Event::Binary(data) => fragment(to, MessageKind::Binary, &data, true).await,
        Event::Chunk(chunk) => {
            let [first, second] = chunk.parts();
            fragment(to, chunk.kind(), first, false).await?;
            fragment(to, chunk.kind(), second, chunk.is_last()).await
        }
        Event::Ping(payload) => Ok(to.ping(&payload).await?),
        Event::Pong(payload) => Ok(to.with_connection(|conn| conn.pong(&payload))?),
        _ => Ok(()),
    }
}

/// Sends a part of a message, and waits while the other side doesn't read.
async fn fragment<B>(to: &mut Sender<B>, kind: MessageKind, data: &[u8], last: bool) -> Result<()>
where
    B: AsyncRead + AsyncWrite + Unpin,
{
    while let Err(error) = to.with_connection(|conn| conn.send_fragment(kind, data, last)) {
        if error != SendError::OutputFull {
            return Err(error.into());
        }
        to.flush().await?;
    }
    Ok(to.flush().await?)
}
