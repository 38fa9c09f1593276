//! The connection: the only place where the receiving and the sending half meet.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use bytes::Buf;

use crate::close::{CloseCode, CloseFrame};
use crate::config::{Config, Role, Seed};
use crate::error::{AcceptError, HandshakeError, ProtocolError, RequestError, SendError};
use crate::event::{Cause, Closed, Deadline, Event};
use crate::frame::{MAX_CONTROL_PAYLOAD, OpCode};
use crate::handshake::{
    ClientHandshake, ClientRequest, HandshakeResponse, HeadReader, Negotiated, Outcome, Rejection, Response, Upgrade,
    read_request,
};
use crate::receive::{Received, Receiver};
use crate::send::{Kind, MaskKeys, Message, Output, Sender};
use crate::timers::{Expired, Timer, Timers};

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
    /// What an opening handshake needs, and what waits behind it.
    handshake: Option<Box<Handshake>>,
    negotiated: Option<Box<Negotiated>>,
    /// The last event, until it is delivered.
    closed: Option<Box<Closed>>,
    role: Role,
    phase: Phase,
    /// The code of the Close frame that we sent first.
    close_sent: Option<CloseCode>,
    ending: Ending,
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

/// What stays to be done with the transport once the connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Nothing yet: it isn't over.
    Open,
    /// A client lets the server close first (RFC 6455 7.1.1).
    AwaitEof,
    Finish,
    Abort,
}

#[derive(Debug)]
enum Handshake {
    Request(HeadReader),
    /// Without an upgrade, the request was plain HTTP.
    Answer {
        upgrade: Option<Upgrade>,
        kept: Vec<u8>,
    },
    Replay {
        kept: Vec<u8>,
        start: usize,
        /// The transport ended behind them.
        eof: bool,
    },
    Response(ClientHandshake),
    /// To be delivered.
    Rejected(Box<HandshakeResponse>),
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

/// How to shut the transport down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shutdown {
    /// Shut down the writing side, read and discard until the peer does the same (for a bounded time), then close, so
    /// that no reset overtakes the last bytes.
    Finish,
    /// Close at once.
    Abort,
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
        let (head, handshake) = ClientHandshake::new(request, keys.nonce())?;
        let mut this = Self::new(config.into(), Role::Client, Some(keys), Phase::Response);
        this.output.extend(head.as_bytes());
        this.handshake = Some(Box::new(Handshake::Response(handshake)));
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
        let peer = match role {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        let timer = if phase == Phase::Frames { Timer::Idle } else { Timer::Opening };
        Self {
            receiver: Receiver::new(peer),
            sender: Sender::new(keys),
            output: Output::new(config.max_pending_output),
            timers: Timers::new(timer),
            handshake: None,
            negotiated: None,
            closed: None,
            role,
            phase,
            close_sent: None,
            ending: Ending::Open,
            config,
        }
    }

    fn negotiated(mut self, negotiated: Negotiated) -> Self {
        self.negotiated = negotiated.boxed();
        self
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
        if self.phase == Phase::Frames {
            if let Some(event) = self.receive_frames(input) {
                return Some(event);
            }
            if self.phase == Phase::Frames {
                return None;
            }
        }
        self.receive_around(input)
    }

    /// The transport has ended: nothing more will arrive. Call [`receive`](Self::receive) behind it for the events.
    pub fn receive_eof(&mut self) {
        if let Some(Handshake::Replay { eof, .. }) = self.handshake.as_deref_mut() {
            *eof = true;
        } else if self.phase != Phase::Over {
            if self.phase != Phase::Response {
                self.end(Closed::abnormal(Cause::Eof), Ending::Finish);
            } else if !self.refusal_ends() {
                // What is left of the request is of no use to a server that has gone.
                self.output.clear();
                self.end(Closed::abnormal(Cause::Eof), Ending::Abort);
            }
        } else if self.ending == Ending::AwaitEof {
            self.ending = Ending::Finish;
        }
    }

    /// Tells what time it is, since an epoch of the caller's choice. Deadlines are armed and fire here and nowhere else;
    /// whoever never calls it has none. Call it once in every turn of the loop, before [`receive`](Self::receive),
    /// and at the latest when [`next_timeout`](Self::next_timeout) has passed. Time never runs backwards: an earlier
    /// `now` than before counts as the same.
    pub fn advance_time(&mut self, now: Duration) {
        match self.timers.advance(now, &self.config) {
            None => {}
            Some(Expired::Opening) => self.opening_expired(),
            Some(Expired::Idle(payload)) => {
                if self.state() == State::Open && !self.output.is_full() {
                    self.sender.control(&mut self.output, OpCode::Ping, &payload);
                }
                self.timers.ping_sent(&payload);
            }
            Some(Expired::Keepalive) => self.lose(Deadline::Keepalive),
            Some(Expired::Closing) => self.lose(Deadline::Closing),
        }
    }

    /// When [`advance_time`](Self::advance_time) should be called next, on the caller's clock; `None` for no deadline.
    ///
    /// It changes when a deadline fires or the state changes, not with every frame: received bytes are found out about
    /// when the keepalive fires.
    pub fn next_timeout(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// Accepts the request that waits: the connection is open, and messages may be sent behind the response at once.
    ///
    /// # Errors
    ///
    /// No request waits, it asks for no upgrade, or the response can't be sent; then the request still waits.
    pub fn accept(&mut self, response: Response) -> Result<(), AcceptError> {
        let Some(Handshake::Answer { upgrade, kept }) = self.handshake.as_deref_mut() else {
            return Err(AcceptError::NoRequest);
        };
        let Some(upgrade) = upgrade else {
            return Err(AcceptError::NotWebSocket);
        };
        if response.chosen().is_some_and(|chosen| !upgrade.offers(chosen)) {
            return Err(AcceptError::SubprotocolNotOffered);
        }
        let head = response.encode(&upgrade.accept)?;
        let kept = core::mem::take(kept);
        self.output.extend(head.as_bytes());
        self.negotiated = Negotiated::new().subprotocol(response.chosen()).boxed();
        if kept.is_empty() {
            self.handshake = None;
            self.phase = Phase::Frames;
        } else {
            self.handshake = Some(Box::new(Handshake::Replay { kept, start: 0, eof: false }));
            self.phase = Phase::Replay;
        }
        self.timers.arm(Timer::Idle, &self.config);
        Ok(())
    }

    /// Answers the request that waits with something other than 101; the connection is over with that.
    ///
    /// # Errors
    ///
    /// No request waits, or the answer can't be sent; then the request still waits.
    pub fn reject(&mut self, rejection: Rejection) -> Result<(), AcceptError> {
        if self.phase != Phase::Answer {
            return Err(AcceptError::NoRequest);
        }
        let status = rejection.status();
        self.respond(rejection)?;
        self.end(Closed::abnormal(Cause::Rejected(status)), Ending::Finish);
        Ok(())
    }

    /// Sends a text message.
    ///
    /// # Errors
    ///
    /// The connection isn't open, its output is full, or a fragmented message is unfinished; nothing is sent then.
    #[inline]
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.may_send()?;
        self.sender.message(&mut self.output, Kind::Text, text.as_bytes())
    }

    /// Sends a binary message.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    #[inline]
    pub fn send_binary(&mut self, data: &[u8]) -> Result<(), SendError> {
        self.may_send()?;
        self.sender.message(&mut self.output, Kind::Binary, data)
    }

    /// Sends a message that is handed over: a server chains a large payload into its output instead of copying it.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send(String::from("text"))?;
    /// conn.send(vec![0; 1 << 20])?;
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    pub fn send(&mut self, message: impl Into<Message>) -> Result<(), SendError> {
        self.may_send()?;
        let message = message.into();
        self.sender.owned_message(&mut self.output, message.kind(), message.into_payload())
    }

    /// Sends a fragment of a message (RFC 6455 5.4). The first decides the kind, which the others repeat; the last ends
    /// the message; control frames may be sent in between. Text may be cut anywhere, also inside a character.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text), and text that can't be UTF-8; nothing is sent then, and the message
    /// stands where it stood.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Kind, Negotiated, SendError};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_fragment(Kind::Text, "你好".as_bytes(), false)?;
    /// conn.ping(b"")?;
    /// assert_eq!(conn.send_text("another"), Err(SendError::UnfinishedMessage));
    /// conn.send_fragment(Kind::Text, b"!", true)?;
    /// # Ok::<(), SendError>(())
    /// ```
    pub fn send_fragment(&mut self, kind: Kind, data: &[u8], last: bool) -> Result<(), SendError> {
        self.may_send()?;
        self.sender.fragment(&mut self.output, kind, data, last)
    }

    /// Sends a ping of at most 125 bytes; the answer comes as [`Event::Pong`].
    ///
    /// # Errors
    ///
    /// The connection isn't open, its output is full, or the payload is too long; nothing is sent then.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(OpCode::Ping, payload)?;
        self.timers.ping_sent(payload);
        Ok(())
    }

    /// Sends a pong of at most 125 bytes that no ping asked for, or that
    /// [`auto_pong`](Config::auto_pong) was switched off for.
    ///
    /// # Errors
    ///
    /// As for [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.send_control(OpCode::Pong, payload)
    }

    /// Begins the closing handshake, with a reason of at most 123 bytes. A fragmented message that is unfinished is
    /// abandoned; the peer's messages are delivered until its Close frame comes.
    ///
    /// # Errors
    ///
    /// The connection isn't open, the code may not be sent by this role, or the reason is too long; nothing is sent
    /// then. A full output is no obstacle.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.is_open()?;
        // RFC 6455 7.4.1: 1010 is the client's.
        if !code.may_travel() || self.role == Role::Server && code == CloseCode::MISSING_EXTENSION {
            return Err(SendError::CloseCode);
        }
        if reason.len() > MAX_CONTROL_PAYLOAD - 2 {
            return Err(SendError::ReasonTooLong);
        }
        self.send_close(Some(code), reason);
        self.close_sent = Some(code);
        self.timers.arm(Timer::Closing, &self.config);
        Ok(())
    }

    /// Gives the connection up at once: what is pending is dropped, and the transport is to be closed.
    pub fn abort(&mut self) {
        self.output.clear();
        if self.phase == Phase::Over {
            self.ending = Ending::Abort;
        } else {
            self.end(Closed::abnormal(Cause::Aborted), Ending::Abort);
        }
        self.timers.arm(Timer::Off, &self.config);
    }

    /// The bytes to send. Write them in every turn of the loop, also after [`Event::Closed`].
    #[inline]
    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Whether and how the transport is to be shut down. `None` as long as output is pending or the peer has something
    /// left to do: go on reading and writing then.
    pub fn wants_shutdown(&self) -> Option<Shutdown> {
        match self.ending {
            Ending::Open | Ending::AwaitEof => None,
            Ending::Finish => (!self.output.has_remaining()).then_some(Shutdown::Finish),
            Ending::Abort => Some(Shutdown::Abort),
        }
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
        self.negotiated.as_ref()?.subprotocol.as_deref()
    }

    /// Which side of the connection this is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// How long the answer to the last answered ping took, on the clock of [`advance_time`](Self::advance_time).
    pub fn round_trip(&self) -> Option<Duration> {
        self.timers.round_trip()
    }

    #[inline]
    fn receive_frames<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        match self.receiver.receive(input, &self.config) {
            Ok(Some(Received::Text(text))) => Some(Event::Text(text)),
            Ok(Some(Received::Binary(data))) => Some(Event::Binary(data)),
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

    /// Everything but frames from the input: the handshake, what was kept behind it, and what comes after the end.
    fn receive_around<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        loop {
            match self.phase {
                Phase::Request => match self.receive_request(input) {
                    Ok(event) => return event,
                    Err(error) => self.refuse(error),
                },
                Phase::Answer => match self.keep(input) {
                    Ok(()) => return None,
                    Err(error) => self.refuse(error),
                },
                Phase::Response => match self.receive_response(input) {
                    Ok(Some(event)) => return Some(event),
                    Ok(None) if self.phase == Phase::Response => return None,
                    Ok(None) => {}
                    Err(error) => {
                        self.end(Closed::abnormal(Cause::Handshake(error)), Ending::Abort);
                    }
                },
                Phase::Replay => {
                    if let Some(event) = self.replay() {
                        return Some(event);
                    }
                }
                Phase::Frames => {
                    if let Some(event) = self.receive_frames(input) {
                        return Some(event);
                    }
                    if self.phase == Phase::Frames {
                        return None;
                    }
                }
                Phase::Over => {
                    *input = &mut [];
                    if let Some(Handshake::Rejected(response)) = self.handshake.take().map(|boxed| *boxed) {
                        return Some(Event::Rejected(response));
                    }
                    return self.closed.take().map(Event::Closed);
                }
            }
        }
    }

    fn receive_request<'b>(&mut self, input: &mut &'b mut [u8]) -> Result<Option<Event<'b>>, HandshakeError> {
        if input.is_empty() {
            return Ok(None);
        }
        let handshake = self.handshake.get_or_insert_with(|| Box::new(Handshake::Request(HeadReader::default())));
        let Handshake::Request(reader) = &mut **handshake else {
            return Ok(None);
        };
        let Some(head) = reader.read(input, &self.config)? else {
            return Ok(None);
        };
        let (request, upgrade) = read_request(head)?;
        let request = Box::new(request);
        let event = if upgrade.is_some() { Event::Request(request) } else { Event::HttpRequest(request) };
        **handshake = Handshake::Answer { upgrade, kept: Vec::new() };
        self.phase = Phase::Answer;
        Ok(Some(event))
    }

    /// Keeps what comes behind a request until it is answered. Plain HTTP isn't waited for.
    fn keep(&mut self, input: &mut &mut [u8]) -> Result<(), HandshakeError> {
        let Some(Handshake::Answer { upgrade, kept }) = self.handshake.as_deref_mut() else {
            return Ok(());
        };
        if upgrade.is_none() {
            return Err(HandshakeError::NoUpgrade);
        }
        if input.len() > self.config.max_handshake_size - kept.len() {
            return Err(HandshakeError::EarlyData);
        }
        kept.extend_from_slice(input);
        *input = &mut [];
        Ok(())
    }

    /// Events of what was kept; when it is used up, what arrived is next.
    fn replay(&mut self) -> Option<Event<'static>> {
        let Some(mut handshake) = self.handshake.take() else {
            self.phase = Phase::Frames;
            return None;
        };
        let Handshake::Replay { kept, start, eof } = &mut *handshake else {
            self.phase = Phase::Frames;
            return None;
        };
        let mut rest = &mut kept[*start..];
        let before = rest.len();
        let event = self.receive_frames(&mut rest).map(Event::into_owned);
        *start += before - rest.len();
        if self.phase == Phase::Replay {
            if event.is_some() {
                self.handshake = Some(handshake);
            } else {
                self.phase = Phase::Frames;
                if *eof {
                    self.end(Closed::abnormal(Cause::Eof), Ending::Finish);
                }
            }
        }
        event
    }

    fn receive_response<'b>(&mut self, input: &mut &'b mut [u8]) -> Result<Option<Event<'b>>, HandshakeError> {
        let Some(Handshake::Response(handshake)) = self.handshake.as_deref_mut() else {
            return Ok(None);
        };
        match handshake.receive(input, &self.config)? {
            None => Ok(None),
            Some(Outcome::Open(response)) => {
                self.handshake = None;
                let subprotocol = response.header("Sec-WebSocket-Protocol");
                self.negotiated = Negotiated::new().subprotocol(subprotocol).boxed();
                self.phase = Phase::Frames;
                self.timers.arm(Timer::Idle, &self.config);
                Ok(Some(Event::Open(response)))
            }
            Some(Outcome::Rejected(response)) => {
                self.rejected(response);
                Ok(None)
            }
        }
    }

    fn rejected(&mut self, response: Box<HandshakeResponse>) {
        let cause = Cause::Rejected(response.status());
        self.end(Closed::abnormal(cause), Ending::Abort);
        self.handshake = Some(Box::new(Handshake::Rejected(response)));
    }

    /// The end of the transport, or a deadline, may be the end of a refusal's body.
    fn refusal_ends(&mut self) -> bool {
        let Some(Handshake::Response(handshake)) = self.handshake.as_deref_mut() else {
            return false;
        };
        let refusal = handshake.give_up();
        let ends = refusal.is_some();
        if let Some(response) = refusal {
            self.rejected(response);
        }
        ends
    }

    /// Answers a malformed request with its status and one line.
    fn refuse(&mut self, error: HandshakeError) {
        let sent = self.respond(Rejection::from(error));
        debug_assert!(sent.is_ok(), "our own answers can be sent");
        self.end(Closed::abnormal(Cause::Handshake(error)), Ending::Finish);
    }

    fn respond(&mut self, rejection: Rejection) -> Result<(), AcceptError> {
        let (head, body) = rejection.encode()?;
        self.output.extend(head.as_bytes());
        self.output.attach(body);
        Ok(())
    }

    fn opening_expired(&mut self) {
        if self.phase == Phase::Response {
            if !self.refusal_ends() {
                self.lose(Deadline::Opening);
            }
            return;
        }
        let mut ending = Ending::Abort;
        if self.handshake.is_some() {
            // The client was too slow, or our own side was.
            let status = if self.phase == Phase::Answer { 503 } else { 408 };
            let sent = self.respond(Rejection::new(status).body(LATE));
            debug_assert!(sent.is_ok(), "our own answers can be sent");
            ending = Ending::Finish;
        }
        self.end(Closed::abnormal(Cause::Timeout(Deadline::Opening)), ending);
    }

    /// A deadline passed that leaves nothing to say.
    fn lose(&mut self, deadline: Deadline) {
        if self.phase == Phase::Over {
            // The last bytes weren't taken, or the server didn't close: what was to be told is told.
            self.output.clear();
            self.ending = Ending::Abort;
            return;
        }
        self.output.clear();
        self.end(Closed::abnormal(Cause::Timeout(deadline)), Ending::Abort);
    }

    /// RFC 6455 7.1.7: fails the connection, with a Close frame that says why.
    #[cold]
    fn violated(&mut self, error: ProtocolError) {
        if self.close_sent.is_none() {
            self.send_close(Some(error.close_code()), "");
        }
        self.end(Closed::abnormal(Cause::Protocol(error)), Ending::Finish);
    }

    /// RFC 6455 5.5.1: answers a Close frame with its own code, unless it is the answer to ours.
    fn close_received(&mut self, frame: CloseFrame) {
        let cause = match self.close_sent {
            Some(code) => Cause::Local(code),
            None => {
                self.send_close(frame.code, "");
                Cause::Peer
            }
        };
        let closed =
            Closed { code: frame.code.unwrap_or(CloseCode::NO_STATUS), reason: frame.reason, clean: true, cause };
        // RFC 6455 7.1.1: the server closes TCP first.
        let ending = match self.role {
            Role::Server => Ending::Finish,
            Role::Client => Ending::AwaitEof,
        };
        self.end(closed, ending);
    }

    /// Queues a Close frame, the last frame that we send.
    fn send_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let mut body = [0; MAX_CONTROL_PAYLOAD];
        let mut length = 0;
        if let Some(code) = code {
            length = 2 + reason.len();
            body[..2].copy_from_slice(&code.get().to_be_bytes());
            body[2..length].copy_from_slice(reason.as_bytes());
        }
        self.output.drop_pong();
        self.sender.control(&mut self.output, OpCode::Close, &body[..length]);
    }

    /// The connection is over; what is in the output may still go out, for as long as a closing handshake may take.
    fn end(&mut self, closed: Closed, ending: Ending) {
        self.phase = Phase::Over;
        self.ending = ending;
        self.handshake = None;
        self.closed = Some(Box::new(closed));
        self.output.drop_pong();
        self.timers.arm(if ending == Ending::Abort { Timer::Off } else { Timer::Closing }, &self.config);
    }

    fn send_control(&mut self, opcode: OpCode, payload: &[u8]) -> Result<(), SendError> {
        self.is_open()?;
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong);
        }
        if self.output.is_full() {
            return Err(SendError::OutputFull);
        }
        self.sender.control(&mut self.output, opcode, payload);
        Ok(())
    }

    #[inline]
    fn may_send(&self) -> Result<(), SendError> {
        self.is_open()?;
        if self.output.is_full() { Err(SendError::OutputFull) } else { Ok(()) }
    }

    #[inline]
    fn is_open(&self) -> Result<(), SendError> {
        match self.state() {
            State::Open => Ok(()),
            State::Connecting => Err(SendError::Connecting),
            State::Closing | State::Closed => Err(SendError::Closed),
        }
    }
}

/// What is said when the deadline of the opening handshake has passed.
const LATE: &str = "the opening handshake took too long\n";

const _: () = {
    const fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Connection>();
    is_send_and_sync::<Event<'static>>();
    assert!(size_of::<Connection>() <= 256);
    assert!(size_of::<Event<'static>>() <= 32);
};
