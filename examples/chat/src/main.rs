//! A WebSocket server on blocking sockets: `/` is a chat page for browsers, messages sent to `/chat` go to everyone
//! there, and every other path echoes.
//!
//! ```text
//! cargo run --release -p chat -- [ADDRESS] [--quiet] [--context-takeover]
//! ```
//!
//! With `--context-takeover`, the compressor remembers earlier messages. That saves bytes on the wire, and takes up to
//! 450 KiB of memory for each connection.
//!
//! This file accepts and closes connections. The loop that reads, handles events and writes is in `link.rs`, and the
//! chat is in `room.rs`.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use chat::link::{IDLE, Link, PATIENCE};
use chat::room::{self, Client, Said};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use websocket_proto::{Cause, CloseCode, Closed, Config, Connection, DeflateConfig, Event, State, server};

const ADDRESS: &str = "127.0.0.1:9001";

/// The number of messages to the chat that may wait; clients that send more have to wait.
const BACKLOG: usize = 16;

/// How long connections have to close when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// How long the server waits after it could not accept a connection, and how soon it notices a signal.
const PAUSE: Duration = Duration::from_millis(100);

const PAGE: &str = include_str!("chat.html");

fn main() -> ExitCode {
    let (flags, addresses): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.starts_with('-'));
    if flags.iter().any(|flag| !["--quiet", "--context-takeover"].contains(&flag.as_str())) || addresses.len() > 1 {
        eprintln!("usage: chat [ADDRESS] [--quiet] [--context-takeover]");
        return ExitCode::FAILURE;
    }
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let address = addresses.first().map_or(ADDRESS, String::as_str);
    match run(address, has("--quiet"), has("--context-takeover")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until SIGINT or SIGTERM, and then closes all connections.
fn run(address: &str, quiet: bool, context_takeover: bool) -> io::Result<()> {
    let listener = TcpListener::bind(address).map_err(|error| {
        let hint = "pass another address as the argument, such as 127.0.0.1:9002";
        io::Error::new(error.kind(), format!("can't listen on {address}: {error}; {hint}"))
    })?;
    let address = listener.local_addr()?;
    println!(
        "listening on {address}: http://{address}/ is a chat page, ws://{address}/chat the chat, any other path echoes"
    );
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop))?;
    }
    // With context takeover, each connection keeps a compressor and a window of its own, 450 KiB together, from its
    // first compressed message on.
    let deflate = DeflateConfig::new()
        .server_no_context_takeover(!context_takeover)
        .client_no_context_takeover(!context_takeover);
    let (says, said) = mpsc::sync_channel(BACKLOG);
    let server = Arc::new(Server {
        config: Arc::new(Config::new().keepalive(IDLE, PATIENCE).deflate(deflate)),
        quiet,
        clients: Mutex::default(),
        left: Condvar::new(),
        names: AtomicU64::new(0),
        says,
    });
    thread::Builder::new().spawn(move || room::run(&said))?;
    // Only the end of the process wakes a thread that waits for connections.
    thread::Builder::new().spawn({
        let server = Arc::clone(&server);
        move || server.accept(&listener)
    })?;
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(PAUSE);
    }
    match server.stop() {
        0 => println!("stopped, all connections are closed"),
        staying => println!("stopped, {staying} connections were still open"),
    }
    Ok(())
}

struct Server {
    config: Arc<Config>,
    quiet: bool,
    clients: Mutex<Clients>,
    /// A client has left.
    left: Condvar,
    names: AtomicU64,
    /// To the chat.
    says: SyncSender<Said>,
}

#[derive(Default)]
struct Clients {
    all: Vec<Arc<Client>>,
    /// The server is stopping: new clients are rejected.
    stopping: bool,
}

impl Server {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        loop {
            let server = Arc::clone(self);
            let serve = |stream| thread::Builder::new().spawn(move || server.serve(stream));
            match listener.accept().and_then(|(stream, _)| serve(stream)) {
                Ok(_) => {}
                // A client that has disconnected meanwhile.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // There is no free descriptor or thread. Clients wait in the backlog meanwhile.
                Err(error) => {
                    eprintln!("server: can't accept a connection: {error}");
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Closes all connections with 1001, and waits until they are gone or the time is up. Returns the number that is
    /// left.
    fn stop(&self) -> usize {
        let all = {
            let mut clients = self.clients();
            clients.stopping = true;
            clients.all.clone()
        };
        // Not while all are locked: the handler of a connection may need the list.
        for client in all {
            client.link.with(|conn| {
                // A connection that is closing or closed gets no Close from us.
                let said = conn.close(CloseCode::GOING_AWAY, "the server stops");
                or_abort(said.is_ok() || conn.state() != State::Connecting, conn);
            });
        }
        let waited = self.left.wait_timeout_while(self.clients(), FAREWELL, |clients| !clients.all.is_empty());
        waited.unwrap_or_else(PoisonError::into_inner).0.all.len()
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let link = Link::new(stream, Connection::server(Arc::clone(&self.config)))?;
        let client = Arc::new(Client { name: OnceLock::new(), link });
        let Some(_guest) = self.admit(&client) else { return Ok(()) };
        let mut chats = false;
        // Messages that wait until there is space and this client is unlocked.
        let waiting = RefCell::new(VecDeque::new());
        let handle = |conn: &mut Connection, event: Event<'_>| {
            let said = match event {
                Event::Request(request) => {
                    chats = self.open(&client, conn, &request) && request.path() == "/chat";
                    chats.then(|| Said::Joined(Arc::clone(&client)))
                }
                Event::Text(text) if chats => Some(Said::Message(format!("{}: {text}", client.name()).into())),
                Event::Binary(data) if chats => Some(Said::Message(data.into())),
                Event::Closed(closed) => {
                    self.log_end(&client, &closed);
                    chats.then(|| Said::Left(Arc::clone(&client)))
                }
                event => {
                    answer(conn, event);
                    None
                }
            };
            let mut waiting = waiting.borrow_mut();
            waiting.extend(said);
            // Sends it immediately if possible, so that the chat has the order of the events, whichever clients they
            // are from.
            if let Some(said) = waiting.pop_front()
                && let Err(TrySendError::Full(said)) = self.says.try_send(said)
            {
                waiting.push_front(said);
            }
        };
        let after = || waiting.take().into_iter().for_each(|said| drop(self.says.send(said)));
        client.link.run(handle, after)
    }

    /// Accepts a request, unless it asks for the chat and comes from a page of another origin. A server whose users
    /// have cookies lists its own origins here.
    fn open(&self, client: &Client, conn: &mut Connection, request: &server::Request) -> bool {
        if request.path() == "/chat"
            && let Err(rejection) = request.check_same_origin()
        {
            or_abort(conn.reject(rejection).is_ok(), conn);
            return false;
        }
        let response = server::Response::new().subprotocol(request.select_subprotocol(&["chat", "echo"]));
        or_abort(conn.accept(response).is_ok(), conn);
        let name = || format!("guest-{}", self.names.fetch_add(1, Ordering::Relaxed) + 1);
        self.log(client.name.get_or_init(name), &format!("opened {}", request.resource()));
        true
    }

    fn log_end(&self, client: &Client, closed: &Closed) {
        match closed.cause {
            _ if client.name.get().is_some() => self.log(client.name(), &closed.to_string()),
            Cause::Handshake(error) => self.log("refused:", &error.to_string()),
            // A page was served, or a browser's spare socket was never used.
            _ => {}
        }
    }

    /// Registers a client until the guard is dropped.
    fn admit<'a>(&'a self, client: &'a Arc<Client>) -> Option<Guest<'a>> {
        let mut clients = self.clients();
        (!clients.stopping).then(|| {
            clients.all.push(Arc::clone(client));
            Guest { server: self, client }
        })
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, name: &str, line: &str) {
        if !self.quiet {
            println!("{name} {line}");
        }
    }
}

/// A registered client, until this is dropped.
struct Guest<'a> {
    server: &'a Server,
    client: &'a Arc<Client>,
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.server.clients().all.retain(|client| !Arc::ptr_eq(client, self.client));
        self.server.left.notify_all();
    }
}

fn answer(conn: &mut Connection, event: Event<'_>) {
    let is_sent = match event {
        Event::HttpRequest(request) if request.path() == "/" && matches!(request.method(), "GET" | "HEAD") => {
            let page = server::Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE);
            conn.reject(page).is_ok()
        }
        Event::Text(text) => conn.send_text(&text).is_ok(),
        Event::Binary(data) => conn.send_binary(&data).is_ok(),
        // Everything else is left to the connection, which answers 405 or 426.
        _ => true,
    };
    or_abort(is_sent, conn);
}

/// An answer that can't be sent is dropped: the client doesn't wait for it, or doesn't read it.
fn or_abort(is_sent: bool, conn: &mut Connection) {
    if !is_sent {
        conn.abort();
    }
}
