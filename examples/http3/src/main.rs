//! A server of HTTP/3: WebSockets echo at any path, and `/` is a page.
//!
//! ```text
//! cargo run --release --manifest-path examples/http3/Cargo.toml -- [ADDRESS] [--certificate FILE]
//! ```
//!
//! It makes a self-signed certificate at startup. Clients can be given the FILE to which the certificate is written.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use example_http3::certificate::SelfSigned;
use example_http3::{Error, server, server_config};
use tokio::net::UdpSocket;
use tokio::select;
use tokio::signal::unix::{SignalKind, signal};
use websocket_proto::{Config, DeflateConfig};

/// A peer that is silent for so long is pinged,
const IDLE: Duration = Duration::from_secs(30);

/// and dropped if it doesn't answer within this time.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (address, file) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => ("127.0.0.1:9001", None),
        ["--certificate", file] => ("127.0.0.1:9001", Some(Path::new(file))),
        [address] => (address, None),
        [address, "--certificate", file] => (address, Some(Path::new(file))),
        _ => {
            eprintln!("usage: example-http3 [ADDRESS] [--certificate FILE]");
            return ExitCode::FAILURE;
        }
    };
    match run(address, file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http3: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(address: &str, file: Option<&Path>) -> Result<(), Error> {
    let certificate = SelfSigned::for_loopback()?;
    if let Some(file) = file {
        certificate.write(file)?;
    }
    let quic = server_config(&certificate)?;
    let deflate = DeflateConfig::new().server_no_context_takeover(true).client_no_context_takeover(true);
    let config = Arc::new(Config::new().keepalive(IDLE, PATIENCE).deflate(deflate));
    let socket = UdpSocket::bind(address).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let told_to_stop = async {
        select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let address = socket.local_addr()?;
    println!("http3: listening on {address}: wss://{address}/ over HTTP/3 echoes, at any path");
    let in_time = server::run(socket, quic, config, told_to_stop).await?;
    let how = if in_time { "all connections are closed" } else { "some connections were still open" };
    println!("http3: stopped, {how}");
    Ok(())
}
