//! The chat server over TLS: pages by https, WebSockets by wss.
//!
//! ```text
//! cargo run --release -p example-tls -- [ADDRESS] [--certificate FILE]
//! ```
//!
//! The server makes a self-signed certificate at startup, so browsers show a warning. It writes the certificate to
//! FILE, which you can give to other clients.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use example_tls::{HANDSHAKE, SelfSigned, acceptor};
use example_tokio::chat::Chat;
use example_tokio::server;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (address, file) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => ("127.0.0.1:9001", None),
        ["--certificate", file] => ("127.0.0.1:9001", Some(Path::new(file))),
        [address] => (address, None),
        [address, "--certificate", file] => (address, Some(Path::new(file))),
        _ => {
            eprintln!("usage: example-tls [ADDRESS] [--certificate FILE]");
            return ExitCode::FAILURE;
        }
    };
    match run(address, file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tls: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str, file: Option<&Path>) -> io::Result<()> {
    let certificate = SelfSigned::for_loopback().map_err(io::Error::other)?;
    if let Some(file) = file {
        certificate.write(file)?;
    }
    // The WebSocket handshake is one of HTTP/1.1.
    let acceptor = acceptor(certificate, &["http/1.1"]).map_err(io::Error::other)?;

    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    println!(
        "tls: listening on {address}: https://{address}/ is a chat page, wss://{address}/chat the chat, any other path echoes"
    );
    let chat = Arc::new(Chat::new());
    server::run("tls", listener, &chat, |stream| serve(stream, acceptor.clone(), Arc::clone(&chat))).await
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, chat: Arc<Chat>) {
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        // The way it ended doesn't matter here.
        Ok(Ok(stream)) => drop(chat.serve(stream).await),
        // A browser that doesn't trust the certificate ends the handshake like this.
        Ok(Err(error)) => eprintln!("tls: the TLS handshake failed: {error}"),
        Err(_) => {}
    }
}
