//! A connection without its socket: what arrived is handled, what a completion means is noted. What to do next is decided
//! in `next.rs`, once all that was completed by now has been told.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes};
use websocket_proto::{CloseCode, Connection, Event, Message, PreparedMessage, Rejection, Request, Response, Scratch};

use crate::next::{HIGH_WATER, Stage};
use crate::ops::Input;

const PAGE: &str = include_str!("../../chat.html");

pub struct Peer {
    pub conn: Connection,
    /// Whether it is in the chat.
    pub chats: bool,
    pub stage: Stage,
    pub receiving: Receiving,
    /// Whether it sends no more.
    pub has_ended: bool,
    /// How much is in the kernel's hands.
    pub in_flight: usize,
    /// What of that is to be sent again, since the socket didn't take it all.
    pub unsent: Option<Bytes>,
    /// The nearest deadline that is in the heap.
    pub scheduled: Option<Duration>,
    /// Whether what to do next is to be decided.
    pub touched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiving {
    No,
    Yes,
    /// It is told to stop, and hasn't yet.
    Stopping,
}

/// What the peers of a server share.
pub struct Shared {
    pub now: Duration,
    pub scratch: Option<Box<Scratch>>,
    /// What is to be said to the chat.
    pub said: Vec<Message>,
}

impl Peer {
    pub fn new(conn: Connection) -> Self {
        Self {
            conn,
            chats: false,
            stage: Stage::Serving,
            receiving: Receiving::No,
            has_ended: false,
            in_flight: 0,
            unsent: None,
            scheduled: None,
            touched: false,
        }
    }

    /// What a completion has received: the connection unmasks it where it lies.
    pub fn received(&mut self, input: Input<'_>, more: bool, shared: &mut Shared) {
        if !more {
            self.receiving = Receiving::No;
        }
        match input {
            Input::Bytes(bytes) => self.turn(bytes, shared),
            Input::Nothing => {}
            Input::End => {
                self.has_ended = true;
                self.conn.receive_eof();
                self.turn(&mut [], shared);
            }
            Input::Lost => {
                self.has_ended = true;
                self.conn.abort();
                self.turn(&mut [], shared);
            }
        }
    }

    /// What a completion has sent: all of it, most of the time.
    pub fn sent(&mut self, mut bytes: Bytes, sent: io::Result<usize>, shared: &mut Shared) {
        self.in_flight = 0;
        match sent {
            Ok(sent) => {
                bytes.advance(sent);
                if bytes.has_remaining() {
                    self.unsent = Some(bytes);
                } else {
                    self.reuse(bytes, shared);
                }
            }
            Err(_) => self.conn.abort(),
        }
        // A deadline may have waited for it.
        self.turn(&mut [], shared);
    }

    /// Handles what arrived, deadlines that have passed, and whatever else the connection has to tell.
    pub fn turn(&mut self, mut input: &mut [u8], shared: &mut Shared) {
        // What comes after the end isn't of interest any more.
        if self.stage == Stage::Serving {
            self.lend(shared);
            self.conn.advance_time(shared.now);
            while let Some(event) = self.conn.receive(&mut input) {
                handle(&mut self.conn, &mut self.chats, &mut shared.said, event);
            }
            shared.scratch = self.conn.release();
        }
    }

    /// Sends to this peer what another said; one that doesn't keep up is let go.
    pub fn push(&mut self, message: &PreparedMessage) {
        if self.pending() > HIGH_WATER {
            let _ = self.conn.close(CloseCode::TRY_AGAIN_LATER, "too slow");
        } else {
            let _ = self.conn.send_prepared(message);
        }
    }

    /// How many bytes the peer hasn't taken yet.
    pub fn pending(&self) -> usize {
        self.conn.pending_output() + self.in_flight
    }

    /// Keeps the buffer of what was sent for what is sent next, unless others still send from it.
    fn reuse(&mut self, bytes: Bytes, shared: &mut Shared) {
        if bytes.is_unique() {
            self.lend(shared);
            self.conn.give_back(Vec::from(bytes));
            shared.scratch = self.conn.release();
        }
    }

    fn lend(&mut self, shared: &mut Shared) {
        if let Some(scratch) = shared.scratch.take() {
            self.conn.lend(scratch);
        }
    }
}

fn handle(conn: &mut Connection, chats: &mut bool, said: &mut Vec<Message>, event: Event<'_>) {
    let done = match event {
        Event::Request(request) => {
            *chats = request.path() == "/chat";
            let response = Response::new().subprotocol(request.choose(&["chat", "echo"]));
            conn.accept(response).is_ok()
        }
        Event::HttpRequest(request) => serve_page(conn, &request),
        Event::Text(text) if *chats => {
            said.push(text.into());
            true
        }
        Event::Binary(data) if *chats => {
            said.push(data.into());
            true
        }
        Event::Text(text) => {
            let done = conn.send_text(&text).is_ok();
            conn.give_back(text);
            done
        }
        Event::Binary(data) => {
            let done = conn.send_binary(&data).is_ok();
            conn.give_back(data);
            done
        }
        _ => true,
    };
    // An answer that can't be sent is one that the peer doesn't wait for, or that it doesn't read.
    if !done {
        conn.abort();
    }
}

fn serve_page(conn: &mut Connection, request: &Request) -> bool {
    // Any other path is left to the connection, which answers 426.
    request.path() != "/" || {
        let page = Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE);
        conn.reject(page).is_ok()
    }
}
