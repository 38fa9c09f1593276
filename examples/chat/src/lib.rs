//! What the server and the client of the chat have in common: the loop of a blocking socket, and the members of a room.

pub mod link;
pub mod room;
