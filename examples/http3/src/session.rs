//! A QUIC connection and HTTP/3 on it: the heads that arrive, and the streams that they open. It does no I/O.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use quiche::h3::{self, WireErrorCode};
use quiche::{RecvInfo, Shutdown};
use websocket_proto::{CloseCode, Connection, Event};

use crate::quic::http_config;
use crate::reply::Reply;
use crate::tunnel::{Tunnel, Turn};

/// How long a client may have no request in progress: after it has connected, and after its last request.
const IDLE: Duration = Duration::from_secs(10);

/// How long a stream stays after our end of it, for the peer to acknowledge it and to end its own.
const GOODBYE: Duration = Duration::from_secs(2);

/// How often a turn looks for more. What is left then waits for the next datagram, which a peer that sends empty frames has
/// to send.
const MAX_ROUNDS: usize = 1024;

/// The most bytes that are read at once.
const READ: usize = 64 << 10;

/// An endpoint of HTTP/3: a server or a client.
pub trait Endpoint {
    /// Handles a head that has arrived: a request if this is a server, otherwise a response.
    fn on_head(&mut self, head: &[h3::Header]) -> Answer;

    /// Handles an event of a WebSocket.
    fn on_event(&mut self, conn: &mut Connection, event: Event<'_>);
}

/// What follows a head on its stream.
#[derive(Debug)]
pub enum Answer {
    /// A WebSocket: a server's comes after this response.
    Open(Box<Connection>, Option<Response<()>>),
    /// A response.
    Reply(Response<Bytes>),
    /// Another head: this was an interim response.
    Ignore,
    /// Nothing: the stream is reset with this error.
    Cancel(WireErrorCode),
}

/// A QUIC connection and the requests on it.
///
/// Pass the datagrams that have arrived to [`receive`](Self::receive), then call [`turn`](Self::turn), and send the
/// datagrams that [`send`](Self::send) returns.
pub struct Session {
    quic: quiche::Connection,
    /// `None` until the handshake of QUIC is complete.
    http: Option<h3::Connection>,
    streams: HashMap<u64, Stream>,
    /// The server stops, or the client is done: there are no new requests.
    stopping: bool,
    /// Since when there has been no request.
    idle_since: Duration,
    buffer: Box<[u8]>,
}

/// A request stream. Any other, such as that of a request that is incomplete, is known to quiche only.
enum Stream {
    Tunnel(Box<Tunnel>),
    Reply(Reply),
    /// We have ended our side of it, at this time.
    Leaving(Duration),
}

impl Session {
    /// Creates a session on a new QUIC connection. `now` is the time since an epoch of your choice.
    pub fn new(quic: quiche::Connection, now: Duration) -> Self {
        let buffer = vec![0; READ].into();
        Self { quic, http: None, streams: HashMap::new(), stopping: false, idle_since: now, buffer }
    }

    /// Receives a datagram.
    pub fn receive(&mut self, datagram: &mut [u8], from: SocketAddr, to: SocketAddr) {
        // If the datagram is invalid, QUIC ignores it or closes the connection with the error.
        let _ = self.quic.recv(datagram, RecvInfo { from, to });
    }

    /// Handles a deadline of QUIC: [`timeout`](Self::timeout) has passed, and no datagram is waiting.
    pub fn on_timeout(&mut self) {
        self.quic.on_timeout();
    }

    /// Handles what has been received, and sends what can be sent.
    pub fn turn(&mut self, now: Duration, endpoint: &mut impl Endpoint) {
        self.begin_http();
        for stream in self.streams.values_mut() {
            if let Stream::Tunnel(tunnel) = stream {
                tunnel.connection().advance_time(now);
            }
        }
        // quiche reports the end of a stream after its last byte was read, so whoever has read looks again.
        for _ in 0..MAX_ROUNDS {
            if !(self.poll(now, endpoint) | self.turn_streams(now, endpoint)) {
                break;
            }
        }
        if self.is_lost() {
            self.abort_streams(endpoint);
        }
        if !self.streams.is_empty() {
            self.idle_since = now;
        } else if self.stopping || (self.quic.is_server() && now >= self.idle_since + IDLE) {
            self.close(WireErrorCode::NoError);
        }
    }

    /// Returns the next datagram to send, and where to.
    pub fn send<'b>(&mut self, buffer: &'b mut [u8]) -> Option<(&'b [u8], SocketAddr)> {
        match self.quic.send(buffer) {
            Ok((length, info)) => Some((&buffer[..length], info.to)),
            Err(quiche::Error::Done) => None,
            Err(_) => {
                self.close(WireErrorCode::InternalError);
                None
            }
        }
    }

    /// Sends an extended CONNECT, and returns its stream. `None` if there is no space for it now.
    ///
    /// # Errors
    ///
    /// Fails if the server accepts no more requests.
    pub(crate) fn request(&mut self, list: &[h3::Header]) -> Result<Option<u64>, h3::Error> {
        let Some(http) = &mut self.http else { return Ok(None) };
        match http.send_request(&mut self.quic, list, false) {
            Ok(stream) => Ok(Some(stream)),
            Err(h3::Error::StreamBlocked) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns whether the peer accepts an extended CONNECT, or `None` before its settings have arrived.
    pub fn accepts_connect(&self) -> Option<bool> {
        let http = self.http.as_ref()?;
        http.peer_settings_raw().map(|_| http.extended_connect_enabled_by_peer())
    }

    /// Returns the WebSockets.
    pub fn connections(&mut self) -> impl Iterator<Item = &mut Connection> {
        self.streams.values_mut().filter_map(|stream| match stream {
            Stream::Tunnel(tunnel) => Some(tunnel.connection()),
            Stream::Reply(_) | Stream::Leaving(_) => None,
        })
    }

    /// Closes every WebSocket with 1001, accepts no more requests, and ends when the last is gone.
    pub fn stop(&mut self, now: Duration) {
        self.stopping = true;
        // RFC 9114 section 5.2: the client learns which requests it may repeat elsewhere. Those in progress go on.
        if let Some(http) = &mut self.http
            && self.quic.is_server()
        {
            let next = self.streams.keys().max().map_or(0, |stream| stream + 4);
            let _ = http.send_goaway(&mut self.quic, next);
        }
        for conn in self.connections() {
            conn.advance_time(now);
            // One that is closing already continues with that.
            let _ = conn.close(CloseCode::GOING_AWAY, "the server stops");
        }
    }

    /// Closes the QUIC connection.
    pub fn close(&mut self, code: WireErrorCode) {
        // Closing it again is no error.
        let _ = self.quic.close(true, code as u64, b"");
    }

    /// Returns whether no request is in progress.
    pub fn is_idle(&self) -> bool {
        self.streams.is_empty()
    }

    /// Returns whether the last datagram has been sent and the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.quic.is_closed()
    }

    /// Returns the reason why the QUIC connection ended, unless it ended in order.
    pub fn error(&self) -> Option<String> {
        let describe = |error: &quiche::ConnectionError| {
            (error.error_code != WireErrorCode::NoError as u64)
                .then(|| format!("{:#x} {}", error.error_code, String::from_utf8_lossy(&error.reason)))
        };
        if self.quic.is_timed_out() {
            return Some("the peer has vanished".into());
        }
        let peer = self.quic.peer_error().and_then(describe).map(|error| format!("the peer's error is {error}"));
        peer.or_else(|| self.quic.local_error().and_then(describe))
    }

    /// Returns the time until the next deadline.
    pub fn timeout(&self, now: Duration) -> Option<Duration> {
        let streams = self.streams.values().filter_map(|stream| match stream {
            Stream::Tunnel(tunnel) => tunnel.next_timeout(),
            Stream::Reply(_) => None,
            Stream::Leaving(since) => Some(*since + GOODBYE),
        });
        let idle =
            (self.quic.is_server() && self.streams.is_empty() && !self.is_lost()).then_some(self.idle_since + IDLE);
        let ours = streams.chain(idle).min().map(|deadline| deadline.saturating_sub(now));
        ours.into_iter().chain(self.quic.timeout()).min()
    }

    fn begin_http(&mut self) {
        if self.http.is_some() || !self.quic.is_established() || self.is_lost() {
            return;
        }
        let created = http_config(self.quic.is_server())
            .and_then(|config| h3::Connection::with_transport(&mut self.quic, &config));
        match created {
            Ok(http) => self.http = Some(http),
            Err(_) => self.close(WireErrorCode::InternalError),
        }
    }

    /// Handles what HTTP/3 reports. Returns whether there was anything.
    fn poll(&mut self, now: Duration, endpoint: &mut impl Endpoint) -> bool {
        let mut any = false;
        // After an error, quiche has closed the connection.
        while let Some(http) = &mut self.http
            && let Ok((id, event)) = http.poll(&mut self.quic)
        {
            any = true;
            match (event, self.streams.get_mut(&id)) {
                (h3::Event::Headers { list, .. }, None) => self.answer(now, id, endpoint.on_head(&list)),
                (h3::Event::Data, Some(Stream::Tunnel(tunnel))) => tunnel.on_data(),
                // RFC 9220 section 3: FIN is the orderly end of a TCP connection, and a reset is its RST.
                (h3::Event::Finished, Some(Stream::Tunnel(tunnel))) => tunnel.connection().receive_eof(),
                // Trailers: RFC 9114 section 4.4 allows only DATA after a CONNECT.
                (h3::Event::Reset(_) | h3::Event::Headers { .. }, Some(Stream::Tunnel(tunnel))) => {
                    tunnel.connection().abort();
                }
                _ => {}
            }
        }
        any
    }

    fn answer(&mut self, now: Duration, id: u64, answer: Answer) {
        let answer = if self.stopping { Answer::Cancel(WireErrorCode::RequestRejected) } else { answer };
        let stream = match answer {
            Answer::Open(mut conn, response) => {
                conn.advance_time(now);
                Stream::Tunnel(Box::new(Tunnel::new(id, *conn, response.as_ref())))
            }
            Answer::Reply(response) => Stream::Reply(Reply::new(id, response)),
            Answer::Ignore => return,
            Answer::Cancel(code) => {
                reset(&mut self.quic, id, code);
                Stream::Leaving(now)
            }
        };
        self.streams.insert(id, stream);
    }

    /// Gives each stream its turn: there are at most so many as `quic.rs` says. Returns whether any has read.
    fn turn_streams(&mut self, now: Duration, endpoint: &mut impl Endpoint) -> bool {
        let Some(http) = &mut self.http else { return false };
        let mut any_read = false;
        self.streams.retain(|&id, stream| {
            let turn = match stream {
                Stream::Tunnel(tunnel) => tunnel.turn(&mut self.quic, http, &mut self.buffer, endpoint),
                Stream::Reply(reply) => reply.turn(&mut self.quic, http),
                Stream::Leaving(since) => return stays(&mut self.quic, http, id, now >= *since + GOODBYE),
            };
            match turn {
                Turn::Stay => {}
                Turn::Again => any_read = true,
                Turn::Leave => *stream = Stream::Leaving(now),
                Turn::Abort => {
                    reset(&mut self.quic, id, WireErrorCode::RequestCancelled);
                    *stream = Stream::Leaving(now);
                }
            }
            true
        });
        any_read
    }

    /// Returns whether the QUIC connection has ended, or is about to.
    fn is_lost(&self) -> bool {
        self.quic.is_closed() || self.quic.is_draining() || self.quic.local_error().is_some()
    }

    fn abort_streams(&mut self, endpoint: &mut impl Endpoint) {
        for (_, stream) in self.streams.drain() {
            if let Stream::Tunnel(mut tunnel) = stream {
                let conn = tunnel.connection();
                conn.abort();
                while let Some(event) = conn.receive(&mut &mut [][..]) {
                    endpoint.on_event(conn, event);
                }
            }
        }
    }
}

/// Discards what still arrives on a stream that we have ended. Returns whether to keep it: until all is acknowledged and
/// the peer has ended its side, for a bounded time.
fn stays(quic: &mut quiche::Connection, http: &mut h3::Connection, id: u64, is_late: bool) -> bool {
    while http.recv_body(quic, id, &mut [0; 4096]).is_ok() {}
    // By then, quiche has forgotten it.
    if let Err(quiche::Error::InvalidStreamState(_)) = quic.stream_capacity(id) {
        return false;
    }
    if is_late {
        reset(quic, id, WireErrorCode::RequestCancelled);
    }
    !is_late
}

/// Ends both directions of a stream with an error.
fn reset(quic: &mut quiche::Connection, id: u64, code: WireErrorCode) {
    for direction in [Shutdown::Write, Shutdown::Read] {
        // A direction that has ended already has nothing to reset.
        let _ = quic.stream_shutdown(id, direction, code as u64);
    }
}

impl From<crate::Malformed> for Answer {
    /// RFC 9114 section 4.1.2: a malformed message is a stream error.
    fn from(_: crate::Malformed) -> Self {
        Self::Cancel(WireErrorCode::MessageError)
    }
}
