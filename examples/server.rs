//! A WebSocket server on blocking sockets: `/` is a chat page for browsers, `/chat` says to all what one says, any other
//! path echoes.
//!
//! ```text
//! cargo run --release --example server -- [ADDRESS] [--quiet]
//! ```
//!
//! Each connection has two threads, which share it behind a lock: one reads and handles events, one writes. So a client
//! that reads slowly holds up nobody but itself, and anybody may send to it.

use std::io::{self, Read, Write};
use std::net::{Shutdown as Half, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Buf;
use websocket_proto::{
    Cause, CloseCode, Config, Connection, Event, Message, Rejection, Request, Response, Shutdown, State,
};

const ADDRESS: &str = "127.0.0.1:9001";
const PAGE: &str = include_str!("chat.html");

/// Fits the first-level cache, and so does what is done with it.
const INPUT: usize = 16 << 10;

/// From this much pending output on, a client isn't read from: let it take what it asked for first.
const HIGH_WATER: usize = 256 << 10;

/// How long a client may take nothing of what is sent, and how long it may take to close its side.
const PATIENCE: Duration = Duration::from_secs(20);
const GOODBYE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let (flags, addresses): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    if flags.iter().any(|flag| flag != "--quiet") || addresses.len() > 1 {
        eprintln!("usage: server [ADDRESS] [--quiet]");
        return ExitCode::FAILURE;
    }
    let address = addresses.first().map_or(ADDRESS, String::as_str);
    let listener = match TcpListener::bind(address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("server: can't listen on {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let address = listener.local_addr().map_or_else(|_| address.to_owned(), |address| address.to_string());
    println!(
        "listening on {address}: http://{address}/ is a chat page, ws://{address}/chat the chat, any other path echoes"
    );

    let server = Arc::new(Server {
        config: Arc::new(Config::new().keepalive(Duration::from_secs(30), Duration::from_secs(10))),
        start: Instant::now(),
        quiet: !flags.is_empty(),
        chat: Mutex::default(),
        clients: AtomicU64::new(0),
    });
    for stream in listener.incoming() {
        let server = Arc::clone(&server);
        let started = stream.and_then(|stream| thread::Builder::new().spawn(move || server.serve(stream)));
        if let Err(error) = started {
            eprintln!("server: can't take a connection: {error}");
            thread::sleep(Duration::from_millis(100));
        }
    }
    ExitCode::SUCCESS
}

struct Server {
    config: Arc<Config>,
    /// The epoch of the connections' time.
    start: Instant,
    quiet: bool,
    chat: Mutex<Vec<Arc<Client>>>,
    clients: AtomicU64,
}

struct Client {
    name: String,
    stream: TcpStream,
    conn: Mutex<Connection>,
    /// There is output for the writer, or room for more.
    changed: Condvar,
}

impl Server {
    fn serve(&self, stream: TcpStream) {
        let client = Arc::new(Client {
            name: format!("guest-{}", self.clients.fetch_add(1, Ordering::Relaxed) + 1),
            stream,
            conn: Mutex::new(Connection::server(Arc::clone(&self.config))),
            changed: Condvar::new(),
        });
        let _ = client.stream.set_nodelay(true);
        let _ = client.stream.set_write_timeout(Some(PATIENCE));
        let threads = thread::scope(|scope| {
            thread::Builder::new().spawn_scoped(scope, || client.write())?;
            self.read(&client);
            client.changed.notify_all();
            io::Result::Ok(())
        });
        // Closing with bytes unread would reset the connection, and the last bytes with it: read them first.
        if threads.is_ok() && client.lock().wants_shutdown() == Some(Shutdown::Finish) {
            let _ = client.stream.set_read_timeout(Some(GOODBYE));
            let deadline = Instant::now() + GOODBYE;
            let mut unread = [0; 4096];
            while Instant::now() < deadline && matches!((&client.stream).read(&mut unread), Ok(1..)) {}
        }
    }

    /// The loop: time, bytes, events; until nothing is left to do but to write the rest.
    fn read(&self, client: &Arc<Client>) {
        let mut buffer = [0; INPUT];
        loop {
            let timeout = self.wait_for_room(client);
            let read = timeout.and_then(|timeout| {
                let _ = client.stream.set_read_timeout(Some(timeout));
                match (&client.stream).read(&mut buffer) {
                    Ok(read) => Some(read),
                    Err(error) if is_timeout(&error) => None,
                    // A reset is an end as well.
                    Err(_) => Some(0),
                }
            });

            let mut said = Vec::new();
            let mut conn = client.lock();
            conn.advance_time(self.start.elapsed());
            if read == Some(0) {
                conn.receive_eof();
            }
            let mut input = &mut buffer[..read.unwrap_or(0)];
            while let Some(event) = conn.receive(&mut input) {
                let in_chat = self.is_in_chat(client);
                match event {
                    Event::Request(request) => said.extend(self.open(client, &mut conn, &request)),
                    Event::HttpRequest(request) => serve_page(&mut conn, &request),
                    Event::Text(text) if in_chat => said.push(format!("{}: {text}", client.name).into()),
                    Event::Binary(data) if in_chat => said.push(data.into()),
                    Event::Text(text) => or_abort(conn.send_text(&text).is_ok(), &mut conn),
                    Event::Binary(data) => or_abort(conn.send_binary(&data).is_ok(), &mut conn),
                    // A page was served.
                    Event::Closed(closed) if closed.cause == Cause::Rejected(200) => {}
                    Event::Closed(closed) => {
                        self.log(&client.name, &closed.to_string());
                        said.extend(self.leave(client));
                    }
                    _ => {}
                }
            }
            drop(conn);
            client.changed.notify_all();
            // Others are locked only while this client isn't.
            for message in &said {
                self.say(message);
            }
            // The last turn is for the last event, which a deadline may have brought about.
            if timeout.is_none() {
                return;
            }
        }
    }

    /// Waits until the client has taken most of its output; then says how long reading may take, or nothing where
    /// nothing is left to be read.
    fn wait_for_room(&self, client: &Client) -> Option<Duration> {
        let mut conn = client.lock();
        loop {
            conn.advance_time(self.start.elapsed());
            if conn.state() == State::Closed && conn.wants_shutdown().is_some() {
                return None;
            }
            let left = conn.next_timeout().map_or(PATIENCE, |at| at.saturating_sub(self.start.elapsed()));
            // A socket takes no timeout of zero.
            let left = left.max(Duration::from_millis(1));
            if conn.output().remaining() <= HIGH_WATER {
                // Others may close this connection meanwhile, which brings its deadline nearer.
                return Some(left.min(GOODBYE));
            }
            let waited = client.changed.wait_timeout(conn, left);
            conn = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Accepts a request; what is to be said to the chat, if it is for the chat.
    fn open(&self, client: &Arc<Client>, conn: &mut Connection, request: &Request) -> Option<Message> {
        let response = Response::new().subprotocol(request.choose(&["chat", "echo"]));
        or_abort(conn.accept(response).is_ok(), conn);
        self.log(&client.name, &format!("opened {}", request.resource()));
        (request.path() == "/chat").then(|| {
            let mut chat = self.chat.lock().unwrap_or_else(PoisonError::into_inner);
            chat.push(Arc::clone(client));
            format!("* {} joined, {} here", client.name, chat.len()).into()
        })
    }

    fn leave(&self, client: &Arc<Client>) -> Option<Message> {
        let mut chat = self.chat.lock().unwrap_or_else(PoisonError::into_inner);
        let place = chat.iter().position(|other| Arc::ptr_eq(other, client))?;
        chat.swap_remove(place);
        Some(format!("* {} left, {} here", client.name, chat.len()).into())
    }

    fn is_in_chat(&self, client: &Arc<Client>) -> bool {
        let chat = self.chat.lock().unwrap_or_else(PoisonError::into_inner);
        chat.iter().any(|other| Arc::ptr_eq(other, client))
    }

    /// Pushes a message to everybody in the chat.
    fn say(&self, message: &Message) {
        let chat = self.chat.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for client in &chat {
            client.push(message);
        }
    }

    fn log(&self, name: &str, line: &str) {
        if !self.quiet {
            println!("{name} {line}");
        }
    }
}

impl Client {
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends to this client from any thread; one that doesn't keep up is let go.
    fn push(&self, message: &Message) {
        let mut conn = self.lock();
        if conn.output().remaining() > HIGH_WATER {
            let _ = conn.close(CloseCode::TRY_AGAIN_LATER, "too slow");
        } else {
            let _ = conn.send(message.clone());
        }
        self.changed.notify_all();
    }

    /// Writes whatever there is to write, until the connection is over. The lock isn't held while it writes.
    fn write(&self) {
        let mut conn = self.lock();
        loop {
            if let Some(bytes) = conn.output().take() {
                drop(conn);
                self.changed.notify_all();
                let written = (&self.stream).write_all(&bytes);
                conn = self.lock();
                if written.is_err() {
                    conn.abort();
                }
                continue;
            }
            match conn.wants_shutdown() {
                None => conn = self.changed.wait(conn).unwrap_or_else(PoisonError::into_inner),
                // Wakes the reader too.
                Some(Shutdown::Abort) => return drop(self.stream.shutdown(Half::Both)),
                Some(Shutdown::Finish) => return drop(self.stream.shutdown(Half::Write)),
            }
        }
    }
}

fn serve_page(conn: &mut Connection, request: &Request) {
    if request.path() == "/" {
        let page = Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE);
        or_abort(conn.reject(page).is_ok(), conn);
    }
    // Any other path is left to the connection, which answers 426.
}

/// An answer that can't be sent is one that the client doesn't wait for, or that it doesn't read.
fn or_abort(is_sent: bool, conn: &mut Connection) {
    if !is_sent {
        conn.abort();
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
