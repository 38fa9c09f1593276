//! web-socket: futures on tokio's traits, polled without a runtime. It reads field by field, so it gets a buffered
//! reader as large as the input, as in its own examples.

use ::web_socket::{DataType, Event, MessageType, Stream, WebSocket};
use tokio::io::BufReader;

use super::{Entry, checked};
use crate::jobs::{Echo, Many, Receive, Send};
use crate::pipe::{Pipe, ready};
use crate::shared::Shared;
use crate::tally::{Tally, Work};
use crate::wire::Role;

pub(crate) struct WebSocketCrate;

impl Entry for WebSocketCrate {
    fn name(&self) -> &'static str {
        "web-socket"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let wire = job.wire.clone();
        let mut socket = open(job.role, Pipe::reading(wire.clone()));
        let mut fragments = Vec::new();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            let mut visit = |kind: MessageType, data: &[u8]| match kind {
                MessageType::Text => tally.visit_text(checked(data)),
                MessageType::Binary => tally.visit(data),
            };
            ready(async {
                let mut seen = 0;
                while seen < wire.messages {
                    let Event::Data { ty, data } = socket.recv().await.expect("a message") else { panic!("no data") };
                    match ty {
                        DataType::Complete(kind) => {
                            visit(kind, &data);
                            seen += 1;
                        }
                        DataType::Stream(Stream::End(kind)) => {
                            fragments.extend_from_slice(&data);
                            visit(kind, &fragments);
                            fragments.clear();
                            seen += 1;
                        }
                        DataType::Stream(_) => fragments.extend_from_slice(&data),
                    }
                }
            });
            tally
        }))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        let pipe = Shared::reading(job.wire.clone());
        let open = || WebSocket::server(BufReader::with_capacity(job.wire.input, pipe.clone()));
        let mut sockets = job.open(open);
        let Many { wire, order } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for &number in &*order {
                    let event = sockets[number as usize].recv().await.expect("a message");
                    let Event::Data { data, .. } = event else { panic!("no data") };
                    tally.visit(&data);
                }
            });
            tally
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let mut socket = open(job.role, Pipe::writing(job.sink.clone()));
        let job = job.clone();
        Some(Box::new(move || {
            // Every frame is written immediately, whatever the batch.
            ready(async {
                for _ in 0..job.messages {
                    socket.send(&job.payload[..]).await.expect("to be open");
                }
            });
            Tally::sent(job.messages, job.sink.take())
        }))
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        let wire = job.wire.clone();
        let mut socket = open(Role::Server, Pipe::new(wire.clone(), job.sink.clone()));
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for _ in 0..wire.messages {
                    let Event::Data { data, .. } = socket.recv().await.expect("a message") else { panic!("no data") };
                    tally.visit(&data);
                    socket.send(&data[..]).await.expect("to be open");
                }
            });
            tally
        }))
    }
}

fn open(role: Role, pipe: Pipe) -> WebSocket<BufReader<Pipe>> {
    let reader = BufReader::with_capacity(pipe.wire.input, pipe);
    match role {
        Role::Server => WebSocket::server(reader),
        Role::Client => WebSocket::client(reader),
    }
}
