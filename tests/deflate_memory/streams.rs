//! Compressors and inflaters that a thread's connections share stay in step with each connection's peer.

use websocket_proto::{Config, Connection, DeflateConfig, Event, MessageKind, PreparedMessage, Role, Scratch};

use crate::deflate::{endpoint, noise, settings};
use crate::support::drain;

/// Phrases that are repeated, so that every message refers to those before it.
const PHRASES: [&str; 6] = [
    "{\"room\":\"聊天室\",\"from\":\"guest-17\",\"text\":\"",
    "你好, how are you all today?",
    "\"},\"seen\":\"2026-11-21T10:00:00Z\"}",
    "the quick brown fox jumps over the lazy dog",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "👋🏽👋🏽👋🏽",
];

/// Pseudo-random numbers.
struct Rng(Vec<u8>, usize);

impl Rng {
    fn below(&mut self, limit: usize) -> usize {
        self.1 += 2;
        let at = self.1 % (self.0.len() - 1);
        usize::from(u16::from_be_bytes([self.0[at], self.0[at + 1]])) % limit
    }

    fn text(&mut self) -> String {
        (0..self.below(40)).map(|_| PHRASES[self.below(PHRASES.len())]).collect()
    }
}

/// One of a thread's connections, and its peer, which has its own buffers.
struct Pair {
    conn: Connection,
    peer: Connection,
    settings: DeflateConfig,
    /// The kind of a fragmented message in progress.
    unfinished: String,
    expected: Vec<String>,
}

/// Messages of every sort, while other connections use the thread's scratch in between.
#[test]
fn shared_streams_stay_in_step() {
    for (round, role) in [Role::Server, Role::Client, Role::Server].into_iter().enumerate() {
        let mut rng = Rng(noise(50_001), 1 + 2 * round);
        let mut pairs: Vec<_> = [(9, 4), (10, 1), (12, 4), (12, 4), (12, 9), (13, 4), (15, 6)]
            .into_iter()
            .map(|(bits, level)| {
                let settings = settings().server_max_window_bits(bits).client_max_window_bits(bits).level(level);
                let peer = if role == Role::Server { Role::Client } else { Role::Server };
                Pair {
                    conn: endpoint(role, Config::new(), &settings),
                    peer: endpoint(peer, Config::new(), &settings),
                    settings,
                    unfinished: String::new(),
                    expected: Vec::new(),
                }
            })
            .collect();
        let mut scratch = Scratch::new();
        for _ in 0..1500 {
            let pair = &mut pairs[rng.below(7)];
            pair.conn.attach_scratch(scratch);
            for _ in 0..=rng.below(3) {
                pair.send_any(&mut rng);
                pair.deliver(&mut rng);
            }
            scratch = pair.conn.detach_scratch().unwrap();
        }
        for pair in &mut pairs {
            assert!(pair.expected.is_empty());
        }
    }
}

impl Pair {
    fn send_any(&mut self, rng: &mut Rng) {
        let text = rng.text();
        let how = if self.unfinished.is_empty() { rng.below(8) } else { 5 };
        match how {
            0 => {
                self.conn.set_compression(false);
                self.conn.send_text(&text).unwrap();
                self.conn.set_compression(true);
            }
            1 => self.conn.send_prepared(&PreparedMessage::compressed(text.clone(), &self.settings)).unwrap(),
            2 => self.conn.send(text.clone()).unwrap(),
            5 | 6 => {
                // A message whose first fragment is empty looks the same as no message.
                let last = !self.unfinished.is_empty() && rng.below(3) == 0;
                let text = format!("-{text}");
                self.conn.send_fragment(MessageKind::Text, text.as_bytes(), last).unwrap();
                self.unfinished += &text;
                if last {
                    self.expected.push(std::mem::take(&mut self.unfinished));
                }
                return;
            }
            _ => self.conn.send_text(&text).unwrap(),
        }
        self.expected.push(text);
    }

    /// Everything that was sent arrives; sometimes the peer sends as well.
    fn deliver(&mut self, rng: &mut Rng) {
        let mut arrived = texts(&mut self.peer, &drain(&mut self.conn)).into_iter();
        for expected in self.expected.drain(..) {
            assert_eq!(arrived.next(), Some(expected));
        }
        assert_eq!(arrived.next(), None);
        if rng.below(2) == 0 {
            let text = rng.text();
            self.peer.send_text(&text).unwrap();
            assert_eq!(texts(&mut self.conn, &drain(&mut self.peer)), [text]);
        }
    }
}

fn texts(conn: &mut Connection, wire: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    crate::receive(conn, wire, 1000, |conn, event| match event {
        Event::Text(text) => {
            texts.push(text.clone().into_owned());
            conn.recycle(text);
        }
        event => panic!("{event:?}"),
    });
    texts
}
