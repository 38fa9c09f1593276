//! fastwebsockets: futures around tokio's traits, polled without a runtime.

use ::fastwebsockets::{FragmentCollector, Frame, Payload, Role as Side, WebSocket};

use super::Entry;
use crate::jobs::{Echo, Many, Receive, Send};
use crate::pipe::{Pipe, ready};
use crate::shared::Shared;
use crate::tally::{Tally, Work};
use crate::wire::Role;

pub(crate) struct Fastwebsockets;

impl Entry for Fastwebsockets {
    fn name(&self) -> &'static str {
        "fastwebsockets"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let wire = job.wire.clone();
        let mut socket = open(job.role, Pipe::reading(wire.clone()));
        if job.fragmented {
            let mut collector = FragmentCollector::new(socket);
            return Some(Box::new(move || {
                let mut tally = wire.tally();
                ready(async {
                    for _ in 0..wire.messages {
                        let frame = collector.read_frame().await.expect("a message");
                        tally.visit(&frame.payload);
                    }
                });
                tally
            }));
        }
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for _ in 0..wire.messages {
                    let frame = socket.read_frame().await.expect("a message");
                    assert!(frame.fin);
                    tally.visit(&frame.payload);
                }
            });
            tally
        }))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        let pipe = Shared::reading(job.wire.clone());
        let open = || WebSocket::after_handshake(pipe.clone(), Side::Server);
        let mut sockets = job.fits_buffered().then(|| job.open(open))?;
        let Many { wire, order } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for &number in &*order {
                    let frame = sockets[number as usize].read_frame().await.expect("a message");
                    assert!(frame.fin);
                    tally.visit(&frame.payload);
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
                    let frame = Frame::binary(Payload::Borrowed(&job.payload));
                    socket.write_frame(frame).await.expect("to be open");
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
                    let frame = socket.read_frame().await.expect("a message");
                    tally.visit(&frame.payload);
                    let answer = Frame::new(true, frame.opcode, None, frame.payload);
                    socket.write_frame(answer).await.expect("to be open");
                }
            });
            tally
        }))
    }
}

fn open(role: Role, pipe: Pipe) -> WebSocket<Pipe> {
    let side = match role {
        Role::Server => Side::Server,
        Role::Client => Side::Client,
    };
    WebSocket::after_handshake(pipe, side)
}
