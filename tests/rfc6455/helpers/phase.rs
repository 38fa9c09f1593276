//! Every phase of a connection, and a connection in it.

use websocket_proto::{CloseCode, Config, Connection, Role, State, TransportShutdown, client, server};

use crate::checks::peer;
use crate::support::{ROLES, close_body, drain, feed, open, request, seed};

/// The phases of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    HalfHead,
    RequestWaits,
    HalfRefusal,
    Open,
    InMessage,
    Closing,
    ClosedByPeer,
    ClosedByUs,
    Failed,
    Eof,
    Aborted,
    Rejected,
}

impl Phase {
    pub(crate) const ALL: [Self; 13] = [
        Self::Connecting,
        Self::HalfHead,
        Self::RequestWaits,
        Self::HalfRefusal,
        Self::Open,
        Self::InMessage,
        Self::Closing,
        Self::ClosedByPeer,
        Self::ClosedByUs,
        Self::Failed,
        Self::Eof,
        Self::Aborted,
        Self::Rejected,
    ];

    pub(crate) fn all() -> impl Iterator<Item = (Self, Connection)> {
        let both = ROLES.into_iter().flat_map(|role| Self::ALL.map(|phase| (phase, role)));
        both.filter_map(|(phase, role)| Some((phase, phase.reach(role)?)))
    }

    /// A connection in that phase, its events received and its output drained; `None` if that role doesn't have the
    /// phase.
    pub(crate) fn reach(self, role: Role) -> Option<Connection> {
        let close = peer(role, &[(0x88, &close_body(1000, ""))]);
        let cut = peer(role, &[(0x01, b"part"), (0x80, b"cut")]);
        let mut conn = match self {
            Self::Connecting | Self::HalfHead | Self::RequestWaits | Self::HalfRefusal | Self::Rejected => begin(role),
            _ => open(role),
        };
        let arrived: &[u8] = match (self, role) {
            (Self::HalfHead, Role::Server) => b"GET / HT",
            (Self::HalfHead, Role::Client) => b"HTTP/1.1 101 Sw",
            (Self::RequestWaits, Role::Server) => &request(),
            (Self::HalfRefusal, Role::Client) => b"HTTP/1.1 404 \r\nContent-Length: 99\r\n\r\nnot",
            (Self::Rejected, Role::Server) => &request(),
            (Self::Rejected, Role::Client) => b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
            (Self::RequestWaits | Self::HalfRefusal, _) => return None,
            (Self::InMessage, _) => &cut[..cut.len() - 1],
            (Self::ClosedByPeer, _) => &close,
            (Self::Failed, _) => b"\xff",
            _ => b"",
        };
        feed(&mut conn, arrived);
        match self {
            Self::Closing | Self::ClosedByUs => conn.close(CloseCode::NORMAL, "").unwrap(),
            Self::Eof => conn.receive_eof(),
            Self::Aborted => conn.abort(),
            Self::Rejected if role == Role::Server => conn.reject(server::Rejection::new(403)).unwrap(),
            _ => {}
        }
        feed(&mut conn, if self == Self::ClosedByUs { &close } else { b"" });
        drain(&mut conn);
        Some(conn)
    }

    pub(crate) fn state(self) -> State {
        match self {
            Self::Connecting | Self::HalfHead | Self::RequestWaits | Self::HalfRefusal => State::Connecting,
            Self::Open | Self::InMessage => State::Open,
            Self::Closing => State::Closing,
            _ => State::Closed,
        }
    }

    /// Returns whether the time has to be set: for the deadline of a handshake, or because there is something to do
    /// immediately.
    pub(crate) fn has_deadline(self) -> bool {
        !matches!(self, Self::Open | Self::InMessage)
    }

    pub(crate) fn shutdown(self, role: Role) -> Option<TransportShutdown> {
        match self {
            Self::ClosedByPeer | Self::ClosedByUs => (role == Role::Server).then_some(TransportShutdown::Graceful),
            Self::Failed | Self::Eof => Some(TransportShutdown::Graceful),
            Self::Aborted => Some(TransportShutdown::Abort),
            // A server's answer is to be read; a client has had its own.
            Self::Rejected => {
                Some(if role == Role::Server { TransportShutdown::Graceful } else { TransportShutdown::Abort })
            }
            _ => None,
        }
    }
}

pub(crate) fn begin(role: Role) -> Connection {
    match role {
        Role::Server => Connection::server(Config::new()),
        Role::Client => {
            let request = client::Request::new("ws://localhost/".parse().unwrap());
            Connection::client(request, Config::new(), seed()).unwrap()
        }
    }
}
