//! A response with a body, which is sent as the flow control of the stream allows.

use bytes::{Buf, Bytes};
use http::Response;
use quiche::Shutdown;
use quiche::h3::{self, WireErrorCode};

use crate::head;
use crate::tunnel::Turn;

pub(crate) struct Reply {
    id: u64,
    /// `None` once it is sent.
    head: Option<Vec<h3::Header>>,
    body: Bytes,
}

impl Reply {
    pub(crate) fn new(id: u64, response: Response<Bytes>) -> Self {
        Self { id, head: Some(head::response_list(&response)), body: response.into_body() }
    }

    pub(crate) fn turn(&mut self, quic: &mut quiche::Connection, http: &mut h3::Connection) -> Turn {
        if let Some(head) = &self.head {
            match http.send_response(quic, self.id, head, false) {
                Ok(()) => self.head = None,
                Err(h3::Error::StreamBlocked) => return Turn::Stay,
                Err(_) => return Turn::Abort,
            }
        }
        loop {
            match http.send_body(quic, self.id, &self.body, true) {
                Ok(written) => self.body.advance(written),
                Err(h3::Error::Done) => return Turn::Stay,
                Err(_) => return Turn::Abort,
            }
            // With the last byte, FIN was sent.
            if self.body.is_empty() {
                // RFC 9114 section 4.1: a server that has sent its whole response may ask for no more of the request.
                let _ = quic.stream_shutdown(self.id, Shutdown::Read, WireErrorCode::NoError as u64);
                return Turn::Leave;
            }
        }
    }
}
