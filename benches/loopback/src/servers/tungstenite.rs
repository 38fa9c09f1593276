//! tungstenite on mio: messages are written, and flushed when there are no more to read.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;
use tungstenite::protocol::Role;
use tungstenite::{Error, WebSocket};

pub(super) fn serve() -> io::Result<()> {
    super::readiness::serve(
        |stream| WebSocket::from_raw_socket(Socket { stream, is_empty: false }, Role::Server, None),
        |socket| {
            socket.get_mut().is_empty = false;
            loop {
                match socket.read() {
                    Ok(message) => socket.write(message).map_err(io::Error::other)?,
                    Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(io::Error::other(error)),
                }
            }
            socket.flush().map_err(io::Error::other)
        },
    )
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
