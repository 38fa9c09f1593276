//! A WebSocket client over TLS, in a terminal: sends the lines that you type, and prints the messages that arrive.
//!
//! ```text
//! cargo run --release -p example-tls --bin example-tls-client -- wss://HOST[:PORT]/PATH [--ca FILE]
//! ```
//!
//! With `--ca`, only the certificates in FILE are trusted, such as the one that `example-tls --certificate FILE` has
//! written. Without it, the authorities that browsers trust are.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use example_tls::{Trust, talk};
use tokio_rustls::rustls::ClientConfig;
use websocket_proto_tokio::{Connector, DeflateConfig, client};

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (uri, file) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [uri] => (uri, None),
        [uri, "--ca", file] | ["--ca", file, uri] => (uri, Some(Path::new(file))),
        _ => {
            eprintln!("usage: example-tls-client wss://HOST[:PORT]/PATH [--ca FILE]");
            return ExitCode::FAILURE;
        }
    };
    match run(uri, file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tls: {uri}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(uri: &str, file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let uri: client::Uri = uri.parse()?;
    if !uri.is_secure() {
        return Err("this example connects to wss only; for ws, use example-tokio-client".into());
    }
    let trust = match file {
        Some(file) => Trust::only(file)?,
        None => Trust::the_web(),
    };
    let connector = Connector::new().tls(ClientConfig::from(trust));
    let ws = connector.configure(|config| config.deflate(DeflateConfig::new())).connect(uri).await?;
    println!("open");
    Ok(talk(ws).await?)
}
