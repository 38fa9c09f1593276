//! A node: the state that its connections share, and the tasks that keep it in contact with the other nodes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, watch};
use tokio::time::{Instant, sleep, timeout};
use websocket_proto_tokio::{Acceptor, DeflateConfig, PreparedMessage, server};

use crate::bus::{Batch, Bus, Reader, within};
use crate::presence::{Presence, REFRESH};
use crate::rooms::{COMPRESSED, Rooms};

/// The time for which the bus may be unreachable before all connections are closed. A restart or a failover of it
/// should fit in.
const GRACE: Duration = Duration::from_secs(3);

/// The pause after an error of the bus. The pauses between attempts to connect are the client's.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest message in bytes. Redis keeps ten thousand messages, and up to 256 may wait for a member.
const LONGEST: u64 = 16 << 10;

const PAGE: &str = include_str!("../../chat/src/chat.html");

/// The state of this node, which says whether it can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has had no contact with the bus yet.
    Starting,
    /// It has no contact any more.
    Cut,
    /// It is in contact.
    Serving,
    /// It stops, and closes its connections.
    Draining,
}

#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    guests: AtomicU64,
    pub(crate) acceptor: Acceptor,
    pub(crate) bus: Bus,
    rooms: Rooms,
    pub(crate) presence: Presence,
    /// Every connection has a receiver, and so the sender knows when all are gone.
    status: watch::Sender<Status>,
    /// Somebody has come or gone.
    moved: Notify,
}

impl Node {
    pub(crate) fn new(name: &str, bus: Bus) -> Self {
        let status = watch::Sender::new(Status::Starting);
        // Without context takeover, connections share their compressors: those that wait hold no memory for them.
        let deflate =
            DeflateConfig::new().min_size(COMPRESSED).server_no_context_takeover(true).client_no_context_takeover(true);
        let acceptor = Acceptor::new().configure(|config| config.deflate(deflate).max_message_size(LONGEST)).http({
            let status = status.clone();
            move |request| page(request, *status.borrow())
        });
        Self {
            name: name.to_owned(),
            guests: AtomicU64::new(0),
            acceptor,
            bus,
            rooms: Rooms::default(),
            presence: Presence::new(name),
            status,
            moved: Notify::new(),
        }
    }

    /// The answer to a request: the room, or why there is none.
    pub(crate) fn admit(&self, request: &server::Request) -> Result<String, server::Rejection> {
        let room = room(request.path()).ok_or_else(|| server::Rejection::new(404))?;
        let own = ["http://", "https://"].map(|scheme| [scheme, request.host()].concat());
        request.check_origin(&own.each_ref().map(String::as_str))?;
        match *self.status.borrow() {
            Status::Serving => Ok(room.to_owned()),
            // The load balancer knows another node.
            Status::Starting | Status::Cut | Status::Draining => {
                Err(server::Rejection::new(503).header("Retry-After", "2"))
            }
        }
    }

    /// A name for a new member. No other member has it, on any node.
    pub(crate) fn name_guest(&self) -> String {
        format!("guest-{}-{}", self.name, self.guests.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Enters a room, until the seat is dropped. The presence is written soon after each of these.
    pub(crate) fn enter<'a>(
        &'a self,
        room: &'a str,
        name: &'a str,
    ) -> (Seat<'a>, broadcast::Receiver<PreparedMessage>) {
        let said = self.rooms.enter(room, name);
        self.moved.notify_one();
        (Seat { node: self, room, name }, said)
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Passes messages from the bus to the members on this node, as long as there is a bus.
    pub(crate) async fn follow(&self, mut reader: Reader) {
        let mut answered = Instant::now();
        loop {
            let left = GRACE.checked_sub(answered.elapsed()).filter(|left| !left.is_zero());
            match within(left.unwrap_or(GRACE), reader.next()).await {
                Ok(Batch::Said(said)) => {
                    answered = Instant::now();
                    self.turn(Status::Serving, "in contact with the bus");
                    for said in said {
                        self.rooms.say(&said.room, format!("{}: {}", said.name, said.text));
                    }
                }
                Ok(Batch::Gap) => {
                    answered = Instant::now();
                    self.cut("has missed something on the bus");
                }
                Err(error) if answered.elapsed() >= GRACE => {
                    self.cut(&format!("has no contact with the bus: {error}"));
                    sleep(PAUSE).await;
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Keeps the presence up to date.
    pub(crate) async fn attend(&self) {
        let mut redis = self.bus.connection();
        loop {
            // If the bus is unreachable, `follow` notices.
            let _ = within(REFRESH, self.presence.refresh(&mut redis, &self.rooms)).await;
            // Arrivals and departures are reported soon, and many of them together.
            sleep(PAUSE).await;
            let _ = timeout(REFRESH - PAUSE, self.moved.notified()).await;
        }
    }

    /// Closes all connections, and waits until they are gone.
    pub(crate) async fn drain(&self) {
        self.status.send_replace(Status::Draining);
        self.status.closed().await;
    }

    /// Takes the members out of the presence of all nodes, if the bus is there; otherwise their entries
    /// expire.
    pub(crate) async fn leave(&self) {
        let _ = within(REFRESH, self.presence.leave(&mut self.bus.connection())).await;
    }

    /// Closes all connections: the members can't know what they miss from now on.
    fn cut(&self, why: &str) {
        self.turn(Status::Cut, why);
        self.rooms.clear();
    }

    fn turn(&self, status: Status, why: &str) {
        let changes = |now: &mut Status| {
            let changes = *now != status && *now != Status::Draining;
            if changes {
                *now = status;
            }
            changes
        };
        if self.status.send_if_modified(changes) {
            println!("{}: {why}", self.name);
        }
    }
}

/// A member's place in a room.
#[derive(Debug)]
pub(crate) struct Seat<'a> {
    node: &'a Node,
    room: &'a str,
    name: &'a str,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.node.rooms.leave(self.room, self.name);
        self.node.moved.notify_one();
    }
}

/// The room of a path: `/chat`, or `/chat/` and a name.
fn room(path: &str) -> Option<&str> {
    let room = path.strip_prefix("/chat")?;
    let Some(name) = room.strip_prefix('/') else { return room.is_empty().then_some("lobby") };
    let is_name = (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then_some(name)
}

/// The answer to a plain request: the page, or, for a load balancer, whether this node accepts connections.
fn page(request: &server::Request, status: Status) -> Option<server::Rejection> {
    match request.path() {
        _ if !matches!(request.method(), "GET" | "HEAD") => None,
        "/" => Some(server::Rejection::new(200).header("Content-Type", "text/html; charset=utf-8").body(PAGE)),
        "/health" => {
            let code = if status == Status::Serving { 200 } else { 503 };
            Some(server::Rejection::new(code).body(format!("{status:?}\n")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::room;

    #[test]
    fn a_path_names_a_room() {
        for (path, name) in [
            ("/chat", Some("lobby")),
            ("/chat/tea", Some("tea")),
            ("/chat/", None),
            ("/chatter", None),
            ("/chat/a b", None),
            ("/chat/a/b", None),
            ("/", None),
        ] {
            assert_eq!(room(path), name, "{path}");
        }
    }
}
