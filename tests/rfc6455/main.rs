//! RFC 6455, row by row of the conformance table (`tests/conformance.md`): each test cites the rows that it covers.
//!
//! `C` rows are for clients, `S` rows for servers, `B` rows for both.

mod abort;
mod accept_key;
mod calls;
mod checks;
mod client_request;
mod client_response;
mod close_codes;
mod close_timeout;
mod closing;
mod control;
mod early_data;
mod extensions;
mod fragmentation;
mod framing;
mod handshake_limits;
mod handshake_timeout;
mod head_oracle;
mod helpers;
mod interim_responses;
mod keepalive;
mod limits;
mod masking;
mod origin;
mod output;
mod plain_http;
mod protocol_errors;
mod redirects;
mod rejected_client;
mod rejections;
mod server_request;
mod server_response;
mod splitting;
mod subprotocols;
#[path = "../support/mod.rs"]
mod support;
mod text;
mod time;
mod transport_eof;
mod transport_shutdown;
mod uri;
mod uri_reference;
mod user_info;
