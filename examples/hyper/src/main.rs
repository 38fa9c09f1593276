//! The chat server in an HTTP server: HTTP/1.1 and HTTP/2 on one port, over TLS or plain.
//!
//! ```text
//! cargo run --release --manifest-path examples/hyper/Cargo.toml -- [ADDRESS] [--certificate FILE]
//! ```
//!
//! With `--certificate` it is served over TLS, where clients choose the version of HTTP by ALPN, with a certificate that is
//! made when it starts and written to FILE. Plain, a client speaks HTTP/2 if it knows that the server does.

mod answer;

use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use answer::answer;
use example_hyper::serve;
use example_tls::{HANDSHAKE, SelfSigned, acceptor};
use example_tokio::chat::Chat;
use example_tokio::server;
use hyper::service::service_fn;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How long requests in progress have to end when the server stops, once the WebSockets are gone: pages are small, and half
/// of a request isn't worth waiting for.
const FAREWELL: Duration = Duration::from_millis(300);

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
    let connections = GracefulShutdown::new();
    let welcome = |stream| welcome(stream, tls.clone(), Arc::clone(&chat), connections.watcher());
    server::run("hyper", listener, &chat, welcome).await?;
    // What is left are pages under way, and connections that wait for another request.
    let _ = timeout(FAREWELL, connections.shutdown()).await;
    Ok(())
}

fn tls(file: &Path) -> io::Result<TlsAcceptor> {
    let certificate = SelfSigned::for_loopback().map_err(io::Error::other)?;
    certificate.write(file)?;
    acceptor(certificate, &["h2", "http/1.1"]).map_err(io::Error::other)
}

async fn welcome(stream: TcpStream, tls: Option<TlsAcceptor>, chat: Arc<Chat>, watcher: Watcher) {
    let Some(tls) = tls else { return converse(stream, chat, watcher).await };
    match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, chat, watcher).await,
        // A browser that doesn't trust the certificate says so by this.
        Ok(Err(error)) => eprintln!("hyper: no handshake: {error}"),
        Err(_) => {}
    }
}

/// Serves a connection of HTTP.
async fn converse<T>(stream: T, chat: Arc<Chat>, watcher: Watcher)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request, &chat);
        async { Ok::<_, Infallible>(answer) }
    });
    serve(stream, service, watcher).await;
}
