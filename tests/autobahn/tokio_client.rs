//! The client on websocket-proto-tokio that the Autobahn fuzzing server at `ADDRESS` examines: it echoes the messages of each
//! of the server's cases.
//!
//! ```text
//! cargo run --release -p tools --bin autobahn-tokio-client -- ADDRESS
//! ```

use std::error::Error;

use websocket_proto_tokio::{ClientStream, Connector, DeflateConfig, Error as WebSocketError, WebSocket};

const AGENT: &str = "websocket-proto-tokio";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: autobahn-tokio-client ADDRESS")?;
    let count = connect(&address, "/getCaseCount").await?.recv().await?.ok_or("no count of cases")?;
    for case in 1..=count.as_text().ok_or("the count is not text")?.parse::<u32>()? {
        let ws = connect(&address, &format!("/runCase?case={case}&agent={AGENT}")).await?;
        match echo(ws).await {
            // The server judges how a connection ends.
            Ok(()) | Err(WebSocketError::Closed(_)) => {}
            Err(error) => return Err(format!("case {case}: {error}").into()),
        }
    }
    Ok(echo(connect(&address, &format!("/updateReports?agent={AGENT}")).await?).await?)
}

async fn connect(address: &str, resource: &str) -> Result<WebSocket<ClientStream>, Box<dyn Error>> {
    let connector = Connector::new().configure(|config| config.deflate(DeflateConfig::new()));
    Ok(connector.connect(format!("ws://{address}{resource}")).await?)
}

async fn echo(mut ws: WebSocket<ClientStream>) -> Result<(), WebSocketError> {
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}
