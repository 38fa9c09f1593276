//! A chat room: every message is sent to all members. A member that reads too slowly is dropped, and delays nobody.
//!
//! ```text
//! cargo run -p websocket-proto-tokio --example room-server
//! ```

use std::error::Error;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::time::timeout;
use websocket_proto_tokio::{Acceptor, CloseCode, PreparedMessage};

/// The number of messages that a member may lag.
const BACKLOG: usize = 256;

/// How long a member may take to make space for one message.
const PATIENCE: Duration = Duration::from_secs(5);

type Room = broadcast::Sender<PreparedMessage>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    let room = Room::new(BACKLOG);
    loop {
        let (stream, address) = listener.accept().await?;
        let room = room.clone();
        tokio::spawn(async move {
            let left = serve(stream, &room).await;
            println!("{address}: {left:?}");
        });
    }
}

async fn serve(stream: TcpStream, room: &Room) -> Result<(), Box<dyn Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let mut ws = Acceptor::new().accept(stream).await?;
    let mut news = room.subscribe();
    loop {
        tokio::select! {
            said = ws.recv() => match said? {
                // It is encoded once for all members. This one is a member itself: there is somebody to send it to.
                Some(message) => drop(room.send(PreparedMessage::new(message))),
                None => return Ok(()),
            },
            message = news.recv() => match message {
                Ok(message) => timeout(PATIENCE, ws.send_prepared(&message)).await??,
                Err(_) => return Ok(ws.close(CloseCode::TRY_AGAIN_LATER, "too slow").await?),
            },
        }
    }
}
