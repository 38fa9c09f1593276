//! A server: one UDP socket, whose datagrams are given to the task of their connection.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quiche::{ConnectionId, Header, Type};
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio::{pin, select};
use websocket_proto::Config;

use crate::quic::{CONNECTION_ID, MAX_DATAGRAM};
use crate::{Answers, Error, Session, connection_id};

/// How long connections have to end when the server stops: the 5 seconds of a closing handshake, and a little for its
/// deadline to take effect.
const FAREWELL: Duration = Duration::from_millis(5_300);

/// The datagrams that may wait for the task of their connection. Any more are dropped, as a network drops them.
const WAITING: usize = 1024;

/// The routes of connections that are gone are forgotten each time that so many are there.
const SWEEP: usize = 64;

struct Datagram {
    bytes: Vec<u8>,
    from: SocketAddr,
}

/// Where datagrams go, by the connection ID that they have. Each connection has two: the one that the client has made
/// up for its first datagrams, and ours.
type Routes = HashMap<ConnectionId<'static>, mpsc::Sender<Datagram>>;

/// Serves clients until `told_to_stop`, then closes all WebSockets with 1001. Returns whether all were closed in time.
///
/// # Errors
///
/// Fails if the socket does.
pub async fn run(
    socket: UdpSocket,
    quic: quiche::Config,
    config: Arc<Config>,
    told_to_stop: impl Future<Output = ()>,
) -> Result<bool, Error> {
    let mut server =
        Server { socket: Arc::new(socket), quic, config, routes: Routes::new(), stopping: watch::Sender::new(()) };
    let mut stopped_at: Option<Instant> = None;
    let mut buffer = [0; 1 << 16];
    pin!(told_to_stop);
    loop {
        let left = stopped_at.map(|at| FAREWELL.saturating_sub(at.elapsed()));
        select! {
            received = server.socket.recv_from(&mut buffer) => match received {
                Ok((length, from)) => server.dispatch(&mut buffer[..length], from, stopped_at.is_none()).await?,
                // A client's socket is gone, which the system reports here.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error.into()),
            },
            () = &mut told_to_stop, if stopped_at.is_none() => {
                stopped_at = Some(Instant::now());
                server.stopping.send_replace(());
            }
            () = server.stopping.closed(), if stopped_at.is_some() => return Ok(true),
            () = sleep_for(left) => return Ok(false),
        }
    }
}

struct Server {
    socket: Arc<UdpSocket>,
    quic: quiche::Config,
    config: Arc<Config>,
    routes: Routes,
    /// Every connection has a receiver, and so it is known when all are gone.
    stopping: watch::Sender<()>,
}

impl Server {
    /// Gives a datagram to the task of its connection, which is a new one if the client begins it and `accepts`.
    async fn dispatch(&mut self, bytes: &mut [u8], from: SocketAddr, accepts: bool) -> Result<(), Error> {
        // Whatever isn't QUIC is ignored.
        let Ok(header) = Header::from_slice(bytes, CONNECTION_ID) else { return Ok(()) };
        let route = match self.routes.get(&header.dcid) {
            Some(route) => route.clone(),
            None if header.ty != Type::Initial || !accepts => return Ok(()),
            None if !quiche::version_is_supported(header.version) => {
                let mut answer = [0; MAX_DATAGRAM];
                if let Ok(length) = quiche::negotiate_version(&header.scid, &header.dcid, &mut answer) {
                    // A datagram that isn't sent is a datagram that is lost.
                    let _ = self.socket.send_to(&answer[..length], from).await;
                }
                return Ok(());
            }
            None => {
                let id = connection_id()?;
                let local = self.socket.local_addr()?;
                let Ok(conn) = quiche::accept(&id, None, local, from, &mut self.quic) else { return Ok(()) };
                let (route, datagrams) = mpsc::channel(WAITING);
                if self.routes.len().is_multiple_of(SWEEP) {
                    self.routes.retain(|_, route| !route.is_closed());
                }
                self.routes.insert(id, route.clone());
                self.routes.insert(header.dcid.into_owned(), route.clone());
                let answers = Answers::new(Arc::clone(&self.config));
                tokio::spawn(serve(Arc::clone(&self.socket), conn, datagrams, self.stopping.subscribe(), answers));
                route
            }
        };
        let _ = route.try_send(Datagram { bytes: bytes.to_vec(), from });
        Ok(())
    }
}

/// Serves one QUIC connection to its end.
async fn serve(
    socket: Arc<UdpSocket>,
    conn: quiche::Connection,
    mut datagrams: mpsc::Receiver<Datagram>,
    mut stopping: watch::Receiver<()>,
    mut answers: Answers,
) {
    let epoch = Instant::now();
    let Ok(local) = socket.local_addr() else { return };
    let mut session = Session::new(conn, Duration::ZERO);
    let mut is_stopping = false;
    let mut buffer = [0; MAX_DATAGRAM];
    while !session.is_closed() {
        let deadline = session.timeout(epoch.elapsed());
        // Datagrams first: a process that was held up finds those that have come in time when a deadline has passed.
        select! {
            biased;
            datagram = datagrams.recv() => {
                // Without its sender there is no server any more.
                let Some(mut datagram) = datagram else { return };
                session.receive(&mut datagram.bytes, datagram.from, local);
                while let Ok(mut datagram) = datagrams.try_recv() {
                    session.receive(&mut datagram.bytes, datagram.from, local);
                }
            }
            _ = stopping.changed(), if !is_stopping => {
                is_stopping = true;
                session.stop(epoch.elapsed());
            }
            () = sleep_for(deadline) => session.on_timeout(),
        }
        session.turn(epoch.elapsed(), &mut answers);
        while let Some((datagram, to)) = session.send(&mut buffer) {
            // A datagram that isn't sent is a datagram that is lost: QUIC sends its content again.
            let _ = socket.send_to(datagram, to).await;
        }
    }
}

/// Waits for that long, or forever.
pub(crate) async fn sleep_for(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => pending().await,
    }
}
