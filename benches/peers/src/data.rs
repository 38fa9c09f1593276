//! Payloads of the messages.

use std::sync::Arc;

use bytes::Bytes;

/// Unpredictable bytes that are the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new() -> Self {
        Self(7)
    }

    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    pub(crate) fn key(&mut self) -> [u8; 4] {
        (self.next() | self.next() << 31).to_ne_bytes()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// The content of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Binary,
    Ascii,
    Chinese,
    /// Mostly ASCII, with characters of two to four bytes in between.
    Mixed,
}

impl Content {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ascii => "ASCII",
            Self::Chinese => "Chinese",
            Self::Mixed => "mixed text",
        }
    }

    pub(crate) fn opcode(self) -> u8 {
        if self == Self::Binary { 2 } else { 1 }
    }

    /// A payload of that many bytes. Where a character of text would be cut, dashes fill the rest.
    pub(crate) fn payload(self, size: usize, random: &mut Random) -> Vec<u8> {
        let text = match self {
            Self::Binary => return random.bytes(size),
            Self::Ascii => "The quick brown fox jumps over the lazy dog; ",
            Self::Chinese => "聊天室里的人都说你好，",
            Self::Mixed => "plain text, κόσμε, 你好 👋 and more of it; ",
        };
        let text = text.repeat(1 + size / text.len());
        let whole = text.floor_char_boundary(size);
        let mut payload = text.as_bytes()[..whole].to_vec();
        payload.resize(size, b'-');
        payload
    }
}

/// Texts of that size, as an API sends them, together longer than the largest window.
pub(crate) fn json_messages(size: usize) -> Arc<[Bytes]> {
    let count = (128 << 10) / size;
    let text = json(count * size + 4 * count);
    let mut rest = &text[..];
    let messages = (0..count).map(|_| {
        let (message, behind) = rest.split_at(rest.floor_char_boundary(size));
        rest = behind;
        let mut message = message.to_owned();
        message.extend(std::iter::repeat_n('-', size - message.len()));
        Bytes::from(message)
    });
    messages.collect()
}

/// Records in two languages, all different.
fn json(size: usize) -> String {
    const WORDS: [&str; 10] =
        ["alpha", "delta", "online", "聊天室", "你好", "offline", "状态", "omega", "away", "已读"];
    let mut random = Random::new();
    let mut below = |limit: u32| random.next() % limit;
    let mut text = String::from("[");
    while text.len() < size {
        let (id, score) = (below(1 << 24), below(10_000));
        let (a, b) = (WORDS[below(10) as usize], WORDS[below(10) as usize]);
        let (day, hour, minute) = (1 + below(28), below(24), below(60));
        text += &format!(
            r#"{{"id":{id},"name":"{a} {b}","score":{score},"seen":"2026-11-{day:02}T{hour:02}:{minute:02}Z"}},"#
        );
    }
    text
}

/// The smallest request of a client: 152 bytes.
pub(crate) const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A browser's request: 630 bytes.
pub(crate) const BROWSER_REQUEST: &str = "GET /live/room/7 HTTP/1.1\r\nHost: chat.example.com\r\nConnection: Upgrade\r\n\
    Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nOrigin: https://chat.example.com\r\n\
    Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,zh-CN;q=0.8,zh;q=0.7\r\nCookie: session=4f1d0c8a9be24c5f8a7e; theme=dark; \
    seen=2026-11-21T08:15:30Z; lang=en; id=0123456789abcde\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

const _: () = assert!(REQUEST.len() == 152 && BROWSER_REQUEST.len() == 630);
