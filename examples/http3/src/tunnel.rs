//! A WebSocket on its stream (RFC 9220 section 3): its frames are the content of DATA frames, in both directions.

use std::time::Duration;

use bytes::Buf;
use http::Response;
use quiche::h3;
use websocket_proto::{Connection, TransportShutdown};

use crate::head;
use crate::session::Endpoint;

/// With this much pending output, the peer isn't read from: it has to read its answers first.
const HIGH_WATER: usize = 64 << 10;

pub(crate) struct Tunnel {
    id: u64,
    conn: Connection,
    /// The response to the request, until it is sent.
    response: Option<Vec<h3::Header>>,
    /// There may be bytes to read.
    is_readable: bool,
}

/// What a stream needs after its turn.
pub(crate) enum Turn {
    Stay,
    /// It has read: its end may follow.
    Again,
    /// Its side is ended.
    Leave,
    /// It is to be reset.
    Abort,
}

impl Tunnel {
    pub(crate) fn new(id: u64, conn: Connection, response: Option<&Response<()>>) -> Self {
        Self { id, conn, response: response.map(head::response_list), is_readable: false }
    }

    /// Notes that bytes have arrived.
    pub(crate) fn on_data(&mut self) {
        self.is_readable = true;
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.conn
    }

    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.conn.next_timeout()
    }

    /// Reads what is there, handles it and writes what the flow control of the stream allows.
    pub(crate) fn turn(
        &mut self,
        quic: &mut quiche::Connection,
        http: &mut h3::Connection,
        buffer: &mut [u8],
        endpoint: &mut impl Endpoint,
    ) -> Turn {
        let mut has_read = false;
        loop {
            let read = if self.wants_to_read() { self.read(quic, http, buffer) } else { 0 };
            has_read |= read > 0;
            let mut input = &mut buffer[..read];
            // Also without input: the end of the stream and deadlines are reported here, too.
            while let Some(event) = self.conn.receive(&mut input) {
                endpoint.on_event(&mut self.conn, event);
            }
            self.write(quic, http);
            if read == 0 || !self.wants_to_read() {
                break;
            }
        }
        match self.conn.wants_shutdown() {
            Some(TransportShutdown::Abort) => {
                // If it was lost in writing, that isn't reported yet.
                while let Some(event) = self.conn.receive(&mut &mut [][..]) {
                    endpoint.on_event(&mut self.conn, event);
                }
                Turn::Abort
            }
            Some(TransportShutdown::Graceful) if self.response.is_none() => {
                match http.send_body(quic, self.id, &[], true) {
                    Ok(_) => Turn::Leave,
                    // No space for it now.
                    Err(h3::Error::Done) => Turn::Stay,
                    Err(_) => Turn::Abort,
                }
            }
            _ if has_read || self.wants_to_read() => Turn::Again,
            _ => Turn::Stay,
        }
    }

    fn wants_to_read(&self) -> bool {
        self.is_readable && self.conn.pending_output() < HIGH_WATER && self.conn.wants_shutdown().is_none()
    }

    /// Reads once. quiche gives the peer as much space again.
    fn read(&mut self, quic: &mut quiche::Connection, http: &mut h3::Connection, buffer: &mut [u8]) -> usize {
        match http.recv_body(quic, self.id, buffer) {
            Ok(read) => read,
            // After an empty DATA frame, quiche says so although more has arrived: it has to look at the next frame first.
            Err(h3::Error::Done) => {
                self.is_readable = quic.stream_readable(self.id);
                0
            }
            // The peer has reset the stream.
            Err(_) => {
                self.conn.abort();
                0
            }
        }
    }

    fn write(&mut self, quic: &mut quiche::Connection, http: &mut h3::Connection) {
        if let Some(response) = &self.response {
            match http.send_response(quic, self.id, response, false) {
                Ok(()) => self.response = None,
                Err(h3::Error::StreamBlocked) => return,
                Err(_) => return self.conn.abort(),
            }
        }
        // The peer may have stopped reading, without which no answer reaches it.
        if quic.stream_capacity(self.id).is_err() {
            return self.conn.abort();
        }
        while self.conn.output().has_remaining() {
            match http.send_body(quic, self.id, self.conn.output().chunk(), false) {
                Ok(written) => self.conn.output().advance(written),
                // The stream's window or that of the connection is full, or the network is.
                Err(h3::Error::Done) => return,
                Err(_) => return self.conn.abort(),
            }
        }
    }
}
