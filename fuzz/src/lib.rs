//! Helpers of several targets: a connection under watch, limits small enough to be reached, and DEFLATE streams of any blocks.

pub mod deflate;
pub mod reading;
pub mod response;

use std::borrow::Cow;

use bytes::Buf;
use websocket_proto::{Cause, CloseCode, Closed, Config, Connection, Event, SendError, State, server};

/// The limits of [`config`] if small ones are asked for.
pub const SMALL_FRAME: u64 = 64;
pub const SMALL_MESSAGE: u64 = 100;
pub const SMALL_FRAGMENTS: u32 = 4;

/// The size from which messages are delivered in chunks, if that is asked for.
pub const PIECES_FROM: u64 = 16;

/// The defaults, or limits so small that an input of a few hundred bytes reaches them.
pub fn config(small: bool) -> Config {
    let config = Config::new();
    if !small {
        return config;
    }
    config
        .max_handshake_size(512)
        .max_headers(8)
        .max_rejection_body(16)
        .max_frame_size(SMALL_FRAME)
        .max_message_size(SMALL_MESSAGE)
        .max_fragments(SMALL_FRAGMENTS)
        .max_pending_output(256)
}

/// A connection under watch. For every input:
///
/// - `None` means that all of the input has been consumed;
/// - `Closed` is reported once, as the last event, exactly when the state is `Closed`;
/// - there are no more events than the input can have frames, and no empty chunk except a last one.
pub struct Watched {
    pub conn: Connection,
    closed: Option<Closed>,
    taken: usize,
    events: usize,
}

impl Watched {
    pub fn new(conn: Connection) -> Self {
        Self { conn, closed: None, taken: 0, events: 0 }
    }

    /// How the connection ended, once that is reported.
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// One call of `receive`.
    pub fn step<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        let before = input.len();
        let event = self.conn.receive(input);
        self.taken += before - input.len();
        let Some(event) = event else {
            assert!(input.is_empty(), "input is left over");
            assert_eq!(self.conn.state() == State::Closed, self.closed.is_some());
            return None;
        };
        assert!(self.closed.is_none(), "{event:?} after Closed");
        match &event {
            Event::Chunk(chunk) if !chunk.is_last() => assert!(!chunk.is_empty()),
            _ => self.events += 1,
        }
        // A frame has at least two bytes; a handshake gives at most two events, and so does the end.
        assert!(2 * self.events <= self.taken + 8, "events out of nothing");
        if let Event::Closed(closed) = &event {
            assert_eq!(self.conn.state(), State::Closed);
            assert_eq!(closed.clean, closed.code != CloseCode::ABNORMAL);
            assert_eq!(closed.clean, matches!(closed.cause, Cause::Peer | Cause::Local(_)));
            assert!(closed.clean || closed.reason.is_empty());
            self.closed = Some(Closed::clone(closed));
        }
        Some(event)
    }

    /// Receives `bytes` in one input.
    pub fn receive(&mut self, bytes: &[u8], mut handle: impl FnMut(&mut Connection, Event<'_>)) {
        let mut bytes = bytes.to_vec();
        let mut input = &mut bytes[..];
        while let Some(event) = self.step(&mut input) {
            handle(&mut self.conn, event);
        }
    }

    /// Ends the transport and returns all output. The connection is then closed, whatever is called afterwards.
    pub fn end(&mut self) -> Vec<u8> {
        self.conn.receive_eof();
        self.receive(&[], |_, _| {});
        assert!(self.closed.is_some(), "the end is reported");

        let pending = self.conn.output().remaining();
        self.receive(b"\x81\x80\0\0\0\0\x81\0GET / HTTP/1.1\r\n\r\n", |_, _| {});
        assert_eq!(self.conn.send_text("late"), Err(SendError::Closed));
        assert_eq!(self.conn.ping(b""), Err(SendError::Closed));
        assert_eq!(self.conn.close(CloseCode::NORMAL, ""), Err(SendError::Closed));
        assert!(self.conn.accept(server::Response::new()).is_err());
        assert_eq!(self.conn.output().remaining(), pending, "nothing is sent after the end");

        let output = self.conn.output().copy_to_bytes(pending).to_vec();
        assert!(self.conn.wants_shutdown().is_some(), "nothing is left to wait for");
        output
    }
}

/// The payload of an event, which may have been assembled.
pub fn payload(event: Event<'_>) -> Cow<'_, [u8]> {
    match event {
        Event::Text(text) => text.into_owned().into_bytes().into(),
        Event::Binary(payload) | Event::Ping(payload) | Event::Pong(payload) => payload,
        Event::Chunk(chunk) => chunk.into_bytes(),
        _ => Cow::default(),
    }
}

/// An HTTP head, and the bytes that follow it.
pub fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    Some(bytes.split_at(end))
}

/// Splits `bytes` into chunks of the given lengths, over and over; lengths of zero give empty chunks.
pub fn pieces(mut bytes: &[u8], lengths: [u8; 4]) -> Vec<&[u8]> {
    let lengths = if lengths == [0; 4] { [1; 4] } else { lengths };
    let mut pieces = Vec::new();
    for length in lengths.into_iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at(bytes.len().min(length.into()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// The first length at which no continuation can make `bytes` UTF-8, found by asking the standard library about each.
pub fn first_impossible(bytes: &[u8]) -> Option<usize> {
    (1..=bytes.len()).find(|&n| std::str::from_utf8(&bytes[..n]).is_err_and(|error| error.error_len().is_some()))
}
