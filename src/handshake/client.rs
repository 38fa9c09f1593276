//! The opening handshake of a client: its states, and the rules of RFC 6455 section 4.1 for the response.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

use super::accept_key::{self, AcceptKey, Key};
use super::body::BodyReader;
use super::client_request::Request as ClientRequest;
use super::extensions::Offered;
use super::fields::IndexedHeaders;
use super::handshake_response::Response as HandshakeResponse;
use super::head_reader::{HeadReader, LineEnds};
use super::headers::{HeaderName, Headers, Occurrences};
use super::negotiated::Negotiated;
use crate::config::Config;
use crate::error::{HandshakeError, RequestError};
use crate::http_grammar::lists;

/// A client that has sent its request.
#[derive(Debug)]
pub(crate) struct ClientHandshake {
    /// The key that was sent.
    key: Key,
    subprotocols: Vec<String>,
    extensions: Offered,
    stage: Stage,
}

/// The next part of the response.
#[derive(Debug)]
enum Stage {
    Head(HeadReader),
    Body(Box<PartialRejection>),
    /// No part: the outcome was returned, or the handshake failed.
    Done,
}

/// A response other than 101, with its body as far as it has been received.
#[derive(Debug)]
struct PartialRejection {
    response: Box<HandshakeResponse>,
    body: BodyReader,
}

/// The outcome of a handshake whose response is complete.
pub(crate) enum Outcome {
    Open(Box<HandshakeResponse>, Negotiated),
    Rejected(Box<HandshakeResponse>),
}

impl ClientHandshake {
    /// Appends the request to the output.
    pub(crate) fn new(
        request: ClientRequest,
        nonce: [u8; 16],
        config: &Config,
        output: &mut Vec<u8>,
    ) -> Result<Self, RequestError> {
        let key = accept_key::encode_key(nonce);
        let extensions = Offered::new(config);
        request.checked()?.encode(&key, extensions.header().as_deref(), output);
        let stage = Stage::Head(HeadReader::new(LineEnds::CrLfOrLf));
        Ok(Self { key, subprotocols: request.into_subprotocols(), extensions, stage })
    }

    /// Consumes input until the response is complete.
    pub(crate) fn receive(
        &mut self,
        input: &mut &mut [u8],
        config: &Config,
    ) -> Result<Option<Outcome>, HandshakeError> {
        loop {
            match mem::replace(&mut self.stage, Stage::Done) {
                Stage::Head(mut reader) => {
                    let Some(head) = reader.read(input, config)? else {
                        self.stage = Stage::Head(reader);
                        return Ok(None);
                    };
                    let (response, index, version) = HandshakeResponse::parse(head)?;
                    let headers = IndexedHeaders { fields: response.fields(), index: &index };
                    match response.status() {
                        101 => {
                            // RFC 9110 section 7.8: HTTP/1.0 does not support upgrades.
                            if version != 1 {
                                return Err(HandshakeError::HttpVersion);
                            }
                            check_upgrade(&headers, &accept_key::accept_key(&self.key))?;
                            let negotiated = check_choices(&headers, &self.subprotocols, &self.extensions)?;
                            return Ok(Some(Outcome::Open(response, negotiated)));
                        }
                        // RFC 9110 section 15.2: an interim response is followed by another one. The reader limits
                        // their total size.
                        100..200 => self.stage = Stage::Head(reader),
                        status => {
                            let body = BodyReader::new(status, &headers);
                            self.stage = Stage::Body(Box::new(PartialRejection { response, body }));
                        }
                    }
                }
                Stage::Body(mut rejection) => {
                    if rejection.body.read(input, config.max_rejection_body) {
                        return Ok(Some(Outcome::Rejected(rejection.finish())));
                    }
                    self.stage = Stage::Body(rejection);
                    return Ok(None);
                }
                Stage::Done => {
                    debug_assert!(false, "nothing is received after the outcome");
                    return Ok(None);
                }
            }
        }
    }

    /// Returns the response other than 101 that is being received, with its body so far, if its head is complete.
    /// Called when no more input will arrive.
    pub(crate) fn finish_rejection(&mut self) -> Option<Box<HandshakeResponse>> {
        match mem::replace(&mut self.stage, Stage::Done) {
            Stage::Body(rejection) => Some(rejection.finish()),
            Stage::Head(_) | Stage::Done => None,
        }
    }
}

impl PartialRejection {
    #[expect(clippy::unnecessary_box_returns, reason = "the event takes it in the box that it is in")]
    fn finish(self) -> Box<HandshakeResponse> {
        let Self { mut response, body } = self;
        response.set_body(body.into_body());
        response
    }
}

/// Checks a response with status 101 (RFC 6455 section 4.1, items 2 to 4). `accept` is the accept key of the key that
/// was sent.
pub(crate) fn check_upgrade(headers: &impl Headers, accept: &AcceptKey) -> Result<(), HandshakeError> {
    match headers.single(HeaderName::Upgrade) {
        Occurrences::One(value) if lists::eq_token(value, b"websocket") => {}
        _ => return Err(HandshakeError::Upgrade),
    }
    if !lists::contains_token(headers.all(HeaderName::Connection), b"upgrade") {
        return Err(HandshakeError::Connection);
    }
    match headers.single(HeaderName::Accept) {
        Occurrences::One(value) if value == accept => Ok(()),
        _ => Err(HandshakeError::Accept),
    }
}

/// Checks items 5 and 6, which apply to HTTP/2 and HTTP/3 as well: the server may select only what was offered.
pub(crate) fn check_choices(
    headers: &impl Headers,
    subprotocols: &[String],
    extensions: &Offered,
) -> Result<Negotiated, HandshakeError> {
    let negotiated = extensions.check_response(headers.all(HeaderName::Extensions))?;
    match headers.single(HeaderName::Protocol) {
        Occurrences::None => Ok(negotiated),
        Occurrences::One(value) if !lists::is_token(value) => Err(HandshakeError::Subprotocol),
        Occurrences::One(value) => match subprotocols.iter().find(|offered| offered.as_bytes() == value) {
            Some(selected) => Ok(negotiated.subprotocol(selected.as_str())),
            None => Err(HandshakeError::SubprotocolNotOffered),
        },
        Occurrences::Several => Err(HandshakeError::Subprotocol),
    }
}
