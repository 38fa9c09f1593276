//! A server in its opening handshake: the requests to it, and its answers.

use bytes::Buf;
use websocket_proto::{
    AcceptError, Cause, CloseCode, Closed, Config, Connection, Event, HandshakeError, Role, SendError, State,
    TransportShutdown, server,
};

use crate::helpers::{assert_nothing_can_be_sent, closed};
use crate::support::{Sent, close_body, drain, feed, frame, pending_events, request, request_with};

/// The smallest request, with that line replaced.
pub(crate) fn with_line_replaced(start: &str, lines: &str) -> Vec<u8> {
    let request = String::from_utf8(request()).unwrap();
    let line = request.split_inclusive("\r\n").find(|line| line.starts_with(start)).unwrap();
    request.replacen(line, lines, 1).into_bytes()
}

pub(crate) fn with_request_line(line: &str) -> Vec<u8> {
    with_line_replaced("GET ", &format!("{line}\r\n"))
}

/// The smallest request, with that header replaced. Each of `values` has a header line of its own.
pub(crate) fn with_header(name: &str, values: &str) -> Vec<u8> {
    with_line_replaced(&format!("{name}:"), &header_lines(name, values))
}

pub(crate) fn with_header_added(name: &str, values: &str) -> Vec<u8> {
    request_with(&header_lines(name, values))
}

pub(crate) fn header_lines(name: &str, values: &str) -> String {
    format!("{name}: {}\r\n", values.replace('\n', &format!("\r\n{name}: ")))
}

pub(crate) fn request_of_size(size: usize) -> Vec<u8> {
    let padding = size - request_with("a: \r\n").len();
    let request = request_with(&format!("a: {}\r\n", "b".repeat(padding)));
    assert_eq!(request.len(), size);
    request
}

/// In two chunks at every place, and byte by byte.
pub(crate) fn every_cut(bytes: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let in_two = (0..=bytes.len()).map(|at| vec![&bytes[..at], &bytes[at..]]);
    in_two.chain([bytes.chunks(1).collect()])
}

pub(crate) fn feed_all(conn: &mut Connection, chunks: &[&[u8]]) -> Vec<Event<'static>> {
    chunks.iter().flat_map(|chunk| feed(conn, chunk)).collect()
}

/// A server that waits for the answer to a request.
pub(crate) fn awaiting_answer(request: &[u8]) -> (Connection, Box<server::Request>) {
    let mut conn = Connection::server(Config::new());
    let [Event::Request(request)] = <[_; 1]>::try_from(feed(&mut conn, request)).unwrap() else { panic!() };
    (conn, request)
}

/// The request, which is reported and can be accepted however it is cut.
pub(crate) fn accepted(request: &[u8]) -> server::Request {
    for chunks in every_cut(request) {
        let mut conn = Connection::server(Config::new());
        let got = feed_all(&mut conn, &chunks);
        assert!(matches!(got[..], [Event::Request(_)]), "{got:?}");
        assert_awaits_answer(conn);
    }
    *awaiting_answer(request).1
}

pub(crate) fn accept(request: &[u8], response: server::Response) -> ParsedResponse {
    let (mut conn, _) = awaiting_answer(request);
    conn.accept(response).unwrap();
    ParsedResponse::parse(&drain(&mut conn))
}

pub(crate) fn reject(rejection: server::Rejection) -> ParsedResponse {
    let (mut conn, _) = awaiting_answer(&request());
    conn.reject(rejection).unwrap();
    rejection_sent(conn)
}

/// The answer of a connection whose request was rejected; nothing but the end follows it.
pub(crate) fn rejection_sent(mut conn: Connection) -> ParsedResponse {
    let closed = closed(pending_events(&mut conn));
    let answer = last_response(&mut conn);
    let status = answer.status_line.split(' ').nth(1).unwrap().parse().unwrap();
    assert_abnormal(&closed, Cause::Rejected(status));
    answer
}

pub(crate) fn accept_fails(response: server::Response, error: AcceptError) {
    let (mut conn, _) = awaiting_answer(&request());
    assert_eq!(conn.accept(response), Err(error));
    assert_awaits_answer(conn);
}

pub(crate) fn reject_fails(rejection: server::Rejection, error: AcceptError) {
    let (mut conn, _) = awaiting_answer(&request());
    assert_eq!(conn.reject(rejection), Err(error));
    assert_awaits_answer(conn);
}

/// A request waits, nothing was sent, and it can be accepted.
pub(crate) fn assert_awaits_answer(mut conn: Connection) {
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Connecting, None));
    assert!(pending_events(&mut conn).is_empty());
    assert!(!conn.output().has_remaining());
    conn.accept(server::Response::new()).unwrap();
    assert_eq!(conn.state(), State::Open);
    assert!(drain(&mut conn).starts_with(b"HTTP/1.1 101 "));
}

/// The answer to a request that is rejected for this reason, in one line, however it is split.
pub(crate) fn assert_refused(request: &[u8], error: HandshakeError) -> ParsedResponse {
    let answers = every_cut(request).map(|chunks| {
        let answer = assert_refused_by(Connection::server(Config::new()), &chunks, error);
        // The answer to a method may be one to HEAD, which has no body.
        if error == HandshakeError::Method {
            assert_eq!(answer.body, "");
        } else {
            assert_eq!(answer.body, format!("{error}\n"));
            assert_eq!(answer.values("Content-Type"), ["text/plain; charset=utf-8"]);
        }
        assert_eq!(answer.values("Content-Length"), [answer.body.len().to_string()]);
        answer
    });
    answers.last().unwrap()
}

pub(crate) fn assert_refused_by(mut conn: Connection, chunks: &[&[u8]], error: HandshakeError) -> ParsedResponse {
    let mut got = feed_all(&mut conn, chunks);
    if error == HandshakeError::NoUpgrade {
        assert!(matches!(got.remove(0), Event::HttpRequest(_)));
    }
    assert_abnormal(&closed(got), Cause::Handshake(error));
    let answer = last_response(&mut conn);
    let (status_line, connection) = match error {
        HandshakeError::Method => ("HTTP/1.1 405 Method Not Allowed", "close"),
        HandshakeError::NoUpgrade | HandshakeError::UnsupportedVersion => {
            ("HTTP/1.1 426 Upgrade Required", "close, Upgrade")
        }
        HandshakeError::HeadTooLarge | HandshakeError::TooManyHeaders => {
            ("HTTP/1.1 431 Request Header Fields Too Large", "close")
        }
        HandshakeError::HttpVersion => ("HTTP/1.1 505 HTTP Version Not Supported", "close"),
        _ => ("HTTP/1.1 400 Bad Request", "close"),
    };
    assert_eq!(answer.status_line, status_line, "{error:?}");
    assert_eq!(answer.values("Connection"), [connection]);
    // RFC 9110 sections 15.5.6 and 15.5.22: these two name a request that would work.
    let is_405 = status_line.contains("405");
    let is_426 = status_line.contains("426");
    assert_eq!(answer.values("Allow"), if is_405 { vec!["GET"] } else { vec![] });
    assert_eq!(answer.values("Upgrade"), if is_426 { vec!["websocket"] } else { vec![] });
    assert_eq!(answer.values("Sec-WebSocket-Version"), if is_426 { vec!["13"] } else { vec![] });
    answer
}

/// The answer of a closed connection, drained byte by byte: the shutdown is wanted after the last one.
pub(crate) fn last_response(conn: &mut Connection) -> ParsedResponse {
    let mut bytes = Vec::new();
    while conn.output().has_remaining() {
        assert_eq!(conn.wants_shutdown(), None);
        bytes.push(conn.output().get_u8());
    }
    assert_closed(conn, TransportShutdown::Graceful);
    ParsedResponse::parse(&bytes)
}

/// An HTTP response, read by an independent parser.
#[derive(Debug)]
pub(crate) struct ParsedResponse {
    pub(crate) status_line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl ParsedResponse {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = parsed.parse(bytes).unwrap().unwrap();
        let text = str::from_utf8(bytes).unwrap();
        let owned =
            |field: &httparse::Header<'_>| (field.name.to_owned(), String::from_utf8(field.value.to_vec()).unwrap());
        Self {
            status_line: text.lines().next().unwrap().to_owned(),
            headers: parsed.headers.iter().map(owned).collect(),
            body: text[length..].to_owned(),
        }
    }

    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(this, _)| this.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..]).collect()
    }
}

/// RFC 6455 section 7.1.5: no Close frame was received.
pub(crate) fn assert_abnormal(closed: &Closed, cause: Cause) {
    assert_eq!((closed.cause, closed.code), (cause, CloseCode::ABNORMAL));
    assert_eq!((closed.clean, &closed.reason[..]), (false, ""));
}

/// Nothing is left to be reported or to be sent, and nothing changes that any more.
pub(crate) fn assert_closed(conn: &mut Connection, shutdown: TransportShutdown) {
    assert!(feed(conn, &request()).is_empty());
    assert!(feed(conn, &frame(Role::Client, 0x89, b"late")).is_empty());
    assert_eq!(conn.accept(server::Response::new()), Err(AcceptError::NoRequest));
    assert_eq!(conn.reject(server::Rejection::new(403)), Err(AcceptError::NoRequest));
    assert_nothing_can_be_sent(conn, SendError::Closed);
    assert_eq!((conn.state(), conn.wants_shutdown()), (State::Closed, Some(shutdown)));
}

pub(crate) fn close_frame(code: u16) -> Sent {
    Sent { first: 0x88, key: None, payload: close_body(code, "") }
}

pub(crate) fn assert_early_frames(events: &[Event<'_>]) {
    let [Event::Text(text), Event::Ping(ping), Event::Binary(data)] = events else { panic!("{events:?}") };
    assert_eq!((&text[..], &ping[..], &data[..]), ("Hello", &b"?"[..], &[7; 300][..]));
}
