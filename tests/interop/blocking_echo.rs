//! An echo server on websocket-proto-blocking, with a thread for each connection, which other implementations are clients of.
//!
//! ```text
//! blocking-echo [--quiet]
//! ```
//!
//! It says where it listens and why connections fail; with `--quiet`, only the former.

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::thread;

use websocket_proto_blocking::{Acceptor, DeflateConfig};

fn main() -> std::io::Result<()> {
    let is_quiet = std::env::args().any(|argument| argument == "--quiet");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    let acceptor = Acceptor::new().configure(|config| config.deflate(DeflateConfig::new()));
    for stream in listener.incoming() {
        let (acceptor, stream) = (acceptor.clone(), stream?);
        thread::spawn(move || {
            if let (Err(error), false) = (echo(&acceptor, stream), is_quiet) {
                println!("{error}");
            }
        });
    }
    Ok(())
}

fn echo(acceptor: &Acceptor, stream: TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let mut ws = acceptor.accept(stream)?;
    while let Some(message) = ws.read()? {
        ws.send(message)?;
    }
    Ok(())
}
