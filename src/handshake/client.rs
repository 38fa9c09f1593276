//! The client's side: a request head, and the response head, held to RFC 6455 4.1 rule by rule.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::str;

use super::body::BodyReader;
use super::extensions::Offered;
use super::fields::{Fields, HeaderLines, Lookup, Only, head_error, span};
use super::head::{Head, HeadReader};
use super::key::{self, Accept};
use super::{Negotiated, Uri, lists};
use crate::config::Config;
use crate::error::{HandshakeError, RequestError};

/// Headers that the handshake writes itself, or that a request without a body can't have.
const RESERVED: &[&str] = &[
    "Connection",
    "Content-Length",
    "Host",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

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
        self.origin.push("Origin", origin, &[]);
        self
    }

    /// Adds a header, after those that the handshake writes itself. One that can't be sent makes
    /// [`Connection::client`](crate::Connection::client) fail.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if name.eq_ignore_ascii_case("Origin") {
            return self.origin(value);
        }
        self.headers.push(name, value, RESERVED);
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
        self.origin.lines()?;
        self.headers.lines()?;
        Ok(())
    }

    fn encode(&self, key: &[u8], extensions: &Offered) -> Result<String, RequestError> {
        self.check()?;
        let (origin, headers) = (self.origin.lines()?, self.headers.lines()?);
        let mut head = String::with_capacity(256 + headers.len());
        head.extend(["GET ", self.uri.resource(), " HTTP/1.1\r\nHost: ", &self.uri.host_header()]);
        head.push_str("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ");
        head.extend(key.iter().map(|&byte| char::from(byte)));
        head.push_str("\r\nSec-WebSocket-Version: 13\r\n");
        if !self.subprotocols.is_empty() {
            head.extend(["Sec-WebSocket-Protocol: ", &self.subprotocols.join(", "), "\r\n"]);
        }
        if let Some(extensions) = extensions.header() {
            head.extend(["Sec-WebSocket-Extensions: ", &extensions, "\r\n"]);
        }
        head.extend([origin, headers, "\r\n"]);
        Ok(head)
    }
}

#[cfg(feature = "http")]
impl ClientRequest {
    /// The parts of a checked request: where it goes, what it offers, and its further headers.
    pub(crate) fn into_parts(self) -> Result<(Uri, Vec<String>, HeaderLines), RequestError> {
        self.check()?;
        let mut lines = self.origin;
        for (name, value) in self.headers.iter() {
            lines.push(name, value, &[]);
        }
        Ok((self.uri, self.subprotocols, lines))
    }
}

/// A server's answer to a client's request: the one that opened the connection, or the one that refused it.
#[derive(Clone, Debug)]
pub struct HandshakeResponse {
    status: u16,
    reason: [u32; 2],
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
    accept: Accept,
    offered: Vec<String>,
    extensions: Offered,
    head: HeadReader,
    refusal: Option<(HandshakeResponse, BodyReader)>,
}

/// What a response came to.
pub(crate) enum Outcome {
    Open(Box<HandshakeResponse>, Negotiated),
    Rejected(Box<HandshakeResponse>),
}

impl ClientHandshake {
    /// The request to send, and what waits for its response.
    pub(crate) fn new(
        request: ClientRequest,
        nonce: [u8; 16],
        config: &Config,
    ) -> Result<(String, Self), RequestError> {
        let key = key::encode(nonce);
        let extensions = Offered::new(config);
        let head = request.encode(&key, &extensions)?;
        let this = Self {
            accept: key::accept(&key),
            offered: request.subprotocols,
            extensions,
            head: HeadReader::default(),
            refusal: None,
        };
        Ok((head, this))
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
            let (response, version) = read_response(head)?;
            match response.status {
                101 => {
                    // RFC 9110 7.8: HTTP/1.0 knows no upgrade.
                    if version != 1 {
                        return Err(HandshakeError::HttpVersion);
                    }
                    check_upgrade(&response.fields, &self.accept)?;
                    let negotiated = check_choices(&response.fields, &self.offered, &self.extensions)?;
                    return Ok(Some(Outcome::Open(Box::new(response), negotiated)));
                }
                // RFC 9110 15.2: an interim response announces another; the limit holds for all of them together.
                100..200 => {}
                status => {
                    let body = BodyReader::new(status, &response.fields);
                    self.refusal = Some((response, body));
                }
            }
        }
        let complete = match &mut self.refusal {
            Some((_, body)) => body.read(input, config.max_rejection_body),
            None => false,
        };
        Ok(if complete { self.give_up().map(Outcome::Rejected) } else { None })
    }

    /// The refusal as far as it came, when no more will.
    pub(crate) fn give_up(&mut self) -> Option<Box<HandshakeResponse>> {
        let (mut response, body) = self.refusal.take()?;
        response.body = body.into_body();
        Some(Box::new(response))
    }
}

/// RFC 6455 4.1, what a client checks of a response with status 101, items 2 to 4. `accept` belongs to the key sent.
pub(crate) fn check_upgrade(fields: &impl Lookup, accept: &Accept) -> Result<(), HandshakeError> {
    match fields.only("Upgrade") {
        Only::One(value) if value.eq_ignore_ascii_case(b"websocket") => {}
        _ => return Err(HandshakeError::Upgrade),
    }
    if !lists::has_token(fields.all("Connection"), "Upgrade") {
        return Err(HandshakeError::Connection);
    }
    match fields.only("Sec-WebSocket-Accept") {
        Only::One(value) if value == accept => Ok(()),
        _ => Err(HandshakeError::Accept),
    }
}

/// Items 5 and 6, which hold over HTTP/2 and HTTP/3 as well: nothing was chosen that wasn't offered.
pub(crate) fn check_choices(
    fields: &impl Lookup,
    offered: &[String],
    extensions: &Offered,
) -> Result<Negotiated, HandshakeError> {
    let negotiated = extensions.check(fields.all("Sec-WebSocket-Extensions"))?;
    match fields.only("Sec-WebSocket-Protocol") {
        Only::Missing => Ok(negotiated),
        Only::One(value) if !lists::is_token(value) => Err(HandshakeError::Subprotocol),
        Only::One(value) => match offered.iter().find(|offered| offered.as_bytes() == value) {
            Some(chosen) => Ok(negotiated.subprotocol(chosen.as_str())),
            None => Err(HandshakeError::SubprotocolNotOffered),
        },
        Only::Several => Err(HandshakeError::Subprotocol),
    }
}

/// Reads a whole response head: the response, and the minor version of its HTTP/1.
fn read_response(head: Head) -> Result<(HandshakeResponse, u8), HandshakeError> {
    let mut slots = head.slots();
    let mut parsed = httparse::Response::new(&mut []);
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, &head.bytes, slots.places())
    {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(HandshakeError::Head),
        Err(error) => return Err(head_error(&head.bytes, error)),
    }
    let (status, version) = (parsed.code.unwrap_or_default(), parsed.version.unwrap_or_default());
    if !(100..600).contains(&status) {
        return Err(HandshakeError::Head);
    }
    let reason = span(&head.bytes, parsed.reason.unwrap_or_default().as_bytes());
    let located = Fields::locate(&head.bytes, parsed.headers);
    let fields = Fields::new(head.bytes, located);
    Ok((HandshakeResponse { status, reason, fields, body: Vec::new() }, version))
}
