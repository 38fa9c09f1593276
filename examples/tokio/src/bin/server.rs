//! The chat server on TCP.
//!
//! ```text
//! cargo run --release -p example-tokio --bin example-tokio -- [ADDRESS]
//! ```
//!
//! `/` is a chat page for browsers, messages sent to `/chat` go to everyone there, and every other path echoes. On
//! Ctrl-C it closes all connections.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use example_tokio::chat::Chat;
use example_tokio::server;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9001".into());
    match run(&address).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tokio: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    println!(
        "tokio: listening on {address}: http://{address}/ is a chat page, ws://{address}/chat the chat, any other path echoes"
    );
    let chat = Arc::new(Chat::new());
    let serve = |stream| {
        let chat = Arc::clone(&chat);
        async move {
            // The way it ended doesn't matter here.
            let _ = chat.serve(stream).await;
        }
    };
    server::run("tokio", listener, &chat, serve).await
}
