//! The code that the chat's server and client share: the loop of a blocking socket, and the members of a room.

pub mod link;
pub mod room;
