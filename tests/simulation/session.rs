//! A session: its two ends, and what is said between them.

use std::collections::VecDeque;
use std::time::Duration;

use websocket_proto::{Connection, Role, Seed, State, client};

use crate::content::Content;
use crate::end::{Answer, End};
use crate::memory::counted;
use crate::plan::Plan;

/// The most bytes on the way and in the socket together.
const WINDOW: usize = 64 << 10;

pub(crate) struct Session {
    pub(crate) plan: Plan,
    /// The client and the server, from the start to the end of the session.
    pub(crate) ends: Option<[End; 2]>,
    /// The messages that each has sent and the other hasn't received.
    pub(crate) said: [VecDeque<Content>; 2],
    pub(crate) links: [Link; 2],
    /// Nothing arrives before.
    pub(crate) stalled_until: Duration,
    pub(crate) is_silent: bool,
    pub(crate) is_reset: bool,
    pub(crate) is_calm: bool,
}

/// One direction of the transport, by the end that writes to it.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) in_flight: usize,
    pub(crate) last_arrival: Duration,
}

impl Session {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            is_calm: plan.is_calm,
            plan,
            ends: None,
            said: Default::default(),
            links: Default::default(),
            stalled_until: Duration::ZERO,
            is_silent: false,
            is_reset: false,
        }
    }

    pub(crate) fn start(&mut self, number: usize) {
        let [server, client] = self.plan.settings.clone();
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let request = client::Request::new("ws://localhost/".parse().expect("a URI"));
        let client = Connection::client(request, client, Seed::new(seed)).expect("a request");
        let mut held = 0;
        let server = counted(&mut held, || Connection::server(server));
        let answer = Answer::new(self.plan.answers_after, self.plan.is_rejected);
        self.ends = Some([End::new(client, 0, answer), End::new(server, held, answer)]);
    }

    pub(crate) fn end(&mut self, role: Role) -> Option<&mut End> {
        self.ends.as_mut().map(|ends| &mut ends[index(role)])
    }

    /// Returns the number of bytes that this end may write.
    pub(crate) fn space(&self, role: Role) -> usize {
        let in_socket = self.ends.as_ref().map_or(0, |ends| ends[1 - index(role)].socket.len());
        if self.is_reset { usize::MAX } else { WINDOW.saturating_sub(self.links[index(role)].in_flight + in_socket) }
    }

    /// Both ends are done: all that was sent was received. Returns what is left of the memory of the server's connection.
    pub(crate) fn finish(&mut self) -> isize {
        let Some([client, server]) = self.ends.take() else { return 0 };
        let [one, other] = [&client, &server].map(|end| end.closed.as_ref().expect("it is reported"));
        if one.clean && other.clean {
            assert_eq!(self.said, [VecDeque::new(), VecDeque::new()], "lost, although both ends closed");
            assert!(client.pings[2] >= server.pongs_sent && server.pings[2] >= client.pongs_sent, "pongs");
            assert_eq!([client.pings[0], server.pings[0]], [server.pings[1], client.pings[1]], "pings");
        }
        for end in [&client, &server] {
            assert_eq!(end.conn.state(), State::Closed);
            assert!(end.pings[2] <= end.pings[0], "pongs that nobody asked for");
        }
        if self.is_calm && !client.was_rejected() {
            assert!(one.clean && other.clean, "{one} and {other}");
            assert_eq!((one.code, &one.reason), (other.code, &other.reason));
        }
        let End { conn, mut held, .. } = server;
        counted(&mut held, || drop(conn));
        held
    }
}

pub(crate) fn index(role: Role) -> usize {
    usize::from(role == Role::Server)
}
