//! sockudo-ws: its protocol object, on tokio.

use std::io;

use bytes::BytesMut;
use sockudo_ws::protocol::{Protocol, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::cork;

const MAX_SIZE: usize = 16 << 20;
const INPUT: usize = 16 << 10;

pub(super) fn serve() -> io::Result<()> {
    cork::serve(|stream| async { echo(stream).await.expect("to be open") })
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
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
