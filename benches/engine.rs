//! The engine alone: receiving, sending, and handshakes.
#![allow(missing_docs)]

use bytes::Buf;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use websocket_proto::{Config, Connection, Event, Negotiated, Seed, client, server};

/// An input that stays in the first-level cache, as the crate's documentation advises.
const INPUT: usize = 16 << 10;

const SIZES: [usize; 6] = [0, 16, 125, 1 << 10, 16 << 10, 64 << 10];

fn receive(c: &mut Criterion) {
    for (name, opcode, unit) in [("binary", 2, "\u{1}"), ("ascii", 1, "a"), ("chinese", 1, "好")] {
        let mut group = c.benchmark_group(format!("server receives {name}"));
        for size in SIZES {
            let payload = unit.repeat(size / unit.len()).into_bytes();
            let frame = masked_frame(opcode, &payload);
            let wire: Vec<u8> =
                frame.iter().copied().cycle().take(frame.len() * (1 + (256 << 10) / frame.len())).collect();
            let messages = wire.len() / frame.len();
            let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
            let mut buffer = vec![0; INPUT];
            group.throughput(Throughput::Elements(messages as u64));
            group.bench_function(BenchmarkId::from_parameter(size), |b| {
                b.iter(|| {
                    let mut bytes = 0;
                    for chunk in wire.chunks(INPUT) {
                        let mut input = &mut buffer[..chunk.len()];
                        input.copy_from_slice(chunk);
                        while let Some(event) = conn.receive(&mut input) {
                            bytes += match event {
                                Event::Text(text) => text.len(),
                                Event::Binary(data) => data.len(),
                                other => panic!("{other:?}"),
                            };
                        }
                    }
                    assert_eq!(bytes, messages * payload.len());
                });
            });
        }
        group.finish();
    }
}

fn send(c: &mut Criterion) {
    let ends = [
        ("server", Connection::upgraded_server(Negotiated::new(), Config::new())),
        ("client", Connection::upgraded_client(Negotiated::new(), Config::new(), Seed::new([1; 32]))),
    ];
    for (name, mut conn) in ends {
        let mut group = c.benchmark_group(format!("{name} sends binary"));
        for size in SIZES {
            let payload = vec![1; size];
            group.throughput(Throughput::Elements(1));
            group.bench_function(BenchmarkId::from_parameter(size), |b| {
                b.iter(|| {
                    conn.send_binary(&payload).unwrap();
                    let pending = conn.output().remaining();
                    conn.output().advance(pending);
                });
            });
        }
        group.finish();
    }
}

/// Serialised messages, through a `String` and straight into the output.
fn json(c: &mut Criterion) {
    let ends: [fn() -> Connection; 2] = [
        || Connection::upgraded_server(Negotiated::new(), Config::new()),
        || Connection::upgraded_client(Negotiated::new(), Config::new(), Seed::new([7; 32])),
    ];
    for (end, name) in ends.iter().zip(["server", "client"]) {
        let mut group = c.benchmark_group(format!("{name} sends JSON"));
        for rows in [1, 100, 4_000] {
            let rows: Vec<_> = (0..rows).map(|row| (row, "BTC-EUR 比特币", [row, row + 1])).collect();
            let size = serde_json::to_string(&rows).unwrap().len();
            let mut conn = end();
            group.bench_function(BenchmarkId::new("to_string, send_text", size), |b| {
                b.iter(|| {
                    let text = serde_json::to_string(&rows).unwrap();
                    conn.send_text(&text).unwrap();
                    let pending = conn.pending_output();
                    conn.output().advance(pending);
                });
            });
            group.bench_function(BenchmarkId::new("send_text_with, to_writer", size), |b| {
                b.iter(|| {
                    conn.send_text_with(|writer| serde_json::to_writer(writer, &rows)).unwrap();
                    let pending = conn.pending_output();
                    conn.output().advance(pending);
                });
            });
        }
        group.finish();
    }
}

fn handshake(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake");
    let config = std::sync::Arc::new(Config::new());
    let request = client::Request::new("ws://localhost/".parse().unwrap());
    group.bench_function("client and server", |b| {
        b.iter_batched(
            || (request.clone(), config.clone()),
            |(request, config)| {
                let mut client = Connection::client(request, config.clone(), Seed::new([1; 32])).unwrap();
                let mut server = Connection::server(config);
                let mut wire = take(&mut client);
                assert!(matches!(server.receive(&mut &mut wire[..]), Some(Event::Request(_))));
                server.accept(server::Response::new()).unwrap();
                let mut wire = take(&mut server);
                assert!(matches!(client.receive(&mut &mut wire[..]), Some(Event::Open(_))));
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn take(conn: &mut Connection) -> Vec<u8> {
    conn.output().take().unwrap().to_vec()
}

fn masked_frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..126) => frame.push(0x80 | short as u8),
        Ok(medium) => {
            frame.push(0xfe);
            frame.extend(medium.to_be_bytes());
        }
        Err(_) => {
            frame.push(0xff);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}

criterion_group!(benches, receive, send, json, handshake);
criterion_main!(benches);
