//! The closing handshake, as the peer takes part in it.

use websocket_proto::{Cause, CloseCode, Connection, Role, State};

use crate::checks::{assert_over, peer};
use crate::support::{close_body, drain};

pub(crate) const NORMAL: Cause = Cause::Local(CloseCode::NORMAL);

/// A Close frame from the connection's peer.
pub(crate) fn close(role: Role, code: u16, reason: &str) -> Vec<u8> {
    peer(role, &[(0x88, &close_body(code, reason))])
}

/// The peer's Close is answered: what remains is to drain the output and, for a client, to let the server close TCP
/// first.
#[track_caller]
pub(crate) fn assert_shuts_down(conn: &mut Connection) {
    assert_eq!(conn.state(), State::Closed);
    drain(conn);
    if conn.role() == Role::Client {
        assert_eq!(conn.wants_shutdown(), None);
        conn.receive_eof();
    }
    assert_over(conn);
}
