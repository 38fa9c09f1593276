//! A client that prints a feed: over TLS, with keepalive, compression and a subprotocol.
//!
//! ```text
//! cargo run --example feed-client -- wss://example.com/feed
//! ```

use std::time::Duration;

use websocket_proto_tokio::{Connector, DeflateConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let uri = std::env::args().nth(1).ok_or("usage: feed-client URI")?;
    let connector = Connector::new().subprotocol("feed").configure(|config| {
        // A server that is silent for 15 seconds is sent a ping, and dropped if nothing comes within 10.
        config.deflate(DeflateConfig::new()).keepalive(Duration::from_secs(15), Duration::from_secs(10))
    });
    let mut ws = connector.connect(&uri).await?;
    ws.send(r#"{"subscribe":"trades"}"#).await?;
    while let Some(message) = ws.recv().await? {
        println!("{}", message.as_text().unwrap_or("(binary)"));
    }
    println!("{:?}", ws.closed());
    Ok(())
}
