//! The mio example as it is, which accepts the handshakes.

use std::io;
use std::net::TcpStream;

use crate::server::Server;

pub(super) fn serve(streams: Vec<TcpStream>) -> io::Result<()> {
    let mut server = Server::bind(([127, 0, 0, 1], 0).into())?;
    for stream in streams {
        server.welcome(mio::net::TcpStream::from_std(stream));
    }
    server.run().map(drop)
}
