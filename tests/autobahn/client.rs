//! The client that the Autobahn fuzzing server at `ADDRESS` tests: it echoes the messages of each of the server's
//! cases.
//!
//! ```text
//! cargo run --release -p tools --bin autobahn-client -- ADDRESS
//! ```

use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::Buf;
use websocket_proto::{Config, Connection, DeflateConfig, Event, Seed, TransportShutdown, client};

const AGENT: &str = "websocket-proto";

/// No case is silent for longer.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: autobahn-client ADDRESS")?;
    let mut count = String::new();
    converse(&address, "/getCaseCount", |_, event| {
        if let Event::Text(text) = event {
            count = text.into_owned();
        }
        Ok(())
    })?;
    for case in 1..=count.parse::<u32>()? {
        converse(&address, &format!("/runCase?case={case}&agent={AGENT}"), |conn, event| {
            match event {
                Event::Text(text) => conn.send_text(&text)?,
                Event::Binary(data) => conn.send_binary(&data)?,
                _ => {}
            }
            Ok(())
        })?;
    }
    converse(&address, &format!("/updateReports?agent={AGENT}"), |_, _| Ok(()))
}

/// Opens a connection and answers its events until it is closed.
fn converse(
    address: &str,
    resource: &str,
    mut answer: impl FnMut(&mut Connection, Event<'_>) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let request = client::Request::new(format!("ws://{address}{resource}").parse()?);
    let mut conn = Connection::client(request, Config::new().deflate(DeflateConfig::new()), Seed::from_os()?)?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut buffer = vec![0; 16 << 10];
    loop {
        while conn.output().has_remaining() {
            let written = stream.write(conn.output().chunk())?;
            conn.output().advance(written);
        }
        match conn.wants_shutdown() {
            None => {}
            Some(TransportShutdown::Graceful) => {
                let _ = stream.shutdown(Shutdown::Write);
                while matches!(stream.read(&mut buffer), Ok(1..)) {}
                return Ok(());
            }
            Some(TransportShutdown::Abort) => return Ok(()),
        }
        let read = match stream.read(&mut buffer) {
            // This server ends a connection that way after it has closed it.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            read => read?,
        };
        if read == 0 {
            conn.receive_eof();
        }
        let mut input = &mut buffer[..read];
        while let Some(event) = conn.receive(&mut input) {
            answer(&mut conn, event)?;
        }
    }
}
