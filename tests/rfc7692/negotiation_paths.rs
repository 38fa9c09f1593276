//! Every way to negotiate must give the same result: the opening handshake, the functions on header values, and (with
//! the feature `http`) the types of that crate.

use websocket_proto::{
    Cause, Config, Connection, DeflateConfig, DeflateParams, Event, HandshakeError, State, client, server,
};

use crate::support::{KEY, drain, feed, request_with, seed};

/// Both `no_context_takeover` and both `max_window_bits`, the server's first.
pub(crate) type Parameters = (bool, bool, u8, u8);

pub(crate) fn parameters(params: DeflateParams) -> Parameters {
    (
        params.server_no_context_takeover(),
        params.client_no_context_takeover(),
        params.server_max_window_bits(),
        params.client_max_window_bits(),
    )
}

pub(crate) fn settings((server_forgets, client_forgets, server_bits, client_bits): Parameters) -> DeflateConfig {
    DeflateConfig::new()
        .server_no_context_takeover(server_forgets)
        .client_no_context_takeover(client_forgets)
        .server_max_window_bits(server_bits)
        .client_max_window_bits(client_bits)
}

fn config(settings: &[DeflateConfig]) -> Config {
    settings.iter().cloned().fold(Config::new(), Config::deflate)
}

/// The values of `Sec-WebSocket-Extensions` in a head.
fn extensions(head: &[u8]) -> Vec<String> {
    let head = String::from_utf8(head.to_vec()).unwrap();
    head.lines().filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: ")).map(str::to_owned).collect()
}

fn header_lines(values: &[&str]) -> String {
    values.iter().map(|value| ["Sec-WebSocket-Extensions: ", value, "\r\n"].concat()).collect()
}

/// A server's answer to these header lines, and the parameters agreed on.
#[track_caller]
pub(crate) fn answer(settings: &DeflateConfig, offers: &[&str]) -> Option<(String, Parameters)> {
    let mut conn = Connection::server(config(std::slice::from_ref(settings)));
    let events = feed(&mut conn, &request_with(&header_lines(offers)));
    assert!(matches!(events[..], [Event::Request(_)]), "{offers:?} {events:?}");
    conn.accept(server::Response::new()).unwrap();
    assert_eq!(conn.state(), State::Open, "with an extension or without");
    let mut sent = extensions(&drain(&mut conn));
    assert!(sent.len() <= 1);
    let answer = sent.pop().zip(conn.deflate().map(parameters));
    assert_eq!(answer.is_some(), conn.deflate().is_some());

    let by_value = settings.answer(offers.iter().map(|value| value.as_bytes()));
    assert_eq!(by_value.map(|(text, params)| (text, parameters(params))), answer, "{offers:?}");
    #[cfg(feature = "http")]
    assert_eq!(http_answer(settings, offers), answer, "{offers:?}");
    answer
}

/// The offer of a client with these settings.
pub(crate) fn offer(settings: &[DeflateConfig]) -> Option<String> {
    let request = || client::Request::new("ws://localhost/".parse().unwrap());
    let mut conn = Connection::client(request(), config(settings), seed()).unwrap();
    let mut sent = extensions(&drain(&mut conn));
    assert!(sent.len() <= 1);
    let sent = sent.pop();
    if let [settings] = settings {
        assert_eq!(Some(settings.offer()), sent);
    }
    #[cfg(feature = "http")]
    for (request, _) in http_clients(settings) {
        let value = request.headers().get("sec-websocket-extensions").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(value, sent);
    }
    sent
}

/// The result of an answer with these header lines at a client.
#[track_caller]
pub(crate) fn check(settings: &[DeflateConfig], answers: &[&str]) -> Result<Option<Parameters>, HandshakeError> {
    let request = client::Request::new("ws://localhost/".parse().unwrap());
    let mut client = Connection::client(request, config(settings), seed()).unwrap();
    let mut server = Connection::server(Config::new());
    feed(&mut server, &drain(&mut client));
    server.accept(server::Response::new()).unwrap();
    let head = String::from_utf8(drain(&mut server)).unwrap();
    let head = head.replace("\r\n\r\n", &format!("\r\n{}\r\n", header_lines(answers)));
    let agreed = match &feed(&mut client, head.as_bytes())[..] {
        [Event::Open(_)] => Ok(client.deflate().map(parameters)),
        [Event::Closed(closed)] => match closed.cause {
            Cause::Handshake(error) => Err(error),
            cause => panic!("{cause:?}"),
        },
        events => panic!("{events:?}"),
    };
    if let [settings] = settings {
        let by_value = settings.check(answers.iter().map(|value| value.as_bytes()));
        assert_eq!(by_value.map(|params| params.map(parameters)), agreed, "{answers:?}");
    }
    #[cfg(feature = "http")]
    assert_eq!(http_check(settings, answers), [agreed, agreed], "{answers:?}");
    agreed
}

#[cfg(feature = "http")]
fn http_answer(settings: &DeflateConfig, offers: &[&str]) -> Option<(String, Parameters)> {
    let config = config(std::slice::from_ref(settings));
    let request = http::Request::get("/")
        .header("host", "localhost")
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header("sec-websocket-key", KEY)
        .header("sec-websocket-version", "13");
    let request = offers.iter().fold(request, |request, value| request.header("sec-websocket-extensions", *value));
    let offer = websocket_proto::HttpServerHandshake::upgrade(&request.body(()).unwrap(), &config).unwrap();
    let (response, negotiated) = offer.accept(server::Response::new()).unwrap();
    let conn = Connection::upgraded_server(negotiated, config);
    let sent = response.headers().get("sec-websocket-extensions").map(|value| value.to_str().unwrap().to_owned());
    sent.zip(conn.deflate().map(parameters))
}

/// Over HTTP/1.1 and HTTP/2.
#[cfg(feature = "http")]
fn http_clients(settings: &[DeflateConfig]) -> [(http::Request<()>, websocket_proto::HttpClientHandshake); 2] {
    let request = || client::Request::new("ws://localhost/".parse().unwrap());
    [
        websocket_proto::HttpClientHandshake::upgrade(request(), &config(settings), seed()).unwrap(),
        websocket_proto::HttpClientHandshake::connect(request(), &config(settings)).unwrap(),
    ]
}

#[cfg(feature = "http")]
fn http_check(settings: &[DeflateConfig], answers: &[&str]) -> [Result<Option<Parameters>, HandshakeError>; 2] {
    http_clients(settings).map(|(request, client)| {
        let plain = Config::new();
        let offer = match request.method() {
            &http::Method::GET => websocket_proto::HttpServerHandshake::upgrade(&request, &plain).unwrap(),
            _ => websocket_proto::HttpServerHandshake::connect(&request, "websocket", &plain).unwrap(),
        };
        let (mut response, _) = offer.accept(server::Response::new()).unwrap();
        for value in answers {
            response.headers_mut().append("sec-websocket-extensions", value.parse().unwrap());
        }
        let conn = Connection::upgraded_client(client.check(&response)?, config(settings), seed());
        Ok(conn.deflate().map(parameters))
    })
}

#[cfg(not(feature = "http"))]
const _: &str = KEY;
