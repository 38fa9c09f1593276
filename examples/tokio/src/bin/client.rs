//! A client in a terminal: lines typed are sent, messages are printed.
//!
//! ```text
//! cargo run --release -p example-tokio --bin example-tokio-client -- \
//!     ws://127.0.0.1:9001/chat [SUBPROTOCOL ...] [--reconnect]
//! ```
//!
//! `/close 3001 bye` closes with that code and reason, `/ping text` pings, the end of the input (Ctrl-D) closes with
//! 1000. Redirects are followed. With `--reconnect` it comes back after losses.

use std::fmt;
use std::future::pending;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use example_tokio::backoff::Backoff;
use example_tokio::redirect;
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::sleep;
use websocket_proto_tokio::{
    Cause, ClientStream, CloseCode, Closed, ConnectError, Connector, DeflateConfig, Error, Event, Receiver, Sender,
    WebSocket, client,
};

/// The number of redirects that are followed.
const REDIRECTS: usize = 5;

/// A connection that lasted as long wasn't refused by what it found.
const SETTLED: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let (flags, mut args): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    if flags.iter().any(|flag| flag != "--reconnect") || args.is_empty() {
        eprintln!("usage: example-tokio-client ws[s]://HOST[:PORT]/PATH [SUBPROTOCOL ...] [--reconnect]");
        return ExitCode::FAILURE;
    }
    let uri = args.remove(0);
    let target = match uri.parse() {
        Ok(uri) => {
            let connector = Connector::new().configure(|config| config.deflate(DeflateConfig::new()));
            Target { uri, connector: args.into_iter().fold(connector, Connector::subprotocol) }
        }
        Err(error) => {
            eprintln!("client: {uri}: {error}");
            return ExitCode::FAILURE;
        }
    };
    match target.visit(&mut typed(), !flags.is_empty()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match &error {
                // It was printed as it came.
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

/// Lines that are typed. A thread reads them: a task that is blocked by the terminal couldn't be ended.
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

/// The server's address, and how to connect to it.
struct Target {
    uri: client::Uri,
    connector: Connector,
}

impl Target {
    /// Connects and talks, and does so again after losses if it is to `reconnect`.
    async fn visit(&self, lines: &mut mpsc::Receiver<String>, reconnect: bool) -> Result<(), Failure> {
        let mut backoff = Backoff::default();
        loop {
            let begun = Instant::now();
            let ended = match self.connect().await {
                Ok(ws) => talk(ws, lines).await.map_err(Failure::Lost),
                Err(error) => Err(Failure::Connect(error)),
            };
            if !reconnect || !is_passing(&ended) || lines.is_closed() && lines.is_empty() {
                return ended.map(drop);
            }
            if begun.elapsed() >= SETTLED {
                backoff.reset();
            }
            let delay = backoff.delay();
            match ended {
                Ok(_) | Err(Failure::Lost(Error::Closed(_))) => println!("again in {delay:.1?}"),
                Err(error) => println!("{error}, again in {delay:.1?}"),
            }
            sleep(delay).await;
        }
    }

    /// Connects to where the server is, or where it sends us to.
    async fn connect(&self) -> Result<WebSocket<ClientStream>, ConnectError> {
        let mut uri = self.uri.clone();
        for _ in 0..REDIRECTS {
            match self.connector.connect(uri.clone()).await {
                Err(ConnectError::Rejected(response)) => match redirect::location(&uri, &response) {
                    Some(location) => uri = location,
                    None => return Err(ConnectError::Rejected(response)),
                },
                connected => return connected,
            }
            println!("redirected to {uri}");
        }
        self.connector.connect(uri).await
    }
}

/// Returns whether trying again may help.
fn is_passing(ended: &Result<Closed, Failure>) -> bool {
    match ended {
        Ok(closed) => {
            let codes = [CloseCode::GOING_AWAY, CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER];
            closed.cause == Cause::Peer && codes.contains(&closed.code)
        }
        Err(Failure::Connect(ConnectError::Rejected(response))) => response.status() == 429 || response.status() >= 500,
        Err(Failure::Connect(error)) => {
            matches!(error, ConnectError::Tcp { .. } | ConnectError::Io(_) | ConnectError::Timeout { .. })
        }
        Err(Failure::Lost(error)) => matches!(error, Error::Closed(_) | Error::Io(_)),
    }
}

/// Sends what is typed and prints what comes, both at the same time: either may have to wait for the other side.
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
