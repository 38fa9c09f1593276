//! Helpers for the tests of compression: endpoints that negotiated it, and compressed messages.
#![allow(dead_code)]

use std::sync::Arc;

use websocket_proto::{Config, Connection, DeflateConfig, DeflateParams, Negotiated, Role};

use crate::support::{drain, frames, seed};

/// Compresses everything, and keeps the windows from message to message.
pub(crate) fn settings() -> DeflateConfig {
    DeflateConfig::new().min_size(0)
}

/// The same, without keeping windows.
pub(crate) fn without_takeover() -> DeflateConfig {
    settings().server_no_context_takeover(true).client_no_context_takeover(true)
}

/// The parameters that a client and a server with these settings agree on.
pub(crate) fn negotiate(client: &DeflateConfig, server: &DeflateConfig) -> DeflateParams {
    let offer = client.offer();
    let (answer, params) = server.answer([offer.as_bytes()]).expect("an answer");
    assert_eq!(client.check([answer.as_bytes()]), Ok(Some(params)));
    params
}

/// An endpoint that negotiated with a peer of the same settings.
pub(crate) fn endpoint(role: Role, config: Config, settings: &DeflateConfig) -> Connection {
    endpoint_with(role, config.deflate(settings.clone()), negotiate(settings, settings))
}

/// An endpoint with those negotiated parameters, of any configuration.
pub(crate) fn endpoint_with(role: Role, config: impl Into<Arc<Config>>, params: DeflateParams) -> Connection {
    let negotiated = Negotiated::new().deflate(params);
    match role {
        Role::Client => Connection::upgraded_client(negotiated, config, seed()),
        Role::Server => Connection::upgraded_server(negotiated, config),
    }
}

/// The payload of a compressed message: it refers to none before it, and may be cut into fragments anywhere.
pub(crate) fn deflated(data: &[u8]) -> Vec<u8> {
    // With context takeover, a message is compressed even if it grows.
    let mut conn = endpoint(Role::Server, Config::new(), &settings().level(9));
    conn.send_binary(data).unwrap();
    let [frame] = &frames(&drain(&mut conn))[..] else { panic!("not one frame") };
    assert_eq!(frame.first, 0xc2);
    frame.payload.clone()
}

/// Bytes in which nothing repeats.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}
