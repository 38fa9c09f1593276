//! A WebSocket client over HTTP/2, in a terminal: lines typed are sent, messages are printed.
//!
//! ```text
//! cargo run --release -p example-hyper --bin example-http2-client -- ws[s]://HOST[:PORT]/PATH [--ca FILE]
//! ```
//!
//! With `--ca`, the certificates of FILE are trusted and no others; without, the authorities that browsers trust.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use example_tls::{Trust, talk};
use tokio::net::TcpStream;
use websocket_proto::{Config, DeflateConfig, client};

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (uri, file) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [uri] => (uri, None),
        [uri, "--ca", file] | ["--ca", file, uri] => (uri, Some(Path::new(file))),
        _ => {
            eprintln!("usage: example-http2-client ws[s]://HOST[:PORT]/PATH [--ca FILE]");
            return ExitCode::FAILURE;
        }
    };
    match run(uri, file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http2: {uri}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(uri: &str, file: Option<&Path>) -> Result<(), Box<dyn Error + Send + Sync>> {
    let uri: client::Uri = uri.parse()?;
    let request = client::Request::new(uri.clone());
    let config = Arc::new(Config::new().deflate(DeflateConfig::new()));
    let ws = if uri.is_secure() {
        let trust = file.map_or_else(|| Ok(Trust::the_web()), Trust::only)?;
        let stream = example_tls::connect(&uri, trust, &["h2"]).await?;
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err("the server doesn't speak HTTP/2".into());
        }
        example_hyper::connect(stream, request, config).await?
    } else {
        let stream = TcpStream::connect((uri.host_with_zone(), uri.port())).await?;
        stream.set_nodelay(true)?;
        example_hyper::connect(stream, request, config).await?
    };
    println!("open over HTTP/2");
    Ok(talk(ws).await?)
}
