//! A client: one socket, one QUIC connection, one WebSocket on it.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use quiche::h3::{Header, WireErrorCode};
use tokio::net::{UdpSocket, lookup_host};
use tokio::select;
use tokio::sync::mpsc;
use websocket_proto::{Config, Connection, Event, HttpClientHandshake, Seed, State, client};

use crate::quic::MAX_DATAGRAM;
use crate::server::sleep_for;
use crate::session::{Answer, Endpoint, Session};
use crate::{Error, connection_id, head};

/// How long the server has to answer: for QUIC, its settings and the response together.
const OPENING: Duration = Duration::from_secs(10);

/// With this much pending output, nothing more is sent until the server has read.
const HIGH_WATER: usize = 64 << 10;

/// What a client does with its WebSocket.
pub trait Handler {
    /// The WebSocket is open.
    fn on_open(&mut self, conn: &mut Connection);

    /// Handles an event.
    fn on_event(&mut self, conn: &mut Connection, event: Event<'_>);

    /// Handles a line that was typed, or `None` for the end of the input.
    fn on_line(&mut self, conn: &mut Connection, line: Option<String>);
}

/// The client's side of HTTP/3: one request, and the WebSocket that comes of it.
pub struct Client<H> {
    /// The request, until it is sent.
    request: Option<Request<()>>,
    handshake: HttpClientHandshake,
    config: Arc<Config>,
    handler: H,
    progress: Progress,
}

enum Progress {
    Opening,
    /// It is open, or was.
    Opened,
    Failed(Error),
}

impl<H: Handler> Client<H> {
    /// Creates a client that sends this request.
    ///
    /// # Errors
    ///
    /// Fails if a part of the request can't be sent.
    pub fn new(request: client::Request, config: Arc<Config>, handler: H) -> Result<Self, Error> {
        let (request, handshake) = HttpClientHandshake::connect(request, &config)?;
        Ok(Self { request: Some(request), handshake, config, handler, progress: Progress::Opening })
    }

    /// Connects, and runs until the connection is closed. A line is passed on once the server has read what was sent
    /// before.
    ///
    /// # Errors
    ///
    /// There was no WebSocket, or the network failed.
    pub async fn run(
        mut self,
        uri: &client::Uri,
        mut quic: quiche::Config,
        mut lines: Option<mpsc::Receiver<String>>,
    ) -> Result<(), Error> {
        let (socket, peer) = connect(uri).await?;
        let local = socket.local_addr()?;
        let epoch = Instant::now();
        let quic = quiche::connect(Some(uri.host()), &connection_id()?, local, peer, &mut quic)?;
        let mut session = Session::new(quic, Duration::ZERO);
        let (mut received, mut buffer) = ([0; 1 << 16], [0; MAX_DATAGRAM]);
        loop {
            let now = epoch.elapsed();
            session.turn(now, &mut self);
            self.ask(&mut session, now);
            let is_over = self.is_over(&session);
            if is_over {
                session.close(WireErrorCode::NoError);
            }
            while let Some((datagram, _)) = session.send(&mut buffer) {
                // A datagram that isn't sent is a datagram that is lost: QUIC sends its content again.
                let _ = socket.send(datagram).await;
            }
            if is_over {
                break;
            }

            let is_ready = session
                .connections()
                .next()
                .is_some_and(|conn| conn.state() == State::Open && conn.pending_output() < HIGH_WATER);
            let opening = matches!(self.progress, Progress::Opening).then(|| OPENING.saturating_sub(epoch.elapsed()));
            let deadline = session.timeout(epoch.elapsed()).into_iter().chain(opening).min();
            // Datagrams first: a process that was held up finds those that have come in time when a deadline has passed.
            select! {
                biased;
                length = socket.recv(&mut received) => match length {
                    Ok(length) => session.receive(&mut received[..length], peer, local),
                    // Nobody is there yet, or any more: QUIC tries again, for as long as it may.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                    Err(error) => return Err(error.into()),
                },
                () = sleep_for(deadline) => session.on_timeout(),
                line = next(&mut lines), if is_ready => {
                    if line.is_none() {
                        lines = None;
                    }
                    if let Some(conn) = session.connections().next() {
                        self.handler.on_line(conn, line);
                    }
                }
            }
        }
        match self.progress {
            Progress::Opened => Ok(()),
            Progress::Failed(error) => Err(error),
            Progress::Opening => {
                Err(session.error().unwrap_or_else(|| "the server closed the connection".into()).into())
            }
        }
    }

    /// Sends the request, once the server has said that it accepts it.
    pub(crate) fn ask(&mut self, session: &mut Session, now: Duration) {
        if matches!(self.progress, Progress::Opening) && now >= OPENING {
            return self.fail("the server did not answer in time");
        }
        let Some(request) = &self.request else { return };
        match session.accepts_connect() {
            // RFC 8441 section 3: no extended CONNECT before the server's settings, which allow it.
            None => {}
            Some(false) => self.fail("the server accepts no WebSocket over HTTP/3"),
            Some(true) => match session.request(&head::connect_list(request, "websocket")) {
                Ok(Some(_)) => self.request = None,
                Ok(None) => {}
                Err(error) => self.fail(error),
            },
        }
    }

    fn is_over(&self, session: &Session) -> bool {
        match self.progress {
            Progress::Opening => session.is_closed(),
            Progress::Opened => session.is_idle(),
            Progress::Failed(_) => true,
        }
    }

    fn fail(&mut self, error: impl Into<Error>) {
        self.request = None;
        self.progress = Progress::Failed(error.into());
    }

    fn check(&self, response: &Response<()>) -> Result<Connection, Error> {
        let negotiated = self.handshake.check(response)?;
        Ok(Connection::upgraded_client(negotiated, Arc::clone(&self.config), Seed::from_os()?))
    }
}

impl<H: Handler> Endpoint for Client<H> {
    fn on_head(&mut self, head: &[Header]) -> Answer {
        let response = match head::response(head) {
            Ok(response) => response,
            Err(malformed) => {
                self.fail("the response is malformed");
                return malformed.into();
            }
        };
        if response.status().is_informational() {
            return Answer::Ignore;
        }
        match self.check(&response) {
            Ok(mut conn) => {
                self.progress = Progress::Opened;
                self.handler.on_open(&mut conn);
                Answer::Open(Box::new(conn), None)
            }
            Err(error) => {
                self.fail(error);
                Answer::Cancel(WireErrorCode::RequestCancelled)
            }
        }
    }

    fn on_event(&mut self, conn: &mut Connection, event: Event<'_>) {
        self.handler.on_event(conn, event);
    }
}

async fn connect(uri: &client::Uri) -> Result<(UdpSocket, SocketAddr), Error> {
    let peer = lookup_host((uri.host_with_zone(), uri.port())).await?.next().ok_or("the host has no address")?;
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(peer).await?;
    Ok((socket, peer))
}

/// The next line, if there can be any.
async fn next(lines: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => pending().await,
    }
}
