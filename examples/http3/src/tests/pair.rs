//! Our server's session, and a client that is quiche alone: it does what it is told, whatever HTTP/3 says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quiche::h3::{self, Event as HttpEvent, Header, NameValue};
use quiche::{RecvInfo, Shutdown};
use websocket_proto::{CloseCode, Config, Connection, Event};

use crate::certificate::SelfSigned;
use crate::quic::{MAX_DATAGRAM, http_config};
use crate::session::{Answer, Endpoint, Session};
use crate::{Answers, client_config, connection_id, server_config};

pub(super) struct Pair {
    pub(super) server: Session,
    pub(super) answers: Recorder,
    pub(super) quic: quiche::Connection,
    pub(super) http: h3::Connection,
    pub(super) now: Duration,
}

/// The server's answers, and how its WebSockets were closed.
pub(super) struct Recorder {
    answers: Answers,
    pub(super) closed: Vec<CloseCode>,
}

impl Endpoint for Recorder {
    fn on_head(&mut self, head: &[Header]) -> Answer {
        self.answers.on_head(head)
    }

    fn on_event(&mut self, conn: &mut Connection, event: Event<'_>) {
        if let Event::Closed(closed) = &event {
            self.closed.push(closed.code);
        }
        self.answers.on_event(conn, event);
    }
}

pub(super) const CONNECT: [(&str, &str); 6] = [
    (":method", "CONNECT"),
    (":protocol", "websocket"),
    (":scheme", "https"),
    (":authority", "localhost"),
    (":path", "/echo"),
    ("sec-websocket-version", "13"),
];

impl Pair {
    /// Two sides whose handshake is complete.
    pub(super) fn new() -> Self {
        let certificate = SelfSigned::for_loopback().unwrap();
        let [client, server] = addresses();
        let mut trusting = client_config(None).unwrap();
        trusting.verify_peer(false);
        let id = connection_id().unwrap();
        let mut quic = quiche::connect(Some("localhost"), &id, client, server, &mut trusting).unwrap();
        let id = connection_id().unwrap();
        let accepted = quiche::accept(&id, None, server, client, &mut server_config(&certificate).unwrap()).unwrap();
        let mut server = Session::new(accepted, Duration::ZERO);
        let mut answers = Recorder { answers: Answers::new(Arc::new(Config::new())), closed: Vec::new() };
        while !quic.is_established() {
            exchange(&mut quic, &mut server, &mut answers, Duration::ZERO);
        }
        let http = h3::Connection::with_transport(&mut quic, &http_config(false).unwrap()).unwrap();
        let mut pair = Self { server, answers, quic, http, now: Duration::ZERO };
        pair.run();
        assert!(pair.events().is_empty());
        pair
    }

    /// Hands over datagrams until there are none.
    pub(super) fn run(&mut self) {
        while exchange(&mut self.quic, &mut self.server, &mut self.answers, self.now) {}
    }

    /// Lets time pass for the server: as much as it takes for a deadline to take effect.
    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        for _ in 0..3 {
            self.server.turn(self.now, &mut self.answers);
        }
        self.run();
    }

    /// What HTTP/3 reports to the client.
    pub(super) fn events(&mut self) -> Vec<(u64, HttpEvent)> {
        std::iter::from_fn(|| self.http.poll(&mut self.quic).ok()).collect()
    }

    /// Sends a request, and returns its stream.
    pub(super) fn ask(&mut self, head: &[(&str, &str)]) -> u64 {
        let list: Vec<_> = head.iter().map(|(name, value)| Header::new(name.as_bytes(), value.as_bytes())).collect();
        let stream = self.http.send_request(&mut self.quic, &list, false).unwrap();
        self.run();
        stream
    }

    /// Opens a WebSocket, and returns its stream.
    pub(super) fn open(&mut self) -> u64 {
        let stream = self.ask(&CONNECT);
        assert_eq!(self.status(stream), "200");
        stream
    }

    /// The status of the response that has arrived on this stream.
    pub(super) fn status(&mut self, stream: u64) -> String {
        let events = self.events();
        let Some(HttpEvent::Headers { list, .. }) =
            events.iter().find_map(|(id, event)| (*id == stream).then_some(event))
        else {
            panic!("{events:?}");
        };
        String::from_utf8(list[0].value().to_vec()).unwrap()
    }

    /// Sends bytes on a stream, as many as its window allows; returns how many.
    pub(super) fn send(&mut self, stream: u64, data: &[u8]) -> usize {
        let mut sent = 0;
        while sent < data.len() {
            match self.http.send_body(&mut self.quic, stream, &data[sent..], false) {
                Ok(count) => sent += count,
                Err(h3::Error::Done) => break,
                Err(error) => panic!("{error}"),
            }
            self.run();
        }
        sent
    }

    /// Reads what has arrived on a stream.
    pub(super) fn read(&mut self, stream: u64) -> Vec<u8> {
        let (mut data, mut buffer) = (Vec::new(), [0; 1 << 14]);
        loop {
            let _ = self.events();
            match self.http.recv_body(&mut self.quic, stream, &mut buffer) {
                Ok(count) => data.extend_from_slice(&buffer[..count]),
                Err(_) => return data,
            }
            self.run();
        }
    }

    /// Ends our side of a stream.
    pub(super) fn fin(&mut self, stream: u64) {
        self.http.send_body(&mut self.quic, stream, b"", true).unwrap();
        self.run();
    }

    /// Ends a direction of a stream with an error.
    pub(super) fn reset(&mut self, stream: u64, direction: Shutdown) {
        self.quic.stream_shutdown(stream, direction, h3::WireErrorCode::RequestCancelled as u64).unwrap();
        self.run();
    }
}

fn addresses() -> [SocketAddr; 2] {
    [([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into()]
}

/// Hands over the datagrams of both sides. Returns whether there were any.
fn exchange(quic: &mut quiche::Connection, server: &mut Session, answers: &mut Recorder, now: Duration) -> bool {
    let [client, peer] = addresses();
    let mut any = false;
    let mut buffer = [0; MAX_DATAGRAM];
    while let Ok((length, _)) = quic.send(&mut buffer) {
        server.receive(&mut buffer[..length], client, peer);
        any = true;
    }
    server.turn(now, answers);
    while let Some((datagram, _)) = server.send(&mut buffer) {
        let length = datagram.len();
        let _ = quic.recv(&mut buffer[..length], RecvInfo { from: peer, to: client });
        any = true;
    }
    any
}

/// A frame of a client, masked with zeros.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = match payload.len() {
        short @ 0..126 => vec![0x80 | short as u8],
        medium @ 126..0x1_0000 => [&[0xfe][..], &(medium as u16).to_be_bytes()].concat(),
        long => [&[0xff][..], &(long as u64).to_be_bytes()].concat(),
    };
    [&[first], &length[..], &[0; 4], payload].concat()
}
