//! tokio-tungstenite, fed message by message and flushed before it waits for more.

use std::io;
use std::net::TcpStream;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::INPUT;
use super::cork::{self, Cork};

pub(super) fn serve(streams: Vec<TcpStream>) -> io::Result<()> {
    cork::serve(streams, |stream| async {
        let config = WebSocketConfig::default().read_buffer_size(INPUT);
        let mut socket = WebSocketStream::from_raw_socket(Cork::new(stream), Role::Server, Some(config)).await;
        loop {
            // What lies in the socket's buffer already is fed; only then is written.
            let next = match socket.next().now_or_never() {
                Some(next) => next,
                None => {
                    socket.flush().await.expect("to be open");
                    socket.next().await
                }
            };
            let Some(Ok(message)) = next else { return };
            socket.feed(message).await.expect("to be open");
        }
    })
}
