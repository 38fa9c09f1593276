//! A member: a client that is connected to this node and is in a room.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use websocket_proto_tokio::{CloseCode, PreparedMessage, Receiver, Sender, WebSocket, server};

use crate::node::{Node, Status};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The code and the reason with which a member's connection is closed.
type End = (CloseCode, &'static str);

/// The time over which a node that stops closes its connections, each at a random moment, so that the other nodes don't
/// get all clients at once.
pub(crate) const SPREAD: Duration = Duration::from_secs(2);

/// How long a member may take to make space for one message.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Serves a connection from its first byte to its end.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(node: &Node, stream: S) -> Result<()> {
    // The node stays until this is dropped.
    let mut status = node.status();
    let mut room = String::new();
    let answer = |request: &server::Request| {
        room = node.admit(request)?;
        Ok(server::Response::new().subprotocol(request.select_subprotocol(&["chat"])))
    };
    let opened = node.acceptor.accept_with(stream, answer);
    let ws = select! {
        ws = opened => ws?,
        () = draining(&mut status) => return Ok(()),
    };
    let name = node.name_guest();
    let (_seat, said) = node.enter(&room, &name);
    Member { node, room: &room, name: &name }.stay(ws, said, &mut status).await
}

struct Member<'a> {
    node: &'a Node,
    room: &'a str,
    name: &'a str,
}

impl Member<'_> {
    /// Sends and receives at the same time: sending may have to wait for the client, and receiving for the
    /// bus.
    async fn stay<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        ws: WebSocket<S>,
        said: broadcast::Receiver<PreparedMessage>,
        status: &mut watch::Receiver<Status>,
    ) -> Result<()> {
        let (mut sender, mut receiver) = ws.into_split();
        let end = {
            let mut talks = pin!(self.talk(&mut receiver));
            select! {
                end = &mut talks => end?,
                (code, reason) = self.hear(&mut sender, said, status) => {
                    sender.close(code, reason)?;
                    // Messages that were on their way are passed on before the member is gone.
                    talks.await?
                }
            }
        };
        if let Some((code, reason)) = end {
            sender.close(code, reason)?;
            while receiver.recv().await?.is_some() {}
        }
        Ok(())
    }

    /// Passes the client's messages to the bus. Its own node receives them from there, too, so that all members see the same
    /// order. Returns why the connection is to be closed, or `None` if the client has closed it.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(&self, receiver: &mut Receiver<S>) -> Result<Option<End>> {
        while let Some(message) = receiver.recv().await? {
            let Some(text) = message.as_text() else {
                return Ok(Some((CloseCode::UNSUPPORTED_DATA, "a chat of texts")));
            };
            // The next message is read once the bus has this one. So a client that sends more than the bus accepts has
            // to wait.
            if self.node.bus.say(self.room, self.name, text).await.is_err() {
                return Ok(Some((CloseCode::TRY_AGAIN_LATER, "perhaps not said")));
            }
        }
        Ok(None)
    }

    /// Sends the messages of the room, until the client is too slow, or the node is cut off or stops.
    async fn hear<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        sender: &mut Sender<S>,
        mut said: broadcast::Receiver<PreparedMessage>,
        status: &mut watch::Receiver<Status>,
    ) -> End {
        let mut let_go = pin!(async {
            draining(status).await;
            sleep(SPREAD.mul_f64(random())).await;
        });
        let here = self.node.presence.describe(self.room);
        let welcome = PreparedMessage::new(format!("* you are {}, here are: {here}", self.name));
        let mut next = Some(welcome);
        loop {
            if let Some(message) = next.take() {
                // The other half reports how a connection has failed.
                let Ok(_) = timeout(PATIENCE, sender.send_prepared(&message)).await else {
                    return (CloseCode::TRY_AGAIN_LATER, "too slow");
                };
            }
            next = select! {
                message = said.recv() => match message {
                    Ok(message) => Some(message),
                    Err(RecvError::Lagged(_)) => return (CloseCode::TRY_AGAIN_LATER, "too slow"),
                    Err(RecvError::Closed) => return (CloseCode::TRY_AGAIN_LATER, "the node is cut off"),
                },
                () = &mut let_go => break,
            };
        }
        let rest = async {
            while let Ok(message) = said.try_recv() {
                if sender.send_prepared(&message).await.is_err() {
                    break;
                }
            }
        };
        let _ = timeout(PATIENCE, rest).await;
        (CloseCode::SERVICE_RESTART, "the node restarts")
    }
}

/// Waits until the node stops.
async fn draining(status: &mut watch::Receiver<Status>) {
    // Without a sender there is no node any more.
    let _ = status.wait_for(|status| *status == Status::Draining).await;
}

/// A number from 0 to 1: the keys of the standard library's hashers are random.
fn random() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}
