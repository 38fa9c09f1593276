//! tungstenite on mio: messages are written, and flushed when there are no more to read.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, WebSocket};

use super::{INPUT, readiness};

pub(super) fn serve(streams: Vec<std::net::TcpStream>) -> io::Result<()> {
    let config = WebSocketConfig::default().read_buffer_size(INPUT);
    readiness::serve(
        streams,
        |stream| WebSocket::from_raw_socket(Socket { stream, is_empty: false }, Role::Server, Some(config)),
        |socket| {
            socket.get_mut().is_empty = false;
            loop {
                match socket.read() {
                    // What the socket doesn't take is kept in either case.
                    Ok(message) => unless_blocked(socket.write(message))?,
                    Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(io::Error::other(error)),
                }
            }
            unless_blocked(socket.flush())
        },
    )
}

fn unless_blocked(written: Result<(), Error>) -> io::Result<()> {
    match written {
        Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        written => written.map_err(io::Error::other),
    }
}

/// A read that doesn't fill its buffer has emptied the socket: spares asking again.
struct Socket {
    stream: TcpStream,
    is_empty: bool,
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_empty {
            return Err(ErrorKind::WouldBlock.into());
        }
        let read = self.stream.read(buffer)?;
        self.is_empty = read < buffer.len();
        Ok(read)
    }
}

impl Write for Socket {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.stream.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
