//! A client whose key is always the same, and the right answer to that key.

use bytes::Buf;
use websocket_proto::{Config, Connection, Event, Seed, client, server};

const PLACEHOLDER: &[u8] = b"@ACCEPT@";

pub fn client(config: Config) -> Connection {
    let uri = "ws://example.com/chat".parse().unwrap();
    let request = client::Request::new(uri).subprotocol("chat").subprotocol("superchat");
    Connection::client(request, config, Seed::new([7; 32])).unwrap()
}

/// The `Sec-WebSocket-Accept` for this client, as a server computes it.
pub fn accept() -> Vec<u8> {
    let mut request = client(Config::new()).output().take().unwrap().to_vec();
    let mut server = Connection::server(Config::new());
    assert!(matches!(server.receive(&mut &mut request[..]), Some(Event::Request(_))));
    server.accept(server::Response::new()).unwrap();
    let head = String::from_utf8(server.output().chunk().to_vec()).unwrap();
    let accept = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Accept: ")).unwrap();
    accept.into()
}

/// Puts the answer where the input has its placeholder.
pub fn fill_in(mut bytes: &[u8], accept: &[u8]) -> Vec<u8> {
    let mut filled = Vec::new();
    while let Some(at) = bytes.windows(PLACEHOLDER.len()).position(|window| window == PLACEHOLDER) {
        filled.extend([&bytes[..at], accept].concat());
        bytes = &bytes[at + PLACEHOLDER.len()..];
    }
    filled.extend(bytes);
    filled
}
