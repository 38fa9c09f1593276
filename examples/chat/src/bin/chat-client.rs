//! A WebSocket client in a terminal: sends the lines that you type, and prints the messages that arrive.
//!
//! ```text
//! cargo run --release -p chat --bin chat-client -- ws://127.0.0.1:9001/chat [SUBPROTOCOL ...]
//! ```
//!
//! `/close 3001 bye` closes with that code and reason, `/ping text` sends a ping, and the end of the input (Ctrl-D)
//! closes with 1000.

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use chat::link::{IDLE, Link, PATIENCE};
use websocket_proto::{Cause, CloseCode, Config, Connection, DeflateConfig, Event, Seed, client};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(uri) = args.next() else {
        eprintln!("usage: chat-client ws://HOST[:PORT]/PATH [SUBPROTOCOL ...]");
        return ExitCode::FAILURE;
    };
    match run(&uri, args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chat-client: {uri}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Connects and chats. Returns whether the connection was opened and closed in order.
fn run(uri: &str, subprotocols: impl Iterator<Item = String>) -> Result<bool, Box<dyn Error>> {
    let uri: client::Uri = uri.parse()?;
    if uri.is_secure() {
        return Err("this example has no TLS; for wss, use example-tls-client".into());
    }
    let request = subprotocols.fold(client::Request::new(uri.clone()), |request, name| request.subprotocol(&name));
    let config = Config::new().keepalive(IDLE, PATIENCE).deflate(DeflateConfig::new());
    let conn = Connection::client(request, config, Seed::from_os()?)?;

    let stream = TcpStream::connect((uri.host_with_zone(), uri.port()))?;
    let link = Arc::new(Link::new(stream, conn)?);
    let mut in_order = false;
    let is_answered = Cell::new(false);
    let handle = |conn: &mut Connection, event: Event<'_>| match event {
        Event::Open(_) => {
            println!("open{}", conn.subprotocol().map(|name| format!(", {name}")).unwrap_or_default());
            let link = Arc::clone(&link);
            thread::spawn(move || type_in(&link));
        }
        Event::Rejected(response) => {
            println!("refused: {} {}", response.status(), response.reason());
            println!("{}", String::from_utf8_lossy(response.body()).trim_end());
        }
        Event::Text(text) => println!("< {text}"),
        Event::Binary(data) => println!("< {} bytes: {:02x?}", data.len(), &data[..data.len().min(16)]),
        Event::Pong(_) => is_answered.set(true),
        Event::Closed(closed) if matches!(closed.cause, Cause::Rejected(_)) => {}
        Event::Closed(closed) => {
            println!("{closed}");
            in_order = closed.clean;
        }
        _ => {}
    };
    // The round trip ends at the next time that is set.
    let after = || {
        if is_answered.take() {
            println!("pong, round trip {:?}", link.with(|conn| conn.round_trip()).unwrap_or_default());
        }
    };
    link.run(handle, after)?;
    Ok(in_order)
}

/// Sends what is typed, no faster than the server reads it.
fn type_in(link: &Link) {
    for line in io::stdin().lines().map_while(Result::ok) {
        link.wait_for_room();
        let sent = link.with(|conn| match line.split_once(' ').unwrap_or((&line, "")) {
            ("/close", rest) => close(conn, rest),
            ("/ping", payload) => conn.ping(payload.as_bytes()).map_err(|error| error.to_string()),
            _ => conn.send_text(&line).map_err(|error| error.to_string()),
        });
        if let Err(error) = sent {
            println!("not sent: {error}");
        }
    }
    // Closing twice is no error.
    let _ = link.with(|conn| conn.close(CloseCode::NORMAL, ""));
}

fn close(conn: &mut Connection, words: &str) -> Result<(), String> {
    let (code, reason) = words.split_once(' ').unwrap_or((words, ""));
    let code = code.parse().ok().and_then(CloseCode::new);
    let code = code.ok_or("/close wants a code that may be sent, such as 3001")?;
    conn.close(code, reason).map_err(|error| error.to_string())
}
