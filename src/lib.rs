//! A sans-IO WebSocket engine.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod close;
mod config;
mod connection;
mod error;
mod event;
mod frame;
mod handshake;
mod receive;
mod send;
mod timers;
mod utf8;

pub use close::CloseCode;
#[cfg(feature = "getrandom")]
pub use config::SeedError;
pub use config::{Config, Role, Seed};
pub use connection::{Connection, Shutdown, State};
pub use error::{AcceptError, HandshakeError, HeaderError, ProtocolError, RequestError, SendError, UriError};
pub use event::{Cause, Closed, Deadline, Event};
pub use handshake::{ClientRequest, HandshakeResponse, Negotiated, Rejection, Request, Response, Uri};
pub use send::{Kind, Message, Output};
