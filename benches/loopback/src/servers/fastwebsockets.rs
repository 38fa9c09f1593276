//! fastwebsockets on tokio.

use std::io;
use std::net::TcpStream;

use fastwebsockets::{Frame, Role, WebSocket};

use super::cork::{self, Cork};

pub(super) fn serve(streams: Vec<TcpStream>) -> io::Result<()> {
    cork::serve(streams, |stream| async {
        let mut socket = WebSocket::after_handshake(Cork::new(stream), Role::Server);
        while let Ok(frame) = socket.read_frame().await {
            let answer = Frame::new(true, frame.opcode, None, frame.payload);
            socket.write_frame(answer).await.expect("to be open");
        }
    })
}
