//! A user of the engine. `tests/panics/run` counts what can panic in the object code that each function here reaches.
//!
//! Every function is an entry of the report. They are never inlined, take what they work on from outside, and make every
//! call of their kind, so that generic and inlined code is compiled into them as it is into any user's crate.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf, Bytes};
use websocket_proto::{
    Chunk, CloseCode, Config, Connection, DeflateConfig, Event, HttpClientHandshake, HttpServerHandshake, Message,
    MessageKind, Negotiated, PreparedMessage, Scratch, Seed, client, server,
};

fn main() {
    let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    let calls: [fn(&mut Connection, &mut [u8]); 13] = [
        receive,
        read_buffer,
        send,
        send_with,
        send_prepared,
        send_fragment,
        control,
        output,
        time,
        scratch,
        accept,
        client_connection,
        http,
    ];
    for call in black_box(calls) {
        call(&mut conn, &mut []);
    }
}

#[inline(never)]
fn receive(conn: &mut Connection, mut input: &mut [u8]) {
    while let Some(event) = conn.receive(&mut input) {
        if let Event::Chunk(chunk) = event {
            chunk_of(chunk);
        } else {
            black_box(event.into_owned());
        }
    }
    conn.receive_eof();
    black_box(conn.wants_read());
}

fn chunk_of(chunk: Chunk<'_>) {
    black_box((chunk.kind(), chunk.is_first(), chunk.is_last(), chunk.len(), chunk.is_empty()));
    black_box((chunk.parts(), chunk.text()));
    black_box(chunk.into_bytes());
}

#[inline(never)]
fn read_buffer(conn: &mut Connection, input: &mut [u8]) {
    if let Some(buffer) = conn.read_buffer() {
        black_box(buffer);
        black_box(conn.commit_read(input.len()));
    }
}

#[inline(never)]
fn send(conn: &mut Connection, input: &mut [u8]) {
    _ = black_box(conn.send_binary(input));
    if let Ok(text) = str::from_utf8(input) {
        _ = black_box(conn.send_text(text));
    }
    if let Ok(message) = Message::try_text(input.to_vec()) {
        _ = black_box(conn.send(message));
    }
    _ = black_box(conn.send(Bytes::from(input.to_vec())));
    conn.set_compression(black_box(true));
    black_box((conn.can_send(), conn.pending_output(), conn.state()));
}

#[inline(never)]
fn send_with(conn: &mut Connection, input: &mut [u8]) {
    _ = black_box(conn.send_text_with(|text| {
        text.push('x');
        text.push_str("text");
        write!(text, "{}", input.len())
    }));
    _ = black_box(conn.send_binary_with(|data| {
        data.extend_from_slice(input);
        io::Write::write_all(data, input)
    }));
    _ = black_box(conn.send_binary_with(|data| {
        bytes::BufMut::put_slice(&mut data.buf_mut(), input);
        Ok::<_, Infallible>(())
    }));
}

#[inline(never)]
fn send_prepared(conn: &mut Connection, input: &mut [u8]) {
    let message = PreparedMessage::binary(&*input);
    _ = black_box(conn.send_prepared(&message));
    let message = PreparedMessage::compressed(input.to_vec(), &DeflateConfig::new());
    _ = black_box(conn.send_prepared(&message));
}

#[inline(never)]
fn send_fragment(conn: &mut Connection, input: &mut [u8]) {
    _ = black_box(conn.send_fragment(black_box(MessageKind::Text), input, black_box(true)));
}

#[inline(never)]
fn control(conn: &mut Connection, input: &mut [u8]) {
    _ = black_box(conn.ping(input));
    _ = black_box(conn.pong(input));
    let code = CloseCode::try_from(input.len() as u16).ok();
    _ = black_box(conn.close(code, black_box("a reason")));
    conn.abort();
    black_box(conn.wants_shutdown());
}

#[inline(never)]
fn output(conn: &mut Connection, input: &mut [u8]) {
    let output = conn.output();
    black_box((output.remaining(), output.has_remaining(), output.chunk().len()));
    let mut slices = [IoSlice::new(&[]); 16];
    black_box(output.chunks_vectored(&mut slices));
    // A user may not advance beyond the end.
    output.advance(output.remaining().min(input.len()));
    black_box(output.take());
}

#[inline(never)]
fn time(conn: &mut Connection, input: &mut [u8]) {
    conn.advance_time(Duration::from_millis(input.len() as u64));
    black_box((conn.next_timeout(), conn.round_trip()));
    conn.reading_paused();
}

#[inline(never)]
fn scratch(conn: &mut Connection, input: &mut [u8]) {
    conn.attach_scratch(black_box(Scratch::new().keep(input.len())));
    conn.recycle(input.to_vec());
    conn.recycle(Bytes::from(input.to_vec()));
    let mut scratch = conn.detach_scratch().unwrap_or_default();
    conn.with_scratch(&mut scratch, |conn| _ = black_box(conn.state()));
}

#[inline(never)]
fn accept(conn: &mut Connection, input: &mut [u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let response = server::Response::new().subprotocol(text).header(text, text);
    _ = black_box(conn.accept(response));
    _ = black_box(conn.reject(server::Rejection::new(input.len() as u16).header(text, text).body(input.to_vec())));
    *conn = Connection::server(black_box(Config::new()));
    let mut input = input;
    if let Some(Event::Request(request) | Event::HttpRequest(request)) = conn.receive(&mut input) {
        black_box((request.method(), request.version(), request.resource(), request.path(), request.query()));
        black_box((request.host(), request.origin(), request.header("Cookie"), request.headers().count()));
        black_box((request.subprotocols().count(), request.select_subprotocol(&["chat"])));
        _ = black_box((request.check_origin(&["https://a.example"]), request.check_same_origin()));
    }
    black_box(conn.subprotocol());
}

#[inline(never)]
fn client_connection(conn: &mut Connection, input: &mut [u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(uri) = text.parse::<client::Uri>() else { return };
    black_box((uri.host(), uri.port(), uri.resource(), uri.host_with_zone(), uri.host_header(), uri.to_string()));
    _ = black_box(uri.join(text));
    _ = black_box(url::Url::parse(text).map(|url| client::Uri::try_from(&url)));
    let request = client::Request::new(uri.clone()).subprotocol(text).origin(text).header(text, text);
    let mut redirects = client::Redirects::new(request.clone(), 3);
    if let Ok(client) = Connection::client(request, Config::new(), Seed::new(black_box([0; 32]))) {
        *conn = client;
    }
    let mut input = input;
    if let Some(Event::Open(response) | Event::Rejected(response)) = conn.receive(&mut input) {
        _ = black_box(redirects.follow(&response));
        black_box((response.status(), response.reason(), response.header("X"), response.headers().count()));
        black_box((response.retry_after(), response.body()));
    }
}

#[inline(never)]
fn http(conn: &mut Connection, input: &mut [u8]) {
    let config = Config::new().deflate(DeflateConfig::new());
    let Ok(text) = str::from_utf8(input) else { return };
    let Ok(uri) = text.parse::<client::Uri>() else { return };
    let request = client::Request::new(uri.clone());
    if let Ok((request, handshake)) = HttpClientHandshake::connect(request.clone(), &config) {
        let response = http::Response::new(());
        if let Ok(negotiated) = handshake.check(&response) {
            *conn = Connection::upgraded_client(negotiated, config.clone(), Seed::new(black_box([0; 32])));
        }
        if let Ok(handshake) = HttpServerHandshake::connect(&request, text, &config) {
            _ = black_box(handshake.accept(server::Response::new()));
        }
        if let Ok(handshake) = HttpServerHandshake::upgrade(&request, &config)
            && let Ok((_, negotiated)) = handshake.accept(server::Response::new().subprotocol(text))
        {
            *conn = Connection::upgraded_server(negotiated, config.clone());
        }
    }
    _ = black_box(HttpClientHandshake::upgrade(request, &config, Seed::new(black_box([0; 32]))).is_ok());
    _ = black_box(server::Rejection::new(404).into_http());
}
