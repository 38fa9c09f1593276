//! The client's side: a request head, and the response head, held to RFC 6455 4.1 rule by rule.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use super::accept_key::{self, AcceptKey, Key};
use super::body::BodyReader;
use super::extensions::Offered;
use super::fields::{Fields, HeaderIndex, IndexedHeaders};
use super::head::{Head, Span};
use super::head_reader::HeadReader;
use super::header_lines::{HeaderLines, OutgoingHead, append_text};
use super::headers::{HeaderName, Headers, Occurrences};
use super::{Negotiated, Uri};
use crate::config::Config;
use crate::error::{HandshakeError, RequestError};
use crate::http_grammar::lists;

/// More than a request has in it, apart from what the caller chose.
const MOST: usize = 224;

/// What a client asks for: the resource, subprotocols, and any header of its own.
///
/// ```
/// use websocket_proto::{ClientRequest, Uri};
///
/// let uri: Uri = "ws://example.com/chat".parse().unwrap();
/// let request = ClientRequest::new(uri).subprotocol("chat").header("Cookie", "id=7");
/// ```
#[derive(Clone, Debug)]
pub struct ClientRequest {
    uri: Uri,
    subprotocols: Vec<String>,
    headers: HeaderLines,
    origin: HeaderLines,
}

impl ClientRequest {
    /// A request for that resource.
    pub fn new(uri: Uri) -> Self {
        Self { uri, subprotocols: Vec::new(), headers: HeaderLines::default(), origin: HeaderLines::default() }
    }

    /// Offers a subprotocol, behind those offered before: the order is the client's preference.
    pub fn subprotocol(mut self, subprotocol: &str) -> Self {
        self.subprotocols.push(subprotocol.into());
        self
    }

    /// Sets the `Origin` header, which browsers send and others may (RFC 6455 4.1, item 8).
    pub fn origin(mut self, origin: &str) -> Self {
        self.origin = HeaderLines::default();
        self.origin.push("Origin", origin, OutgoingHead::Request);
        self
    }

    /// Adds a header, after those that the handshake writes itself. One that can't be sent makes
    /// [`Connection::client`](crate::Connection::client) fail.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("Origin") {
            return self.origin(value);
        }
        self.headers.push(name, value, OutgoingHead::Request);
        self
    }

    /// Everything in the request that the caller chose can be sent.
    fn check(&self) -> Result<(), RequestError> {
        for (i, subprotocol) in self.subprotocols.iter().enumerate() {
            if !lists::is_token(subprotocol.as_bytes()) {
                return Err(RequestError::Subprotocol);
            }
            if self.subprotocols[..i].contains(subprotocol) {
                return Err(RequestError::DuplicateSubprotocol);
            }
        }
        self.origin.checked()?;
        self.headers.checked()?;
        Ok(())
    }

    /// Appends the head to the output, if it can be sent.
    fn encode(&self, key: &Key, extensions: &Offered, output: &mut Vec<u8>) -> Result<(), RequestError> {
        self.check()?;
        let (origin, headers) = (self.origin.checked()?, self.headers.checked()?);
        let extensions = extensions.header();
        let subprotocols: usize = self.subprotocols.iter().map(|subprotocol| subprotocol.len() + 2).sum();
        let more = extensions.as_ref().map_or(0, String::len) + origin.as_str().len() + headers.as_str().len();
        output.reserve(MOST + self.uri.authority().len() + self.uri.resource().len() + subprotocols + more);
        append_text(output, ["GET ", self.uri.resource(), " HTTP/1.1\r\nHost: ", self.uri.authority()]);
        append_text(output, ["\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "]);
        output.extend_from_slice(key);
        append_text(output, ["\r\nSec-WebSocket-Version: 13\r\n"]);
        if let [first, rest @ ..] = &self.subprotocols[..] {
            append_text(output, ["Sec-WebSocket-Protocol: ", first]);
            for subprotocol in rest {
                append_text(output, [", ", subprotocol]);
            }
            append_text(output, ["\r\n"]);
        }
        if let Some(extensions) = extensions {
            append_text(output, ["Sec-WebSocket-Extensions: ", &extensions, "\r\n"]);
        }
        append_text(output, [origin.as_str(), headers.as_str(), "\r\n"]);
        Ok(())
    }
}

#[cfg(feature = "http")]
impl ClientRequest {
    /// The parts of a checked request: where it goes, what it offers, and its further headers.
    pub(crate) fn into_parts(self) -> Result<(Uri, Vec<String>, HeaderLines), RequestError> {
        self.check()?;
        let mut lines = self.origin;
        for (name, value) in self.headers.checked()?.iter() {
            lines.push(name, value, OutgoingHead::Request);
        }
        Ok((self.uri, self.subprotocols, lines))
    }
}

/// A server's answer to a client's request: the one that opened the connection, or the one that refused it.
#[derive(Clone, Debug)]
pub struct HandshakeResponse {
    status: u16,
    reason: Span,
    fields: Fields,
    body: Vec<u8>,
}

impl HandshakeResponse {
    /// The HTTP status: 101 if the connection is open.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The phrase behind the status, which the server chose; perhaps empty.
    pub fn reason(&self) -> &str {
        self.fields.text(self.reason)
    }

    /// The value of the first header of that name (in any case), if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// All headers in order, as names and values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.fields.iter()
    }

    /// The body of a refusal, cut off at [`Config::max_rejection_body`].
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

/// A client that has sent its request.
#[derive(Debug)]
pub(crate) struct ClientHandshake {
    /// The one that was sent.
    key: Key,
    offered: Vec<String>,
    extensions: Offered,
    head: HeadReader,
    refusal: Option<Box<Refusal>>,
}

/// A response that opens nothing, and its body as far as it came.
#[derive(Debug)]
struct Refusal {
    response: Box<HandshakeResponse>,
    body: BodyReader,
}

/// What a response came to.
pub(crate) enum Outcome {
    Open(Box<HandshakeResponse>, Negotiated),
    Rejected(Box<HandshakeResponse>),
}

impl ClientHandshake {
    /// Appends the request to the output; what waits for its response.
    pub(crate) fn new(
        request: ClientRequest,
        nonce: [u8; 16],
        config: &Config,
        output: &mut Vec<u8>,
    ) -> Result<Self, RequestError> {
        let key = accept_key::encode_key(nonce);
        let extensions = Offered::new(config);
        request.encode(&key, &extensions, output)?;
        Ok(Self { key, offered: request.subprotocols, extensions, head: HeadReader::default(), refusal: None })
    }

    /// Takes bytes in, until the response is there.
    pub(crate) fn receive(
        &mut self,
        input: &mut &mut [u8],
        config: &Config,
    ) -> Result<Option<Outcome>, HandshakeError> {
        while self.refusal.is_none() {
            let Some(head) = self.head.read(input, config)? else {
                return Ok(None);
            };
            let (response, index, version) = read_response(head)?;
            let fields = IndexedHeaders { fields: &response.fields, index: &index };
            match response.status {
                101 => {
                    // RFC 9110 7.8: HTTP/1.0 knows no upgrade.
                    if version != 1 {
                        return Err(HandshakeError::HttpVersion);
                    }
                    check_upgrade(&fields, &accept_key::accept_key(&self.key))?;
                    let negotiated = check_choices(&fields, &self.offered, &self.extensions)?;
                    return Ok(Some(Outcome::Open(response, negotiated)));
                }
                // RFC 9110 15.2: an interim response announces another; the limit holds for all of them together.
                100..200 => {}
                status => {
                    let body = BodyReader::new(status, &fields);
                    self.refusal = Some(Box::new(Refusal { response, body }));
                }
            }
        }
        let complete = match &mut self.refusal {
            Some(refusal) => refusal.body.read(input, config.max_rejection_body),
            None => false,
        };
        Ok(if complete { self.finish_rejection().map(Outcome::Rejected) } else { None })
    }

    /// The response that isn't 101, with as much of its body as came, when no more will.
    pub(crate) fn finish_rejection(&mut self) -> Option<Box<HandshakeResponse>> {
        let Refusal { mut response, body } = *self.refusal.take()?;
        response.body = body.into_body();
        Some(response)
    }
}

/// RFC 6455 4.1, what a client checks of a response with status 101, items 2 to 4. `accept` belongs to the key sent.
pub(crate) fn check_upgrade(fields: &impl Headers, accept: &AcceptKey) -> Result<(), HandshakeError> {
    match fields.single(HeaderName::Upgrade) {
        Occurrences::One(value) if lists::eq_token(value, b"websocket") => {}
        _ => return Err(HandshakeError::Upgrade),
    }
    if !lists::contains_token(fields.all(HeaderName::Connection), b"upgrade") {
        return Err(HandshakeError::Connection);
    }
    match fields.single(HeaderName::Accept) {
        Occurrences::One(value) if value == accept => Ok(()),
        _ => Err(HandshakeError::Accept),
    }
}

/// Items 5 and 6, which hold over HTTP/2 and HTTP/3 as well: nothing was chosen that wasn't offered.
pub(crate) fn check_choices(
    fields: &impl Headers,
    offered: &[String],
    extensions: &Offered,
) -> Result<Negotiated, HandshakeError> {
    let negotiated = extensions.check(fields.all(HeaderName::Extensions))?;
    match fields.single(HeaderName::Protocol) {
        Occurrences::None => Ok(negotiated),
        Occurrences::One(value) if !lists::is_token(value) => Err(HandshakeError::Subprotocol),
        Occurrences::One(value) => match offered.iter().find(|offered| offered.as_bytes() == value) {
            Some(chosen) => Ok(negotiated.subprotocol(chosen.as_str())),
            None => Err(HandshakeError::SubprotocolNotOffered),
        },
        Occurrences::Several => Err(HandshakeError::Subprotocol),
    }
}

/// Reads a whole response head: the response, where its known fields are, and the minor version of its HTTP/1.
fn read_response(head: Head) -> Result<(Box<HandshakeResponse>, HeaderIndex, u8), HandshakeError> {
    let mut slots = head.header_slots();
    let mut parsed = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    head.check_parsed(parser.parse_response_with_uninit_headers(&mut parsed, head.bytes(), &mut slots))?;
    let (status, version) = (parsed.code.unwrap_or_default(), parsed.version.unwrap_or_default());
    if !(100..600).contains(&status) {
        return Err(HandshakeError::Head);
    }
    let reason = head.span(parsed.reason.unwrap_or_default().as_bytes());
    let lines = head.lines(parsed.headers);
    let (fields, index) = Fields::new(head, &lines);
    Ok((Box::new(HandshakeResponse { status, reason, fields, body: Vec::new() }), index, version))
}
