//! Helpers of all tests: a wire format written from the RFC alone, and short ways to feed and drain a connection.
#![allow(dead_code)]

use core::time::Duration;

use bytes::Buf;
use websocket_proto::{Config, Connection, Event, Negotiated, Role, Seed, TransportShutdown, server};

/// The handshake key of RFC 6455 section 1.3 and the answer to it.
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The smallest request that a server accepts.
pub(crate) fn request() -> Vec<u8> {
    request_with("")
}

/// The same with further header lines, each with its CR LF.
pub(crate) fn request_with(lines: &str) -> Vec<u8> {
    format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
    )
    .into_bytes()
}

/// An open server, with its response drained.
pub(crate) fn server() -> Connection {
    server_with(Config::new())
}

pub(crate) fn server_with(config: Config) -> Connection {
    let mut conn = Connection::server(config);
    assert!(matches!(feed(&mut conn, &request())[..], [Event::Request(_)]));
    conn.accept(server::Response::new()).unwrap();
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 101 "));
    conn
}

/// An open client.
pub(crate) fn client() -> Connection {
    client_with(Config::new())
}

pub(crate) fn client_with(config: Config) -> Connection {
    Connection::upgraded_client(Negotiated::new(), config, seed())
}

pub(crate) fn open(role: Role) -> Connection {
    open_with(role, Config::new())
}

pub(crate) fn open_with(role: Role, config: Config) -> Connection {
    match role {
        Role::Client => client_with(config),
        Role::Server => server_with(config),
    }
}

pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Server];

pub(crate) fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

pub(crate) fn seed() -> Seed {
    Seed::new([7; 32])
}

/// All events that `bytes` give in one chunk.
pub(crate) fn feed(conn: &mut Connection, bytes: &[u8]) -> Vec<Event<'static>> {
    let mut bytes = bytes.to_vec();
    let mut input = &mut bytes[..];
    let mut events = Vec::new();
    while let Some(event) = conn.receive(&mut input) {
        events.push(event.into_owned());
    }
    assert!(input.is_empty(), "all input is consumed");
    events
}

/// All events that `bytes` give in chunks of at most `size` bytes.
pub(crate) fn feed_chunks(conn: &mut Connection, bytes: &[u8], size: usize) -> Vec<Event<'static>> {
    bytes.chunks(size).flat_map(|chunk| feed(conn, chunk)).collect()
}

/// Events that need no input.
pub(crate) fn pending_events(conn: &mut Connection) -> Vec<Event<'static>> {
    feed(conn, &[])
}

/// Iterations of a loop at that time, until no deadline is due; returns their events.
#[track_caller]
pub(crate) fn turns(conn: &mut Connection, now: Duration) -> Vec<Event<'static>> {
    let mut events = Vec::new();
    for _ in 0..6 {
        conn.advance_time(now);
        events.extend(pending_events(conn));
        let is_over = conn.wants_shutdown() == Some(TransportShutdown::Abort);
        if is_over || conn.next_timeout().is_none_or(|next| next > now) {
            return events;
        }
    }
    panic!("the loop spins");
}

/// All pending output.
pub(crate) fn drain(conn: &mut Connection) -> Vec<u8> {
    let output = conn.output();
    let length = output.remaining();
    output.copy_to_bytes(length).to_vec()
}

/// A frame as a peer of the given role sends it: RFC 6455 section 5.2, in the shortest form.
pub(crate) fn frame(from: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = (from == Role::Client).then_some([0x37, 0xfa, 0x21, 0x3d]);
    raw_frame(first, mask, payload)
}

pub(crate) fn raw_frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit: u8 = if mask.is_some() { 128 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(bit + length as u8),
        length @ 126..=65535 => {
            frame.push(bit + 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(bit + 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask.into_iter().flatten());
    frame.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ mask.map_or(0, |key| key[i % 4])));
    frame
}

/// A Close frame's body.
pub(crate) fn close_body(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason.as_bytes()].concat()
}

/// A frame that was sent, decoded from the RFC alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// FIN, RSV1 to RSV3 and the opcode.
    pub(crate) first: u8,
    pub(crate) key: Option<[u8; 4]>,
    /// Unmasked.
    pub(crate) payload: Vec<u8>,
}

/// Decodes whole frames; panics if bytes are left over.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<Sent> {
    let mut sent = Vec::new();
    while !bytes.is_empty() {
        let (first, second) = (bytes.get_u8(), bytes.get_u8());
        let length = match second % 128 {
            126 => u64::from(bytes.get_u16()),
            127 => bytes.get_u64(),
            short => u64::from(short),
        };
        let key = (second >= 128).then(|| bytes.get_u32().to_be_bytes());
        let (payload, rest) = bytes.split_at(length as usize);
        bytes = rest;
        let payload = payload.iter().enumerate().map(|(i, byte)| byte ^ key.map_or(0, |key| key[i % 4])).collect();
        sent.push(Sent { first, key, payload });
    }
    sent
}

/// The frames that a connection has to send.
pub(crate) fn sent(conn: &mut Connection) -> Vec<Sent> {
    frames(&drain(conn))
}
