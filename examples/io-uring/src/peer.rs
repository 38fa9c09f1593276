//! A connection without its socket: it turns received bytes into events, and answers events.

use std::time::Duration;

use websocket_proto::{CloseCode, Connection, Event, Message, PreparedMessage, Scratch, State, server};

const PAGE: &str = include_str!("../../chat/src/chat.html");

/// With this much pending output, nothing more is received: the peer has to read its answers first.
pub const HIGH_WATER: usize = 256 << 10;

pub struct Peer {
    pub conn: Connection,
    pub is_in_chat: bool,
}

/// State that the peers of a server share.
pub struct Shared {
    /// Everything that had arrived at this time is handled in this turn, or in a later one.
    pub now: Duration,
    pub scratch: Option<Scratch>,
    /// Messages for everybody in the chat.
    pub said: Vec<Message>,
}

impl Peer {
    pub fn new(mut conn: Connection, now: Duration) -> Self {
        conn.advance_time(now);
        Self { conn, is_in_chat: false }
    }

    /// Receives bytes, which the connection unmasks in the kernel's buffer.
    pub fn receive(&mut self, bytes: &mut [u8], shared: &mut Shared) {
        self.advance_time(shared.now);
        self.handle_events(bytes, shared);
    }

    pub fn receive_eof(&mut self, shared: &mut Shared) {
        self.conn.receive_eof();
        self.handle_events(&mut [], shared);
    }

    /// A deadline has passed, and nothing that arrived before waits any more.
    pub fn act_on_deadline(&mut self, shared: &mut Shared) {
        self.conn.advance_time(shared.now);
        self.handle_events(&mut [], shared);
    }

    /// Sends another peer's message. A peer that doesn't keep up is disconnected.
    pub fn push(&mut self, message: &PreparedMessage, now: Duration) {
        if self.conn.pending_output() > HIGH_WATER {
            self.advance_time(now);
            let _ = self.conn.close(CloseCode::TRY_AGAIN_LATER, "too slow");
        } else {
            let _ = self.conn.send_prepared(message);
        }
    }

    /// Closes the connection, because the server is stopping.
    pub fn say_goodbye(&mut self, now: Duration) {
        match self.conn.state() {
            State::Connecting => self.conn.abort(),
            State::Open => {
                self.advance_time(now);
                let _ = self.conn.close(CloseCode::GOING_AWAY, "");
            }
            State::Closing | State::Closed => {}
        }
    }

    pub fn next_timeout(&self) -> Option<Duration> {
        self.conn.next_timeout()
    }

    /// Sets the time, unless a deadline has passed. That waits for `act_on_deadline`: more bytes may have arrived
    /// before it.
    fn advance_time(&mut self, now: Duration) {
        if self.next_timeout().is_none_or(|at| at > now) {
            self.conn.advance_time(now);
        }
    }

    fn handle_events(&mut self, mut input: &mut [u8], shared: &mut Shared) {
        if let Some(scratch) = shared.scratch.take() {
            self.conn.attach_scratch(scratch);
        }
        while let Some(event) = self.conn.receive(&mut input) {
            self.handle(event, &mut shared.said);
        }
        shared.scratch = self.conn.detach_scratch();
    }

    fn handle(&mut self, event: Event<'_>, said: &mut Vec<Message>) {
        let conn = &mut self.conn;
        let answered = match event {
            Event::Request(request) => {
                self.is_in_chat = request.path() == "/chat";
                respond(conn, &request)
            }
            Event::HttpRequest(request) => serve_page(conn, &request),
            Event::Text(text) if self.is_in_chat => {
                said.push(text.into());
                true
            }
            Event::Binary(data) if self.is_in_chat => {
                said.push(data.into());
                true
            }
            Event::Text(text) => {
                let sent = conn.send_text(&text).is_ok();
                conn.recycle(text);
                sent
            }
            Event::Binary(data) => {
                let sent = conn.send_binary(&data).is_ok();
                conn.recycle(data);
                sent
            }
            _ => true,
        };
        // The peer doesn't read, or its request can't be accepted. After our Close frame, it expects no answer.
        if !answered && conn.state() != State::Closing {
            conn.abort();
        }
    }
}

/// Accepts a request, unless it is one for the chat from a page of another site.
fn respond(conn: &mut Connection, request: &server::Request) -> bool {
    match request.check_same_origin() {
        Err(rejection) if request.path() == "/chat" => conn.reject(rejection).is_ok(),
        _ => conn.accept(server::Response::new().subprotocol(request.select_subprotocol(&["chat", "echo"]))).is_ok(),
    }
}

fn serve_page(conn: &mut Connection, request: &server::Request) -> bool {
    // Everything else is left to the connection, which answers 405 or 426.
    request.path() != "/" || !matches!(request.method(), "GET" | "HEAD") || {
        let page = server::Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE);
        conn.reject(page).is_ok()
    }
}
