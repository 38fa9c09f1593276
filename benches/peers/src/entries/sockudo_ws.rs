//! sockudo-ws: its protocol object without its streams, fed with a `BytesMut`, into a vector that is reused.

use std::hint::black_box;

use ::sockudo_ws::deflate::DeflateConfig;
use ::sockudo_ws::handshake;
use ::sockudo_ws::protocol::{CompressedProtocol, Message, Protocol, Role as Side};
use bytes::BytesMut;

use super::Entry;
use crate::jobs::{Accept, Connect, Deflate, Echo, Inflate, LEVEL, Many, Receive, Send};
use crate::pipe::Sink;
use crate::tally::{Tally, Work};
use crate::wire::{Role, Wire};

pub(crate) struct SockudoWs;

const MAX_SIZE: usize = 16 << 20;

impl Entry for SockudoWs {
    fn name(&self) -> &'static str {
        "sockudo-ws"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let mut protocol = open(job.role);
        Some(receive(job.wire.clone(), move |buffer, messages| protocol.process_into(buffer, messages)))
    }

    /// All connections take turns with one input buffer, which is empty after each.
    fn many(&self, job: &Many) -> Option<Work> {
        let mut protocols = job.open(|| open(Role::Server));
        let (mut buffer, mut messages) = (BytesMut::new(), Vec::new());
        let Many { mut wire, order } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            for &number in &*order {
                buffer.extend_from_slice(wire.next(usize::MAX));
                protocols[number as usize].process_into(&mut buffer, &mut messages).expect("messages");
                for message in messages.drain(..) {
                    tally.visit(message.as_bytes());
                }
            }
            tally
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let mut protocol = open(job.role);
        let mut output = BytesMut::new();
        let job = job.clone();
        Some(Box::new(move || {
            for _ in 0..job.batches() {
                for _ in 0..job.batch {
                    let message = Message::Binary(job.payload.clone());
                    protocol.encode_message(&message, &mut output).expect("to be open");
                }
                drain(&mut output, &job.sink);
            }
            Tally::sent(job.messages, job.sink.take())
        }))
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        let mut protocol = open(Role::Server);
        let (mut input, mut output, mut messages) = (BytesMut::new(), BytesMut::new(), Vec::new());
        let Echo { mut wire, sink } = job.clone();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            while tally.messages < wire.messages {
                input.extend_from_slice(wire.next(usize::MAX));
                protocol.process_into(&mut input, &mut messages).expect("messages");
                for message in messages.drain(..) {
                    tally.visit(message.as_bytes());
                    protocol.encode_message(&message, &mut output).expect("to be open");
                    drain(&mut output, &sink);
                }
            }
            tally
        }))
    }

    fn accept(&self, job: &Accept) -> Option<Work> {
        let Accept { request: mut wire, sink } = job.clone();
        let mut buffer = BytesMut::new();
        Some(Box::new(move || {
            for _ in 0..wire.messages {
                buffer.extend_from_slice(wire.next(usize::MAX));
                let (request, _) = handshake::parse_request(&buffer).expect("a request").expect("a whole one");
                let accept = handshake::generate_accept_key(request.key);
                sink.write(&handshake::build_response(&accept, None, None));
                buffer.clear();
                black_box(open(Role::Server));
            }
            Tally::sent(wire.messages, sink.take())
        }))
    }

    fn connect(&self, job: &Connect) -> Option<Work> {
        let Connect { host, path, sink } = job.clone();
        let mut wire = Connect::response(Connect::KEY);
        let mut buffer = BytesMut::new();
        Some(Box::new(move || {
            for _ in 0..Connect::PASS {
                // It makes a key that can't be predicted, so the known one is sent.
                black_box(handshake::generate_key());
                sink.write(&handshake::build_request(host, path, Connect::KEY, None, None));
                buffer.extend_from_slice(wire.next(usize::MAX));
                let (response, _) = handshake::parse_response(&buffer).expect("a response").expect("a whole one");
                assert!(handshake::validate_accept_key(Connect::KEY, response.accept.expect("a key")));
                buffer.clear();
                black_box(open(Role::Client));
            }
            Tally::sent(Connect::PASS, sink.take())
        }))
    }

    fn inflate(&self, job: &Inflate) -> Option<Work> {
        let mut protocol = open_compressed(job.takeover);
        Some(receive(job.wire.clone(), move |buffer, messages| protocol.process_into(buffer, messages)))
    }

    fn deflate(&self, job: &Deflate) -> Option<Work> {
        let mut protocol = open_compressed(job.takeover);
        let mut output = BytesMut::new();
        let Deflate { messages, sink, .. } = job.clone();
        Some(Box::new(move || {
            for message in messages.iter() {
                protocol.encode_message(&Message::Text(message.clone()), &mut output).expect("to be open");
                drain(&mut output, &sink);
            }
            Tally::sent(messages.len() as u64, sink.take())
        }))
    }
}

fn open(role: Role) -> Protocol {
    let side = match role {
        Role::Server => Side::Server,
        Role::Client => Side::Client,
    };
    Protocol::new(side, MAX_SIZE, MAX_SIZE)
}

fn open_compressed(takeover: bool) -> CompressedProtocol {
    let config = DeflateConfig {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        compression_level: LEVEL.into(),
        ..DeflateConfig::default()
    };
    CompressedProtocol::server(MAX_SIZE, MAX_SIZE, config)
}

fn receive(
    mut wire: Wire,
    mut process: impl FnMut(&mut BytesMut, &mut Vec<Message>) -> ::sockudo_ws::Result<()> + 'static,
) -> Work {
    let (mut buffer, mut messages) = (BytesMut::new(), Vec::new());
    Box::new(move || {
        let mut tally = wire.tally();
        while tally.messages < wire.messages {
            buffer.extend_from_slice(wire.next(usize::MAX));
            process(&mut buffer, &mut messages).expect("messages");
            for message in messages.drain(..) {
                // Text has been checked; `as_text` would check it again.
                tally.visit(message.as_bytes());
            }
        }
        tally
    })
}

fn drain(output: &mut BytesMut, sink: &Sink) {
    sink.write(output);
    output.clear();
}
