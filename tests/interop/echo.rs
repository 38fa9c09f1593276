//! An echo whose compression is set by its arguments: a server, or a client of the server at a URI.
//!
//! ```text
//! interop-echo [ws://HOST:PORT/] [SETTING[=NUMBER]]... [mixed]
//! ```
//!
//! The settings are the setters of `DeflateConfig`. `mixed` sends in every way in turn: like other messages, prepared,
//! in fragments, uncompressed.

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use chat::link::Link;
use websocket_proto::{
    Config, Connection, DeflateConfig, DeflateParams, Event, Message, PreparedMessage, Seed, SendError, client, server,
};

/// Text is split inside its characters.
const FRAGMENT: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let (uris, words): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|arg| arg.contains("://"));
    let mut settings = DeflateConfig::new();
    let mut mixed = false;
    for word in &words {
        if word == "mixed" {
            mixed = true;
        } else {
            settings = set(settings, word).ok_or_else(|| format!("unknown: {word}"))?;
        }
    }
    let config = Arc::new(Config::new().deflate(settings.clone()));
    let echo = Echo { settings, mixed };

    if let [uri] = &uris[..] {
        let uri: client::Uri = uri.parse()?;
        let stream = TcpStream::connect((uri.host_with_zone(), uri.port()))?;
        return echo.run(stream, Connection::client(client::Request::new(uri), config, Seed::from_os()?)?);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (echo, stream, config) = (echo.clone(), stream?, Arc::clone(&config));
        thread::spawn(move || {
            if let Err(error) = echo.run(stream, Connection::server(config)) {
                println!("{error}");
            }
        });
    }
    Ok(())
}

fn set(settings: DeflateConfig, word: &str) -> Option<DeflateConfig> {
    let (name, value) = word.split_once('=').unwrap_or((word, "0"));
    let number: usize = value.parse().ok()?;
    let small = u8::try_from(number);
    Some(match name {
        "server_no_context_takeover" => settings.server_no_context_takeover(true),
        "client_no_context_takeover" => settings.client_no_context_takeover(true),
        "server_max_window_bits" => settings.server_max_window_bits(small.ok()?),
        "client_max_window_bits" => settings.client_max_window_bits(small.ok()?),
        "offer_client_max_window_bits" => settings.offer_client_max_window_bits(number != 0),
        "level" => settings.level(small.ok()?),
        "memory_level" => settings.memory_level(small.ok()?),
        "min_size" => settings.min_size(number),
        _ => return None,
    })
}

#[derive(Clone)]
struct Echo {
    settings: DeflateConfig,
    mixed: bool,
}

impl Echo {
    fn run(&self, stream: TcpStream, conn: Connection) -> Result<(), Box<dyn Error>> {
        let mut turn = 0;
        let handle = |conn: &mut Connection, event: Event<'_>| {
            let message = match event {
                Event::Request(_) => {
                    conn.accept(server::Response::new()).expect("a fitting response");
                    return print_agreed(conn.deflate());
                }
                Event::Open(_) => return print_agreed(conn.deflate()),
                Event::Text(text) => text.into(),
                Event::Binary(data) => data.into(),
                Event::Closed(closed) => return println!("{closed}"),
                _ => return,
            };
            if self.echo(conn, message, turn).is_err() {
                conn.abort();
            }
            turn += usize::from(self.mixed);
        };
        Ok(Link::new(stream, conn)?.run(handle, || ())?)
    }

    fn echo(&self, conn: &mut Connection, message: Message, turn: usize) -> Result<(), SendError> {
        conn.set_compression(turn % 5 != 3);
        match turn % 5 {
            1 => conn.send_prepared(&PreparedMessage::compressed(message, &self.settings)),
            2 => {
                for fragment in message.payload().chunks(FRAGMENT) {
                    conn.send_fragment(message.kind(), fragment, false)?;
                }
                conn.send_fragment(message.kind(), b"", true)
            }
            _ => conn.send(message),
        }
    }
}

/// Prints the negotiated parameters, as in the header.
fn print_agreed(agreed: Option<DeflateParams>) {
    let Some(agreed) = agreed else {
        return println!("open");
    };
    let takeover = |side, is_missing| if is_missing { format!("; {side}_no_context_takeover") } else { String::new() };
    println!(
        "open, permessage-deflate{}{}; server_max_window_bits={}; client_max_window_bits={}",
        takeover("server", agreed.server_no_context_takeover()),
        takeover("client", agreed.client_no_context_takeover()),
        agreed.server_max_window_bits(),
        agreed.client_max_window_bits(),
    );
}
