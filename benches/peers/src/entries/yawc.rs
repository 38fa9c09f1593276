//! yawc: a `Stream` and a `Sink` on tokio's traits, polled without a runtime. UTF-8 is checked, by an option.

use ::yawc::{CompressionLevel, Frame, Options, Role as Side, WebSocket};
use futures_util::SinkExt;

use super::Entry;
use crate::jobs::{Deflate, Echo, Inflate, LEVEL, Many, Receive, Send};
use crate::pipe::{Pipe, ready};
use crate::shared::Shared;
use crate::tally::{Tally, Work};
use crate::wire::{Role, Wire};

pub(crate) struct Yawc;

impl Entry for Yawc {
    fn name(&self) -> &'static str {
        "yawc"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let pipe = Pipe::reading(job.wire.clone());
        let socket = open(job.role, pipe, options().with_read_buffer_capacity(job.wire.input));
        Some(receive(socket, job.wire.clone()))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        let pipe = Shared::reading(job.wire.clone());
        let options = options().with_read_buffer_capacity(job.wire.input);
        let open = || WebSocket::from_stream(pipe.clone(), Side::Server, options.clone()).expect("to be open");
        let mut sockets = job.fits_buffered().then(|| job.open(open))?;
        let Many { wire, order } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for &number in &*order {
                    tally.visit(sockets[number as usize].next_frame().await.expect("a message").payload());
                }
            });
            tally
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let mut socket = open(job.role, Pipe::writing(job.sink.clone()), options());
        let job = job.clone();
        Some(Box::new(move || {
            ready(async {
                for _ in 0..job.batches() {
                    for _ in 0..job.batch {
                        socket.feed(Frame::binary(job.payload.clone())).await.expect("to be open");
                    }
                    socket.flush().await.expect("to be open");
                }
            });
            Tally::sent(job.messages, job.sink.take())
        }))
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        let wire = job.wire.clone();
        let pipe = Pipe::new(wire.clone(), job.sink.clone());
        let mut socket = open(Role::Server, pipe, options().with_read_buffer_capacity(wire.input));
        Some(Box::new(move || {
            let mut tally = wire.tally();
            ready(async {
                for _ in 0..wire.messages {
                    let frame = socket.next_frame().await.expect("a message");
                    tally.visit(frame.payload());
                    socket.send(Frame::binary(frame.into_payload())).await.expect("to be open");
                }
            });
            tally
        }))
    }

    fn inflate(&self, job: &Inflate) -> Option<Work> {
        let pipe = Pipe::reading(job.wire.clone());
        Some(receive(open_compressed(pipe, job.takeover), job.wire.clone()))
    }

    fn deflate(&self, job: &Deflate) -> Option<Work> {
        let Deflate { messages, takeover, sink } = job.clone();
        let mut socket = open_compressed(Pipe::writing(sink.clone()), takeover);
        Some(Box::new(move || {
            ready(async {
                for message in messages.iter() {
                    socket.send(Frame::text(message.clone())).await.expect("to be open");
                }
            });
            Tally::sent(messages.len() as u64, sink.take())
        }))
    }
}

fn options() -> Options {
    // By default, a message of 1 MiB is too large.
    Options::default().with_utf8().with_limits(16 << 20, 32 << 20)
}

fn open(role: Role, pipe: Pipe, options: Options) -> WebSocket<Pipe> {
    let side = match role {
        Role::Server => Side::Server,
        Role::Client => Side::Client,
    };
    WebSocket::from_stream(pipe, side, options).expect("to be open")
}

fn open_compressed(pipe: Pipe, takeover: bool) -> WebSocket<Pipe> {
    let agreed = if takeover {
        "permessage-deflate"
    } else {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    };
    let options = options()
        .with_read_buffer_capacity(pipe.wire.input)
        .with_compression_level(CompressionLevel::new(LEVEL.into()));
    WebSocket::from_stream_with_extensions(pipe, Side::Server, Some(agreed), options).expect("to be open")
}

fn receive(mut socket: WebSocket<Pipe>, wire: Wire) -> Work {
    Box::new(move || {
        let mut tally = wire.tally();
        ready(async {
            for _ in 0..wire.messages {
                // Text has been checked; `as_str` would check it again.
                tally.visit(socket.next_frame().await.expect("a message").payload());
            }
        });
        tally
    })
}
