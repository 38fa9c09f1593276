//! The opening handshake of a server: reading the request, buffering the bytes after it, and answering it.

use alloc::boxed::Box;
use core::mem;

use super::Connection;
use super::phase::{AwaitingAnswer, Phase};
use crate::config::Config;
use crate::error::{AcceptError, HandshakeError};
use crate::event::{Cause, Closed};
use crate::handshake::{HeadReader, PlainRequest, Purpose, Rejection, Request, Response, read_request};

/// Answers to a pending request: the server side of the opening handshake.
impl Connection {
    /// Accepts the pending request. The connection is then open, and you can send messages immediately. Frames that the
    /// client has sent before are received by the next call of [`receive`](Self::receive), so do not wait for more
    /// bytes first. If there are such frames, [`next_timeout`](Self::next_timeout) is due.
    ///
    /// # Errors
    ///
    /// Fails if no request is pending, if it asks for no upgrade, or if the response cannot be sent. A pending request
    /// then stays pending.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, server};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    ///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    ///     Sec-WebSocket-Protocol: chat\r\n\r\n";
    /// if let Some(Event::Request(request)) = conn.receive(&mut &mut arrived[..]) {
    ///     let subprotocol = request.select_subprotocol(&["chat"]);
    ///     conn.accept(server::Response::new().subprotocol(subprotocol))?;
    ///     conn.send_text("welcome")?;
    /// }
    /// assert_eq!(conn.subprotocol(), Some("chat"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accept(&mut self, response: Response) -> Result<(), AcceptError> {
        self.lend_to_output();
        let Phase::AwaitingAnswer(request) = &mut self.phase else {
            return Err(AcceptError::NoRequest);
        };
        let Purpose::WebSocket(upgrade) = &request.purpose else {
            return Err(AcceptError::NotWebSocket);
        };
        let negotiated = upgrade.offers().negotiate(&response)?;
        response.encode(&upgrade.accept_key(), upgrade.offers().extensions().as_deref(), self.output.buffer())?;
        let early_data = mem::take(&mut request.early_data);
        self.on_open(negotiated, early_data);
        Ok(())
    }

    /// Rejects the pending request with a status other than 101. The connection is then closed.
    ///
    /// # Errors
    ///
    /// Fails if no request is pending, or if the rejection cannot be sent. A pending request then stays pending.
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Event, server};
    ///
    /// let mut conn = Connection::server(Config::new());
    /// let mut arrived = *b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    /// if let Some(Event::Request(request) | Event::HttpRequest(request)) = conn.receive(&mut &mut arrived[..]) {
    ///     let status = if request.path() == "/health" { 204 } else { 404 };
    ///     conn.reject(server::Rejection::new(status))?;
    /// }
    /// assert!(conn.output().chunk().starts_with(b"HTTP/1.1 204 No Content\r\n"));
    /// # Ok::<(), websocket_proto::AcceptError>(())
    /// ```
    pub fn reject(&mut self, rejection: Rejection) -> Result<(), AcceptError> {
        if !matches!(self.phase, Phase::AwaitingAnswer(_)) {
            return Err(AcceptError::NoRequest);
        }
        let status = rejection.status();
        self.respond(rejection)?;
        self.end_with(Closed::abnormal(Cause::Rejected(status)), None);
        Ok(())
    }

    pub(super) fn respond(&mut self, rejection: Rejection) -> Result<(), AcceptError> {
        let (head, body) = rejection.encode()?;
        self.lend_to_output();
        self.output.extend(head.as_bytes());
        if !self.answers_head() {
            self.output.attach(body);
        }
        Ok(())
    }

    /// Returns whether the pending request is HEAD. RFC 9110 section 9.3.2: the response may have a `Content-Length`,
    /// but has no body.
    fn answers_head(&self) -> bool {
        match &self.phase {
            Phase::AwaitingAnswer(request) => {
                matches!(request.purpose, Purpose::Http(PlainRequest { is_head: true, .. }))
            }
            _ => false,
        }
    }
}

impl AwaitingAnswer {
    /// Buffers the bytes after a request until it is answered. A plain HTTP request must have been answered before this
    /// call.
    pub(super) fn buffer_early_data(&mut self, input: &mut &mut [u8], config: &Config) -> Result<(), HandshakeError> {
        if let Purpose::Http(request) = &self.purpose {
            return Err(request.unanswered);
        }
        if input.len() > config.max_handshake_size - self.early_data.len() {
            return Err(HandshakeError::EarlyData);
        }
        self.early_data.extend_from_slice(input);
        *input = &mut [];
        Ok(())
    }
}

/// A request that is complete.
type Complete = (Box<Request>, Purpose);

/// Reads the head of a request. The reader is kept from call to call, and is only allocated if a head arrives in parts.
pub(super) fn receive_request(
    reader: &mut Option<Box<HeadReader>>,
    input: &mut &mut [u8],
    config: &Config,
) -> Result<Option<Complete>, HandshakeError> {
    if input.is_empty() {
        return Ok(None);
    }
    let mut new = HeadReader::default();
    let current = reader.as_deref_mut().unwrap_or(&mut new);
    if let Some(head) = current.read(input, config)? {
        return read_request(head, config).map(Some);
    }
    reader.get_or_insert_with(|| Box::new(new));
    Ok(None)
}
