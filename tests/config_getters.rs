//! Every setting of a [`Config`] can be read back.

use std::time::Duration;

use websocket_proto::Config;

/// Each value differs from its default and from the others, so that no getter can return another's.
#[test]
fn each_setting_is_read_back() {
    let seconds = Duration::from_secs;
    let config = Config::new()
        .max_handshake_size(101)
        .max_headers(102)
        .max_rejection_body(103)
        .max_frame_size(104)
        .max_message_size(105)
        .chunk_threshold(106)
        .max_chunked_message_size(107)
        .max_fragments(108)
        .max_pending_output(109)
        .handshake_timeout(seconds(110))
        .close_timeout(seconds(111))
        .keepalive(seconds(112), seconds(113))
        .auto_pong(false);
    assert_eq!(config.get_max_handshake_size(), 101);
    assert_eq!(config.get_max_headers(), 102);
    assert_eq!(config.get_max_rejection_body(), 103);
    assert_eq!(config.get_max_frame_size(), 104);
    assert_eq!(config.get_max_message_size(), 105);
    assert_eq!(config.get_chunk_threshold(), Some(106));
    assert_eq!(config.get_max_chunked_message_size(), 107);
    assert_eq!(config.get_max_fragments(), 108);
    assert_eq!(config.get_max_pending_output(), 109);
    assert_eq!(config.get_handshake_timeout(), Some(seconds(110)));
    assert_eq!(config.get_close_timeout(), Some(seconds(111)));
    assert_eq!(config.get_keepalive(), Some((seconds(112), seconds(113))));
    assert!(!config.get_auto_pong());
}

/// The limits that SECURITY.md and the guide list.
#[test]
fn defaults_are_those_of_the_documents() {
    let config = Config::new();
    assert_eq!(config.get_max_handshake_size(), 16 << 10);
    assert_eq!(config.get_max_headers(), 128);
    assert_eq!(config.get_max_rejection_body(), 64 << 10);
    assert_eq!(config.get_max_frame_size(), 16 << 20);
    assert_eq!(config.get_max_message_size(), 16 << 20);
    assert_eq!(config.get_chunk_threshold(), None);
    assert_eq!(config.get_max_chunked_message_size(), 1 << 40);
    assert_eq!(config.get_max_fragments(), 131_072);
    assert_eq!(config.get_max_pending_output(), 32 << 20);
    assert_eq!(config.get_handshake_timeout(), Some(Duration::from_secs(10)));
    assert_eq!(config.get_close_timeout(), Some(Duration::from_secs(5)));
    assert_eq!(config.get_keepalive(), None);
}

#[cfg(feature = "deflate")]
#[test]
fn the_settings_of_compression_are_read_back() {
    use websocket_proto::DeflateConfig;

    let first = DeflateConfig::new()
        .server_no_context_takeover(true)
        .client_no_context_takeover(true)
        .server_max_window_bits(10)
        .client_max_window_bits(11)
        .level(5)
        .memory_level(6)
        .min_size(7);
    let config = Config::new().deflate(first.clone()).deflate(DeflateConfig::new());
    assert_eq!(config.get_deflate(), [first.clone(), DeflateConfig::new()]);
    assert!(first.get_server_no_context_takeover() && first.get_client_no_context_takeover());
    let only_server = DeflateConfig::new().server_no_context_takeover(true);
    assert!(only_server.get_server_no_context_takeover() && !only_server.get_client_no_context_takeover());
    assert_eq!((first.get_server_max_window_bits(), first.get_client_max_window_bits()), (10, 11));
    let bare = DeflateConfig::new().offer_client_max_window_bits(false);
    assert_eq!((first.get_offer_client_max_window_bits(), bare.get_offer_client_max_window_bits()), (true, false));
    assert!(!bare.get_server_no_context_takeover() && !bare.get_client_no_context_takeover());
    assert_eq!((first.get_level(), first.get_memory_level(), first.get_min_size()), (5, 6, 7));
}

/// A setting that is off has no value, and a limit that is out of range is read back as it is applied.
#[test]
fn what_is_off_or_out_of_range_is_read_back_as_it_is_applied() {
    let config = Config::new().handshake_timeout(None).close_timeout(None).max_fragments(0).max_pending_output(0);
    assert_eq!((config.get_handshake_timeout(), config.get_close_timeout()), (None, None));
    assert_eq!((config.get_keepalive(), config.get_chunk_threshold()), (None, None));
    assert_eq!((config.get_max_fragments(), config.get_max_pending_output()), (1, 1));
    assert!(config.get_auto_pong());
}

/// Every setter has a getter.
#[test]
fn every_setter_has_its_getter() {
    for (setters, getters) in [
        (include_str!("../src/config.rs"), include_str!("../src/config/getters.rs")),
        (include_str!("../src/deflate/config.rs"), include_str!("../src/deflate/config.rs")),
    ] {
        let names: Vec<_> = setters.lines().filter_map(setter).collect();
        assert!(names.len() >= 7, "{names:?}");
        for name in names {
            assert!(getters.contains(&format!("pub fn get_{name}(&self)")), "{name} has no getter");
        }
    }
}

fn setter(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("pub fn ")?.split_once("(mut self").map(|(name, _)| name)
}
