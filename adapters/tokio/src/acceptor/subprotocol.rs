//! The selection of a subprotocol.

use websocket_proto::server;

/// Adds the subprotocol that `select` selects from the supported ones. If none are supported, the response keeps its
/// own.
pub(crate) fn with_subprotocol<'a>(
    response: server::Response,
    supported: &[String],
    select: impl FnOnce(&[&str]) -> Option<&'a str>,
) -> server::Response {
    if supported.is_empty() {
        return response;
    }
    let supported: Vec<&str> = supported.iter().map(String::as_str).collect();
    response.subprotocol(select(&supported))
}
