//! A WebSocket in a terminal: sends the lines that you type, prints the messages that arrive, and closes at the end of
//! the input.

use std::future::pending;
use std::io;
use std::thread;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::sync::mpsc;
use websocket_proto_tokio::{CloseCode, Error, Receiver, Sender, WebSocket};

/// Sends and prints at the same time, until the connection is closed: either may have to wait for the peer.
pub async fn talk<T: AsyncRead + AsyncWrite + Unpin>(ws: WebSocket<T>) -> Result<(), Error> {
    let (sender, mut receiver) = ws.into_split();
    select! {
        printed = print(&mut receiver) => printed?,
        // Errors are ignored here: the end of the connection is printed anyway.
        _ = async { (send_typed(sender).await, pending::<()>().await) } => {}
    }
    if let Some(closed) = receiver.closed() {
        println!("{closed}");
    }
    Ok(())
}

async fn print<T: AsyncRead + AsyncWrite + Unpin>(receiver: &mut Receiver<T>) -> Result<(), Error> {
    while let Some(message) = receiver.recv().await? {
        match message.as_text() {
            Some(text) => println!("< {text}"),
            None => println!("< {} bytes", message.payload().len()),
        }
    }
    Ok(())
}

async fn send_typed<T: AsyncRead + AsyncWrite + Unpin>(mut sender: Sender<T>) -> Result<(), Error> {
    let mut lines = typed();
    while let Some(line) = lines.recv().await {
        sender.send(line).await?;
    }
    sender.close(CloseCode::NORMAL, "")
}

/// The lines that are typed. A thread reads them, because a task that blocks on the terminal couldn't be ended.
fn typed() -> mpsc::Receiver<String> {
    let (lines, typed) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    typed
}
