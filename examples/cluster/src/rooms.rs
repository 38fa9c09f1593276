//! The rooms of this node: which of its members are in which room, and how to reach them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use websocket_proto_tokio::{DeflateConfig, Message, PreparedMessage};

/// The number of messages that may wait for a member.
const BACKLOG: usize = 256;

/// The size in bytes from which messages are compressed.
pub(crate) const COMPRESSED: usize = 256;

/// The rooms that have a member on this node.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    rooms: Mutex<HashMap<String, Room>>,
}

#[derive(Debug)]
struct Room {
    said: broadcast::Sender<PreparedMessage>,
    names: HashSet<String>,
}

impl Rooms {
    /// Enters a room. From now on, all of its messages are received.
    pub(crate) fn enter(&self, room: &str, name: &str) -> broadcast::Receiver<PreparedMessage> {
        let mut rooms = self.lock();
        let entered = rooms
            .entry(room.to_owned())
            .or_insert_with(|| Room { said: broadcast::Sender::new(BACKLOG), names: HashSet::new() });
        entered.names.insert(name.to_owned());
        entered.said.subscribe()
    }

    /// Leaves a room. The room is gone once its last member has left.
    pub(crate) fn leave(&self, room: &str, name: &str) {
        let mut rooms = self.lock();
        // If all were cleared meanwhile, there is another room of that name by now, or none.
        if let Some(left) = rooms.get_mut(room) {
            left.names.remove(name);
            if left.names.is_empty() {
                rooms.remove(room);
            }
        }
    }

    /// Sends a message to the members of a room. It is encoded and compressed once, and each member gets a
    /// reference.
    pub(crate) fn say(&self, room: &str, message: impl Into<Message>) {
        let said = self.lock().get(room).map(|room| room.said.clone());
        if let Some(said) = said {
            // Without members, there are no receivers.
            let _ = said.send(PreparedMessage::compressed(message, &DeflateConfig::new().min_size(COMPRESSED)));
        }
    }

    /// Closes all rooms: members receive the messages sent so far, and then the end of their room.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Returns who is in which room, as pairs of room and name.
    pub(crate) fn everybody(&self) -> Vec<(String, String)> {
        let rooms = self.lock();
        rooms
            .iter()
            .flat_map(|(room, Room { names, .. })| names.iter().map(|name| (room.clone(), name.clone())))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Room>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::Rooms;

    #[test]
    fn what_is_said_is_prepared_once_for_all_in_the_room() {
        let rooms = Rooms::default();
        let (mut one, mut other, mut elsewhere) = (rooms.enter("a", "1"), rooms.enter("a", "2"), rooms.enter("b", "3"));
        rooms.say("a", "hello");
        rooms.say("nowhere", "hello");
        let (one, other) = (one.try_recv().unwrap(), other.try_recv().unwrap());
        assert_eq!(one.payload().as_ptr(), other.payload().as_ptr());
        assert_eq!(elsewhere.try_recv().unwrap_err(), TryRecvError::Empty);
    }

    #[test]
    fn a_room_ends_for_those_who_were_in_it() {
        let rooms = Rooms::default();
        let mut before = rooms.enter("a", "1");
        rooms.say("a", "hello");
        rooms.clear();
        let mut after = rooms.enter("a", "2");
        rooms.leave("a", "1");
        rooms.say("a", "again");
        assert!(before.try_recv().is_ok());
        assert_eq!(before.try_recv().unwrap_err(), TryRecvError::Closed);
        assert!(after.try_recv().is_ok());
        assert_eq!(rooms.everybody(), [("a".into(), "2".into())]);
        rooms.leave("a", "2");
        assert!(rooms.everybody().is_empty() && rooms.lock().is_empty());
    }
}
