//! All entries: one file for each of the peers, for ours, and for the floors.

mod fastwebsockets;
mod floor;
mod ours;
mod sockudo_ws;
mod soketto;
mod tokio_websockets;
mod tungstenite;
mod web_socket;
mod websocket_sans_io;
mod yawc;

pub(crate) use ours::compress_twice;

use crate::jobs::{Accept, Connect, Deflate, Echo, Inflate, Many, Receive, Send};
use crate::tally::Work;

/// The role of an entry in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The least work that is correct.
    Floor,
    /// This crate.
    Ours,
    Peer,
    /// A variant of a floor or of ours, which is listed beside the ratios.
    Aside,
}

/// An entry that does the work; `None` if it can't, or can't without a network.
pub(crate) trait Entry {
    fn name(&self) -> &'static str;

    fn standing(&self) -> Standing {
        Standing::Peer
    }

    fn receive(&self, _: &Receive) -> Option<Work> {
        None
    }

    fn many(&self, _: &Many) -> Option<Work> {
        None
    }

    fn send(&self, _: &Send) -> Option<Work> {
        None
    }

    fn echo(&self, _: &Echo) -> Option<Work> {
        None
    }

    fn accept(&self, _: &Accept) -> Option<Work> {
        None
    }

    fn connect(&self, _: &Connect) -> Option<Work> {
        None
    }

    fn inflate(&self, _: &Inflate) -> Option<Work> {
        None
    }

    fn deflate(&self, _: &Deflate) -> Option<Work> {
        None
    }
}

pub(crate) const ALL: &[&dyn Entry] = &[
    &floor::Floor,
    &ours::Ours,
    &tungstenite::Tungstenite,
    &fastwebsockets::Fastwebsockets,
    &tokio_websockets::TokioWebsockets,
    &yawc::Yawc,
    &sockudo_ws::SockudoWs,
    &web_socket::WebSocketCrate,
    &websocket_sans_io::WebsocketSansIo,
    &soketto::Soketto,
    &ours::WithoutScratch,
    &ours::OneBuffer,
    &ours::Copying,
    &floor::TrivialKeys,
];

/// Validates text that an entry doesn't check itself (RFC 6455 section 8.1).
fn checked(text: &[u8]) -> &str {
    simdutf8::basic::from_utf8(text).expect("text")
}
