//! Responses for tests.

use websocket_proto::client::{Request, Response};
use websocket_proto::{Config, Connection, Event, Seed};

/// Returns a response without a body. `headers` are complete lines.
pub(crate) fn response(status: u16, headers: &str) -> Response {
    let request = Request::new("ws://example.com/".parse().unwrap());
    let mut client = Connection::client(request, Config::new(), Seed::new([0; 32])).unwrap();
    let mut head = format!("HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n{headers}\r\n").into_bytes();
    match client.receive(&mut &mut head[..]) {
        Some(Event::Rejected(response)) => *response,
        event => panic!("{event:?}"),
    }
}
