//! Sends bytes back as they come: what is left are the kernel and the load.

use std::io::{self, ErrorKind, Read};

use super::INPUT;
use super::readiness::{self, Writer};

pub(super) fn serve(streams: Vec<std::net::TcpStream>) -> io::Result<()> {
    let mut input = vec![0; INPUT];
    readiness::serve(streams, Writer::new, |peer| {
        peer.flush()?;
        while !peer.is_blocked() {
            let read = match peer.stream.read(&mut input) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            peer.write(&input[..read])?;
            if read < input.len() {
                break;
            }
        }
        Ok(())
    })
}
