//! yawc on tokio.

use std::io;

use futures_util::SinkExt;
use yawc::{Frame, Options, Role, WebSocket};

use super::cork::{self, Cork};

pub(super) fn serve() -> io::Result<()> {
    cork::serve(|stream| async {
        let options = Options::default().with_utf8();
        let mut socket = WebSocket::from_stream(Cork::new(stream), Role::Server, options).expect("to be open");
        while let Ok(frame) = socket.next_frame().await {
            let answer = Frame::binary(frame.into_payload());
            socket.send(answer).await.expect("to be open");
        }
    })
}
