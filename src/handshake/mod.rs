//! The opening handshake (RFC 6455 section 4): HTTP/1.1 heads in both directions, for both roles.
//!
//! ```text
//!           received                                   sent
//! server    request.rs                                 response.rs (101), rejection.rs (any other status)
//!             server.rs: the rules (section 4.2.1)
//!             target.rs: those for the request line
//!             upgrade.rs: what is kept until the answer
//! client    handshake_response.rs                      client_request.rs
//!             client.rs: states, rules (section 4.1)
//!             body.rs: the body of a rejection            redirects.rs: the next request after one
//! both      head_reader.rs: input in any split → head  header_lines.rs: the caller's headers
//!             find_control.rs: the search for line ends
//!             head.rs: a whole head, its lines
//!             fields.rs: its headers, kept
//!             headers.rs: those with rules
//!
//! uri.rs                                  what a client asks for
//! uri_reference.rs, url.rs, into_uri.rs   other ways to a URI: a `Location`, the crate `url`, either or a text
//! user_info.rs, authority.rs              parts of URIs
//! accept_key.rs, extensions.rs            values of headers
//! origin.rs                               a check that a server may ask for
//! negotiated.rs                           the result
//! http/                                   the same rules for the heads of an HTTP library
//! inline_list.rs                          a list without an allocation
//! redacted.rs                             headers as `Debug` shows them
//! ```
//!
//! No two files use each other, directly or through others.

mod accept_key;
mod authority;
mod body;
mod client;
mod client_request;
mod extensions;
mod fields;
mod find_control;
mod handshake_response;
mod head;
mod head_reader;
mod header_lines;
mod headers;
#[cfg(feature = "http")]
mod http;
mod inline_list;
mod into_uri;
mod negotiated;
mod origin;
mod redacted;
mod redirects;
mod rejection;
mod request;
mod response;
mod server;
mod target;
mod upgrade;
mod uri;
mod uri_reference;
#[cfg(feature = "url")]
mod url;
mod user_info;

#[cfg(feature = "http")]
pub use self::http::{HttpClientHandshake, HttpServerHandshake};
pub(crate) use client::{ClientHandshake, Outcome};
pub use client_request::Request as ClientRequest;
pub use handshake_response::Response as HandshakeResponse;
pub(crate) use head_reader::HeadReader;
pub use into_uri::IntoUri;
pub use negotiated::Negotiated;
pub use redirects::{RedirectError, Redirects};
pub use rejection::Rejection;
pub use request::Request;
pub use response::Response;
pub(crate) use server::{PlainRequest, Purpose, read_request};
pub use uri::Uri;
