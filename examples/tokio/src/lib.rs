//! WebSocket on tokio: a connection over any transport ([`WebSocket`]), and what the chat servers of the examples have in
//! common ([`chat`], [`server`]).
//!
//! The folder `websocket` is there to be copied:
//!
//! ```text
//! handshake.rs   accept, connect
//! mod.rs         recv, send, close: what callers see ──┐
//! stream.rs      the same as Stream and Sink ──────────┤
//! split.rs       the same from two tasks ──────────────┤
//!                                                      ▼
//! turn.rs        the time, what has arrived, events, writing; until one has to wait
//!                  │            │           │              │
//! input.rs ◄───────┘            │           ▼              └──────► clock.rs
//! what has arrived and          │     tasks.rs: who is            one timer for
//! isn't handled yet             ▼     woken then                  all deadlines
//!                        writing.rs
//!                        what is to be sent, and waiting for room
//! ```
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use example_tokio::{Error, WebSocket};
//! use tokio::net::{TcpListener, TcpStream};
//! use websocket_proto::{CloseCode, Config, Seed, client, server};
//!
//! async fn serve(stream: TcpStream, config: Arc<Config>) -> Result<(), Error> {
//!     let mut ws = WebSocket::accept(stream, config, |_| Ok(server::Response::new())).await?;
//!     while let Some(message) = ws.recv().await? {
//!         ws.send(message).await?;
//!     }
//!     Ok(())
//! }
//!
//! async fn ask(request: client::Request, config: Arc<Config>) -> Result<(), Box<dyn std::error::Error>> {
//!     let stream = TcpStream::connect("127.0.0.1:9001").await?;
//!     let mut ws = WebSocket::connect(stream, request, config, Seed::from_os()?).await?;
//!     ws.send("hello").await?;
//!     println!("{:?}", ws.recv().await?);
//!     Ok(ws.close(CloseCode::NORMAL, "").await?)
//! }
//! ```

pub mod backoff;
pub mod chat;
pub mod redirect;
pub mod server;
mod websocket;

pub use websocket::{Error, HIGH_WATER, Message, Receiver, Sender, WebSocket};
