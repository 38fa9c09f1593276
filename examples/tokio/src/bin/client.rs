//! A client in a terminal: lines typed are sent, messages are printed.
//!
//! ```text
//! cargo run --release -p example-tokio --bin example-tokio-client -- \
//!     ws://127.0.0.1:9001/chat [SUBPROTOCOL ...] [--reconnect]
//! ```
//!
//! `/close 3001 bye` closes with that code and reason, `/ping text` pings, the end of the input (Ctrl-D) closes with
//! 1000. Redirects are followed. With `--reconnect`, it reconnects when the connection is lost.

use std::fmt;
use std::future::pending;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use tokio::select;
use tokio::sync::mpsc;
use websocket_proto_tokio::{
    Cause, ClientStream, CloseCode, Closed, ConnectError, Connector, DeflateConfig, Error, Event, Receiver,
    Reconnecting, Sender, WebSocket,
};

/// The number of redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// The delay after the loss of a connection that lasted so long is a short one again.
const STABLE_AFTER: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (flags, mut args): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    if flags.iter().any(|flag| flag != "--reconnect") || args.is_empty() {
        eprintln!("usage: example-tokio-client ws[s]://HOST[:PORT]/PATH [SUBPROTOCOL ...] [--reconnect]");
        return ExitCode::FAILURE;
    }
    let uri = args.remove(0);
    let connector = Connector::new().configure(|config| config.deflate(DeflateConfig::new())).redirects(MAX_REDIRECTS);
    let connector = args.into_iter().fold(connector, Connector::subprotocol);
    let mut lines = typed();
    let ended = if flags.is_empty() {
        visit(connector, &uri, &mut lines).await
    } else {
        revisit(connector, &uri, &mut lines).await
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match &error {
                // The event was printed when it arrived.
                Failure::Lost(Error::Closed(_)) => {}
                Failure::Connect(ConnectError::Rejected(response)) => {
                    println!("{error}\n{}", String::from_utf8_lossy(response.body()).trim_end());
                }
                _ => println!("client: {uri}: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// The reason why the client ends.
enum Failure {
    Connect(ConnectError),
    Lost(Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Lost(error) => error.fmt(f),
        }
    }
}

/// Returns the lines that are typed. A thread reads them, because a task that blocks on the terminal couldn't be ended.
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

/// Connects and talks, once.
async fn visit(connector: Connector, uri: &str, lines: &mut mpsc::Receiver<String>) -> Result<(), Failure> {
    let ws = connector.connect(uri).await.map_err(Failure::Connect)?;
    talk(ws, lines).await.map(drop).map_err(Failure::Lost)
}

/// Connects and talks, and reconnects when the connection is lost.
async fn revisit(connector: Connector, uri: &str, lines: &mut mpsc::Receiver<String>) -> Result<(), Failure> {
    let mut connections = Reconnecting::new(connector, uri)
        .stable_after(STABLE_AFTER)
        .on_retry(|error, delay| println!("{error}, again in {delay:.1?}"));
    while let Some(connected) = connections.next().await {
        let ended = talk(connected.map_err(Failure::Connect)?, lines).await;
        if !is_passing(&ended) || lines.is_closed() && lines.is_empty() {
            return ended.map(drop).map_err(Failure::Lost);
        }
        println!("connecting again");
    }
    Ok(())
}

/// Returns whether to reconnect.
fn is_passing(ended: &Result<Closed, Error>) -> bool {
    match ended {
        Ok(closed) => {
            let codes = [CloseCode::GOING_AWAY, CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER];
            closed.cause == Cause::Peer && codes.contains(&closed.code)
        }
        Err(error) => matches!(error, Error::Closed(_) | Error::Io(_)),
    }
}

/// Sends and prints at the same time, because either may have to wait for the peer.
async fn talk(ws: WebSocket<ClientStream>, lines: &mut mpsc::Receiver<String>) -> Result<Closed, Error> {
    println!("open{}", ws.subprotocol().map(|name| format!(", {name}")).unwrap_or_default());
    let (sender, mut receiver) = ws.into_split();
    select! {
        printed = print(&mut receiver) => printed?,
        never = send_typed(sender, lines) => match never {},
    }
    Ok(receiver.closed().expect("it is over"))
}

async fn print(receiver: &mut Receiver<ClientStream>) -> Result<(), Error> {
    while let Some(event) = receiver.event().await? {
        match event {
            Event::Text(text) => println!("< {text}"),
            Event::Binary(data) => println!("< {} bytes: {:02x?}", data.len(), &data[..data.len().min(16)]),
            Event::Pong(_) => println!("pong, round trip {:?}", receiver.round_trip().unwrap_or_default()),
            Event::Closed(closed) => println!("{closed}"),
            _ => {}
        }
    }
    Ok(())
}

async fn send_typed(mut sender: Sender<ClientStream>, lines: &mut mpsc::Receiver<String>) -> std::convert::Infallible {
    while let Some(line) = lines.recv().await {
        let sent = match line.split_once(' ').unwrap_or((&line, "")) {
            ("/close", rest) => close(&mut sender, rest),
            ("/ping", payload) => {
                sender.with_connection(|conn| conn.ping(payload.as_bytes())).map_err(|error| error.to_string())
            }
            _ => sender.send(line).await.map_err(|error| error.to_string()),
        };
        if let Err(error) = sent {
            println!("not sent: {error}");
        }
    }
    // Closing twice is no error.
    let _ = sender.close(CloseCode::NORMAL, "");
    pending().await
}

fn close(sender: &mut Sender<ClientStream>, words: &str) -> Result<(), String> {
    let (code, reason) = words.split_once(' ').unwrap_or((words, ""));
    let code = code.parse().ok().and_then(CloseCode::new);
    let code = code.ok_or("/close wants a code that may be sent, such as 3001")?;
    sender.close(code, reason).map_err(|error| error.to_string())
}
