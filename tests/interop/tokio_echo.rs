//! An echo server on websocket-proto-tokio, which other implementations are clients of.
//!
//! ```text
//! tokio-echo [--quiet]
//! ```
//!
//! It says where it listens and why connections fail; with `--quiet`, only the former.

use std::error::Error;

use tokio::net::{TcpListener, TcpStream};
use websocket_proto_tokio::{Acceptor, DeflateConfig};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let is_quiet = std::env::args().any(|argument| argument == "--quiet");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    let acceptor = Acceptor::new().configure(|config| config.deflate(DeflateConfig::new()));
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            if let (Err(error), false) = (echo(&acceptor, stream).await, is_quiet) {
                println!("{error}");
            }
        });
    }
}

async fn echo(acceptor: &Acceptor, stream: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let mut ws = acceptor.accept(stream).await?;
    while let Some(message) = ws.recv().await? {
        ws.send(message).await?;
    }
    Ok(())
}
