//! A listener that serves HTTP until the process is asked to stop.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use example_tls::HANDSHAKE;
use example_tokio::chat::Chat;
use example_tokio::server::told_to_stop;
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio::{join, select};
use tokio_rustls::TlsAcceptor;

use crate::serve;

/// How long connections have to end when the server stops: the 5 seconds of a closing handshake, and a little for its
/// deadline to take effect.
const FAREWELL: Duration = Duration::from_millis(5_300);

/// The time between two attempts to accept after a failure, which repeats as long as there is no free descriptor.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves each connection in a task of its own, over TLS if there is an acceptor, until SIGINT or SIGTERM comes. Then all
/// WebSockets of the chat are closed with 1001 and all connections as soon as they carry none, and it returns when they
/// are gone or their time is up. `name` is what its messages begin with.
///
/// # Errors
///
/// Signals can't be handled.
pub async fn run<S, B>(
    name: &'static str,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    chat: &Chat,
    service: S,
) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut told_to_stop = pin!(told_to_stop()?);
    // Every connection has a receiver, and so it is known when all are gone.
    let stopping = watch::Sender::new(());
    loop {
        let stream = select! {
            stream = accept(name, &listener) => stream,
            () = &mut told_to_stop => break,
        };
        let (tls, service, mut stopping) = (tls.clone(), service.clone(), stopping.subscribe());
        tokio::spawn(async move {
            let stopping = async {
                let _ = stopping.changed().await;
            };
            match tls {
                None => serve(stream, service, stopping).await,
                Some(tls) => serve_securely(name, stream, &tls, service, stopping).await,
            }
        });
    }
    drop(listener);
    stopping.send_replace(());
    let all_left = async { join!(chat.stop(), stopping.closed()) };
    let in_time = timeout(FAREWELL, all_left).await.is_ok();
    let how = if in_time { "all connections are closed" } else { "some connections were still open" };
    println!("{name}: stopped, {how}");
    Ok(())
}

/// The next connection.
async fn accept(name: &str, listener: &TcpListener) -> TcpStream {
    let mut fails = false;
    loop {
        match listener.accept().await {
            // A WebSocket's messages are small and should be sent without delay.
            Ok((stream, _)) if stream.set_nodelay(true).is_ok() => return stream,
            // This client disconnected meanwhile.
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if !std::mem::replace(&mut fails, true) {
                    eprintln!("{name}: can't accept a connection: {error}");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

async fn serve_securely<S, B>(
    name: &str,
    stream: TcpStream,
    tls: &TlsAcceptor,
    service: S,
    stopping: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut stopping = pin!(stopping);
    let accepted = select! {
        accepted = timeout(HANDSHAKE, tls.accept(stream)) => accepted,
        () = &mut stopping => return,
    };
    match accepted {
        Ok(Ok(stream)) => serve(stream, service, stopping).await,
        // A browser that doesn't trust the certificate ends the handshake like this.
        Ok(Err(error)) => eprintln!("{name}: the TLS handshake failed: {error}"),
        Err(_) => {}
    }
}
