//! The server's answers: an echo to WebSockets, a page at `/`, and a rejection to everything else.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use quiche::h3::{Header, WireErrorCode};
use websocket_proto::{Config, Connection, Event, HttpServerHandshake, server};

use crate::head;
use crate::session::{Answer, Endpoint};

const PAGE: &str = "A WebSocket over HTTP/3 echoes at any path: an extended CONNECT with `:protocol: websocket`.\n";

/// The subprotocols of the server, the preferred one first.
const SUBPROTOCOLS: [&str; 2] = ["chat", "echo"];

/// The requests of one client.
pub struct Answers {
    config: Arc<Config>,
}

impl Answers {
    /// Creates the answers of WebSockets with this configuration.
    pub fn new(config: Arc<Config>) -> Self {
        Self { config }
    }

    fn answer(&self, request: &Request<()>, protocol: Option<&str>) -> Result<Answer, server::Rejection> {
        let Some(protocol) = protocol else { return Ok(Answer::Reply(plain(request))) };
        let offer = HttpServerHandshake::connect(request, protocol, &self.config)?;
        // Pages of other sites may not use the server with its visitors' cookies (RFC 6455 section 10.2).
        HttpServerHandshake::check_same_origin(request)?;
        let choice = server::Response::new().subprotocol(offer.select_subprotocol(&SUBPROTOCOLS));
        let Ok((response, negotiated)) = offer.accept(choice) else {
            debug_assert!(false, "the client offers the subprotocol, and there are no other headers");
            return Err(server::Rejection::new(500));
        };
        let conn = Connection::upgraded_server(negotiated, Arc::clone(&self.config));
        Ok(Answer::Open(Box::new(conn), Some(response)))
    }
}

impl Endpoint for Answers {
    fn on_head(&mut self, head: &[Header]) -> Answer {
        let (request, protocol) = match head::request(head) {
            Ok(request) => request,
            Err(malformed) => return malformed.into(),
        };
        let answer = self.answer(&request, protocol.as_deref()).unwrap_or_else(reply);
        println!("{} {} {}", request.method(), request.uri().path(), describe(&answer));
        answer
    }

    fn on_event(&mut self, conn: &mut Connection, event: Event<'_>) {
        let sent = match event {
            Event::Text(text) => {
                let sent = conn.send_text(&text);
                conn.recycle(text);
                sent
            }
            Event::Binary(data) => {
                let sent = conn.send_binary(&data);
                conn.recycle(data);
                sent
            }
            Event::Closed(closed) => {
                println!("{closed}");
                Ok(())
            }
            _ => Ok(()),
        };
        // An answer that can't be sent is dropped: the peer doesn't wait for it, or doesn't read it.
        if sent.is_err() {
            conn.abort();
        }
    }
}

/// The answer to a request without `:protocol`, which is plain HTTP (RFC 8441 section 4).
fn plain(request: &Request<()>) -> Response<Bytes> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => (StatusCode::OK, PAGE),
        (&Method::HEAD, "/") => (StatusCode::OK, ""),
        (&Method::CONNECT, _) => (StatusCode::NOT_IMPLEMENTED, "This is not a proxy.\n"),
        (&Method::GET | &Method::HEAD, _) => (StatusCode::NOT_FOUND, ""),
        _ => (StatusCode::METHOD_NOT_ALLOWED, ""),
    };
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
}

fn reply(rejection: server::Rejection) -> Answer {
    match rejection.into_http() {
        Ok(response) => Answer::Reply(response),
        Err(error) => {
            debug_assert!(false, "the engine's own rejection can't be sent: {error}");
            Answer::Cancel(WireErrorCode::InternalError)
        }
    }
}

fn describe(answer: &Answer) -> String {
    match answer {
        Answer::Open(_, Some(response)) => response.status().as_u16().to_string(),
        Answer::Reply(response) => response.status().as_u16().to_string(),
        other => format!("{other:?}"),
    }
}
