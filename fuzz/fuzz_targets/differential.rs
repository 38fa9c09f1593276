//! The same masked frames give the same messages and the same end, here and in an independent implementation
//! (tungstenite). [`may_differ`] lists where the two may differ, with the clause that decides.
#![no_main]

use std::io::{self, Cursor, Read, Write};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tungstenite::error::ProtocolError as TheirProtocolError;
use tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tungstenite::{Error, Message};
use websocket_proto::{Cause, CloseCode, Closed, Config, Connection, Event, Negotiated, ProtocolError};
use websocket_proto_fuzz::Watched;

const MAX_FRAME: usize = 1 << 10;
const MAX_MESSAGE: usize = 2 << 10;

#[derive(Arbitrary, Debug)]
struct Input {
    /// The number of bytes received at a time; 0 for all of them.
    piece: u8,
    frames: Vec<Frame>,
    /// Bytes after the frames.
    rest: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
struct Frame {
    first: First,
    form: Form,
    key: Option<[u8; 4]>,
    payload: Payload,
}

/// The first byte.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum First {
    Usual { opcode: Opcode, fin: bool },
    Any(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Form {
    Shortest,
    Medium,
    Long,
    /// A length that differs from the payload's.
    Wrong(u64),
}

#[derive(Arbitrary, Debug)]
enum Payload {
    Bytes(Vec<u8>),
    Text(char),
    Close(u16, Vec<u8>),
    Repeated(u8, u16),
}

/// The result that both report, in the same words. A Close frame comes last.
#[derive(Debug, PartialEq)]
enum Told {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
}

fuzz_target!(|input: Input| {
    let mut bytes: Vec<u8> = input.frames.iter().flat_map(encode).collect();
    bytes.extend(&input.rest);
    let (ours, closed) = ours(&bytes, input.piece);
    let (theirs, end) = theirs(bytes);
    if may_differ(&ours, &closed, &theirs) {
        return;
    }
    assert_eq!(ours, theirs);
    match (closed.cause, &end) {
        (Cause::Peer, Error::ConnectionClosed) => {}
        // Both wait for more.
        (Cause::Eof, Error::Protocol(TheirProtocolError::ResetWithoutClosingHandshake)) => {}
        (Cause::Protocol(_), Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_)) => {}
        (cause, end) => panic!("{cause} here, {end} there"),
    }
});

/// The differences that are allowed. In each of them this crate is stricter, or knows more.
fn may_differ(ours: &[Told], closed: &Closed, theirs: &[Told]) -> bool {
    match closed.cause {
        // RFC 6455 section 5.2: "the minimal number of bytes MUST be used to encode the length"; tungstenite accepts
        // any. In a control frame (section 5.5) every longer form is too long anyway.
        Cause::Protocol(ProtocolError::LengthForm | ProtocolError::ControlTooLong) if theirs.len() > ours.len() => {
            assert!(theirs.starts_with(ours), "the same up to there");
            true
        }
        // RFC 6455 section 7.4.2: codes that must not be sent. tungstenite reports and answers 1002 instead, unless the
        // reason isn't UTF-8 either.
        Cause::Protocol(ProtocolError::CloseCode(_)) if theirs.len() > ours.len() => {
            let (last, before) = theirs.split_last().unwrap();
            assert_eq!(before, ours);
            assert!(matches!(last, Told::Close(1002, _)), "{last:?}");
            true
        }
        // RFC 6455 sections 7.4.2 and 11.7: 1014 has been registered since; tungstenite doesn't know it.
        Cause::Peer if closed.code == CloseCode::BAD_GATEWAY => {
            let (last, before) = theirs.split_last().unwrap();
            assert_eq!(before, &ours[..ours.len() - 1]);
            assert!(matches!(last, Told::Close(1002, _)), "{last:?}");
            true
        }
        _ => false,
    }
}

fn ours(bytes: &[u8], piece: u8) -> (Vec<Told>, Closed) {
    let config = Config::new().max_frame_size(MAX_FRAME as u64).max_message_size(MAX_MESSAGE as u64);
    let mut server = Watched::new(Connection::upgraded_server(Negotiated::new(), config));
    let mut told = Vec::new();
    let piece = if piece == 0 { usize::MAX } else { piece.into() };
    for piece in bytes.chunks(piece) {
        server.receive(piece, |_, event| match event {
            Event::Text(text) => told.push(Told::Text(text.into_owned())),
            Event::Binary(data) => told.push(Told::Binary(data.into_owned())),
            Event::Ping(payload) => told.push(Told::Ping(payload.into_owned())),
            Event::Pong(payload) => told.push(Told::Pong(payload.into_owned())),
            Event::Closed(closed) if closed.clean => told.push(Told::Close(closed.code.get(), closed.reason)),
            _ => {}
        });
    }
    server.end();
    (told, server.closed().unwrap().clone())
}

fn theirs(bytes: Vec<u8>) -> (Vec<Told>, Error) {
    let config = WebSocketConfig::default()
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_MESSAGE))
        .read_buffer_size(4096);
    let mut socket = WebSocket::from_raw_socket(Stream(Cursor::new(bytes)), Role::Server, Some(config));
    let mut told = Vec::new();
    loop {
        told.push(match socket.read() {
            Ok(Message::Text(text)) => Told::Text(text.as_str().into()),
            Ok(Message::Binary(data)) => Told::Binary(data.into()),
            Ok(Message::Ping(payload)) => Told::Ping(payload.into()),
            Ok(Message::Pong(payload)) => Told::Pong(payload.into()),
            Ok(Message::Close(None)) => Told::Close(1005, String::new()),
            Ok(Message::Close(Some(frame))) => Told::Close(frame.code.into(), frame.reason.as_str().into()),
            Ok(message @ Message::Frame(_)) => panic!("{message:?}"),
            Err(error) => return (told, error),
        });
    }
}

/// Bytes to read; what is written is discarded.
struct Stream(Cursor<Vec<u8>>);

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// RFC 6455 section 5.2, encoded as the fields say, valid or not.
fn encode(frame: &Frame) -> Vec<u8> {
    let payload = match &frame.payload {
        Payload::Bytes(bytes) => bytes.clone(),
        Payload::Text(character) => character.to_string().into(),
        Payload::Close(code, reason) => [&code.to_be_bytes()[..], reason].concat(),
        Payload::Repeated(byte, count) => vec![*byte; usize::from(*count) % (2 * MAX_FRAME)],
    };
    let first = match frame.first {
        First::Usual { opcode, fin } => opcode as u8 | if fin { 0x80 } else { 0 },
        First::Any(byte) => byte,
    };
    let bit = if frame.key.is_some() { 0x80 } else { 0 };
    let length = if let Form::Wrong(length) = frame.form { length } else { payload.len() as u64 };
    let mut bytes = vec![first];
    match (frame.form, length) {
        (Form::Shortest | Form::Wrong(_), 0..=125) => bytes.push(bit | length as u8),
        (Form::Shortest | Form::Wrong(_), ..=0xffff) | (Form::Medium, _) => {
            bytes.push(bit | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(bit | 127);
            bytes.extend(length.to_be_bytes());
        }
    }
    let key = frame.key.unwrap_or_default();
    bytes.extend(frame.key.into_iter().flatten());
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}
