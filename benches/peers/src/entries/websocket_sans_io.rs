//! websocket-sans-io: a decoder and an encoder of frames. The work that it leaves to its users (messages, their
//! assembly, UTF-8) is done here in the cheapest way.

use ::websocket_sans_io::{
    FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent as FrameEvent,
};

use super::{Entry, checked};
use crate::jobs::{Echo, Many, Receive, Send};
use crate::tally::{Tally, Work};
use crate::wire::Role;

pub(crate) struct WebsocketSansIo;

impl Entry for WebsocketSansIo {
    fn name(&self) -> &'static str {
        "websocket-sans-io"
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let mut wire = job.wire.clone();
        let mut buffer = vec![0; wire.input];
        let mut messages = Messages::default();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            while tally.messages < wire.messages {
                let count = wire.read(&mut buffer);
                messages.receive(&mut buffer[..count], |kind, data| match kind {
                    Opcode::Text => tally.visit_text(checked(data)),
                    _ => tally.visit(data),
                });
            }
            tally
        }))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        let mut connections = job.open(Messages::default);
        let Many { mut wire, order } = job.clone();
        let mut buffer = vec![0; wire.input];
        Some(Box::new(move || {
            let mut tally = wire.tally();
            for &number in &*order {
                let count = wire.read(&mut buffer);
                connections[number as usize].receive(&mut buffer[..count], |_, data| tally.visit(data));
            }
            tally
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let job = job.clone();
        let mut output = Vec::new();
        Some(Box::new(move || {
            for _ in 0..job.batches() {
                for _ in 0..job.batch {
                    // This crate leaves the masking key to its user.
                    let mask = (job.role == Role::Client).then(|| fastrand::u32(..).to_ne_bytes());
                    append(&mut output, Opcode::Binary, mask, &job.payload);
                }
                job.sink.write(&output);
                output.clear();
            }
            Tally::sent(job.messages, job.sink.take())
        }))
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        let Echo { mut wire, sink } = job.clone();
        let mut buffer = vec![0; wire.input];
        let mut messages = Messages::default();
        let mut output = Vec::new();
        Some(Box::new(move || {
            let mut tally = wire.tally();
            while tally.messages < wire.messages {
                let count = wire.read(&mut buffer);
                messages.receive(&mut buffer[..count], |opcode, data| {
                    tally.visit(data);
                    append(&mut output, opcode, None, data);
                    sink.write(&output);
                    output.clear();
                });
            }
            tally
        }))
    }
}

/// Frames to messages.
#[derive(Default)]
struct Messages {
    decoder: WebsocketFrameDecoder,
    frame: FrameInfo,
    /// The message lay whole in the input and was delivered from there.
    lent: bool,
    assembled: Vec<u8>,
}

impl Messages {
    fn receive(&mut self, mut input: &mut [u8], mut message: impl FnMut(Opcode, &[u8])) {
        loop {
            let Ok(result) = self.decoder.add_data(input);
            let (taken, rest) = input.split_at_mut(result.consumed_bytes);
            input = rest;
            match result.event {
                None if taken.is_empty() => return,
                None => {}
                Some(FrameEvent::Start { frame_info, .. }) => {
                    assert!(frame_info.is_reasonable());
                    self.frame = frame_info;
                    self.lent = false;
                }
                Some(FrameEvent::PayloadChunk { original_opcode }) => {
                    let whole = taken.len() as u64 == self.frame.payload_length && self.frame.opcode == original_opcode;
                    if whole && self.frame.fin {
                        message(original_opcode, taken);
                        self.lent = true;
                    } else {
                        self.assembled.extend_from_slice(taken);
                    }
                }
                Some(FrameEvent::End { original_opcode, .. }) if self.frame.fin && !self.lent => {
                    message(original_opcode, &self.assembled);
                    self.assembled.clear();
                }
                Some(FrameEvent::End { .. }) => {}
            }
        }
    }
}

fn append(output: &mut Vec<u8>, opcode: Opcode, mask: Option<[u8; 4]>, payload: &[u8]) {
    let mut encoder = WebsocketFrameEncoder::new();
    let payload_length = payload.len() as u64;
    let header = encoder.start_frame(&FrameInfo { opcode, payload_length, mask, fin: true, reserved: 0 });
    output.extend_from_slice(&header);
    let start = output.len();
    output.extend_from_slice(payload);
    if encoder.transform_needed() {
        encoder.transform_frame_payload(&mut output[start..]);
    }
}
