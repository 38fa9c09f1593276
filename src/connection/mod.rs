//! The connection: the only place where the receiving and the sending half meet.

mod closing;
mod lending;
mod opening;
mod reading;
mod sending;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use bytes::Buf;

use crate::close::CloseCode;
use crate::config::{Config, Role, Seed};
#[cfg(feature = "deflate")]
use crate::deflate::DeflateParams;
use crate::error::{ProtocolError, RequestError};
use crate::event::{Cause, Closed, Deadline, Event};
use crate::frame::{Kind, OpCode};
use crate::handshake::{ClientHandshake, ClientRequest, Negotiated};
use crate::receive::{Received, Receiver};
use crate::scratch::Scratch;
use crate::send::{MaskKeys, Output, Sender};
use crate::timers::{Expired, Timer, Timers};
use crate::utf8;
use closing::Ending;
pub use closing::Shutdown;
use opening::Around;

/// A WebSocket connection, either role, without its transport.
///
/// There are four kinds of methods:
///
/// - what arrived: [`receive`](Self::receive), [`receive_eof`](Self::receive_eof),
///   [`advance_time`](Self::advance_time); the first answers with events, and is the only source of them;
/// - what to say: [`accept`](Self::accept), [`reject`](Self::reject), [`send_text`](Self::send_text) and its
///   like, [`ping`](Self::ping), [`close`](Self::close), [`abort`](Self::abort); what the caller does wrong is an
///   `Err` that changes nothing;
/// - what to do: [`output`](Self::output), [`next_timeout`](Self::next_timeout),
///   [`wants_shutdown`](Self::wants_shutdown);
/// - how it stands: [`state`](Self::state), [`subprotocol`](Self::subprotocol), [`round_trip`](Self::round_trip).
///
/// Every method may be called in every state.
///
/// ```
/// use bytes::Buf;
/// use websocket_proto::{Config, Connection, Event, Response};
///
/// let mut conn = Connection::server(Config::new());
/// let mut arrived = *b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
///     \x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
/// let mut input = &mut arrived[..];
/// while let Some(event) = conn.receive(&mut input) {
///     match event {
///         Event::Request(_) => conn.accept(Response::new()).unwrap(),
///         Event::Text(text) => conn.send_text(&text).unwrap(),
///         _ => {}
///     }
/// }
/// assert!(conn.output().chunk().ends_with(b"\r\n\r\n\x81\x05Hello"));
/// ```
#[derive(Debug)]
pub struct Connection {
    config: Arc<Config>,
    receiver: Receiver,
    sender: Sender,
    output: Output,
    timers: Timers,
    /// What an opening handshake needs, what waits behind it, and the last events.
    around: Option<Box<Around>>,
    /// Twice boxed, since most connections have none.
    subprotocol: Option<Box<Box<str>>>,
    /// Lent by the thread that is at work on this connection.
    scratch: Option<Box<Scratch>>,
    role: Role,
    phase: Phase,
    /// The code of the Close frame that we sent first.
    close_sent: Option<CloseCode>,
    ending: Ending,
    /// The transport has ended, or a deadline has passed: that takes effect when all input is taken in, so that no byte
    /// that arrived before is lost.
    eof: bool,
    due: Option<Deadline>,
}

/// What `receive` does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// A server collects the request's head.
    Request,
    /// A request waits for the caller's answer; what comes behind it is kept.
    Answer,
    /// A client collects the response.
    Response,
    /// What was kept behind a request comes before what arrives.
    Replay,
    /// Frames, also after we sent a Close.
    Frames,
    /// Nothing: the connection is over.
    Over,
}

/// Where a connection stands: the `readyState` of a browser's `WebSocket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The opening handshake is under way.
    Connecting,
    /// Messages can be sent and received.
    Open,
    /// We sent a Close frame; the peer may still send messages until its own comes.
    Closing,
    /// Over; the output may still be drained.
    Closed,
}

impl Connection {
    /// A server's end, waiting for a request. It owns no heap memory until bytes come.
    ///
    /// `config` is a [`Config`], or an `Arc` of one that many connections share.
    pub fn server(config: impl Into<Arc<Config>>) -> Self {
        Self::new(config.into(), Role::Server, None, Phase::Request)
    }

    /// A client's end; its request is in the [`output`](Self::output).
    ///
    /// # Errors
    ///
    /// What in `request` can't be sent; then there is no connection, and nothing to send.
    ///
    /// ```
    /// use bytes::Buf;
    /// use websocket_proto::{ClientRequest, Config, Connection, Seed};
    ///
    /// let request = ClientRequest::new("ws://example.com/chat".parse()?);
    /// # #[cfg(feature = "getrandom")]
    /// let mut conn = Connection::client(request, Config::new(), Seed::from_os()?)?;
    /// # #[cfg(feature = "getrandom")]
    /// assert!(conn.output().chunk().starts_with(b"GET /chat HTTP/1.1\r\nHost: example.com\r\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn client(request: ClientRequest, config: impl Into<Arc<Config>>, seed: Seed) -> Result<Self, RequestError> {
        let mut keys = MaskKeys::new(seed);
        let nonce = keys.nonce();
        let mut this = Self::new(config.into(), Role::Client, Some(keys), Phase::Response);
        let handshake = ClientHandshake::new(request, nonce, &this.config, this.output.tail())?;
        this.around = Some(Box::new(Around::Response(handshake)));
        Ok(this)
    }

    /// A server's end whose opening handshake was done elsewhere; it is open.
    pub fn upgraded_server(negotiated: Negotiated, config: impl Into<Arc<Config>>) -> Self {
        Self::new(config.into(), Role::Server, None, Phase::Frames).negotiated(negotiated)
    }

    /// A client's end whose opening handshake was done elsewhere; it is open.
    pub fn upgraded_client(negotiated: Negotiated, config: impl Into<Arc<Config>>, seed: Seed) -> Self {
        Self::new(config.into(), Role::Client, Some(MaskKeys::new(seed)), Phase::Frames).negotiated(negotiated)
    }

    fn new(config: Arc<Config>, role: Role, keys: Option<MaskKeys>, phase: Phase) -> Self {
        let timer = if phase == Phase::Frames { Timer::Idle } else { Timer::Opening };
        Self {
            receiver: Receiver::new(role.peer()),
            sender: Sender::new(keys),
            output: Output::new(config.max_pending_output),
            timers: Timers::new(timer),
            around: None,
            subprotocol: None,
            scratch: None,
            role,
            phase,
            close_sent: None,
            ending: Ending::Open,
            eof: false,
            due: None,
            config,
        }
    }

    fn negotiated(mut self, negotiated: Negotiated) -> Self {
        self.agree(negotiated);
        self
    }

    /// Takes note of what the opening handshake agreed on.
    fn agree(&mut self, negotiated: Negotiated) {
        #[cfg(feature = "deflate")]
        if let Some(params) = negotiated.deflate {
            let (incoming, outgoing) = params.directions(self.role);
            self.receiver.agree(incoming);
            self.sender.agree(outgoing);
        }
        self.subprotocol = negotiated.subprotocol.map(Box::new);
    }

    /// Takes in bytes that arrived and answers with the next event; `None` when all of the input is taken in and
    /// nothing else is to be told. The input is unmasked in place.
    ///
    /// Call it until it answers `None`, also after [`receive_eof`](Self::receive_eof) and
    /// [`advance_time`](Self::advance_time), with an empty input where nothing arrived. Stopping earlier is fine as
    /// long as what is left of `input` is passed again: that is how a receiver holds a sender back.
    ///
    /// What the peer does wrong is no error here: the last event, [`Closed`](Event::Closed), tells of it.
    #[inline]
    pub fn receive<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        if !input.is_empty() {
            self.timers.heard();
        }
        if self.phase != Phase::Frames {
            return self.receive_around(input);
        }
        match self.receiver.glance(input, &self.config) {
            None => self.receive_slowly(input),
            Some((Kind::Binary, payload)) => Some(Event::Binary(Cow::Borrowed(payload))),
            Some((Kind::Text, payload)) => match utf8::check(payload) {
                Ok(text) => Some(Event::Text(Cow::Borrowed(text))),
                Err(_) => {
                    self.violated(ProtocolError::InvalidUtf8);
                    self.receive_around(input)
                }
            },
        }
    }

    /// The transport has ended: nothing more will arrive. Call [`receive`](Self::receive) behind it, first with what is
    /// left of the input, for the events. A request that waits is still to be answered; don't read again meanwhile.
    pub fn receive_eof(&mut self) {
        self.eof = true;
        if self.ending == Ending::AwaitEof {
            self.ending = Ending::Finish;
        }
    }

    /// Tells that nothing is read because the caller holds the peer back, so that the [keepalive](Config::keepalive)
    /// doesn't take the pause for the peer's silence. Call it in every turn of the loop in which that is so, behind
    /// [`advance_time`](Self::advance_time): it counts as if bytes had come.
    ///
    /// ```
    /// use std::time::Duration;
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let second = Duration::from_secs(1);
    /// let config = Config::new().keepalive(30 * second, 10 * second);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), config);
    /// for now in 0..300 {
    ///     conn.advance_time(now * second);
    ///     conn.hold_back();                       // whoever takes what it sends isn't ready yet
    ///     assert!(conn.receive(&mut &mut [][..]).is_none());
    /// }
    /// ```
    pub fn hold_back(&mut self) {
        self.timers.heard();
    }

    /// Tells what time it is, since an epoch of the caller's choice. Deadlines are armed and fire here and nowhere else;
    /// whoever never calls it has none. Call it once in every turn of the loop, before [`receive`](Self::receive),
    /// and at the latest when [`next_timeout`](Self::next_timeout) has passed. Time never runs backwards: an earlier
    /// `now` than before counts as the same.
    ///
    /// A deadline that has passed takes effect in the next `receive`, once that has taken in what arrived (or in the next
    /// `advance_time`, if there was none): a loop that was held up loses nobody whose bytes are in its hands.
    pub fn advance_time(&mut self, now: Duration) {
        // The caller didn't come to the end of the input since it passed.
        if let Some(deadline) = self.due.take() {
            let heard = self.timers.heard_now();
            self.timers.tell(now);
            self.overdue(deadline, heard);
        }
        match self.timers.advance(now, &self.config) {
            None => {}
            Some(Expired::Idle(payload)) => {
                // At most one in an idle time, so a full output is no obstacle. Nothing follows a Close of ours.
                if self.state() == State::Open {
                    self.sender.control(&mut self.output, OpCode::Ping, &payload);
                    self.timers.ping_sent(&payload);
                }
                self.output.take_progress();
            }
            // The ping may still wait behind what the peer takes, however slowly.
            Some(Expired::Keepalive) if self.output.has_remaining() && self.output.take_progress() => {
                self.timers.arm(Timer::Pinged, &self.config);
            }
            Some(Expired::Keepalive) => self.due = Some(Deadline::Keepalive),
            Some(Expired::Opening) => self.due = Some(Deadline::Opening),
            Some(Expired::Closing) if self.phase == Phase::Over => self.give_up(),
            Some(Expired::Closing) => self.due = Some(Deadline::Closing),
        }
    }

    /// When [`advance_time`](Self::advance_time) should be called next, on the caller's clock; `None` for no deadline.
    ///
    /// It changes when a deadline fires or the state changes, not with every frame: received bytes are found out about
    /// when the keepalive fires.
    pub fn next_timeout(&self) -> Option<Duration> {
        if self.due.is_some() { Some(self.timers.now()) } else { self.timers.next() }
    }

    /// The bytes to send. Write them in every turn of the loop, also after [`Event::Closed`].
    #[inline]
    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Request | Phase::Answer | Phase::Response => State::Connecting,
            Phase::Replay | Phase::Frames if self.close_sent.is_some() => State::Closing,
            Phase::Replay | Phase::Frames => State::Open,
            Phase::Over => State::Closed,
        }
    }

    /// The subprotocol agreed on, once the connection is open.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref().map(|subprotocol| &**subprotocol)
    }

    /// What was agreed on for compression, once the connection is open; `None` where messages aren't compressed.
    #[cfg(feature = "deflate")]
    #[cfg_attr(docsrs, doc(cfg(feature = "deflate")))]
    pub fn deflate(&self) -> Option<DeflateParams> {
        Some(DeflateParams::from_directions(self.role, self.receiver.incoming()?, self.sender.outgoing()?))
    }

    /// Which side of the connection this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// How long the answer to the last answered ping took, on the clock of [`advance_time`](Self::advance_time). It is
    /// measured for the newest ping, and right where pings differ in their payload.
    pub fn round_trip(&self) -> Option<Duration> {
        self.timers.round_trip()
    }

    /// What isn't the common frame. The event is made where it is returned, and moved nowhere.
    #[inline(never)]
    fn receive_slowly<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        let mut event = self.receive_frames(input);
        if event.is_none() && self.comes_to_its_end() {
            event = self.receive_around(input);
        }
        event
    }

    #[inline(always)]
    fn receive_frames<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        match self.receiver.receive(input, &self.config, &mut self.scratch) {
            Ok(Some(Received::Text(text))) => Some(Event::Text(text)),
            Ok(Some(Received::Binary(data))) => Some(Event::Binary(data)),
            Ok(Some(Received::Chunk(chunk))) => Some(Event::Chunk(chunk)),
            Ok(Some(Received::Ping(payload))) => {
                // RFC 6455 5.5.2; nothing follows a Close of ours, which the peer would discard (1.4).
                if self.config.auto_pong && self.close_sent.is_none() {
                    self.sender.answer(&mut self.output, &payload);
                }
                Some(Event::Ping(payload))
            }
            Ok(Some(Received::Pong(payload))) => {
                self.timers.pong_received(&payload);
                Some(Event::Pong(payload))
            }
            Ok(Some(Received::Close(frame))) => {
                self.close_received(frame);
                None
            }
            Ok(None) => None,
            Err(error) => {
                self.violated(error);
                None
            }
        }
    }

    /// Everything but frames from the input: the handshake, what was kept behind it, the end, and what comes after that.
    fn receive_around<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        loop {
            let event = match self.phase {
                Phase::Request => match self.receive_request(input) {
                    Ok(event) => event,
                    Err(error) => {
                        self.refuse(error);
                        continue;
                    }
                },
                Phase::Answer => match self.keep(input) {
                    Ok(()) => None,
                    Err(error) => {
                        self.refuse(error);
                        continue;
                    }
                },
                Phase::Response => match self.receive_response(input) {
                    Ok(event) => event,
                    Err(error) => {
                        self.end(Closed::abnormal(Cause::Handshake(error)), Ending::Abort);
                        continue;
                    }
                },
                Phase::Replay => self.replay(),
                Phase::Frames => self.receive_frames(input),
                Phase::Over => {
                    *input = &mut [];
                    return self.last_events();
                }
            };
            // Without an event, the input is used up: unless the phase has changed, that is all there was to be told.
            if event.is_some() || !self.comes_to_its_end() {
                return event;
            }
        }
    }

    /// The end that took effect only now: of the transport, or of the time. Whether there is more to be told.
    fn comes_to_its_end(&mut self) -> bool {
        match self.phase {
            Phase::Over => return true,
            // What was kept is used up; what arrived is next.
            Phase::Replay => {
                self.phase = Phase::Frames;
                return true;
            }
            _ => {}
        }
        if let Some(deadline) = self.due.take() {
            self.overdue(deadline, self.timers.heard_now());
            if self.phase == Phase::Over {
                return true;
            }
        }
        // A request that waits is answered first: the client may have closed its side of the transport only.
        if self.eof && self.phase != Phase::Answer {
            self.lost();
            return true;
        }
        false
    }
}

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Connection>();
    is_send_and_sync::<Event<'static>>();
    assert!(size_of::<Connection>() <= 256);
    assert!(size_of::<Event<'static>>() <= 32);
};
