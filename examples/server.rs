//! A WebSocket server on blocking sockets: `/` is a chat page for browsers, `/chat` says to all what one says, any other
//! path echoes.
//!
//! ```text
//! cargo run --release --features deflate --example server -- [ADDRESS] [--quiet]
//! ```
//!
//! The loop that reads, handles events and writes is in `link/mod.rs`; here is what the server says.

mod link;

use std::cell::RefCell;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Buf;
use link::{HIGH_WATER, Link};
use websocket_proto::{
    Cause, CloseCode, Config, Connection, Deflate, Event, Message, PreparedMessage, Rejection, Request, Response,
};

const ADDRESS: &str = "127.0.0.1:9001";
const PAGE: &str = include_str!("chat.html");

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
        config: Arc::new(
            Config::new().keepalive(Duration::from_secs(30), Duration::from_secs(20)).deflate(Deflate::new()),
        ),
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
    quiet: bool,
    chat: Mutex<Vec<Arc<Client>>>,
    clients: AtomicU64,
}

struct Client {
    /// Given when it is let in: browsers open spare sockets, too.
    name: OnceLock<String>,
    link: Link,
}

impl Server {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let link = Link::new(stream, Connection::server(Arc::clone(&self.config)))?;
        let client = Arc::new(Client { name: OnceLock::new(), link });
        // What is to be said to the chat, once this client isn't locked any more.
        let said = RefCell::new(Vec::new());
        let handle = |conn: &mut Connection, event: Event<'_>| {
            let mut said = said.borrow_mut();
            let in_chat = self.is_in_chat(&client);
            match event {
                Event::Request(request) => said.extend(self.open(&client, conn, &request)),
                Event::HttpRequest(request) => serve_page(conn, &request),
                Event::Text(text) if in_chat => said.push(format!("{}: {text}", client.name()).into()),
                Event::Binary(data) if in_chat => said.push(data.into()),
                Event::Text(text) => or_abort(conn.send_text(&text).is_ok(), conn),
                Event::Binary(data) => or_abort(conn.send_binary(&data).is_ok(), conn),
                Event::Closed(closed) if client.name.get().is_some() => {
                    self.log(client.name(), &closed.to_string());
                    said.extend(self.leave(&client));
                }
                Event::Closed(closed) => {
                    // A page was served, or a spare socket wasn't used.
                    if let Cause::Handshake(error) = closed.cause {
                        self.log("refused:", &error.to_string());
                    }
                }
                _ => {}
            }
        };
        let after = || {
            for message in said.take() {
                self.say(&PreparedMessage::compressed(message, &Deflate::new()));
            }
        };
        client.link.run(handle, after)
    }

    /// Accepts a request; what is to be said to the chat, if it is for the chat.
    fn open(&self, client: &Arc<Client>, conn: &mut Connection, request: &Request) -> Option<Message> {
        let response = Response::new().subprotocol(request.choose(&["chat", "echo"]));
        or_abort(conn.accept(response).is_ok(), conn);
        let name = || format!("guest-{}", self.clients.fetch_add(1, Ordering::Relaxed) + 1);
        let name = client.name.get_or_init(name);
        self.log(name, &format!("opened {}", request.resource()));
        (request.path() == "/chat").then(|| {
            let mut chat = self.chat();
            chat.push(Arc::clone(client));
            format!("* {name} joined, {} here", chat.len()).into()
        })
    }

    fn leave(&self, client: &Arc<Client>) -> Option<Message> {
        let mut chat = self.chat();
        let place = chat.iter().position(|other| Arc::ptr_eq(other, client))?;
        chat.swap_remove(place);
        Some(format!("* {} left, {} here", client.name(), chat.len()).into())
    }

    fn is_in_chat(&self, client: &Arc<Client>) -> bool {
        let chat = self.chat();
        chat.iter().any(|other| Arc::ptr_eq(other, client))
    }

    /// Pushes a message to everybody in the chat.
    fn say(&self, message: &PreparedMessage) {
        let chat = self.chat().clone();
        for client in &chat {
            client.push(message);
        }
    }

    fn chat(&self) -> MutexGuard<'_, Vec<Arc<Client>>> {
        self.chat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, name: &str, line: &str) {
        if !self.quiet {
            println!("{name} {line}");
        }
    }
}

impl Client {
    fn name(&self) -> &str {
        self.name.get().map_or("somebody", String::as_str)
    }

    /// Sends to this client from any thread; one that doesn't keep up is let go.
    fn push(&self, message: &PreparedMessage) {
        self.link.with(|conn| {
            if conn.output().remaining() > HIGH_WATER {
                let _ = conn.close(CloseCode::TRY_AGAIN_LATER, "too slow");
            } else {
                let _ = conn.send_prepared(message);
            }
        });
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
