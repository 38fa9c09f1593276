//! tokio-websockets on tokio.

use std::io;
use std::net::TcpStream;

use futures_util::{SinkExt, StreamExt};
use tokio_websockets::ServerBuilder;

use super::cork::{self, Cork};

pub(super) fn serve(streams: Vec<TcpStream>) -> io::Result<()> {
    cork::serve(streams, |stream| async {
        let mut socket = ServerBuilder::new().serve(Cork::new(stream));
        while let Some(Ok(message)) = socket.next().await {
            socket.send(message).await.expect("to be open");
        }
    })
}
