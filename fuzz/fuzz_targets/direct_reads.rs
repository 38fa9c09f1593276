//! Reads directly into a message and through the input, with compression, time and closes between them: after every step, the
//! connection has reported the same events, has the same output and the same deadline as one that receives the same bytes in
//! one call.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use bytes::Buf;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{CloseCode, Config, Connection, DeflateConfig, MessageKind, Negotiated, Role, Scratch, Seed};
use websocket_proto_fuzz::reading::{Reading, tell};
use websocket_proto_fuzz::{Watched, payload};

#[derive(Arbitrary, Debug)]
struct Script {
    client: bool,
    /// Whether compression is negotiated, with context takeover or without.
    takeover: Option<bool>,
    chunk_threshold: Option<u16>,
    max_message: Option<u32>,
    /// In milliseconds.
    keepalive: Option<(u8, u8)>,
    close_timeout: Option<u8>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Debug)]
enum Step {
    /// The peer sends a message or a part of one.
    Message {
        text: bool,
        compressed: bool,
        data: Data,
        fragments: u8,
    },
    Fragment {
        data: Data,
        last: bool,
    },
    Ping(u8),
    PeerClose,
    Garbage(u8),
    Read(Reading),
    /// The space is asked for, and then other input is received before the read is reported.
    Stale(u16),
    Time(u16),
    Paused,
    Send(u8),
    Close,
    Eof,
    Abort,
    Write(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Data {
    length: u16,
    /// Bytes that don't compress.
    noise: bool,
}

const MOST_STEPS: usize = 40;

fuzz_target!(|script: Script| {
    let mut pair = Pair::new(&script);
    for step in script.steps.iter().take(MOST_STEPS) {
        pair.act(step);
        pair.compare();
    }
    // The rest arrives.
    let rest = Reading { most: u16::MAX, buffer: 1000, directly: true, lends: false, gives_back: true, too_many: 0 };
    while !pair.wire.is_empty() {
        pair.act(&Step::Read(rest));
        pair.compare();
    }
    assert_eq!(pair.direct.end(), pair.plain.end());
    assert_eq!(pair.direct.closed(), pair.plain.closed());
});

struct Pair {
    /// It reads directly.
    direct: Watched,
    /// It receives the same bytes.
    plain: Watched,
    peer: Connection,
    wire: Vec<u8>,
    /// The events of both, from the last one that was compared.
    told: [Vec<(String, Vec<u8>)>; 2],
    scratch: Option<Scratch>,
    now: Duration,
}

impl Pair {
    fn new(script: &Script) -> Self {
        let millis = |millis: u8| Duration::from_millis(millis.into());
        let mut config = Config::new().close_timeout(script.close_timeout.map(millis));
        if let Some(from) = script.chunk_threshold {
            config = config.chunk_threshold(from.into());
        }
        if let Some(most) = script.max_message {
            config = config.max_message_size((most % (1 << 20)).into());
        }
        if let Some((idle, timeout)) = script.keepalive {
            config = config.keepalive(millis(idle), millis(timeout));
        }
        let mut negotiated = Negotiated::new();
        let mut peers = Config::new();
        if let Some(takeover) = script.takeover {
            let settings = DeflateConfig::new()
                .level(1)
                .server_no_context_takeover(!takeover)
                .client_no_context_takeover(!takeover);
            let (_, params) = settings.answer([settings.offer().as_bytes()]).unwrap();
            negotiated = negotiated.deflate(params);
            config = config.deflate(settings.clone());
            peers = peers.deflate(settings);
        }
        let open = |role, config: &Config| match role {
            Role::Client => Connection::upgraded_client(negotiated.clone(), config.clone(), Seed::new([7; 32])),
            Role::Server => Connection::upgraded_server(negotiated.clone(), config.clone()),
        };
        let (role, other) = if script.client { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
        Self {
            direct: Watched::new(open(role, &config)),
            plain: Watched::new(open(role, &config)),
            peer: open(other, &peers),
            wire: Vec::new(),
            told: [Vec::new(), Vec::new()],
            scratch: Some(Scratch::new()),
            now: Duration::ZERO,
        }
    }

    fn act(&mut self, step: &Step) {
        let peer = &mut self.peer;
        match *step {
            Step::Message { text, compressed, data, fragments } => {
                peer.set_compression(compressed);
                let kind = if text { MessageKind::Text } else { MessageKind::Binary };
                let data = data.bytes();
                let size = data.len() / (1 + usize::from(fragments % 4)) + 1;
                let mut parts = data.chunks(size).peekable();
                while let Some(part) = parts.next() {
                    _ = peer.send_fragment(kind, part, parts.peek().is_none());
                }
            }
            Step::Fragment { data, last } => _ = peer.send_fragment(MessageKind::Binary, &data.bytes(), last),
            Step::Ping(byte) => _ = peer.ping(&[byte]),
            Step::PeerClose => _ = peer.close(CloseCode::NORMAL, "bye"),
            Step::Garbage(byte) => self.wire.push(byte),
            Step::Read(reading) => self.read(reading),
            Step::Stale(most) => self.stale(most.into()),
            Step::Time(millis) => {
                self.now += Duration::from_millis(millis.into());
                self.both(|conn, now| conn.advance_time(now));
            }
            Step::Paused => self.both(|conn, _| conn.reading_paused()),
            Step::Send(length) => self.both(|conn, _| _ = conn.send_text(&"x".repeat(length.into()))),
            Step::Close => self.both(|conn, _| _ = conn.close(CloseCode::GOING_AWAY, "")),
            Step::Eof => self.both(|conn, _| conn.receive_eof()),
            Step::Abort => self.both(|conn, _| conn.abort()),
            Step::Write(count) => {
                let mut written = Vec::new();
                for conn in [&mut self.direct.conn, &mut self.plain.conn] {
                    let count = conn.pending_output().min(count.into());
                    written.push(conn.output().copy_to_bytes(count));
                }
                assert_eq!(written[0], written[1]);
            }
        }
        while let Some(bytes) = self.peer.output().take() {
            self.wire.extend(bytes);
        }
    }

    fn both(&mut self, call: impl Fn(&mut Connection, Duration)) {
        call(&mut self.direct.conn, self.now);
        call(&mut self.plain.conn, self.now);
    }

    fn read(&mut self, read: Reading) {
        if let Some(scratch) = self.scratch.take_if(|_| read.lends) {
            self.direct.conn.attach_scratch(scratch);
        }
        let (direct, count) = read.read(&mut self.direct.conn, &self.wire);
        self.arrive(direct, count, read.gives_back);
        self.scratch = self.direct.conn.detach_scratch().or(self.scratch.take());
    }

    fn stale(&mut self, most: usize) {
        let most = most.min(self.wire.len());
        let has_space = self.direct.conn.read_buffer().is_some();
        self.arrive(0, most, false);
        if has_space && most > 0 {
            assert_eq!(self.direct.conn.commit_read(most), 0, "the space has changed");
        }
    }

    /// So many bytes have been read, the first of them directly.
    fn arrive(&mut self, direct: usize, count: usize, gives_back: bool) {
        let [told, plain] = &mut self.told;
        self.direct.receive(&self.wire[direct..count], |conn, event| {
            tell(told, &event);
            if gives_back {
                conn.recycle(payload(event));
            }
        });
        self.plain.receive(&self.wire[..count], |_, event| tell(plain, &event));
        self.wire.drain(..count);
    }

    fn compare(&mut self) {
        let Self { direct: Watched { conn: direct, .. }, plain: Watched { conn: plain, .. }, told, .. } = self;
        assert_eq!(told[0], told[1]);
        // Chunks of the last message may follow.
        for told in told {
            told.drain(..told.len().saturating_sub(1));
        }
        assert_eq!((direct.state(), direct.wants_shutdown()), (plain.state(), plain.wants_shutdown()));
        assert_eq!((direct.next_timeout(), direct.round_trip()), (plain.next_timeout(), plain.round_trip()));
        assert_eq!((direct.wants_read(), direct.can_send()), (plain.wants_read(), plain.can_send()));
        assert_eq!(direct.pending_output(), plain.pending_output());
    }
}

impl Data {
    fn bytes(self) -> Vec<u8> {
        let (length, mut state) = (u32::from(self.length), u32::from(self.length));
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 & 0x7f
        };
        (0..length).map(|i| if self.noise { next() } else { (i / 100) as u8 & 0x7f }).collect()
    }
}
