//! A WebSocket client over HTTP/3, in a terminal: lines typed are sent, messages are printed.
//!
//! ```text
//! cargo run --release --manifest-path examples/http3/Cargo.toml --bin example-http3-client -- \
//!     wss://HOST[:PORT]/PATH [--ca FILE] [--subprotocol NAME]... [--echo]
//! ```
//!
//! With `--ca`, the certificates of FILE are trusted and no others; without, the authorities of the system. `/close 3001
//! bye` closes with that code and reason, and the end of the input (Ctrl-D) closes with 1000. With `--echo`, nothing is
//! typed, and every message is sent back.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use example_http3::client::{Client, Handler};
use example_http3::{Error, client_config};
use tokio::sync::mpsc;
use websocket_proto::{CloseCode, Config, Connection, DeflateConfig, Event, SendError, client};

/// A server that is silent for so long is pinged,
const IDLE: Duration = Duration::from_secs(30);

/// and dropped if it doesn't answer within this time.
const PATIENCE: Duration = Duration::from_secs(20);

struct Options {
    uri: client::Uri,
    trust: Option<PathBuf>,
    subprotocols: Vec<String>,
    echo: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("usage: example-http3-client wss://HOST[:PORT]/PATH [--ca FILE] [--subprotocol NAME]... [--echo]");
        return ExitCode::FAILURE;
    };
    match talk(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http3: {}: {error}", options.uri);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Options> {
    let uri: client::Uri = args.next()?.parse().ok()?;
    let mut options = Options { uri, trust: None, subprotocols: Vec::new(), echo: false };
    while let Some(name) = args.next() {
        match name.as_str() {
            "--ca" => options.trust = Some(args.next()?.into()),
            "--subprotocol" => options.subprotocols.push(args.next()?),
            "--echo" => options.echo = true,
            _ => return None,
        }
    }
    options.uri.is_secure().then_some(options)
}

async fn talk(options: &Options) -> Result<(), Error> {
    let request = client::Request::new(options.uri.clone());
    let request = options.subprotocols.iter().fold(request, |request, name| request.subprotocol(name));
    let config = Arc::new(Config::new().keepalive(IDLE, PATIENCE).deflate(DeflateConfig::new()));
    let quic = client_config(options.trust.as_deref())?;
    let lines = (!options.echo).then(typed);
    Client::new(request, config, Terminal { echo: options.echo })?.run(&options.uri, quic, lines).await
}

struct Terminal {
    echo: bool,
}

impl Handler for Terminal {
    fn on_open(&mut self, conn: &mut Connection) {
        let subprotocol = conn.subprotocol().map(|name| format!(", {name}")).unwrap_or_default();
        let compression = if conn.deflate().is_some() { ", permessage-deflate" } else { "" };
        println!("open over HTTP/3{subprotocol}{compression}");
    }

    fn on_event(&mut self, conn: &mut Connection, event: Event<'_>) {
        let sent = match event {
            Event::Text(text) if self.echo => conn.send_text(&text),
            Event::Binary(data) if self.echo => conn.send_binary(&data),
            Event::Text(text) => return println!("< {text}"),
            Event::Binary(data) => return println!("< {} bytes", data.len()),
            Event::Closed(closed) => return println!("{closed}"),
            _ => return,
        };
        // The server doesn't wait for the answer, or doesn't read it.
        if sent.is_err() {
            conn.abort();
        }
    }

    fn on_line(&mut self, conn: &mut Connection, line: Option<String>) {
        let sent = match line.as_deref().map(|line| (line, line.strip_prefix("/close "))) {
            None => conn.close(CloseCode::NORMAL, ""),
            Some((_, Some(words))) => close(conn, words),
            Some((line, None)) => conn.send_text(line),
        };
        if let Err(error) = sent {
            println!("not sent: {error}");
        }
    }
}

fn close(conn: &mut Connection, words: &str) -> Result<(), SendError> {
    let (code, reason) = words.split_once(' ').unwrap_or((words, ""));
    match code.parse().ok().and_then(CloseCode::new) {
        Some(code) => conn.close(code, reason),
        None => {
            println!("/close wants a code that may be sent, such as 3001");
            Ok(())
        }
    }
}

/// The lines that are typed. A thread reads them, because a task that blocks on the terminal couldn't be ended.
fn typed() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    typed
}
