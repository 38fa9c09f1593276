//! A node of a chat whose rooms span several nodes. The nodes pass messages on through Redis.
//!
//! ```text
//! cargo run --release -p example-cluster -- [ADDRESS] [--name NAME] [--redis URL]
//! ```
//!
//! `/chat` is one room, `/chat/NAME` is another, `/` is a page for browsers, and `/health` is for load balancers. On
//! SIGTERM or Ctrl-C, the node closes its connections with 1012 and stops. README.md explains the design.
//!
//! ```text
//!   member.rs   one connection: says to the bus what its client says, sends what its room says
//!   rooms.rs    who is in which room on this node; each message is prepared once for all of them
//!   node.rs     what the connections share; reads the bus, notices that it is away
//!   presence.rs who is here on all nodes, in keys that expire
//!   bus.rs      a stream of Redis
//! ```

mod bus;
mod member;
mod node;
mod presence;
mod rooms;

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use example_tokio::server::told_to_stop;
use node::Node;
use tokio::net::TcpListener;
use tokio::select;
use tokio::time::{sleep, timeout};

/// How long members have to go when the node stops: the time over which they are let go, what one may take for the last
/// messages, the 5 seconds of a closing handshake, and a little for its deadline to take effect.
const FAREWELL: Duration = member::SPREAD.saturating_add(member::PATIENCE).saturating_add(Duration::from_millis(5_300));

/// The pause after a connection couldn't be accepted.
const PAUSE: Duration = Duration::from_millis(100);

const USAGE: &str = "usage: example-cluster [ADDRESS] [--name NAME] [--redis URL]";

#[tokio::main]
async fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", options.name);
            ExitCode::FAILURE
        }
    }
}

struct Options {
    address: String,
    redis: String,
    /// Different on each node: it is a part of the names of its guests.
    name: String,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            address: "127.0.0.1:9001".into(),
            redis: "redis://127.0.0.1:6379".into(),
            name: format!("{:06x}", RandomState::new().hash_one(()) >> 40),
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--name" => options.name = args.next()?,
                "--redis" => options.redis = args.next()?,
                flag if flag.starts_with('-') => return None,
                _ => options.address = arg,
            }
        }
        let is_name =
            (1..=8).contains(&options.name.len()) && options.name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_name.then_some(options)
    }
}

async fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let told_to_stop = told_to_stop()?;
    let (bus, reader) = Bus::connect(&options.redis)?;
    let listener = TcpListener::bind(&options.address).await?;
    let address = listener.local_addr()?;
    println!("{}: listening on {address}: http://{address}/ is a chat page, ws://{address}/chat a room", options.name);
    let node = Arc::new(Node::new(&options.name, bus));
    let (following, attending) = (Arc::clone(&node), Arc::clone(&node));
    let follow = tokio::spawn(async move { following.follow(reader).await });
    let attend = tokio::spawn(async move { attending.attend().await });
    select! {
        () = accept(&listener, &node) => {}
        () = told_to_stop => {}
    }
    drop(listener);
    // The node follows the bus meanwhile, so that the last members to leave miss nothing.
    let left = timeout(FAREWELL, node.drain()).await.map_or("not everybody has left", |()| "everybody has left");
    attend.abort();
    follow.abort();
    node.leave().await;
    println!("{}: stopped, {left}", options.name);
    Ok(())
}

/// Serves each connection in a task of its own.
async fn accept(listener: &TcpListener, node: &Arc<Node>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if stream.set_nodelay(true).is_ok() => {
                let node = Arc::clone(node);
                tokio::spawn(async move {
                    // How it ended is of no interest here.
                    let _ = member::serve(&node, stream).await;
                });
            }
            // A client that has gone meanwhile.
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            // No descriptor is left. Clients wait in the backlog meanwhile.
            Err(error) => {
                eprintln!("can't take a connection: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}
