//! Two endpoints, the transport between them, and their clock.

use std::time::Duration;

use websocket_proto::{Connection, Negotiated, Role, State, TransportShutdown, client};

use crate::action::{Action, Call, Scenario};
use crate::endpoint::Endpoint;
use crate::support::{ROLES, other, seed};
use crate::wire::BROKEN;

pub(crate) struct World<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    pub(crate) now: Duration,
    /// Something happened that may cost messages: an abort, a deadline, the end of a transport, a violation.
    pub(crate) is_faulty: bool,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let request = || client::Request::new("ws://localhost/".parse().unwrap());
        let (client, server) = if scenario.opens {
            (Connection::client(request(), scenario.config(), seed()).unwrap(), Connection::server(scenario.config()))
        } else {
            (
                Connection::upgraded_client(Negotiated::new(), scenario.config(), seed()),
                Connection::upgraded_server(Negotiated::new(), scenario.config()),
            )
        };
        Self {
            scenario,
            client: Endpoint::new(client, scenario),
            server: Endpoint::new(server, scenario),
            now: Duration::from_secs(1000),
            is_faulty: false,
        }
    }

    pub(crate) fn replay(scenario: &'a Scenario, path: &[Action]) -> Self {
        let mut world = Self::new(scenario);
        for action in path {
            world.act(*action);
        }
        world
    }

    pub(crate) fn end(&mut self, role: Role) -> &mut Endpoint {
        match role {
            Role::Client => &mut self.client,
            Role::Server => &mut self.server,
        }
    }

    pub(crate) fn act(&mut self, action: Action) {
        let now = self.now;
        match action {
            Action::Call(role, call) => {
                self.is_faulty |= call == Call::Abort;
                self.end(role).call(call);
            }
            Action::Read(role, count) => {
                let end = self.end(role);
                end.read(count, now);
                self.is_faulty |= end.has_failed();
            }
            Action::Write(role) => self.write(role),
            Action::Cut(role) => {
                self.is_faulty = true;
                self.end(role).incoming.cut();
            }
            Action::Break(role) => {
                self.is_faulty = true;
                self.end(role).incoming.arrive(&[BROKEN, 0]);
            }
            Action::Wait => self.now = self.next_deadline().expect("a deadline to wait for"),
        }
    }

    /// Returns the possible actions, in the part of the alphabet that this world explores.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for role in ROLES {
            let end = if role == Role::Client { &self.client } else { &self.server };
            if end.calls < self.scenario.most_calls && !end.is_gone() {
                let callable = self.scenario.calls.iter().filter(|call| end.can(**call));
                actions.extend(callable.map(|call| Action::Call(role, *call)));
            }
            if !end.is_gone() {
                actions.extend(self.cuts(end.incoming.len()).map(|count| Action::Read(role, count)));
            }
            if end.has_to_write() {
                actions.push(Action::Write(role));
            }
            if self.scenario.can_cut && !end.incoming.is_ended() {
                actions.push(Action::Cut(role));
            }
            if self.scenario.can_break && !end.incoming.is_ended() && !end.incoming.is_broken() {
                actions.push(Action::Break(role));
            }
        }
        if self.scenario.can_wait && self.next_deadline().is_some() {
            actions.push(Action::Wait);
        }
        actions
    }

    /// Returns the numbers of bytes, of so many, that may be read at once.
    fn cuts(&self, length: usize) -> impl Iterator<Item = usize> + use<> {
        let everywhere = self.scenario.cuts_everywhere;
        (0..=length).filter(move |count| everywhere || [0, 1, length.saturating_sub(1), length].contains(count))
    }

    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        [&self.client, &self.server]
            .into_iter()
            .filter(|end| !end.is_gone())
            .filter_map(|end| end.conn.next_timeout())
            .filter(|next| *next > self.now)
            .min()
    }

    fn write(&mut self, role: Role) {
        let (written, shutdown) = self.end(role).write();
        let incoming = &mut self.end(other(role)).incoming;
        incoming.arrive(&written);
        if shutdown.is_some() {
            incoming.end();
        }
        self.is_faulty |= shutdown == Some(TransportShutdown::Abort);
    }

    /// Checks what holds after every action.
    pub(crate) fn check(&mut self) {
        let now = self.now;
        self.client.check(now);
        self.server.check(now);
        // What one reports of the closing handshake is what the other said.
        if let (Some(client), Some(server)) = (&self.client.closed, &self.server.closed)
            && client.clean
            && server.clean
            && !self.is_faulty
        {
            assert_eq!((client.code, &client.reason), (server.code, &server.reason));
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        [&self.client, &self.server].into_iter().all(|end| end.is_shut() && end.conn.state() == State::Closed)
    }
}
