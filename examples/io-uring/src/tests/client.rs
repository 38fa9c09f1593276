//! A client without a transport.

use std::fmt;

use bytes::Buf;
use websocket_proto::{CloseCode, Config, Connection, Event, Seed, client};

pub struct Client(Connection);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.state().fmt(f)
    }
}

impl Client {
    pub fn new(path: &str) -> Self {
        let request = client::Request::new(format!("ws://localhost{path}").parse().unwrap());
        Self(Connection::client(request, Config::new(), Seed::new([7; 32])).unwrap())
    }

    pub fn output(&mut self) -> Vec<u8> {
        let output = self.0.output();
        output.copy_to_bytes(output.remaining()).to_vec()
    }

    pub fn text(&mut self, text: &str) -> Vec<u8> {
        self.0.send_text(text).unwrap();
        self.output()
    }

    pub fn close(&mut self) -> Vec<u8> {
        self.0.close(CloseCode::NORMAL, "").unwrap();
        self.output()
    }

    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Event<'static>> {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        std::iter::from_fn(|| self.0.receive(&mut input).map(Event::into_owned)).collect()
    }

    pub fn hears(&mut self, bytes: &[u8]) -> String {
        match &self.receive(bytes)[..] {
            [Event::Text(text)] => text.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// The code of the Close frame that is the only thing in these bytes.
    pub fn is_told_to_leave(&mut self, bytes: &[u8]) -> CloseCode {
        match &self.receive(bytes)[..] {
            [Event::Closed(closed)] => closed.code,
            other => panic!("{other:?}"),
        }
    }
}
