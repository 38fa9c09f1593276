//! A client that prints a feed: over TLS, with keepalive, compression and a subprotocol. It follows redirects, and connects again
//! after losses.
//!
//! ```text
//! cargo run -p websocket-proto-tokio --example feed-client -- wss://example.com/feed
//! ```

use std::time::Duration;

use websocket_proto_tokio::{ClientStream, Connector, DeflateConfig, Error, Reconnecting, WebSocket};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = std::env::args().nth(1).ok_or("usage: feed-client URI")?;
    let connector = Connector::new().subprotocol("feed").redirects(5).configure(|config| {
        // A server that is silent for 15 seconds is sent a ping, and dropped if nothing comes within 10.
        config.deflate(DeflateConfig::new()).keepalive(Duration::from_secs(15), Duration::from_secs(10))
    });
    let mut connections = Reconnecting::new(connector, uri);
    while let Some(connected) = connections.next().await {
        let mut ws = connected?;
        if let Err(lost) = print(&mut ws).await {
            eprintln!("{lost}");
        }
    }
    Ok(())
}

async fn print(ws: &mut WebSocket<ClientStream>) -> Result<(), Error> {
    ws.send(r#"{"subscribe":"trades"}"#).await?;
    while let Some(message) = ws.recv().await? {
        println!("{}", message.as_text().unwrap_or("(binary)"));
    }
    Ok(())
}
