//! websocket-proto-tokio: by its callback, which borrows messages, and by `recv` and `feed`, which own them.

use std::io;
use std::net::TcpStream;
use std::ops::ControlFlow;

use websocket_proto_tokio::proto::Negotiated;
use websocket_proto_tokio::{Connection, Event, WebSocket, default_config};

use super::cork;

pub(super) fn serve_by_run(streams: Vec<TcpStream>) -> io::Result<()> {
    cork::serve(streams, |stream| async {
        let mut socket = WebSocket::new(stream, Connection::upgraded_server(Negotiated::new(), default_config()));
        let _ = socket
            .run(|conn, event| {
                if let Event::Binary(data) = event {
                    conn.send_binary(&data).expect("to be open");
                    conn.recycle(data);
                }
                ControlFlow::<()>::Continue(())
            })
            .await;
    })
}

pub(super) fn serve_by_recv(streams: Vec<TcpStream>) -> io::Result<()> {
    cork::serve(streams, |stream| async {
        let mut socket = WebSocket::new(stream, Connection::upgraded_server(Negotiated::new(), default_config()));
        while let Ok(Some(message)) = socket.recv().await {
            socket.feed(message).await.expect("to be open");
        }
    })
}
