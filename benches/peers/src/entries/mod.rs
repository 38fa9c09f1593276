//! Everybody who does the work: one file for each peer, for ours, and for the floors.

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

use crate::jobs::{Accept, Connect, Deflate, Echo, Inflate, Receive, Send};
use crate::tally::Work;

/// What an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The least work that is correct.
    Floor,
    /// This crate.
    Ours,
    Peer,
    /// Another way of a floor or of ours, told beside the ratios.
    Aside,
}

/// Someone who does the work; `None` where it can't be done, or not without a network.
pub(crate) trait Entry {
    fn name(&self) -> &'static str;

    fn standing(&self) -> Standing {
        Standing::Peer
    }

    fn receive(&self, _: &Receive) -> Option<Work> {
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

/// What a caller must do to get text from an entry that doesn't check it (RFC 6455 8.1).
fn checked(text: &[u8]) -> &str {
    simdutf8::basic::from_utf8(text).expect("text")
}
