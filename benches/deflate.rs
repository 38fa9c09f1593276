//! Compression, next to zlib-rs alone at the same level and windows, into a preallocated buffer.
#![allow(missing_docs)]

use bytes::Buf;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_proto::{Config, Connection, DeflateConfig, Event, Negotiated, Scratch};
use zlib_rs::{DeflateFlush, Inflate, InflateFlush};

const SIZES: [usize; 2] = [1 << 10, 64 << 10];
const LEVEL: u8 = 4;

/// An input that stays in the first-level cache.
const INPUT: usize = 16 << 10;

fn inflate(c: &mut Criterion) {
    for (name, takeover) in [("with takeover", true), ("without takeover", false)] {
        let mut group = c.benchmark_group(format!("inflate {name}"));
        for size in SIZES {
            let messages = messages(size);
            let (mut client, mut server) = pair(takeover);
            let mut round = || {
                for message in &messages {
                    client.send_text(message).unwrap();
                }
                take(&mut client)
            };
            // From the second round on, every round begins with the same window.
            let rounds = [round(), round()];
            let total = messages.len() * size;
            group.throughput(Throughput::Bytes(total as u64));

            let mut buffer = vec![0; INPUT];
            let mut receive = |wire: &[u8]| {
                let mut length = 0;
                for chunk in wire.chunks(INPUT) {
                    let mut input = &mut buffer[..chunk.len()];
                    input.copy_from_slice(chunk);
                    while let Some(Event::Text(text)) = server.receive(&mut input) {
                        length += text.len();
                        server.recycle(text);
                    }
                }
                assert_eq!(length, total);
            };
            receive(&rounds[0]);
            group.bench_function(BenchmarkId::new("connection", size), |b| b.iter(|| receive(&rounds[1])));

            let mut stream = Inflate::new(false, 15);
            let mut room = vec![0; size + 300];
            let mut inflate = |payloads: &[Vec<u8>]| {
                for payload in payloads {
                    if !takeover {
                        stream.reset(false);
                    }
                    let start = stream.total_out();
                    stream.decompress(payload, &mut room, InflateFlush::SyncFlush).unwrap();
                    stream.decompress(&[0, 0, 0xff, 0xff], &mut room[size..], InflateFlush::SyncFlush).unwrap();
                    assert_eq!((stream.total_out() - start) as usize, size);
                }
            };
            let [first, second] = rounds.map(|round| payloads(&round));
            inflate(&first);
            group.bench_function(BenchmarkId::new("zlib-rs", size), |b| b.iter(|| inflate(&second)));
        }
        group.finish();
    }
}

fn deflate(c: &mut Criterion) {
    for (name, takeover) in [("with takeover", true), ("without takeover", false)] {
        let mut group = c.benchmark_group(format!("deflate {name}"));
        for size in SIZES {
            let messages = messages(size);
            let (_, mut server) = pair(takeover);
            group.throughput(Throughput::Bytes((messages.len() * size) as u64));
            group.bench_function(BenchmarkId::new("connection", size), |b| {
                b.iter(|| {
                    for message in &messages {
                        server.send_text(message).unwrap();
                        let pending = server.output().remaining();
                        server.output().advance(pending);
                    }
                });
            });
            let config = zlib_rs::DeflateConfig { window_bits: -15, ..zlib_rs::DeflateConfig::new(LEVEL.into()) };
            let mut stream = zlib_rs::Deflate::new_with_config(config);
            let mut room = vec![0; size + 300];
            group.bench_function(BenchmarkId::new("zlib-rs", size), |b| {
                b.iter(|| {
                    for message in &messages {
                        if !takeover {
                            stream.reset();
                        }
                        stream.compress(message.as_bytes(), &mut room, DeflateFlush::SyncFlush).unwrap();
                    }
                });
            });
        }
        group.finish();
    }
}

/// A client and a server that are open and have negotiated compression, each with a scratch attached.
fn pair(takeover: bool) -> (Connection, Connection) {
    let settings =
        DeflateConfig::new().level(LEVEL).server_no_context_takeover(!takeover).client_no_context_takeover(!takeover);
    let params = settings.answer([settings.offer().as_bytes()]).unwrap().1;
    let negotiated = || Negotiated::new().deflate(params);
    let config = || Config::new().deflate(settings.clone());
    let mut client = Connection::upgraded_client(negotiated(), config(), websocket_proto::Seed::new([1; 32]));
    let mut server = Connection::upgraded_server(negotiated(), config());
    client.attach_scratch(Scratch::new());
    server.attach_scratch(Scratch::new());
    (client, server)
}

fn take(conn: &mut Connection) -> Vec<u8> {
    let length = conn.output().remaining();
    conn.output().copy_to_bytes(length).to_vec()
}

/// The unmasked payloads of a client's frames.
fn payloads(mut wire: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while wire.has_remaining() {
        wire.advance(1);
        let length = match wire.get_u8() & 0x7f {
            126 => wire.get_u16().into(),
            127 => wire.get_u64() as usize,
            short => short.into(),
        };
        let key = wire.get_u32().to_be_bytes();
        let (payload, rest) = wire.split_at(length);
        payloads.push(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect());
        wire = rest;
    }
    payloads
}

/// Messages of that size, together longer than a window.
fn messages(size: usize) -> Vec<String> {
    let count = (128 << 10) / size;
    let mut text = json(count * size + 100);
    (0..count)
        .map(|_| {
            // A cut inside a character is moved to its start; dashes fill the rest.
            let cut = (0..4).find(|back| text.is_char_boundary(size - back)).unwrap();
            let rest = text.split_off(size - cut);
            let message = std::mem::replace(&mut text, rest) + &"-"[..1].repeat(cut);
            assert_eq!(message.len(), size);
            message
        })
        .collect()
}

/// Records as an API sends them, in two languages, all different.
fn json(size: usize) -> String {
    let words = ["alpha", "delta", "online", "聊天室", "你好", "offline", "状态", "omega", "away", "已读"];
    let mut seed = 7u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed as usize >> 8
    };
    let mut text = String::from("[");
    while text.len() < size {
        let (id, a, b) = (random(), words[random() % words.len()], words[random() % words.len()]);
        let (day, hour, minute, score) = (1 + id % 28, random() % 24, random() % 60, random() % 10_000);
        let record = format!(
            r#"{{"id":{id},"name":"{a} {b}","score":{score},"seen":"2026-11-{day:02}T{hour:02}:{minute:02}Z"}},"#
        );
        text.push_str(&record);
    }
    text
}

criterion_group!(benches, inflate, deflate);
criterion_main!(benches);
