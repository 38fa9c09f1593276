//! The limits and deadlines of a connection.

mod getters;

use alloc::vec::Vec;
use core::time::Duration;

use crate::deflate::DeflateConfig;

/// The limits and deadlines of a [`Connection`](crate::Connection). Any number of connections can share one
/// `Arc<Config>`.
///
/// Every limit is finite by default. Limits are inclusive: with a limit of `n`, `n` is accepted and `n + 1` is not.
///
/// ```
/// use core::time::Duration;
/// use websocket_proto::Config;
///
/// let config = Config::new()
///     .max_message_size(1 << 20)
///     .keepalive(Duration::from_secs(30), Duration::from_secs(10));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) max_handshake_size: usize,
    pub(crate) max_headers: usize,
    pub(crate) max_rejection_body: usize,
    pub(crate) max_frame_size: u64,
    pub(crate) max_message_size: u64,
    pub(crate) chunk_threshold: u64,
    pub(crate) max_chunked_message_size: u64,
    pub(crate) max_fragments: u32,
    pub(crate) max_pending_output: usize,
    pub(crate) handshake_timeout: Option<Duration>,
    pub(crate) close_timeout: Option<Duration>,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) auto_pong: bool,
    pub(crate) deflate: Vec<DeflateConfig>,
}

/// Positions in a head are stored as `u32`.
const MAX_HANDSHAKE_SIZE: usize = 1 << 30;

/// The time without received bytes until a ping is sent, and the time after that until the connection is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keepalive {
    pub(crate) idle: Duration,
    pub(crate) timeout: Duration,
}

impl Config {
    /// Creates a configuration with the default values. The docs of each setter name its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum size of a request or response head in bytes, including the empty line at its end. 16 KiB by
    /// default, as in Node.js (nginx: 4 lines of 8 KiB). If the head is larger, a server responds with status 431, and
    /// a client fails the connection.
    ///
    /// On a server it is also the maximum number of bytes that a client may send after its request before the request
    /// is answered. If more arrive, the server responds with status 400.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event};
    ///
    /// // A public server without large cookies.
    /// let config = Config::new().max_handshake_size(4096).max_headers(32);
    /// let mut conn = Connection::server(config);
    /// let mut arrived = format!("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {}", "x".repeat(4096)).into_bytes();
    /// let Some(Event::Closed(closed)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// assert!(conn.output().take().unwrap().starts_with(b"HTTP/1.1 431 "));
    /// ```
    pub fn max_handshake_size(mut self, bytes: usize) -> Self {
        self.max_handshake_size = bytes.min(MAX_HANDSHAKE_SIZE);
        self
    }

    /// Sets the maximum number of header lines in a request or response head. 128 by default. If there are more, a
    /// server responds with status 431, and a client fails the connection.
    pub fn max_headers(mut self, lines: usize) -> Self {
        self.max_headers = lines;
        self
    }

    /// Sets how many bytes a client keeps of the body of a response with a status other than 101. A longer body is
    /// truncated. 64 KiB by default.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Event, Seed, client};
    ///
    /// # #[cfg(feature = "getrandom")] {
    /// let request = client::Request::new("ws://example.com/".parse()?);
    /// let config = Config::new().max_rejection_body(4); // or 0, if nobody reads it
    /// let mut conn = Connection::client(request, config, Seed::from_os()?)?;
    /// let mut arrived = *b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nbusy, bye";
    /// let Some(Event::Rejected(response)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// assert_eq!(response.body(), b"busy");
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_rejection_body(mut self, bytes: usize) -> Self {
        self.max_rejection_body = bytes;
        self
    }

    /// Sets the maximum payload size of a single frame, in bytes. 16 MiB by default. A larger frame fails the
    /// connection with close code 1009 as soon as its header has been received.
    pub fn max_frame_size(mut self, bytes: u64) -> Self {
        self.max_frame_size = bytes;
        self
    }

    /// Sets the maximum size of a message in bytes, the sum of its fragments. 16 MiB by default. A larger message fails
    /// the connection with close code 1009 as soon as the header of the frame that exceeds the limit has been received.
    ///
    /// ```
    /// use websocket_proto::{Cause, CloseCode, Config, Connection, Event, Negotiated};
    ///
    /// let config = Config::new().max_frame_size(1 << 16).max_message_size(1 << 20).max_fragments(100);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), config);
    /// let mut arrived = *b"\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0"; // the header of a frame of 1 MiB
    /// let Some(Event::Closed(closed)) = conn.receive(&mut &mut arrived[..]) else { panic!() };
    /// let Cause::Protocol(error) = closed.cause else { panic!() };
    /// assert_eq!(error.close_code(), CloseCode::TOO_LARGE);
    /// ```
    pub fn max_message_size(mut self, bytes: u64) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Delivers messages of at least `bytes` bytes in chunks as they arrive, in constant memory. Each chunk is an
    /// [`Event::Chunk`](crate::Event::Chunk). 0 means all messages. Off by default.
    ///
    /// The size of a fragmented message is not known in advance. Such a message is assembled until the headers of its
    /// frames announce at least `bytes` bytes in total, and is delivered in chunks from then on.
    ///
    /// Once this is set, messages larger than [`max_message_size`](Self::max_message_size) are also delivered in
    /// chunks. A message in chunks is limited by [`max_chunked_message_size`](Self::max_chunked_message_size), and may
    /// have any number of fragments. [`max_frame_size`](Self::max_frame_size) no longer applies to any message.
    ///
    /// ```
    /// use std::io::Write;
    /// use websocket_proto::{Config, Connection, Event, Negotiated};
    ///
    /// let config = Config::new().chunk_threshold(64 << 10).max_chunked_message_size(1 << 30);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), config);
    /// # let mut arrived = [&b"\x82\xff\0\0\0\0\0\x02\0\0\0\0\0\0"[..], &[0; 1 << 17]].concat();
    /// # let mut file = Vec::new();
    /// # for part in arrived.chunks_mut(16384) {
    /// let mut input = &mut part[..]; // a part of a large upload
    /// while let Some(event) = conn.receive(&mut input) {
    ///     if let Event::Chunk(chunk) = event {
    ///         file.write_all(&chunk.into_bytes())?;
    ///     }
    /// }
    /// # }
    /// # assert_eq!(file.len(), 1 << 17);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn chunk_threshold(mut self, bytes: u64) -> Self {
        self.chunk_threshold = bytes;
        self
    }

    /// Sets the maximum size of a message that is delivered in chunks, in bytes. It also limits each of its frames. 1
    /// TiB by default. A larger message fails the connection with close code 1009.
    pub fn max_chunked_message_size(mut self, bytes: u64) -> Self {
        self.max_chunked_message_size = bytes;
        self
    }

    /// Sets the maximum number of frames in a message, at least 1. 131,072 by default. A message with more frames fails
    /// the connection with close code 1009.
    pub fn max_fragments(mut self, frames: u32) -> Self {
        self.max_fragments = frames.max(1);
        self
    }

    /// Sets the limit of pending output, in bytes. At least 1, and 32 MiB by default.
    ///
    /// Once that many bytes are pending, the `send` methods fail with
    /// [`SendError::OutputFull`](crate::SendError::OutputFull) until some are drained. A message that is sent while
    /// less is pending may exceed the limit. The default is twice the default of
    /// [`max_message_size`](Self::max_message_size), so that a loop that answers every message and drains the output on
    /// each iteration does not reach it. Keep that ratio.
    ///
    /// While less than this (and less than 64 KiB) is pending, every ping is answered. Otherwise only the newest ping
    /// is answered, which RFC 6455 section 5.5.3 allows. A peer that sends pings and never reads can therefore not make
    /// the output grow.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Negotiated, SendError};
    ///
    /// let config = Config::new().max_pending_output(1 << 20).max_message_size(1 << 19);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), config);
    /// conn.send(vec![0; 1 << 20])?;
    /// assert_eq!(conn.send_text("next"), Err(SendError::OutputFull));
    /// while let Some(bytes) = conn.output().take() {
    ///     // …write them…
    /// }
    /// conn.send_text("next")?;
    /// # Ok::<(), SendError>(())
    /// ```
    pub fn max_pending_output(mut self, bytes: usize) -> Self {
        self.max_pending_output = bytes.max(1);
        self
    }

    /// Sets how long the opening handshake may take, from the first [`advance_time`](crate::Connection::advance_time)
    /// to the state [`Open`](crate::State::Open). 10 seconds by default. `None` means no deadline.
    ///
    /// ```
    /// use std::time::Duration;
    /// use websocket_proto::{Config, Connection};
    ///
    /// let second = Duration::from_secs(1);
    /// let config = Config::new().handshake_timeout(3 * second).close_timeout(2 * second);
    /// let mut conn = Connection::server(config);
    /// conn.advance_time(100 * second);
    /// assert_eq!(conn.next_timeout(), Some(103 * second));
    /// ```
    pub fn handshake_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.handshake_timeout = timeout.into();
        self
    }

    /// Sets how long the closing handshake may take, and how long writing the last bytes may take. 5 seconds by
    /// default. With `None`, the only deadline is that of the keepalive.
    pub fn close_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.close_timeout = timeout.into();
        self
    }

    /// Sends a ping when nothing has been received for `idle`, and drops the connection if nothing is received within
    /// `timeout` after the ping. Off by default.
    ///
    /// While the transport accepts pending output, the connection is not dropped, so a slow download is not cut off.
    /// Bytes returned by [`Output::take`](crate::Output::take) no longer count as pending. If you write that way, make
    /// `timeout` long enough to write your largest message.
    ///
    /// Bytes that you have not passed to [`receive`](crate::Connection::receive) do not count as received. If you pause
    /// reading, report it with [`reading_paused`](crate::Connection::reading_paused).
    ///
    /// ```
    /// use std::time::Duration;
    /// use bytes::Buf;
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let second = Duration::from_secs(1);
    /// let config = Config::new().keepalive(30 * second, 10 * second);
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), config);
    /// conn.advance_time(0 * second);
    /// assert_eq!(conn.next_timeout(), Some(30 * second));
    /// conn.advance_time(30 * second);
    /// assert_eq!(conn.output().chunk()[0], 0x89); // a ping, to which the peer must react within 10 seconds
    /// ```
    pub fn keepalive(mut self, idle: Duration, timeout: Duration) -> Self {
        self.keepalive = Some(Keepalive { idle, timeout });
        self
    }

    /// Sets whether the connection answers pings itself. On by default. A proxy that forwards pings turns this off and
    /// forwards the answers with [`pong`](crate::Connection::pong).
    pub fn auto_pong(mut self, on: bool) -> Self {
        self.auto_pong = on;
        self
    }

    /// Enables compression of messages (permessage-deflate, RFC 7692), if the peer agrees. Off by default.
    ///
    /// Each call adds settings. A client offers all of them, in this order of preference. A server uses only the first
    /// settings, and accepts the first offer that they allow. [`level`](DeflateConfig::level),
    /// [`memory_level`](DeflateConfig::memory_level) and [`min_size`](DeflateConfig::min_size) are always taken from
    /// the first settings.
    ///
    /// [`max_message_size`](Self::max_message_size) and the other message sizes of this type apply to the decompressed
    /// message, and are enforced while it is decompressed. [`max_frame_size`](Self::max_frame_size) applies to
    /// compressed frames as they appear on the wire.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, DeflateConfig, Seed, client};
    ///
    /// let little_memory = DeflateConfig::new().level(1).server_no_context_takeover(true);
    /// let config = Config::new().deflate(little_memory).deflate(DeflateConfig::new());
    /// # #[cfg(feature = "getrandom")] {
    /// let request = client::Request::new("wss://example.com/".parse()?);
    /// let mut conn = Connection::client(request, config, Seed::from_os()?)?;
    /// let head = String::from_utf8(conn.output().take().unwrap().to_vec())?;
    /// assert!(head.contains("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, settings: DeflateConfig) -> Self {
        self.deflate.push(settings);
        self
    }
}

impl Config {
    /// The size from which a message is delivered in chunks.
    pub(crate) fn chunked_from(&self) -> u64 {
        if self.chunk_threshold == u64::MAX {
            u64::MAX
        } else {
            self.chunk_threshold.min(self.max_message_size.saturating_add(1))
        }
    }

    /// Returns whether a message is delivered in chunks once its frames have declared this many bytes.
    #[inline]
    pub(crate) fn is_chunked(&self, declared: u64) -> bool {
        self.chunk_threshold != u64::MAX && (declared >= self.chunk_threshold || declared > self.max_message_size)
    }

    /// Returns the limits of a frame and of a message.
    #[inline]
    pub(crate) fn size_limits(&self) -> (u64, u64) {
        if self.chunk_threshold == u64::MAX {
            (self.max_frame_size, self.max_message_size)
        } else {
            // A message that is too large to be delivered whole is delivered in chunks. One that may be delivered whole
            // is never too large.
            let whole = self.max_message_size.min(self.chunk_threshold.saturating_sub(1));
            let longest = self.max_chunked_message_size.max(whole);
            (longest, longest)
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_handshake_size: 16 << 10,
            max_headers: 128,
            max_rejection_body: 64 << 10,
            max_frame_size: 16 << 20,
            max_message_size: 16 << 20,
            chunk_threshold: u64::MAX,
            max_chunked_message_size: 1 << 40,
            max_fragments: 131_072,
            max_pending_output: 32 << 20,
            handshake_timeout: Some(Duration::from_secs(10)),
            close_timeout: Some(Duration::from_secs(5)),
            keepalive: None,
            auto_pong: true,
            deflate: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positions in a head are stored as `u32`.
    #[test]
    fn a_handshake_has_at_most_one_gibibyte() {
        assert_eq!(Config::new().max_handshake_size(usize::MAX).max_handshake_size, 1 << 30);
        assert_eq!(Config::new().max_handshake_size((1 << 30) + 1).max_handshake_size, 1 << 30);
        assert_eq!(Config::new().max_handshake_size(1 << 30).max_handshake_size, 1 << 30);
        assert_eq!(Config::new().max_handshake_size(1).max_handshake_size, 1);
    }
}
