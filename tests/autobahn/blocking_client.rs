//! The client on websocket-proto-blocking that the Autobahn fuzzing server at `ADDRESS` examines: it echoes the messages of each
//! of the server's cases.
//!
//! ```text
//! cargo run --release -p tools --bin autobahn-blocking-client -- ADDRESS
//! ```

use std::error::Error;

use websocket_proto_blocking::{ClientStream, Connector, DeflateConfig, Error as WebSocketError, WebSocket};

const AGENT: &str = "websocket-proto-blocking";

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: autobahn-blocking-client ADDRESS")?;
    let count = connect(&address, "/getCaseCount")?.read()?.ok_or("no count of cases")?;
    for case in 1..=count.as_text().ok_or("the count is not text")?.parse::<u32>()? {
        let ws = connect(&address, &format!("/runCase?case={case}&agent={AGENT}"))?;
        match echo(ws) {
            // The server judges how a connection ends.
            Ok(()) | Err(WebSocketError::Closed(_)) => {}
            Err(error) => return Err(format!("case {case}: {error}").into()),
        }
    }
    Ok(echo(connect(&address, &format!("/updateReports?agent={AGENT}"))?)?)
}

fn connect(address: &str, resource: &str) -> Result<WebSocket<ClientStream>, Box<dyn Error>> {
    let connector = Connector::new().configure(|config| config.deflate(DeflateConfig::new()));
    Ok(connector.connect(format!("ws://{address}{resource}"))?)
}

fn echo(mut ws: WebSocket<ClientStream>) -> Result<(), WebSocketError> {
    while let Some(message) = ws.read()? {
        ws.send(message)?;
    }
    Ok(())
}
