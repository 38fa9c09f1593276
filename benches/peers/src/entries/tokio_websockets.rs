//! tokio-websockets: a `Stream` and a `Sink` on tokio's traits, polled without a runtime.

use ::tokio_websockets::{ClientBuilder, Message, ServerBuilder, WebSocketStream};
use futures_util::{SinkExt, StreamExt};

use super::Entry;
use crate::jobs::{Accept, Connect, Echo, Many, Receive, Send};
use crate::pipe::{Pipe, ready};
use crate::shared::Shared;
use crate::tally::{Tally, Work};
use crate::wire::Role;

pub(crate) struct TokioWebsockets;

impl Entry for TokioWebsockets {
    fn name(&self) -> &'static str {
        "tokio-websockets"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let wire = job.wire.clone();
        let mut socket = open(job.role, Pipe::reading(wire.clone()));
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for _ in 0..wire.messages {
                    let message = socket.next().await.expect("more").expect("a message");
                    match message.as_text() {
                        Some(text) => tally.visit_text(text),
                        None => tally.visit(message.as_payload()),
                    }
                }
            });
            tally
        }))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        let pipe = Shared::reading(job.wire.clone());
        let open = || ServerBuilder::new().serve(pipe.clone());
        let mut sockets = job.fits_buffered().then(|| job.open(open))?;
        let Many { wire, order } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for &number in &*order {
                    let message = sockets[number as usize].next().await.expect("more").expect("a message");
                    tally.visit(message.as_payload());
                }
            });
            tally
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let mut socket = open(job.role, Pipe::writing(job.sink.clone()));
        let job = job.clone();
        Some(Box::new(move || {
            ready(async {
                for _ in 0..job.batches() {
                    for _ in 0..job.batch {
                        socket.feed(Message::binary(job.payload.clone())).await.expect("to be open");
                    }
                    socket.flush().await.expect("to be open");
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
                    let message = socket.next().await.expect("more").expect("a message");
                    tally.visit(message.as_payload());
                    socket.send(message).await.expect("to be open");
                }
            });
            tally
        }))
    }

    fn accept(&self, job: &Accept) -> Option<Work> {
        let pipe = Pipe::new(job.request.clone(), job.sink.clone());
        let mut spare = Some(pipe.clone());
        let builder = ServerBuilder::new();
        Some(Box::new(move || {
            for _ in 0..pipe.wire.messages {
                let accepted = ready(builder.accept(spare.take().expect("a pipe")));
                spare = Some(accepted.expect("a request").1.into_inner());
            }
            Tally::sent(pipe.wire.messages, pipe.sink.take())
        }))
    }

    fn connect(&self, job: &Connect) -> Option<Work> {
        const SEED: u64 = 7;
        let uri = format!("ws://{}{}", job.host, job.path);
        let builder = ClientBuilder::new().uri(&uri).expect("a URI");
        // Its key comes from `fastrand`: the same seed gives the same key, which the prepared response answers.
        fastrand::seed(SEED);
        let key = Connect::encode_key(fastrand::u128(..).to_ne_bytes());
        let pipe = Pipe::new(Connect::response(&key), job.sink.clone());
        Some(Box::new(move || {
            for _ in 0..Connect::PASS {
                fastrand::seed(SEED);
                ready(builder.connect_on(pipe.clone())).expect("a response");
            }
            Tally::sent(Connect::PASS, pipe.sink.take())
        }))
    }
}

fn open(role: Role, pipe: Pipe) -> WebSocketStream<Pipe> {
    match role {
        Role::Server => ServerBuilder::new().serve(pipe),
        Role::Client => ClientBuilder::new().take_over(pipe),
    }
}
