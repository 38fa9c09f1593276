//! A WebSocket client in a terminal: lines typed are sent, messages are printed.
//!
//! ```text
//! cargo run --release --example client -- ws://127.0.0.1:9001/chat [SUBPROTOCOL ...]
//! ```
//!
//! `/close 3001 bye` closes with that code and reason, `/ping text` pings, the end of the input (Ctrl-D) closes with
//! 1000.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Buf;
use websocket_proto::{Cause, ClientRequest, CloseCode, Config, Connection, Event, Seed, Uri};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(uri) = args.next() else {
        eprintln!("usage: client ws://HOST[:PORT]/PATH [SUBPROTOCOL ...]");
        return ExitCode::FAILURE;
    };
    match run(&uri, args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("client: {uri}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Connects and talks; whether the connection was opened and closed in order.
fn run(uri: &str, subprotocols: impl Iterator<Item = String>) -> Result<bool, Box<dyn Error>> {
    let uri: Uri = uri.parse()?;
    if uri.is_secure() {
        return Err("this example has no TLS: wss needs a transport that does".into());
    }
    let request = subprotocols.fold(ClientRequest::new(uri.clone()), |request, name| request.subprotocol(&name));
    let config = Config::new().keepalive(Duration::from_secs(30), Duration::from_secs(10));
    let conn = Connection::client(request, config, Seed::from_os()?)?;

    let stream = TcpStream::connect((uri.host(), uri.port()))?;
    stream.set_nodelay(true)?;
    let session = Arc::new(Session { stream, conn: Mutex::new(conn), start: Instant::now() });
    session.with(|_| ());
    session.read()
}

/// A connection that two threads share: one reads the socket, one the terminal; both write what they caused.
struct Session {
    stream: TcpStream,
    conn: Mutex<Connection>,
    start: Instant,
}

impl Session {
    /// The loop: bytes, time, events.
    fn read(self: &Arc<Self>) -> Result<bool, Box<dyn Error>> {
        let mut buffer = [0; 16 << 10];
        let mut in_order = false;
        loop {
            let timeout = self.with(|conn| conn.next_timeout().map(|at| at.saturating_sub(self.start.elapsed())));
            self.stream.set_read_timeout(timeout.map(|left| left.max(Duration::from_millis(1))))?;
            let read = match (&self.stream).read(&mut buffer) {
                Ok(read) => Some(read),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => None,
                Err(_) => Some(0),
            };
            let shutdown = self.with(|conn| {
                if read == Some(0) {
                    conn.receive_eof();
                }
                let mut input = &mut buffer[..read.unwrap_or(0)];
                while let Some(event) = conn.receive(&mut input) {
                    match event {
                        Event::Open(_) => {
                            println!("open{}", conn.subprotocol().map(|name| format!(", {name}")).unwrap_or_default());
                            let session = Arc::clone(self);
                            thread::spawn(move || session.type_in());
                        }
                        Event::Rejected(response) => {
                            println!("refused: {} {}", response.status(), response.reason());
                            println!("{}", String::from_utf8_lossy(response.body()).trim_end());
                        }
                        Event::Text(text) => println!("< {text}"),
                        Event::Binary(data) => println!("< {} bytes: {:02x?}", data.len(), &data[..data.len().min(16)]),
                        Event::Pong(_) => println!("pong, round trip {:?}", conn.round_trip().unwrap_or_default()),
                        Event::Closed(closed) if matches!(closed.cause, Cause::Rejected(_)) => {}
                        Event::Closed(closed) => {
                            println!("{closed}");
                            in_order = closed.clean;
                        }
                        _ => {}
                    }
                }
                conn.wants_shutdown()
            });
            if shutdown.is_some() {
                // The server has closed its side, or isn't worth waiting for.
                return Ok(in_order);
            }
        }
    }

    fn type_in(&self) {
        for line in io::stdin().lines().map_while(Result::ok) {
            let sent = self.with(|conn| match line.split_once(' ').unwrap_or((&line, "")) {
                ("/close", rest) => {
                    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                    let code = code.parse().ok().and_then(CloseCode::new);
                    code.map_or_else(
                        || Err("/close wants a code that may be sent, such as 3001".into()),
                        |code| conn.close(code, reason).map_err(|error| error.to_string()),
                    )
                }
                ("/ping", payload) => conn.ping(payload.as_bytes()).map_err(|error| error.to_string()),
                _ => conn.send_text(&line).map_err(|error| error.to_string()),
            });
            if let Err(error) = sent {
                println!("not sent: {error}");
            }
        }
        // Closing what is closed already is no news.
        let _ = self.with(|conn| conn.close(CloseCode::NORMAL, ""));
    }

    /// Tells the connection the time, does something with it, and writes what comes of that.
    fn with<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        let mut conn = self.conn.lock().unwrap_or_else(PoisonError::into_inner);
        conn.advance_time(self.start.elapsed());
        let result = act(&mut conn);
        while conn.output().has_remaining() {
            match (&self.stream).write(conn.output().chunk()) {
                Ok(written @ 1..) => conn.output().advance(written),
                // The reader finds out why.
                _ => conn.abort(),
            }
        }
        result
    }
}
