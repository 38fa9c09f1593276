//! tungstenite: a blocking stream on `Read + Write`.

use ::tungstenite::handshake::client::Request;
use ::tungstenite::protocol::{Role as Side, WebSocketConfig};
use ::tungstenite::{Message, WebSocket};

use super::Entry;
use crate::jobs::{Accept, Connect, Echo, Many, Receive, Send};
use crate::pipe::Pipe;
use crate::shared::Shared;
use crate::tally::{Tally, Work};
use crate::wire::Role;

pub(crate) struct Tungstenite;

impl Entry for Tungstenite {
    fn name(&self) -> &'static str {
        "tungstenite"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let wire = job.wire.clone();
        let mut socket = open(job.role, Pipe::reading(wire.clone()));
        Some(Box::new(move || {
            let mut tally = wire.tally();
            for _ in 0..wire.messages {
                match socket.read().expect("a message") {
                    Message::Text(text) => tally.visit_text(&text),
                    Message::Binary(data) => tally.visit(&data),
                    other => panic!("{other:?}"),
                }
            }
            tally
        }))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        // By default, each connection has two buffers of 128 KiB.
        let config = WebSocketConfig::default().read_buffer_size(1 << 10).write_buffer_size(1 << 10);
        let pipe = Shared::reading(job.wire.clone());
        let mut sockets = job.open(|| WebSocket::from_raw_socket(pipe.clone(), Side::Server, Some(config)));
        let Many { wire, order } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            for &number in &*order {
                let message = sockets[number as usize].read().expect("a message");
                let Message::Binary(data) = message else { panic!("{message:?}") };
                tally.visit(&data);
            }
            tally
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let mut socket = open(job.role, Pipe::writing(job.sink.clone()));
        let job = job.clone();
        Some(Box::new(move || {
            for _ in 0..job.batches() {
                for _ in 0..job.batch {
                    socket.write(Message::Binary(job.payload.clone())).expect("to be open");
                }
                socket.flush().expect("to be open");
            }
            Tally::sent(job.messages, job.sink.take())
        }))
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        let wire = job.wire.clone();
        let mut socket = open(Role::Server, Pipe::new(wire.clone(), job.sink.clone()));
        Some(Box::new(move || {
            let mut tally = wire.tally();
            for _ in 0..wire.messages {
                let message = socket.read().expect("a message");
                let Message::Binary(data) = &message else { panic!("{message:?}") };
                tally.visit(data);
                socket.send(message).expect("to be open");
            }
            tally
        }))
    }

    fn accept(&self, job: &Accept) -> Option<Work> {
        let pipe = Pipe::new(job.request.clone(), job.sink.clone());
        let mut spare = Some(pipe.clone());
        Some(Box::new(move || {
            for _ in 0..pipe.wire.messages {
                let socket = ::tungstenite::accept(spare.take().expect("a pipe")).expect("a request");
                spare = Some(socket.into_inner());
            }
            Tally::sent(pipe.wire.messages, pipe.sink.take())
        }))
    }

    fn connect(&self, job: &Connect) -> Option<Work> {
        // The caller may set the key, so the response is known in advance.
        let request = Request::builder()
            .uri(format!("ws://{}{}", job.host, job.path))
            .header("Host", job.host)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", Connect::KEY)
            .body(())
            .expect("a request");
        let pipe = Pipe::new(Connect::response(Connect::KEY), job.sink.clone());
        Some(Box::new(move || {
            for _ in 0..Connect::PASS {
                ::tungstenite::client(request.clone(), pipe.clone()).expect("a response");
            }
            Tally::sent(Connect::PASS, pipe.sink.take())
        }))
    }
}

fn open(role: Role, pipe: Pipe) -> WebSocket<Pipe> {
    let side = match role {
        Role::Server => Side::Server,
        Role::Client => Side::Client,
    };
    WebSocket::from_raw_socket(pipe, side, None)
}
