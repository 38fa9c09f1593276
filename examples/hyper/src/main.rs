//! The chat server in an HTTP server: HTTP/1.1 and HTTP/2 on one port, with or without TLS.
//!
//! ```text
//! cargo run --release -p example-hyper -- [ADDRESS] [--certificate FILE]
//! ```
//!
//! With `--certificate`, the server uses TLS, and clients choose the version of HTTP by ALPN. The server makes its
//! certificate when it starts, and writes it to FILE. Without TLS, a client speaks HTTP/2 if it knows that the server does.

mod answer;

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use answer::answer;
use example_hyper::server;
use example_tls::{SelfSigned, acceptor};
use example_tokio::chat::Chat;
use hyper::service::service_fn;
use tokio::net::TcpListener;
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
            eprintln!("usage: example-hyper [ADDRESS] [--certificate FILE]");
            return ExitCode::FAILURE;
        }
    };
    match run(address, file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hyper: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str, file: Option<&Path>) -> io::Result<()> {
    let tls = file.map(tls).transpose()?;
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let s = if tls.is_some() { "s" } else { "" };
    println!(
        "hyper: listening on {address}: http{s}://{address}/ is a chat page, ws{s}://{address}/chat the chat, any other path echoes"
    );
    let chat = Arc::new(Chat::new());
    let served = Arc::clone(&chat);
    let service = service_fn(move |request| {
        let answer = answer(request, &served);
        async { Ok::<_, Infallible>(answer) }
    });
    server::run("hyper", listener, tls, &chat, service).await
}

fn tls(file: &Path) -> io::Result<TlsAcceptor> {
    let certificate = SelfSigned::for_loopback().map_err(io::Error::other)?;
    certificate.write(file)?;
    acceptor(certificate, &["h2", "http/1.1"]).map_err(io::Error::other)
}
