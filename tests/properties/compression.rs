//! Compression settings of an endpoint. Without the feature, it doesn't compress.

use std::fmt::Debug;

#[cfg(feature = "deflate")]
use proptest::collection::vec;
use proptest::prelude::*;
#[cfg(feature = "deflate")]
use proptest::sample::select;
#[cfg(feature = "deflate")]
use websocket_proto::DeflateConfig;
use websocket_proto::{Config, Connection, Message, PreparedMessage};

/// The compression settings of a configuration: none, one or two.
#[derive(Clone, Debug)]
pub(crate) struct Compression {
    #[cfg(feature = "deflate")]
    settings: Vec<DeflateConfig>,
}

#[cfg(feature = "deflate")]
impl Compression {
    pub(crate) fn config(&self, config: Config) -> Config {
        self.settings.iter().cloned().fold(config, Config::deflate)
    }

    /// Compresses a message that is prepared, if this endpoint compresses.
    pub(crate) fn prepare(&self, message: Message) -> PreparedMessage {
        match &self.settings[..] {
            [] => PreparedMessage::new(message),
            [settings, ..] => PreparedMessage::compressed(message, settings),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        !self.settings.is_empty()
    }
}

/// The negotiated parameters, if any.
#[cfg(feature = "deflate")]
pub(crate) fn agreed(conn: &Connection) -> Option<impl Debug + use<>> {
    conn.deflate()
}

#[cfg(feature = "deflate")]
pub(crate) fn switch(conn: &mut Connection, on: bool) {
    conn.set_compression(on);
}

#[cfg(feature = "deflate")]
pub(crate) fn compression() -> impl Strategy<Value = Compression> {
    prop_oneof![1 => Just(Vec::new()), 4 => vec(settings(), 1..3)].prop_map(|settings| Compression { settings })
}

/// Any settings.
#[cfg(feature = "deflate")]
pub(crate) fn settings() -> impl Strategy<Value = DeflateConfig> {
    let parameters = (any::<bool>(), any::<bool>(), 9..=15u8, 9..=15u8);
    (parameters, 0..=9u8, 1..=9u8, select(&[0, 0, 64, 1000][..])).prop_map(
        |((server, client, server_bits, client_bits), level, memory_level, min_size)| {
            let settings = DeflateConfig::new().level(level).memory_level(memory_level).min_size(min_size);
            let settings = settings.server_no_context_takeover(server).client_no_context_takeover(client);
            settings.server_max_window_bits(server_bits).client_max_window_bits(client_bits)
        },
    )
}

#[cfg(not(feature = "deflate"))]
#[expect(clippy::unused_self, reason = "it has something to say where there is compression")]
impl Compression {
    pub(crate) fn config(&self, config: Config) -> Config {
        config
    }

    pub(crate) fn prepare(&self, message: Message) -> PreparedMessage {
        PreparedMessage::new(message)
    }

    pub(crate) fn is_on(&self) -> bool {
        false
    }
}

#[cfg(not(feature = "deflate"))]
pub(crate) fn agreed(_: &Connection) -> Option<impl Debug + use<>> {
    None::<()>
}

#[cfg(not(feature = "deflate"))]
pub(crate) fn switch(_: &mut Connection, _: bool) {}

#[cfg(not(feature = "deflate"))]
pub(crate) fn compression() -> impl Strategy<Value = Compression> {
    Just(Compression {})
}
