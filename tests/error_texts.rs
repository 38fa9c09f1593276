//! The text of every public error, in one table. People search their logs for these texts, and a server sends some of
//! them to its clients.

use std::any::type_name_of_val;
use std::collections::BTreeSet;
use std::fmt::{self, Debug, Display};
use std::path::Path;
use std::{fs, io};

use websocket_proto::{
    AcceptError, Cause, CloseCode, Deadline, HandshakeError, HeaderError, ProtocolError, RedirectError, RequestError,
    SendError, SendWithError, UriError, client,
};

/// One row for each variant of each error.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    vec![
        row(ProtocolError::ReservedBits, "reserved bit set without an extension that defines it"),
        row(ProtocolError::ReservedOpcode, "reserved opcode"),
        row(ProtocolError::FragmentedControl, "fragmented control frame"),
        row(ProtocolError::ControlTooLong, "control frame payload exceeds 125 bytes"),
        row(ProtocolError::UnmaskedFrame, "unmasked frame from a client"),
        row(ProtocolError::MaskedFrame, "masked frame from a server"),
        row(ProtocolError::LengthForm, "payload length is not minimally encoded"),
        row(ProtocolError::LengthTopBit, "64-bit payload length has its most significant bit set"),
        row(ProtocolError::UnexpectedContinuation, "continuation frame outside a message"),
        row(ProtocolError::UnfinishedMessage, "data frame while a fragmented message is incomplete"),
        row(ProtocolError::CloseLength, "Close frame body of one byte (must be empty or at least two)"),
        row(ProtocolError::CloseCode(1006), "invalid close code 1006 in a Close frame"),
        row(ProtocolError::CloseReason, "close reason is not UTF-8"),
        row(ProtocolError::Deflate, "invalid DEFLATE data in a compressed message"),
        row(ProtocolError::InvalidUtf8, "text message is not UTF-8"),
        row(ProtocolError::FrameTooLarge, "frame exceeds `max_frame_size` (with `chunk_threshold`: `max_chunked_message_size`)"),
        row(ProtocolError::MessageTooLarge, "message exceeds `max_message_size` (with `chunk_threshold`: `max_chunked_message_size`)"),
        row(ProtocolError::TooManyFragments, "message has more frames than `max_fragments`"),

        row(HandshakeError::Head, "malformed HTTP head (a bad or folded line, a bare CR or LF, or a forbidden byte)"),
        row(HandshakeError::HeadTooLarge, "HTTP head exceeds `max_handshake_size`"),
        row(HandshakeError::TooManyHeaders, "HTTP head has more header lines than `max_headers`"),
        row(HandshakeError::HttpVersion, "HTTP version is not 1.1"),
        row(HandshakeError::Method, "method is not GET"),
        row(HandshakeError::Target, "request target is neither a path nor an absolute URI"),
        row(HandshakeError::Host, "exactly one valid Host header is required"),
        row(HandshakeError::Body, "the request must not have a body"),
        row(HandshakeError::NoUpgrade, "a WebSocket upgrade is required (Upgrade: websocket)"),
        row(HandshakeError::Upgrade, "Upgrade is not websocket"),
        row(HandshakeError::Connection, "Connection lacks the token Upgrade"),
        row(HandshakeError::ConnectionSpecific, "Connection, Keep-Alive, Proxy-Connection, TE or Upgrade in a request of HTTP/2 or HTTP/3"),
        row(HandshakeError::Key, "Sec-WebSocket-Key must be present exactly once and be base64 of 16 bytes"),
        row(HandshakeError::Version, "Sec-WebSocket-Version must be present exactly once and be a number"),
        row(HandshakeError::UnsupportedVersion, "Sec-WebSocket-Version must be 13"),
        row(HandshakeError::Subprotocol, "malformed Sec-WebSocket-Protocol (must be a list of distinct tokens)"),
        row(HandshakeError::SubprotocolNotOffered, "server selected a subprotocol that the client didn't offer"),
        row(HandshakeError::Extensions, "malformed Sec-WebSocket-Extensions"),
        row(HandshakeError::ExtensionNotOffered, "server selected an extension that the client didn't offer"),
        row(HandshakeError::ExtensionParameters, "permessage-deflate parameters in the response don't match the offer"),
        row(HandshakeError::Accept, "Sec-WebSocket-Accept is missing or doesn't match the key"),
        row(HandshakeError::Status(404), "response status is 404, not 101 (2xx for an extended CONNECT)"),
        row(HandshakeError::Protocol, "`:protocol` is not websocket"),
        row(HandshakeError::EarlyData, "client sent more than `max_handshake_size` bytes before its request was answered"),

        row(SendError::Connecting, "the connection is not open yet"),
        row(SendError::Closed, "the connection is closing or closed"),
        row(SendError::OutputFull, "output buffer is full (`max_pending_output`): drain `output()` first"),
        row(SendError::UnfinishedMessage, "finish the fragmented message first"),
        row(SendError::InvalidUtf8, "text is not UTF-8"),
        row(SendError::ControlTooLong, "control frame payload exceeds 125 bytes"),
        row(SendError::CloseCode(CloseCode::ABNORMAL), "close code 1006 (abnormal closure) may not be sent by this endpoint"),
        row(SendError::ReasonWithoutCode, "a close reason needs a close code"),

        row(SendWithError::<fmt::Error>::Send(SendError::Closed), "the connection is closing or closed"),
        row(SendWithError::Write(fmt::Error), "an error occurred when formatting an argument"),

        row(AcceptError::NoRequest, "no request is pending"),
        row(AcceptError::NotWebSocket, "not an upgrade request: `reject` it instead"),
        row(AcceptError::SubprotocolNotOffered("a\n".into()), r#"the client didn't offer the subprotocol "a\n""#),
        row(AcceptError::Status(99), "status 99 is not between 200 and 599"),
        row(AcceptError::Body(204), "a 204 response can't have a body"),
        row(AcceptError::Header(HeaderError::Name("a b".into())), r#"header name "a b" is not a token"#),

        row(RequestError::Subprotocol("a b".into()), r#"subprotocol "a b" is not a token"#),
        row(RequestError::Target, "host or resource is not accepted by the `http` crate"),
        row(RequestError::DuplicateSubprotocol("chat".into()), r#"subprotocol "chat" is offered twice"#),
        row(RequestError::Header(HeaderError::Value("A".into())), r#"value of the header "A" has a control character"#),

        // The names are quoted and escaped: a name may be anything.
        row(HeaderError::Name("a\r\nb".into()), r#"header name "a\r\nb" is not a token"#),
        row(HeaderError::Value("X-Room".into()), r#"value of the header "X-Room" has a control character"#),
        row(HeaderError::Reserved("Host".into()), r#"header "Host" is written by the opening handshake"#),

        row(UriError::Scheme, "scheme is none of ws, wss, http and https"),
        row(UriError::UserInfo, "user information can't be sent as Authorization: Basic"),
        row(UriError::Host, "host is missing or malformed"),
        row(UriError::HostCharacter('\\'), r"host has '\\', which can't be part of one"),
        row(UriError::Port, "port is not a number from 1 to 65535"),
        row(UriError::Resource('\n'), r"path or query has '\n', which must be percent-encoded"),
        row(UriError::Fragment, "a WebSocket URI has no fragment"),

        // Without user information.
        row(RedirectError::TooMany(5), "more than 5 redirects"),
        row(RedirectError::Loop(uri("ws://user:secret@a/b")), "ws://a/b has been requested before"),
        row(RedirectError::Insecure(uri("ws://a/b")), "ws://a/b is not secure"),
        row(RedirectError::Location(UriError::Port), "its Location is not a WebSocket URI: port is not a number from 1 to 65535"),

        row(Cause::Peer, "the peer closed"),
        row(Cause::Local(CloseCode::NORMAL), "we closed with 1000 (normal closure)"),
        row(Cause::Protocol(ProtocolError::CloseCode(0)), "invalid close code 0 in a Close frame"),
        row(Cause::Handshake(HandshakeError::Method), "method is not GET"),
        row(Cause::Rejected(403), "the handshake was answered with status 403"),
        row(Cause::Timeout(Deadline::Opening), "the opening handshake took too long"),
        row(Cause::Timeout(Deadline::Keepalive), "keepalive timeout: nothing received after our ping"),
        row(Cause::Timeout(Deadline::Closing), "the closing handshake took too long"),
        row(Cause::Eof, "the transport ended without a Close frame"),
        row(Cause::Aborted, "aborted"),
    ]
}

#[test]
fn every_error_has_its_text() {
    for row in table() {
        assert_eq!(row.text, row.expected, "{}", row.error);
    }
    let invalid = CloseCode::try_from(1005).unwrap_err();
    assert_eq!(invalid.to_string(), "1005 is not a close code that may be sent");
    #[cfg(feature = "getrandom")]
    assert_eq!(websocket_proto::SeedError.to_string(), "the operating system failed to provide entropy");
}

/// The enums are `non_exhaustive`, so the compiler can't report a missing row; their source is compared instead.
#[test]
fn every_variant_has_a_row() {
    let rows: BTreeSet<_> = table().into_iter().map(|row| row.error).collect();
    let mut variants = variants(include_str!("../src/error.rs"));
    variants.extend(self::variants(include_str!("../src/handshake/redirects.rs")));
    variants
        .extend(self::variants(include_str!("../src/event.rs")).into_iter().filter(|name| name.starts_with("Cause::")));
    // A cause has a text for each deadline.
    variants.remove("Cause::Timeout");
    for deadline in self::variants(include_str!("../src/event.rs")) {
        if let Some(deadline) = deadline.strip_prefix("Deadline::") {
            variants.insert(format!("Cause::Timeout({deadline})"));
        }
    }
    assert!(variants.len() > 60, "{variants:?}");
    assert_eq!(rows, variants);
}

/// No error is defined elsewhere, where the table would miss it.
#[test]
fn errors_are_defined_in_four_files() {
    let mut files = Vec::new();
    files_with("#[error(", &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files).unwrap();
    files.sort();
    assert_eq!(files, ["close.rs", "error.rs", "redirects.rs", "seed.rs"]);
}

/// The data of an error must not make the `Result`s of the calls large.
#[test]
fn errors_are_small() {
    assert_eq!((size_of::<ProtocolError>(), size_of::<HandshakeError>(), size_of::<SendError>()), (4, 4, 4));
    assert!(size_of::<Cause>() <= 6);
    assert!(size_of::<UriError>() <= 8);
    assert!(size_of::<HeaderError>() <= 3 * size_of::<usize>());
    assert!(size_of::<AcceptError>() <= 3 * size_of::<usize>());
    assert!(size_of::<RequestError>() <= 3 * size_of::<usize>());
}

fn uri(text: &str) -> client::Uri {
    text.parse().unwrap()
}

struct Row {
    /// The type and the variant, such as `UriError::Host`; of a timeout, with the deadline.
    error: String,
    text: String,
    expected: &'static str,
}

fn row<E: Debug + Display>(error: E, expected: &'static str) -> Row {
    let debug = format!("{error:?}");
    let variant = if debug.starts_with("Timeout") { &debug } else { name(&debug) };
    let type_name = type_name_of_val(&error).split('<').next().unwrap().rsplit("::").next().unwrap();
    Row { error: format!("{type_name}::{variant}"), text: error.to_string(), expected }
}

/// The variants of all public enums in a source file.
fn variants(source: &str) -> BTreeSet<String> {
    let mut variants = BTreeSet::new();
    let mut current = None;
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("pub enum ") {
            current = Some(name(rest));
        } else if line == "}" {
            current = None;
        } else if let Some(current) = current
            && let Some(variant) = line.strip_prefix("    ").map(name)
            && variant.starts_with(|first: char| first.is_ascii_uppercase())
        {
            variants.insert(format!("{current}::{variant}"));
        }
    }
    variants
}

/// The identifier that a text starts with.
fn name(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())]
}

fn files_with(needle: &str, directory: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files_with(needle, &path, found)?;
        } else if fs::read_to_string(&path).is_ok_and(|source| source.contains(needle)) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    Ok(())
}
