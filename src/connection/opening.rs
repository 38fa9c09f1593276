//! The opening handshake as a connection goes through it: what is collected, what waits, what is answered.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::closing::Ending;
use super::{Connection, Phase};
use crate::error::{AcceptError, HandshakeError};
use crate::event::{Cause, Closed, Deadline, Event};
use crate::handshake::{
    ClientHandshake, HandshakeResponse, HeadReader, Outcome, Rejection, Response, Upgrade, read_request,
};
use crate::timers::Timer;

/// What a connection needs before and after the time of its frames.
#[derive(Debug)]
pub(super) enum Around {
    /// A request whose head came in part.
    Request(HeadReader),
    /// Without an upgrade, the request was plain HTTP.
    Answer {
        upgrade: Option<Upgrade>,
        kept: Vec<u8>,
    },
    Replay {
        kept: Vec<u8>,
        start: usize,
    },
    Response(ClientHandshake),
    /// The last events, to be delivered: why a client was refused, and that it is over.
    End {
        refusal: Option<Box<HandshakeResponse>>,
        closed: Box<Closed>,
    },
}

/// What is said when the deadline of the opening handshake has passed.
const LATE: &str = "the opening handshake took too long\n";

/// The answer to a request that waits: a server's part of the opening handshake.
impl Connection {
    /// Accepts the request that waits: the connection is open, and messages may be sent behind the response at once.
    ///
    /// # Errors
    ///
    /// No request waits, it asks for no upgrade, or the response can't be sent; then the request still waits.
    pub fn accept(&mut self, response: Response) -> Result<(), AcceptError> {
        let Some(Around::Answer { upgrade, kept }) = self.around.as_deref_mut() else {
            return Err(AcceptError::NoRequest);
        };
        let Some(upgrade) = upgrade else {
            return Err(AcceptError::NotWebSocket);
        };
        let accept = upgrade.check(&response)?;
        response.encode(accept.as_ref(), upgrade.extensions().as_deref(), self.output.tail())?;
        let negotiated = upgrade.negotiated(&response);
        let kept = core::mem::take(kept);
        self.agree(negotiated);
        if kept.is_empty() {
            self.around = None;
            self.phase = Phase::Frames;
        } else {
            self.around = Some(Box::new(Around::Replay { kept, start: 0 }));
            self.phase = Phase::Replay;
        }
        self.opened();
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

    pub(super) fn receive_request<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, HandshakeError> {
        if input.is_empty() {
            return Ok(None);
        }
        let mut new = HeadReader::default();
        let reader = match self.around.as_deref_mut() {
            Some(Around::Request(begun)) => begun,
            _ => &mut new,
        };
        if !reader.read(input, &self.config)? {
            self.around.get_or_insert_with(|| Box::new(Around::Request(new)));
            return Ok(None);
        }
        let (request, upgrade) = read_request(reader.take(), &self.config)?;
        let event = if upgrade.is_some() { Event::Request(request) } else { Event::HttpRequest(request) };
        self.around = Some(Box::new(Around::Answer { upgrade, kept: Vec::new() }));
        self.phase = Phase::Answer;
        Ok(Some(event))
    }

    /// Keeps what comes behind a request until it is answered. Plain HTTP isn't waited for.
    pub(super) fn keep(&mut self, input: &mut &mut [u8]) -> Result<(), HandshakeError> {
        let Some(Around::Answer { upgrade, kept }) = self.around.as_deref_mut() else {
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

    /// The next event of what was kept; none when it is used up.
    pub(super) fn replay(&mut self) -> Option<Event<'static>> {
        let mut around = self.around.take()?;
        let Around::Replay { kept, start } = &mut *around else {
            return None;
        };
        let mut rest = &mut kept[*start..];
        let before = rest.len();
        let event = self.receive_frames(&mut rest).map(Event::into_owned);
        *start += before - rest.len();
        if event.is_some() && self.phase == Phase::Replay {
            self.around = Some(around);
        }
        event
    }

    pub(super) fn receive_response<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, HandshakeError> {
        let Some(Around::Response(handshake)) = self.around.as_deref_mut() else {
            return Ok(None);
        };
        match handshake.receive(input, &self.config)? {
            None => Ok(None),
            Some(Outcome::Open(response, negotiated)) => {
                self.around = None;
                self.agree(negotiated);
                self.phase = Phase::Frames;
                self.opened();
                Ok(Some(Event::Open(response)))
            }
            Some(Outcome::Rejected(response)) => {
                self.rejected(response);
                Ok(None)
            }
        }
    }

    /// The opening handshake is done, and in time.
    fn opened(&mut self) {
        self.due = None;
        self.timers.arm(Timer::Idle, &self.config);
    }

    pub(super) fn rejected(&mut self, response: Box<HandshakeResponse>) {
        let cause = Cause::Rejected(response.status());
        self.end(Closed::abnormal(cause), Ending::Abort);
        if let Some(Around::End { refusal, .. }) = self.around.as_deref_mut() {
            *refusal = Some(response);
        }
    }

    /// The end of the transport, or a deadline, may be the end of a refusal's body.
    pub(super) fn refusal_ends(&mut self) -> bool {
        let Some(Around::Response(handshake)) = self.around.as_deref_mut() else {
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
    pub(super) fn refuse(&mut self, error: HandshakeError) {
        let sent = self.respond(Rejection::from(error));
        debug_assert!(sent.is_ok(), "our own answers can be sent");
        self.end(Closed::abnormal(Cause::Handshake(error)), Ending::Finish);
    }

    pub(super) fn respond(&mut self, rejection: Rejection) -> Result<(), AcceptError> {
        let (head, body) = rejection.encode()?;
        self.output.extend(head.as_bytes());
        self.output.attach(body);
        Ok(())
    }

    pub(super) fn opening_expired(&mut self) {
        if self.phase == Phase::Response {
            if !self.refusal_ends() {
                self.end(Closed::abnormal(Cause::Timeout(Deadline::Opening)), Ending::Abort);
            }
            return;
        }
        let mut ending = Ending::Abort;
        if self.around.is_some() {
            // The client was too slow, or our own side was.
            let status = if self.phase == Phase::Answer { 503 } else { 408 };
            let sent = self.respond(Rejection::new(status).body(LATE));
            debug_assert!(sent.is_ok(), "our own answers can be sent");
            ending = Ending::Finish;
        }
        self.end(Closed::abnormal(Cause::Timeout(Deadline::Opening)), ending);
    }
}
