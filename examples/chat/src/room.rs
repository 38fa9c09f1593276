//! The chat: its members, and the messages that all of them get. One thread sends each message to all members, in
//! the same order for each of them, and compresses it once.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use websocket_proto::{CloseCode, DeflateConfig, Message, PreparedMessage};

use crate::link::{HIGH_WATER, Link};

/// A connection, in the chat or not yet.
pub struct Client {
    /// Set when the client is accepted: browsers open spare sockets, too.
    pub name: OnceLock<String>,
    pub link: Link,
}

/// A message for the chat.
pub enum Said {
    Joined(Arc<Client>),
    Left(Arc<Client>),
    Message(Message),
}

/// Sends messages to all members of the chat, until no more can arrive.
pub fn run(said: &Receiver<Said>) {
    let mut here: Vec<Arc<Client>> = Vec::new();
    for said in said {
        let message = match said {
            Said::Joined(client) => {
                here.push(Arc::clone(&client));
                format!("* {} joined, {} here", client.name(), here.len()).into()
            }
            Said::Left(client) => {
                here.retain(|other| !Arc::ptr_eq(other, &client));
                format!("* {} left, {} here", client.name(), here.len()).into()
            }
            Said::Message(message) => message,
        };
        let message = PreparedMessage::compressed(message, &DeflateConfig::new());
        for client in &here {
            client.push(&message);
        }
    }
}

impl Client {
    pub fn name(&self) -> &str {
        self.name.get().map_or("somebody", String::as_str)
    }

    /// Sends to this client from any thread; a client that doesn't keep up is disconnected.
    fn push(&self, message: &PreparedMessage) {
        self.link.with(|conn| {
            if conn.pending_output() > HIGH_WATER {
                let _ = conn.close(CloseCode::TRY_AGAIN_LATER, "too slow");
            } else {
                let _ = conn.send_prepared(message);
            }
        });
    }
}
