//! The guide: how to build on this crate, a page for each question.
//!
//! Best read in the order of the [table](crate#guide) on the front page; every page ends with the next. It is part of the
//! documentation only, its examples are tests, and none of it is compiled into a program.

// What the pages link to.
use crate::{
    AcceptError, Cause, Chunk, CloseCode, Closed, Config, Connection, Event, HandshakeError, Message, Negotiated,
    Output, PreparedMessage, ProtocolError, Scratch, Seed, SendError, State, TransportShutdown, client, server,
};

macro_rules! pages {
    ($($name:ident $file:literal)*) => {$(
        #[doc = include_str!($file)]
        // Where a feature is off, its items are named, and what is linked to is how to get them.
        #[cfg_attr(
            feature = "deflate",
            doc = "

[`Config::deflate`]: Config::deflate
[`DeflateConfig`]: crate::DeflateConfig
[`PreparedMessage::compressed`]: PreparedMessage::compressed
[`set_compression`]: Connection::set_compression"
        )]
        #[cfg_attr(
            not(feature = "deflate"),
            doc = "

[`Config::deflate`]: crate#features
[`DeflateConfig`]: crate#features
[`PreparedMessage::compressed`]: crate#features
[`set_compression`]: crate#features"
        )]
        #[cfg_attr(
            feature = "http",
            doc = "

[`HttpClientHandshake`]: crate::HttpClientHandshake
[`HttpClientHandshake::connect`]: crate::HttpClientHandshake::connect
[`HttpServerHandshake`]: crate::HttpServerHandshake
[`HttpServerHandshake::connect`]: crate::HttpServerHandshake::connect
[`HttpServerHandshake::upgrade`]: crate::HttpServerHandshake::upgrade
[`server::Rejection::into_http`]: server::Rejection::into_http"
        )]
        #[cfg_attr(
            not(feature = "http"),
            doc = "

[`HttpClientHandshake`]: crate#features
[`HttpClientHandshake::connect`]: crate#features
[`HttpServerHandshake`]: crate#features
[`HttpServerHandshake::connect`]: crate#features
[`HttpServerHandshake::upgrade`]: crate#features
[`server::Rejection::into_http`]: crate#features"
        )]
        #[cfg_attr(feature = "getrandom", doc = "\n\n[`Seed::from_os`]: Seed::from_os")]
        #[cfg_attr(not(feature = "getrandom"), doc = "\n\n[`Seed::from_os`]: crate#features")]
        pub mod $name {}
    )*};
}

pages! {
    line_by_line "line_by_line.md"
    loops "loops.md"
    closing "closing.md"
    backpressure "backpressure.md"
    deadlines "deadlines.md"
    memory "memory.md"
    broadcast "broadcast.md"
    handshake "handshake.md"
    clients "clients.md"
    over_http "over_http.md"
    coming_from "coming_from.md"
    testing "testing.md"
    capabilities "capabilities.md"
}
