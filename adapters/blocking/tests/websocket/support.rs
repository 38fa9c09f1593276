//! Servers for one connection, and pairs of open connections.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use websocket_proto_blocking::proto::{Negotiated, Seed};
use websocket_proto_blocking::{Closed, Config, Connection, Transport, WebSocket};

/// Accepts one TCP connection on loopback, and serves it in a thread.
pub(crate) fn serve<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, thread::spawn(move || serve(listener.accept().unwrap().0)))
}

/// Two ends of a TCP connection.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, client)
}

/// A server and a client that are open.
pub(crate) fn open<S>(pair: (S, S), config: &Config) -> (WebSocket<S>, WebSocket<S>)
where
    S: Transport,
{
    (server(pair.0, config.clone()), client(pair.1, config.clone()))
}

pub(crate) fn server<S: Transport>(stream: S, config: Config) -> WebSocket<S> {
    WebSocket::new(stream, Connection::upgraded_server(Negotiated::new(), config))
}

pub(crate) fn client<S: Transport>(stream: S, config: Config) -> WebSocket<S> {
    WebSocket::new(stream, Connection::upgraded_client(Negotiated::new(), config, Seed::new([7; 32])))
}

/// Sends every message back. Returns how the connection ended.
pub(crate) fn echo<S: Transport>(mut ws: WebSocket<S>) -> Closed {
    while let Some(message) = ws.read().unwrap() {
        ws.send(message).unwrap();
    }
    ws.closed().unwrap().clone()
}
