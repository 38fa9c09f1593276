//! yawc on tokio.

use std::io;
use std::net::TcpStream;

use futures_util::SinkExt;
use yawc::{Frame, Options, Role, WebSocket};

use super::INPUT;
use super::cork::{self, Cork};

pub(super) fn serve(streams: Vec<TcpStream>) -> io::Result<()> {
    cork::serve(streams, |stream| async {
        let options = Options::default().with_utf8().with_read_buffer_capacity(INPUT);
        let mut socket = WebSocket::from_stream(Cork::new(stream), Role::Server, options).expect("to be open");
        while let Ok(frame) = socket.next_frame().await {
            let answer = Frame::binary(frame.into_payload());
            socket.send(answer).await.expect("to be open");
        }
    })
}
