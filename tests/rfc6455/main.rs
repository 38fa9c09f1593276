//! RFC 6455, row by row of the conformance table (`tests/conformance.md`): each test names the rows that it holds.
//!
//! `C` rows bind clients, `S` rows servers, `B` rows both.

mod accept_key;
mod calls;
mod checks;
mod client_request;
mod client_response;
mod close_codes;
mod closing;
mod control;
mod deadlines;
mod early_data;
mod extensions;
mod fragmentation;
mod framing;
mod handshake_limits;
mod heads;
mod helpers;
mod interim_responses;
mod limits;
mod masking;
mod negotiation;
mod output;
mod rejected_client;
mod rejections;
mod server_request;
mod server_response;
mod splitting;
mod subprotocols;
#[path = "../support/mod.rs"]
mod support;
mod text;
mod transport_end;
mod uri;
