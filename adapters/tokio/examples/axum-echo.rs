//! An echo server in axum, over HTTP/1.1 and HTTP/2.
//!
//! ```text
//! cargo run -p websocket-proto-tokio --features axum --example axum-echo
//! ```

use axum::{Router, response::Response, routing::any};
use websocket_proto_tokio::WebSocketUpgrade;

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut ws| {
        while let Ok(Some(message)) = ws.recv().await {
            let Ok(()) = ws.send(message).await else { break };
        }
    })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
    axum::serve(listener, Router::new().route("/", any(echo))).await
}
