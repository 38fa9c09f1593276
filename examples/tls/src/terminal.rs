//! A WebSocket in a terminal: lines typed are sent, messages are printed, the end of the input closes.

use std::future::pending;
use std::io;
use std::thread;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::sync::mpsc;
use websocket_proto_tokio::{CloseCode, Error, Receiver, Sender, WebSocket};

/// Sends and prints at the same time, since either may have to wait for the other side, until the connection is closed.
pub async fn talk<T: AsyncRead + AsyncWrite + Unpin>(ws: WebSocket<T>) -> Result<(), Error> {
    let (sender, mut receiver) = ws.into_split();
    select! {
        printed = print(&mut receiver) => printed?,
        // What can't be sent any more is of no interest: that it is closed is printed.
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

/// Lines that are typed. A thread reads them: a task that is blocked by the terminal couldn't be ended.
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
