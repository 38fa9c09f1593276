//! This crate, driven as its documentation says: one input buffer, and one scratch for the thread.

use std::borrow::Cow;
use std::io::IoSlice;
use std::mem;

use bytes::{Buf, Bytes};
use websocket_proto::{Config, Connection, Event, Negotiated, Scratch, Seed, client, server};

use super::{Entry, Standing, checked};
use crate::jobs::{Accept, Connect, Deflate, Echo, Inflate, LEVEL, Many, Receive, Send};
use crate::pipe::Sink;
use crate::tally::{Tally, Work};
use crate::wire::{Role, Wire};

pub(crate) struct Ours;

/// From this size on, a server that owns a payload moves it into the output instead of copying it.
const HAND_OVER: usize = 2048;

impl Entry for Ours {
    fn name(&self) -> &'static str {
        "ours"
    }

    fn standing(&self) -> Standing {
        Standing::Ours
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let mut conn = open(job.role);
        conn.attach_scratch(Scratch::new());
        Some(receive(conn, job.wire.clone(), true))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        let mut scratch = Scratch::new();
        Some(many(job, move |conn, input, tally| {
            conn.with_scratch(&mut scratch, |conn| receive_binary(conn, input, tally));
        }))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        let mut conn = open(job.role);
        conn.attach_scratch(Scratch::new());
        Some(if job.role == Role::Server && job.payload.len() >= HAND_OVER {
            send(conn, job, |conn, job| conn.send(job.payload.clone()).expect("to be open"), drain_vectored)
        } else {
            send_copying(conn, job)
        })
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        let mut conn = open(Role::Server);
        conn.attach_scratch(Scratch::new());
        let Echo { mut wire, sink } = job.clone();
        let mut reader = Reader::new(wire.input, true);
        Some(Box::new(move || {
            let mut tally = wire.tally();
            while tally.messages < wire.messages {
                let mut last = 0;
                let mut input = reader.read(&mut conn, &mut wire);
                while let Some(Event::Binary(data)) = conn.receive(&mut input) {
                    tally.visit(&data);
                    last = data.len();
                    match data {
                        Cow::Owned(data) if data.len() >= HAND_OVER => conn.send(data).expect("to be open"),
                        data => {
                            conn.send_binary(&data).expect("to be open");
                            conn.recycle(data);
                        }
                    }
                    drain(&mut conn, &sink);
                }
                if last > 0 {
                    reader.expect_like(last);
                }
            }
            tally
        }))
    }

    fn accept(&self, job: &Accept) -> Option<Work> {
        let Accept { request: mut wire, sink } = job.clone();
        let config = std::sync::Arc::new(Config::new());
        let mut buffer = vec![0; wire.input];
        let mut scratch = Some(Scratch::new());
        Some(Box::new(move || {
            for _ in 0..wire.messages {
                let mut conn = Connection::server(config.clone());
                conn.attach_scratch(scratch.take().expect("to be back"));
                let count = wire.read(&mut buffer);
                let mut input = &mut buffer[..count];
                let Some(Event::Request(_)) = conn.receive(&mut input) else { panic!("a request") };
                conn.accept(server::Response::new()).expect("to be asked");
                drain(&mut conn, &sink);
                scratch = conn.detach_scratch();
            }
            Tally::sent(wire.messages, sink.take())
        }))
    }

    fn connect(&self, job: &Connect) -> Option<Work> {
        let url = format!("ws://{}{}", job.host, job.path);
        let request = client::Request::new(url.parse().expect("a URL"));
        let config = std::sync::Arc::new(Config::new());
        let start = move || Connection::client(request.clone(), config.clone(), Seed::new([1; 32])).expect("a request");
        // The same seed gives the same key, which the prepared response answers.
        let request = start().output().take().expect("a request");
        let mut wire = Connect::response(Connect::key_in(&request));
        let sink = job.sink.clone();
        let mut buffer = vec![0; wire.input];
        Some(Box::new(move || {
            for _ in 0..Connect::PASS {
                let mut conn = start();
                drain(&mut conn, &sink);
                let count = wire.read(&mut buffer);
                let Some(Event::Open(_)) = conn.receive(&mut &mut buffer[..count]) else { panic!("a response") };
            }
            Tally::sent(Connect::PASS, sink.take())
        }))
    }

    fn inflate(&self, job: &Inflate) -> Option<Work> {
        Some(receive(open_compressed(Role::Server, job.takeover), job.wire.clone(), true))
    }

    fn deflate(&self, job: &Deflate) -> Option<Work> {
        let mut conn = open_compressed(Role::Server, job.takeover);
        let sink = job.sink.clone();
        let messages: Vec<String> = job.messages.iter().map(|message| checked(message).into()).collect();
        Some(Box::new(move || {
            for message in &messages {
                conn.send_text(message).expect("to be open");
                drain(&mut conn, &sink);
            }
            Tally::sent(messages.len() as u64, sink.take())
        }))
    }
}

/// The same, with buffers of the connection's own.
pub(crate) struct WithoutScratch;

impl Entry for WithoutScratch {
    fn name(&self) -> &'static str {
        "ours, no scratch"
    }

    fn standing(&self) -> Standing {
        Standing::Aside
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        Some(receive(open(job.role), job.wire.clone(), true))
    }

    fn many(&self, job: &Many) -> Option<Work> {
        Some(many(job, receive_binary))
    }
}

/// The same, with all input read into the input buffer: the cost of an engine that only receives slices.
pub(crate) struct OneBuffer;

impl Entry for OneBuffer {
    fn name(&self) -> &'static str {
        "ours, one buffer"
    }

    fn standing(&self) -> Standing {
        Standing::Aside
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        let mut conn = open(job.role);
        conn.attach_scratch(Scratch::new());
        Some(receive(conn, job.wire.clone(), false))
    }
}

/// A server that copies a large payload, as it must if it doesn't own it.
pub(crate) struct Copying;

impl Entry for Copying {
    fn name(&self) -> &'static str {
        "ours, copied"
    }

    fn standing(&self) -> Standing {
        Standing::Aside
    }

    fn send(&self, job: &Send) -> Option<Work> {
        (job.role == Role::Server && job.payload.len() >= HAND_OVER).then(|| {
            let mut conn = open(job.role);
            conn.attach_scratch(Scratch::new());
            send_copying(conn, job)
        })
    }
}

/// A connection as after its handshake.
fn open(role: Role) -> Connection {
    match role {
        Role::Server => Connection::upgraded_server(Negotiated::new(), Config::new()),
        Role::Client => Connection::upgraded_client(Negotiated::new(), Config::new(), Seed::new([1; 32])),
    }
}

/// A connection that has negotiated compression, with a scratch attached.
pub(crate) fn open_compressed(role: Role, takeover: bool) -> Connection {
    let settings = websocket_proto::DeflateConfig::new()
        .level(LEVEL)
        .server_no_context_takeover(!takeover)
        .client_no_context_takeover(!takeover);
    let (_, params) = settings.answer([settings.offer().as_bytes()]).expect("to agree with itself");
    let negotiated = Negotiated::new().deflate(params);
    let config = Config::new().deflate(settings);
    let mut conn = match role {
        Role::Server => Connection::upgraded_server(negotiated, config),
        Role::Client => Connection::upgraded_client(negotiated, config, Seed::new([1; 32])),
    };
    conn.attach_scratch(Scratch::new());
    conn
}

/// Reads large messages directly into place: into the connection's read buffer, and into the input buffer after it.
/// After a large message, the next read is only as long as a header needs; if another large message follows, the rest
/// of it is read into place.
struct Reader {
    buffer: Vec<u8>,
    directly: bool,
    most: usize,
}

impl Reader {
    /// The size from which a message is large, and the length of a read that may find the header of another one.
    const LARGE: usize = 16 << 10;
    const HEADER: usize = 1 << 10;

    fn new(input: usize, directly: bool) -> Self {
        Self { buffer: vec![0; input], directly, most: input }
    }

    #[inline]
    fn read(&mut self, conn: &mut Connection, wire: &mut Wire) -> &mut [u8] {
        let count = match conn.read_buffer().filter(|_| self.directly) {
            Some(space) => {
                let most = Self::HEADER.min(self.buffer.len());
                // If this read does not end the message, the next one does, and finds the header of the one after it.
                self.most = most;
                let read = wire.read_vectored(space, &mut self.buffer[..most]);
                read - conn.commit_read(read)
            }
            None => {
                let most = mem::replace(&mut self.most, self.buffer.len());
                wire.read(&mut self.buffer[..most])
            }
        };
        &mut self.buffer[..count]
    }

    #[inline]
    fn expect_like(&mut self, length: usize) {
        if self.directly && length >= Self::LARGE {
            self.most = Self::HEADER.min(self.buffer.len());
        }
    }
}

fn receive(mut conn: Connection, mut wire: Wire, directly: bool) -> Work {
    let mut reader = Reader::new(wire.input, directly);
    Box::new(move || {
        let mut tally = wire.tally();
        while tally.messages < wire.messages {
            let mut last = 0;
            let mut input = reader.read(&mut conn, &mut wire);
            while let Some(event) = conn.receive(&mut input) {
                match event {
                    Event::Text(text) => {
                        tally.visit_text(&text);
                        conn.recycle(text);
                    }
                    Event::Binary(data) => {
                        tally.visit(&data);
                        last = data.len();
                        conn.recycle(data);
                    }
                    other => panic!("{other:?}"),
                }
            }
            if last > 0 {
                reader.expect_like(last);
            }
        }
        tally
    })
}

/// Connections that share their settings.
fn many(job: &Many, mut one: impl FnMut(&mut Connection, &mut [u8], &mut Tally) + 'static) -> Work {
    let config = std::sync::Arc::new(Config::new());
    let mut connections = job.open(|| Connection::upgraded_server(Negotiated::new(), config.clone()));
    let Many { mut wire, order } = job.clone();
    let mut buffer = vec![0; wire.input];
    Box::new(move || {
        let mut tally = wire.tally();
        for &number in &*order {
            let count = wire.read(&mut buffer);
            one(&mut connections[number as usize], &mut buffer[..count], &mut tally);
        }
        tally
    })
}

#[inline]
fn receive_binary(conn: &mut Connection, mut input: &mut [u8], tally: &mut Tally) {
    while let Some(event) = conn.receive(&mut input) {
        let Event::Binary(data) = event else { panic!("{event:?}") };
        tally.visit(&data);
        conn.recycle(data);
    }
}

fn send_copying(conn: Connection, job: &Send) -> Work {
    send(conn, job, |conn, job| conn.send_binary(&job.payload).expect("to be open"), drain)
}

fn send(
    mut conn: Connection,
    job: &Send,
    one: impl Fn(&mut Connection, &Send) + 'static,
    drain: impl Fn(&mut Connection, &Sink) + 'static,
) -> Work {
    let job = job.clone();
    Box::new(move || {
        for _ in 0..job.batches() {
            for _ in 0..job.batch {
                one(&mut conn, &job);
            }
            drain(&mut conn, &job.sink);
        }
        Tally::sent(job.messages, job.sink.take())
    })
}

fn drain(conn: &mut Connection, sink: &Sink) {
    let output = conn.output();
    while output.has_remaining() {
        let count = sink.write(output.chunk());
        output.advance(count);
    }
}

/// Does the same for payloads that were handed over, which are chunks of their own.
fn drain_vectored(conn: &mut Connection, sink: &Sink) {
    let output = conn.output();
    while output.has_remaining() {
        let mut slices = [IoSlice::new(&[]); 16];
        let filled = output.chunks_vectored(&mut slices);
        let count = sink.write_vectored(&slices[..filled]);
        output.advance(count);
    }
}

/// The frames that one of our clients sends in two passes over the messages.
pub(crate) fn compress_twice(messages: &[Bytes], takeover: bool) -> [Vec<u8>; 2] {
    let mut client = open_compressed(Role::Client, takeover);
    [(); 2].map(|()| {
        for message in messages {
            client.send_text(checked(message)).expect("to be open");
        }
        let length = client.output().remaining();
        client.output().copy_to_bytes(length).to_vec()
    })
}
