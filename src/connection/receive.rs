//! Receiving: which phase consumes the input, and what takes effect once the input is consumed.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::mem;

use super::Connection;
use super::handshake::receive_request;
use super::phase::{EarlyData, Phase};
use crate::error::HandshakeError;
use crate::event::{Cause, Event};
use crate::handshake::{Outcome, Purpose};
use crate::receive::{Context, Received, WholeMessage};
use crate::slices::part_mut;

/// Input.
impl Connection {
    /// Consumes received bytes and returns the next event, or `None` once all of the input is consumed and no event is
    /// left. The input is unmasked in place.
    ///
    /// Call it on every iteration of your loop, until it returns `None`. Do so even with an empty input, because
    /// deadlines and the end of the transport are reported here as well.
    ///
    /// You may stop earlier if you pass the rest of `input` again later. This is how a receiver slows down a sender.
    ///
    /// Protocol violations are not returned as errors. The last event, [`Closed`](Event::Closed), reports them.
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let mut arrived = *b"\x81\x82\0\0\0\0hi\x89\x80\0\0\0\0"; // a text message and a ping
    /// let mut input = &mut arrived[..];
    /// while let Some(event) = conn.receive(&mut input) {
    ///     match event {
    ///         Event::Text(text) => conn.send_text(&text)?,
    ///         Event::Closed(closed) => println!("{closed}"),
    ///         _ => {} // the ping has been answered
    ///     }
    /// }
    /// assert_eq!(conn.output().chunk(), b"\x81\x02hi\x8a\0");
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    // Compiled into the caller's loop, with the path of the common frame: `receive/mod.rs` says what that saves. Everything else
    // is out of line.
    #[inline(always)]
    pub fn receive<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        if !input.is_empty() {
            self.timers.on_receive();
        }
        if !self.phase.is_open() {
            return self.receive_any(input);
        }
        match self.receiver.whole_message(input) {
            None => self.receive_uncommon(input),
            Some((kind, payload)) => match WholeMessage::new(kind, payload) {
                Ok(WholeMessage::Binary(data)) => Some(Event::Binary(Cow::Borrowed(data))),
                Ok(WholeMessage::Text(text)) => Some(Event::Text(Cow::Borrowed(text))),
                Err(error) => {
                    self.fail(Cause::Protocol(error));
                    self.receive_any(input)
                }
            },
        }
    }

    /// Reports that the transport has reached EOF or failed. Call [`receive`](Self::receive) afterwards, first with the
    /// rest of the input, to get the final events. Do not read from the transport again;
    /// [`wants_read`](Self::wants_read) is `false` from now on.
    ///
    /// A pending request must still be answered: the client may have closed only its write half.
    ///
    /// ```
    /// use std::io::{self, Read};
    /// use websocket_proto::{Cause, Config, Connection, Event, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// let (mut stream, mut buffer) = (io::empty(), [0; 4096]);
    /// let read = stream.read(&mut buffer)?;
    /// if read == 0 {
    ///     conn.receive_eof();
    /// }
    /// let Some(Event::Closed(closed)) = conn.receive(&mut &mut buffer[..read]) else { panic!() };
    /// assert_eq!((closed.clean, closed.cause), (false, Cause::Eof));
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn receive_eof(&mut self) {
        self.receiver.receive_eof();
        self.on_awaited_eof();
    }

    /// Returns whether to read from the transport: `true` until [`receive_eof`](Self::receive_eof).
    ///
    /// ```
    /// use std::io::{self, Read};
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// # let (mut stream, mut buffer) = (io::empty(), [0; 4096]);
    /// if conn.wants_read() && stream.read(&mut buffer)? == 0 {
    ///     conn.receive_eof();
    /// }
    /// assert!(!conn.wants_read());
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn wants_read(&self) -> bool {
        !self.receiver.is_at_eof()
    }

    /// Receives everything but the common frame. It is out of line so that the fast path stays small.
    #[inline(never)]
    fn receive_uncommon<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        // Each turn of a caller ends with an empty input.
        let event =
            if input.is_empty() && self.receiver.is_between_messages() { None } else { self.receive_frames(input) };
        if event.is_some() || self.phase.is_open() && !self.on_input_consumed() {
            return event;
        }
        self.receive_any(input)
    }

    /// Receives in whatever phase the connection is.
    fn receive_any<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        loop {
            let phase = mem::discriminant(&self.phase);
            let event = match &mut self.phase {
                Phase::Request(reader) => match receive_request(reader, input, &self.config) {
                    Ok(None) => None,
                    Ok(Some((request, purpose))) => {
                        let is_plain = matches!(purpose, Purpose::Http(_));
                        self.on_request(purpose);
                        Some(if is_plain { Event::HttpRequest(request) } else { Event::Request(request) })
                    }
                    Err(error) => self.fail_handshake(error),
                },
                Phase::AwaitingAnswer(request) => match request.buffer_early_data(input, &self.config) {
                    Ok(()) => None,
                    Err(error) => self.fail_handshake(error),
                },
                Phase::Response(handshake) => match handshake.receive(input, &self.config) {
                    Ok(None) => None,
                    Ok(Some(Outcome::Open(response, negotiated))) => {
                        self.on_open(negotiated, Vec::new());
                        Some(Event::Open(response))
                    }
                    Ok(Some(Outcome::Rejected(response))) => {
                        self.on_rejection(response);
                        None
                    }
                    Err(error) => self.fail_handshake(error),
                },
                Phase::OpenEarlyData { data, .. } => {
                    let data = mem::take(&mut **data);
                    self.receive_early_data(data)
                }
                Phase::Open { .. } => self.receive_frames(input),
                Phase::Closed { last, .. } => {
                    *input = &mut [];
                    match last.as_mut().and_then(|last| last.rejected.take()) {
                        Some(response) => Some(Event::Rejected(response)),
                        None => last.take().map(|last| Event::Closed(last.closed)),
                    }
                }
            };
            // If there is no event, either the phase has changed or the input is consumed.
            let is_consumed = event.is_none() && mem::discriminant(&self.phase) == phase;
            if event.is_some() || is_consumed && !self.on_input_consumed() {
                return event;
            }
        }
    }

    /// Applies the end of the transport or a deadline, once all input received before it has been consumed. Returns
    /// whether that ended the connection.
    fn on_input_consumed(&mut self) -> bool {
        if self.receiver.is_at_eof() && !matches!(self.phase, Phase::AwaitingAnswer(_) | Phase::Closed { .. }) {
            self.fail(Cause::Eof);
            return true;
        }
        let Some(deadline) = self.timers.input_consumed() else {
            return false;
        };
        let was_closed = self.phase.is_closed();
        self.on_deadline(deadline);
        self.phase.is_closed() && !was_closed
    }

    #[inline(always)]
    fn receive_frames<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        let lent = self.scratch.as_mut().map(|scratch| scratch.for_receiver());
        match self.receiver.receive(input, Context { config: &self.config, lent }) {
            Ok(Some(Received::Text(text))) => Some(Event::Text(text)),
            Ok(Some(Received::Binary(data))) => Some(Event::Binary(data)),
            Ok(Some(Received::Chunk(chunk))) => Some(Event::Chunk(chunk)),
            Ok(Some(Received::Ping(payload))) => {
                // RFC 6455 section 5.5.2. Nothing is sent after our Close frame: the peer would discard it (section
                // 1.4).
                if self.config.auto_pong && self.close_sent().is_none() {
                    let (sender, output) = self.sending();
                    sender.answer_ping(output, &payload);
                }
                Some(Event::Ping(payload))
            }
            Ok(Some(Received::Pong(payload))) => {
                if self.timers.pong_received(&payload) {
                    self.receive_after_pong(input)
                } else {
                    Some(Event::Pong(payload))
                }
            }
            Ok(Some(Received::Close(frame))) => {
                self.on_close_frame(frame);
                None
            }
            Ok(None) => None,
            Err(error) => {
                self.fail(Cause::Protocol(error));
                None
            }
        }
    }

    /// Receives the frames after a pong to the keepalive's ping. There is at most one such pong at a time.
    #[cold]
    fn receive_after_pong<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        self.receive_frames(input)
    }

    /// Receives the frames that arrived before the request was accepted, until they are consumed.
    fn receive_early_data(&mut self, mut data: EarlyData) -> Option<Event<'static>> {
        let mut rest = part_mut(&mut data.bytes, data.start..);
        let event = self.receive_frames(&mut rest).map(Event::into_owned);
        let left = rest.len();
        data.start = data.bytes.len() - left;
        if let Phase::OpenEarlyData { data: kept, close_sent } = &mut self.phase {
            if event.is_some() {
                **kept = data;
            } else {
                let close_sent = *close_sent;
                self.on_early_data_consumed(close_sent);
            }
        }
        event
    }

    fn fail_handshake<'b>(&mut self, error: HandshakeError) -> Option<Event<'b>> {
        self.fail(Cause::Handshake(error));
        None
    }
}
