//! soketto: futures on the traits of the futures crates, polled without a runtime. Messages are appended to a vector
//! that we own.

use std::hint::black_box;

use ::soketto::connection::{Builder, Mode, Receiver, Sender};
use ::soketto::handshake::server::{Response, Server};

use super::{Entry, checked};
use crate::jobs::{Accept, Echo, Many, Receive, Send};
use crate::pipe::{Pipe, ready};
use crate::shared::Shared;
use crate::tally::{Tally, Work};
use crate::wire::Role;

pub(crate) struct Soketto;

impl Entry for Soketto {
    fn name(&self) -> &'static str {
        "soketto"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let wire = job.wire.clone();
        let (_sender, mut receiver) = open(job.role, Pipe::reading(wire.clone()));
        let mut message = Vec::new();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for _ in 0..wire.messages {
                    message.clear();
                    if receiver.receive_data(&mut message).await.expect("a message").is_text() {
                        tally.visit_text(checked(&message));
                    } else {
                        tally.visit(&message);
                    }
                }
            });
            tally
        }))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        let pipe = Shared::reading(job.wire.clone());
        let mut connections = job.open(|| Builder::new(pipe.clone(), Mode::Server).finish());
        let mut message = Vec::new();
        let Many { wire, order } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for &number in &*order {
                    message.clear();
                    let (_sender, receiver) = &mut connections[number as usize];
                    receiver.receive_data(&mut message).await.expect("a message");
                    tally.visit(&message);
                }
            });
            tally
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let (mut sender, _receiver) = open(job.role, Pipe::writing(job.sink.clone()));
        let job = job.clone();
        Some(Box::new(move || {
            ready(async {
                for _ in 0..job.batches() {
                    for _ in 0..job.batch {
                        sender.send_binary(&job.payload).await.expect("to be open");
                    }
                    sender.flush().await.expect("to be open");
                }
            });
            Tally::sent(job.messages, job.sink.take())
        }))
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        let wire = job.wire.clone();
        let (mut sender, mut receiver) = open(Role::Server, Pipe::new(wire.clone(), job.sink.clone()));
        let mut message = Vec::new();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for _ in 0..wire.messages {
                    message.clear();
                    receiver.receive_data(&mut message).await.expect("a message");
                    tally.visit(&message);
                    sender.send_binary_mut(&mut message).await.expect("to be open");
                    sender.flush().await.expect("to be open");
                }
            });
            tally
        }))
    }

    fn accept(&self, job: &Accept) -> Option<Work> {
        let pipe = Pipe::new(job.request.clone(), job.sink.clone());
        Some(Box::new(move || {
            ready(async {
                for _ in 0..pipe.wire.messages {
                    // Every request is the same.
                    let mut server = Server::new(pipe.clone());
                    let key = server.receive_request().await.expect("a request").key();
                    server.send_response(&Response::Accept { key, protocol: None }).await.expect("a response");
                    black_box(server.into_builder().finish());
                }
            });
            Tally::sent(pipe.wire.messages, pipe.sink.take())
        }))
    }
}

fn open(role: Role, pipe: Pipe) -> (Sender<Pipe>, Receiver<Pipe>) {
    let mode = match role {
        Role::Server => Mode::Server,
        Role::Client => Mode::Client,
    };
    Builder::new(pipe, mode).finish()
}
