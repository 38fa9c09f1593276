//! The frames of a stream, decoded from RFC 6455 alone, up to where it ends.

use bytes::Buf;

/// A message, control frame or head of a handshake.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Said {
    Request,
    /// The response that agrees.
    Open,
    /// Another response, complete.
    Rejected(u16),
    Text(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    /// A frame that no peer may send.
    Broken,
}

/// The first byte of [`Action::Break`](crate::action::Action::Break): a reserved opcode.
pub(crate) const BROKEN: u8 = 0x83;

/// A frame, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Frame {
    pub(crate) start: usize,
    pub(crate) first: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

/// A stream as far as it goes: its frames, the head that may come before them, and where what is incomplete begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Decoded {
    pub(crate) head: Option<Said>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) end: usize,
    /// The frame that ends the stream is one that no peer may send.
    pub(crate) broken: bool,
}

/// The length of a masking key, which follows the two bytes of a short header.
const KEY: usize = 4;

pub(crate) fn decode(stream: &[u8], opens: bool) -> Decoded {
    let mut decoded = Decoded::default();
    if opens {
        let Some((head, end)) = head(stream) else { return decoded };
        decoded.head = Some(head);
        decoded.end = end;
    }
    while let Some(&first) = stream.get(decoded.end) {
        if first == BROKEN {
            decoded.broken = true;
            break;
        }
        let Some(frame) = frame(&stream[decoded.end..], decoded.end) else { break };
        decoded.end += 2 + if frame.masked { KEY } else { 0 } + frame.payload.len();
        decoded.frames.push(frame);
    }
    decoded
}

/// The head at the start of a stream, with the body of a rejection, and where it ends.
fn head(stream: &[u8]) -> Option<(Said, usize)> {
    let end = stream.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&stream[..end]).expect("a head in ASCII");
    let said = match head.strip_prefix("HTTP/1.1 ") {
        None => Said::Request,
        Some(response) => match response[..3].parse().expect("a status") {
            101 => Said::Open,
            status => Said::Rejected(status),
        },
    };
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let end = end + length.map_or(0, |length| length.parse::<usize>().expect("a length"));
    (stream.len() >= end).then_some((said, end))
}

fn frame(stream: &[u8], start: usize) -> Option<Frame> {
    let second = *stream.get(1)?;
    let (masked, length) = (second >= 128, usize::from(second % 128));
    assert!(length < 126, "the messages of this world are short");
    let header = 2 + if masked { KEY } else { 0 };
    let payload = stream.get(header..header + length)?;
    let key = if masked { (&stream[2..6]).get_u32().to_be_bytes() } else { [0; 4] };
    let payload = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
    Some(Frame { start, first: stream[0], masked, payload })
}

impl Decoded {
    /// Returns the content of the frames, as far as they are whole messages, and up to a Close.
    pub(crate) fn said(&self) -> Vec<Said> {
        let mut said: Vec<Said> = self.head.iter().cloned().collect();
        let mut message = None;
        for frame in &self.frames {
            let payload = frame.payload.clone();
            match (frame.first, &mut message) {
                (0x81, None) => said.push(Said::Text(payload)),
                (0x01, None) => message = Some(payload),
                (0x80, Some(begun)) => {
                    begun.extend(payload);
                    said.extend(message.take().map(Said::Text));
                }
                (0x89, _) => said.push(Said::Ping(payload)),
                (0x8a, _) => said.push(Said::Pong(payload)),
                (0x88, _) => {
                    let mut payload = &payload[..];
                    let code = (!payload.is_empty()).then(|| payload.get_u16());
                    said.push(Said::Close(code, String::from_utf8(payload.to_vec()).unwrap()));
                    return said;
                }
                other => panic!("{other:?} is no frame of this world"),
            }
        }
        if self.broken {
            said.push(Said::Broken);
        }
        said
    }

    /// Returns the start of the unfinished message, or else of the unfinished frame.
    pub(crate) fn boundary(&self) -> usize {
        let begun = self.frames.iter().rposition(|frame| frame.first == 0x01);
        match begun {
            Some(begun) if !self.frames[begun..].iter().any(|frame| frame.first == 0x80) => self.frames[begun].start,
            _ => self.end,
        }
    }
}

/// The pings of a keepalive are the only ones of this world with four bytes.
pub(crate) fn is_keepalive(payload: &[u8]) -> bool {
    payload.len() == 4
}
