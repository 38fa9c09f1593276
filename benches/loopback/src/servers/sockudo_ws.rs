//! sockudo-ws: its protocol object, on tokio.

use std::io;
use std::net::TcpStream;

use bytes::BytesMut;
use sockudo_ws::protocol::{Protocol, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net;

use super::{INPUT, cork};

const MAX_SIZE: usize = 16 << 20;

pub(super) fn serve(streams: Vec<TcpStream>) -> io::Result<()> {
    cork::serve(streams, |stream| async { echo(stream).await.expect("to be open") })
}

async fn echo(mut stream: net::TcpStream) -> io::Result<()> {
    let mut protocol = Protocol::new(Role::Server, MAX_SIZE, MAX_SIZE);
    let (mut input, mut output, mut messages) = (BytesMut::new(), BytesMut::new(), Vec::new());
    loop {
        input.reserve(INPUT);
        if stream.read_buf(&mut input).await? == 0 {
            return Ok(());
        }
        protocol.process_into(&mut input, &mut messages).map_err(io::Error::other)?;
        for message in messages.drain(..) {
            protocol.encode_message(&message, &mut output).map_err(io::Error::other)?;
        }
        stream.write_all(&output).await?;
        output.clear();
    }
}
