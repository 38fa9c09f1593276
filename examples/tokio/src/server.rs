//! A listener that serves until a signal stops the process.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::time::{sleep, timeout};

use crate::chat::Chat;

/// How long connections have to end when the server stops: the 5 seconds of a closing handshake, and a little for its
/// deadline to take effect.
const FAREWELL: Duration = Duration::from_millis(5_300);

/// The pause after a failed accept: trying again immediately would use a whole CPU.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves each connection in a task of its own until SIGINT or SIGTERM arrives. Then closes all connections, and returns
/// once they have ended or their time is up. `name` is printed before each line.
///
/// # Errors
///
/// Fails if the process can't listen for signals.
pub async fn run<F>(name: &str, listener: TcpListener, chat: &Chat, serve: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let told_to_stop = told_to_stop()?;
    tokio::pin!(told_to_stop);
    loop {
        let accepted = select! {
            accepted = listener.accept() => accepted,
            () = &mut told_to_stop => break,
        };
        match accepted {
            Ok((stream, _)) if stream.set_nodelay(true).is_ok() => drop(tokio::spawn(serve(stream))),
            // A client that has disconnected meanwhile.
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            // No descriptor is left. Clients wait in the backlog meanwhile.
            Err(error) => {
                eprintln!("{name}: can't accept a connection: {error}");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    match timeout(FAREWELL, chat.stop()).await {
        Ok(()) => println!("{name}: stopped, all connections are closed"),
        Err(_) => println!("{name}: stopped, some connections were still open"),
    }
    Ok(())
}

/// Waits for SIGINT or SIGTERM, from now on.
#[cfg(unix)]
pub fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
