//! The guide: find your task in this list. Most pages have a section for each task, which says first what to do and
//! then why. [Scale](scale) and [the capabilities](capabilities) are for looking things up. The samples are tests.
//!
//! You want to …
//!
//! - [choose between the three crates, or between WebSocket and another protocol](choosing)
//! - [know what this crate can't do](choosing#know-what-isnt-possible)
//! - [understand the loop of the front page](line_by_line)
//! - [write a loop for threads, epoll, mio, io_uring or an async runtime](loops)
//! - [choose an input buffer, read large messages without a copy](loops#choose-an-input-buffer)
//! - [close a connection, find out why one ended, shut a server down](closing)
//! - [survive slow readers, pause reading](backpressure)
//! - [relay messages in a proxy](backpressure#relay-messages-in-a-proxy)
//! - [set the time, detect dead peers, use one timer for many connections](deadlines)
//! - [limit what a peer can use, receive a large file, serve many idle connections](memory)
//! - [compress messages](memory#compress-messages)
//! - [send one message to many connections](broadcast)
//! - [run on many processes or machines](scale)
//! - [accept or reject a request, select a subprotocol, serve a page](handshake)
//! - [authenticate a browser](handshake#authenticate-a-browser)
//! - [serve a page in a browser, or connect to a server on the user's own machine](browsers)
//! - [run behind nginx, HAProxy or a load balancer, read the PROXY protocol](deploying)
//! - [let a load balancer probe you](deploying#let-a-load-balancer-probe-you)
//! - [connect, use a proxy, follow redirects, authenticate as a client](clients)
//! - [reconnect](clients#reconnect)
//! - [run on WebAssembly or without an operating system](clients#run-on-webassembly-or-without-an-operating-system)
//! - [use hyper or axum, HTTP/2 or HTTP/3](over_http)
//! - [move from tungstenite, fastwebsockets or tokio-websockets](coming_from)
//! - [test without a network, a clock or randomness](testing)
//!
//! To read the guide from beginning to end, follow the link at the end of each page. The guide is part of the documentation only:
//! none of it is compiled into a program.

// The items that the pages link to.
use crate::{
    AcceptError, Cause, Chunk, CloseCode, Closed, Config, Connection, Event, HandshakeError, Message, Negotiated,
    Output, PreparedMessage, ProtocolError, Scratch, Seed, SendError, State, TransportShutdown, client, server,
};

macro_rules! pages {
    ($($name:ident $file:literal)*) => {$(
        #[doc = include_str!($file)]
        // If a feature is off, the names of its items link to the list of features.
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
    choosing "choosing.md"
    line_by_line "line_by_line.md"
    loops "loops.md"
    closing "closing.md"
    backpressure "backpressure.md"
    deadlines "deadlines.md"
    memory "memory.md"
    broadcast "broadcast.md"
    scale "scale.md"
    handshake "handshake.md"
    browsers "browsers.md"
    deploying "deploying.md"
    clients "clients.md"
    over_http "over_http.md"
    coming_from "coming_from.md"
    testing "testing.md"
    capabilities "capabilities.md"
}
