//! Two ends that are open, what they say to each other, and transports that behave in a chosen way.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::time::{Instant, Sleep, sleep};
use websocket_proto::{Config, Connection, Negotiated, Seed};
use websocket_proto_tokio::{Message, WebSocket};

pub(crate) type Result<T = ()> = std::result::Result<T, websocket_proto_tokio::Error>;

/// A server and a client over a pipe that holds that many bytes each way.
pub(crate) fn pair(pipe: usize) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (one, other) = duplex(pipe);
    (server(one, Config::new()), client(other, Config::new()))
}

pub(crate) fn server<T: AsyncRead + AsyncWrite + Unpin>(transport: T, config: Config) -> WebSocket<T> {
    WebSocket::new(transport, Connection::upgraded_server(Negotiated::new(), config))
}

pub(crate) fn client<T: AsyncRead + AsyncWrite + Unpin>(transport: T, config: Config) -> WebSocket<T> {
    WebSocket::new(transport, Connection::upgraded_client(Negotiated::new(), config, seed()))
}

pub(crate) fn seed() -> Seed {
    Seed::new([7; 32])
}

pub(crate) fn config() -> Arc<Config> {
    Arc::new(Config::new())
}

/// Different messages of all sizes up to some times what a pipe or an input holds.
pub(crate) fn messages(count: usize) -> impl Iterator<Item = Message> + Clone {
    let mut random = Random(1);
    (0..count).map(move |number| {
        let most = 1 << random.below(18);
        let size = random.below(most);
        match number % 2 {
            0 => format!("{number} {}", "字".repeat(size / 3)).into(),
            _ => Message::from(vec![number as u8; size]),
        }
    })
}

/// Numbers that look random and are the same every time.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Does something until it is done, but drops the future whenever it has to wait, and makes another when the task is woken.
pub(crate) async fn insist<R>(mut attempt: impl AsyncFnMut() -> R) -> R {
    loop {
        let polled = {
            let mut future = pin!(attempt());
            poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
        };
        match polled {
            Poll::Ready(result) => return result,
            Poll::Pending => wake_up().await,
        }
    }
}

/// Waits until somebody wakes the task.
async fn wake_up() {
    let mut asleep = true;
    poll_fn(|_| if std::mem::take(&mut asleep) { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// A transport that holds everything back until it is flushed, as TLS may, and takes vectored writes.
pub(crate) struct Buffered<T> {
    inner: T,
    held: Vec<u8>,
}

impl<T> Buffered<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, held: Vec::new() }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Buffered<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Buffered<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[io::IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Never all of it.
        let before = self.held.len();
        for byte in slices.iter().flat_map(|slice| slice.iter()).take(1000) {
            self.held.push(*byte);
        }
        Poll::Ready(Ok(self.held.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.held.is_empty() {
            let written = std::task::ready!(Pin::new(&mut this.inner).poll_write(cx, &this.held))?;
            this.held.drain(..written);
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// A transport that learns late of what has arrived, as a socket does where tokio hasn't asked the kernel meanwhile.
pub(crate) struct Late {
    inner: DuplexStream,
    until: Arc<Mutex<Instant>>,
    sleep: Pin<Box<Sleep>>,
}

impl Late {
    /// The transport, and until when it knows of nothing new.
    pub(crate) fn new(inner: DuplexStream) -> (Self, Arc<Mutex<Instant>>) {
        let until = Arc::new(Mutex::new(Instant::now()));
        (Self { inner, until: Arc::clone(&until), sleep: Box::pin(sleep(Duration::ZERO)) }, until)
    }
}

impl AsyncRead for Late {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let until = *self.until.lock().unwrap();
        if self.sleep.deadline() != until {
            self.sleep.as_mut().reset(until);
        }
        std::task::ready!(self.sleep.as_mut().poll(cx));
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Late {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
