//! The opening handshake with httparse, SHA-1 and base64 (RFC 6455 section 4). It keeps the peer's head, with the
//! positions of its fields, so that the caller can inspect it later: a copy, and a table.

use std::hint::black_box;
use std::mem::MaybeUninit;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use httparse::{Header, ParserConfig, Request, Response, Status};
use sha1::{Digest, Sha1};

use crate::jobs::{Accept, Connect, GUID};
use crate::tally::{Tally, Work};

const MAX_HEADERS: usize = 64;

pub(super) fn accept(job: Accept) -> Work {
    let Accept { request: mut wire, sink } = job;
    let mut buffer = vec![0; wire.input];
    let mut output = Vec::new();
    Box::new(move || {
        for _ in 0..wire.messages {
            let count = wire.read(&mut buffer);
            let head = &buffer[..count];
            let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
            let mut request = Request::new(&mut []);
            let Ok(Status::Complete(_)) = request.parse_with_uninit_headers(head, &mut headers) else {
                panic!("a request")
            };
            let target = request.path.expect("a target");
            assert!(request.method == Some("GET") && request.version == Some(1) && is_resource_name(target));
            black_box(Kept::new(head, request.headers));
            let accept = accept_key(key_of(request.headers));
            output.extend_from_slice(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
            );
            output.extend_from_slice(b"Sec-WebSocket-Accept: ");
            output.extend_from_slice(&accept);
            output.extend_from_slice(b"\r\n\r\n");
            sink.write(&output);
            output.clear();
        }
        Tally::sent(wire.messages, sink.take())
    })
}

/// Returns the key of a request that asks for a WebSocket and for nothing else (RFC 6455 section 4.2.1).
fn key_of<'a>(headers: &[Header<'a>]) -> &'a [u8] {
    let (mut key, mut host, mut version, mut upgrade, mut connection) = (None, 0, 0, false, false);
    for &Header { name, value } in headers {
        match name.len() {
            4 if name.eq_ignore_ascii_case("Host") => {
                assert!(is_host(value), "no host");
                host += 1;
            }
            7 if name.eq_ignore_ascii_case("Upgrade") => upgrade |= lists(value, b"websocket"),
            10 if name.eq_ignore_ascii_case("Connection") => connection |= lists(value, b"upgrade"),
            14 if name.eq_ignore_ascii_case("Content-Length") => assert!(value == b"0", "a body"),
            17 if name.eq_ignore_ascii_case("Transfer-Encoding") => panic!("a body"),
            17 if name.eq_ignore_ascii_case("Sec-WebSocket-Key") => assert!(key.replace(value).is_none(), "two keys"),
            21 if name.eq_ignore_ascii_case("Sec-WebSocket-Version") => {
                assert!(value == b"13");
                version += 1;
            }
            _ => {}
        }
    }
    assert!(host == 1 && version == 1 && upgrade && connection);
    let key = key.expect("a key");
    let mut nonce = [0; 18];
    assert!(key.len() == 24 && STANDARD.decode_slice(key, &mut nonce) == Ok(16));
    key
}

pub(super) fn connect(job: Connect) -> Work {
    let Connect { host, path, sink } = job;
    let start = || {
        let mut nonce = [0; 16];
        // Each new connection has a new generator.
        ChaCha12Rng::from_seed([1; 32]).fill_bytes(&mut nonce);
        let mut key = [0; 24];
        STANDARD.encode_slice(nonce, &mut key).expect("room");
        key
    };
    let mut wire = Connect::response(std::str::from_utf8(&start()).expect("base64"));
    let mut buffer = vec![0; wire.input];
    let mut output = Vec::new();
    Box::new(move || {
        for _ in 0..Connect::PASS {
            let key = start();
            for part in ["GET ", path, " HTTP/1.1\r\nHost: ", host, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"]
            {
                output.extend_from_slice(part.as_bytes());
            }
            output.extend_from_slice(b"Sec-WebSocket-Key: ");
            output.extend_from_slice(&key);
            output.extend_from_slice(b"\r\nSec-WebSocket-Version: 13\r\n\r\n");
            sink.write(&output);
            output.clear();
            let count = wire.read(&mut buffer);
            verify(&buffer[..count], &key);
        }
        Tally::sent(Connect::PASS, sink.take())
    })
}

/// Checks a response (RFC 6455 section 4.1).
fn verify(response: &[u8], key: &[u8]) {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut head = Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut head, response, &mut headers);
    assert!(matches!(parsed, Ok(Status::Complete(_))), "no response");
    black_box(Kept::new(response, head.headers));
    assert!(head.code == Some(101) && head.version == Some(1));
    let (mut accepted, mut upgrade, mut connection) = (0, false, false);
    for &Header { name, value } in &*head.headers {
        match name.len() {
            7 if name.eq_ignore_ascii_case("Upgrade") => upgrade |= value.eq_ignore_ascii_case(b"websocket"),
            10 if name.eq_ignore_ascii_case("Connection") => connection |= lists(value, b"upgrade"),
            20 if name.eq_ignore_ascii_case("Sec-WebSocket-Accept") => {
                assert!(value == accept_key(key));
                accepted += 1;
            }
            22 if name.eq_ignore_ascii_case("Sec-WebSocket-Protocol") => panic!("none was asked for"),
            24 if name.eq_ignore_ascii_case("Sec-WebSocket-Extensions") => panic!("none was asked for"),
            _ => {}
        }
    }
    assert!(accepted == 1 && upgrade && connection);
}

/// The peer's head, for a caller that wants it.
struct Kept {
    _head: Box<[u8]>,
    /// Of names and values.
    _places: Box<[[u32; 4]]>,
}

impl Kept {
    fn new(head: &[u8], headers: &[Header<'_>]) -> Self {
        let place = |part: &[u8]| {
            let start = part.as_ptr() as usize - head.as_ptr() as usize;
            [start as u32, (start + part.len()) as u32]
        };
        let places = headers.iter().map(|header| {
            let ([a, b], [c, d]) = (place(header.name.as_bytes()), place(header.value));
            [a, b, c, d]
        });
        Self { _head: head.into(), _places: places.collect() }
    }
}

/// A target in origin-form (RFC 9112 section 3.2.1).
fn is_resource_name(target: &str) -> bool {
    target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

/// A name or an address, perhaps with a port (RFC 3986 section 3.2).
fn is_host(value: &[u8]) -> bool {
    let end = value.iter().position(|&byte| byte == b':').unwrap_or(value.len());
    let is_host = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(byte);
    end > 0 && value[..end].iter().all(is_host) && value[end..].iter().skip(1).all(u8::is_ascii_digit)
}

fn accept_key(key: &[u8]) -> [u8; 28] {
    let mut accept = [0; 28];
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    STANDARD.encode_slice(digest, &mut accept).expect("room");
    accept
}

/// Returns whether a list contains that token.
fn lists(value: &[u8], token: &[u8]) -> bool {
    value.split(|&byte| byte == b',').any(|element| element.trim_ascii().eq_ignore_ascii_case(token))
}
