//! Each future, dropped at each of its await points: polled `n` times for every `n`, over a transport that waits before each
//! byte. Nothing is lost, and nothing is sent twice.

use std::fmt::Write;
use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::task::{JoinHandle, yield_now};
use websocket_proto::{CloseCode, Config, Event, PreparedMessage};
use websocket_proto_tokio::{AcceptError, Acceptor, ConnectError, Connector, Error, Message, WebSocket};

use crate::support::{Result, client, server};

/// A transport that waits before each byte, in both directions.
struct Dribble {
    inner: DuplexStream,
    reads: Turns,
    writes: Turns,
    flushes: Turns,
}

/// Pending every other time.
#[derive(Default)]
struct Turns(bool);

impl Turns {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0 = !self.0;
        if !self.0 {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Dribble {
    fn new(inner: DuplexStream) -> Self {
        Self { inner, reads: Turns::default(), writes: Turns::default(), flushes: Turns::default() }
    }
}

impl AsyncRead for Dribble {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.reads.poll(cx));
        let mut byte = buf.take(1);
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, &mut byte))?;
        let count = byte.filled().len();
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Dribble {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        std::task::ready!(self.writes.poll(cx));
        Pin::new(&mut self.inner).poll_write(cx, &buf[..1])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.flushes.poll(cx));
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.flushes.poll(cx));
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Polls a future so many times and drops it. Other tasks run in between. Returns its output if it was ready.
async fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

/// Plays a scene for each number of polls, until the future in it was ready, which it returns.
async fn at_each_await(least: usize, mut scene: impl AsyncFnMut(usize) -> bool) {
    for polls in 0.. {
        if scene(polls).await {
            assert!(polls > least, "ready after {polls} polls");
            return;
        }
    }
}

/// A server over a transport that dribbles, and a client at the other end.
fn pair() -> (WebSocket<Dribble>, WebSocket<DuplexStream>) {
    let (one, other) = duplex(64);
    // Sending waits for space from 100 bytes on.
    (server(Dribble::new(one), Config::new().max_pending_output(100)), client(other, Config::new()))
}

const SENT: [&str; 3] = ["one", "", "a third message"];

/// A client that sends messages and a ping, and closes.
fn speaks(mut ws: WebSocket<DuplexStream>) -> JoinHandle<Result> {
    tokio::spawn(async move {
        for message in SENT {
            ws.send(message).await?;
            ws.ping(b"there?").await?;
        }
        ws.close(CloseCode::NORMAL, "all").await
    })
}

/// A client that returns what it received, pings included.
fn listens(mut ws: WebSocket<DuplexStream>) -> JoinHandle<Result<Vec<Event<'static>>>> {
    tokio::spawn(async move {
        let mut events = Vec::new();
        while let Some(event) = ws.event().await? {
            events.push(event);
        }
        Ok(events)
    })
}

#[tokio::test(start_paused = true)]
async fn recv() {
    at_each_await(8, async |polls| {
        let (mut ws, client) = pair();
        let client = speaks(client);
        let mut received = Vec::new();
        let first = drop_after(polls, ws.recv()).await;
        let is_ready = first.is_some();
        received.extend(first.map(|message| message.unwrap().unwrap()));
        while let Some(message) = ws.recv().await.unwrap() {
            received.push(message);
        }
        assert_eq!(received, SENT.map(Message::from));
        assert_eq!(ws.closed().unwrap().reason, "all");
        client.await.unwrap().unwrap();
        is_ready
    })
    .await;
}

/// Each `recv` is dropped so many times, and the last one with the end.
#[tokio::test(start_paused = true)]
async fn every_recv_of_a_connection() {
    for polls in 1..100 {
        let (mut ws, client) = pair();
        let client = speaks(client);
        let mut received = Vec::new();
        loop {
            match drop_after(polls, ws.recv()).await {
                None => {}
                Some(Ok(Some(message))) => received.push(message),
                Some(ended) => break assert!(ended.unwrap().is_none()),
            }
        }
        assert_eq!(received, SENT.map(Message::from));
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn event_and_run() {
    fn texts(events: Vec<String>) -> Vec<String> {
        assert_eq!(events.len(), 2 * SENT.len() + 1, "{events:?}");
        events.into_iter().filter(|event| event.starts_with("Text")).collect()
    }
    let expected = SENT.map(|text| format!("Text({text:?})"));
    at_each_await(8, async |polls| {
        let (mut ws, client) = pair();
        let client = speaks(client);
        let mut events = Vec::new();
        let first = drop_after(polls, ws.event()).await;
        let is_ready = first.is_some();
        events.extend(first.map(|event| format!("{:?}", event.unwrap().unwrap())));
        while let Some(event) = ws.event().await.unwrap() {
            events.push(format!("{event:?}"));
        }
        assert_eq!(texts(events), expected);
        client.await.unwrap().unwrap();
        is_ready
    })
    .await;
    at_each_await(80, async |polls| {
        let (mut ws, client) = pair();
        let client = speaks(client);
        let mut events = Vec::new();
        let mut keep = |event: Event<'_>| {
            events.push(format!("{event:?}"));
            ControlFlow::<()>::Continue(())
        };
        let ended = drop_after(polls, ws.run(|_, event| keep(event))).await;
        ws.run(|_, event| keep(event)).await.unwrap();
        assert_eq!(texts(events), expected);
        client.await.unwrap().unwrap();
        ended.is_some()
    })
    .await;
}

/// Sends something while there is no space for it, again if it was dropped, and returns what the client received.
async fn send_while_full(
    polls: usize,
    mut send: impl AsyncFnMut(&mut WebSocket<Dribble>) -> Result,
) -> (bool, Vec<Event<'static>>) {
    let (mut ws, client) = pair();
    let client = listens(client);
    ws.feed("x".repeat(120)).await.unwrap();
    let first = drop_after(polls, send(&mut ws)).await;
    let is_ready = first.is_some();
    match first {
        Some(result) => result.unwrap(),
        None => send(&mut ws).await.unwrap(),
    }
    ws.close(CloseCode::NORMAL, "").await.unwrap();
    (is_ready, client.await.unwrap().unwrap())
}

#[tokio::test(start_paused = true)]
async fn send_and_its_like() {
    let prepared = PreparedMessage::new("last");
    let is_sent_once = |events: &[Event<'_>], expected: &Event<'_>| {
        let [Event::Text(first), last, Event::Closed(_)] = events else { panic!("{events:?}") };
        assert_eq!((first.len(), last), (120, expected));
    };
    let last = Event::Text("last".into());
    at_each_await(8, async |polls| {
        let (is_ready, events) = send_while_full(polls, async |ws| ws.send("last").await).await;
        is_sent_once(&events, &last);
        is_ready
    })
    .await;
    at_each_await(8, async |polls| {
        let (is_ready, events) = send_while_full(polls, async |ws| ws.feed("last").await).await;
        is_sent_once(&events, &last);
        is_ready
    })
    .await;
    at_each_await(8, async |polls| {
        let (is_ready, events) = send_while_full(polls, async |ws| ws.send_prepared(&prepared).await).await;
        is_sent_once(&events, &last);
        is_ready
    })
    .await;
    at_each_await(8, async |polls| {
        let write = async |ws: &mut WebSocket<Dribble>| ws.send_text_with(|writer| writer.write_str("last")).await;
        let (is_ready, events) = send_while_full(polls, async |ws| write(ws).await.map(|sent| sent.unwrap())).await;
        is_sent_once(&events, &last);
        is_ready
    })
    .await;
    at_each_await(8, async |polls| {
        let (is_ready, events) = send_while_full(polls, async |ws| ws.ping(b"last").await).await;
        is_sent_once(&events, &Event::Ping(b"last"[..].into()));
        is_ready
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn flush() {
    at_each_await(100, async |polls| {
        let (mut ws, client) = pair();
        let client = listens(client);
        ws.feed("x".repeat(120)).await.unwrap();
        let flushed = drop_after(polls, ws.flush()).await;
        assert!(flushed.is_none() || ws.pending_output() == 0);
        ws.close(CloseCode::NORMAL, "").await.unwrap();
        let events = client.await.unwrap().unwrap();
        assert!(matches!(&events[..], [Event::Text(text), Event::Closed(_)] if text.len() == 120), "{events:?}");
        flushed.is_some()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn close() {
    let (first, second) = (CloseCode::new(3001).unwrap(), CloseCode::new(3002).unwrap());
    at_each_await(20, async |polls| {
        let (mut ws, client) = pair();
        let client = listens(client);
        ws.feed("before").await.unwrap();
        let closed = drop_after(polls, ws.close(first, "first")).await;
        let is_ready = closed.is_some();
        // Closing again waits for the end of the same.
        ws.close(second, "second").await.unwrap();
        let events = client.await.unwrap().unwrap();
        let [Event::Text(_), Event::Closed(closed)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((closed.code, closed.clean), (if polls == 0 { second } else { first }, true));
        is_ready
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_halves() {
    at_each_await(8, async |polls| {
        let (ws, client) = pair();
        let (_other, mut receiver) = ws.into_split();
        let client = speaks(client);
        let mut messages = Vec::new();
        let first = drop_after(polls, receiver.recv()).await;
        let is_ready = first.is_some();
        messages.extend(first.map(|message| message.unwrap().unwrap()));
        while let Some(message) = receiver.recv().await.unwrap() {
            messages.push(message);
        }
        assert_eq!(messages, SENT.map(Message::from));
        client.await.unwrap().unwrap();
        is_ready
    })
    .await;
    at_each_await(8, async |polls| {
        let (ws, client) = pair();
        let (mut sender, mut receiver) = ws.into_split();
        let client = listens(client);
        sender.send("x".repeat(120)).await.unwrap();
        let first = drop_after(polls, sender.send("last")).await;
        let is_ready = first.is_some();
        match first {
            Some(result) => result.unwrap(),
            None => sender.send("last").await.unwrap(),
        }
        sender.close(CloseCode::NORMAL, "").unwrap();
        assert!(receiver.recv().await.unwrap().is_none());
        let events = client.await.unwrap().unwrap();
        let [Event::Text(_), Event::Text(last), Event::Closed(_)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(last, "last");
        is_ready
    })
    .await;
}

/// These aren't cancel-safe: the transport is dropped, which the peer notices.
#[tokio::test(start_paused = true)]
async fn accept_and_handshake_drop_the_transport() {
    at_each_await(100, async |polls| {
        let (one, other) = duplex(64);
        let connected = tokio::spawn(async move { Connector::new().handshake("ws://a/", other).await });
        let accepted = drop_after(polls, Acceptor::new().accept(Dribble::new(one))).await;
        match (accepted, connected.await.unwrap()) {
            (Some(Ok(_)), Ok(_)) => true,
            (None, Err(ConnectError::Io(_))) => false,
            // The response was written, and the server was dropped before it knew.
            (None, Ok(mut ws)) => {
                assert!(matches!(ws.recv().await, Err(Error::Closed(_) | Error::Io(_))));
                false
            }
            (accepted, connected) => panic!("{:?}, {connected:?}", accepted.map(|accepted| accepted.map(drop))),
        }
    })
    .await;
    at_each_await(100, async |polls| {
        let (one, other) = duplex(64);
        let accepted = tokio::spawn(async move { Acceptor::new().accept(other).await });
        let connected = drop_after(polls, Connector::new().handshake("ws://a/", Dribble::new(one))).await;
        match (connected, accepted.await.unwrap()) {
            (Some(Ok(_)), Ok(_)) => true,
            (None, Err(AcceptError::Io(_))) => false,
            (None, Ok(mut ws)) => {
                assert!(matches!(ws.recv().await, Err(Error::Closed(_) | Error::Io(_))));
                false
            }
            (connected, accepted) => panic!("{:?}, {accepted:?}", connected.map(|connected| connected.map(drop))),
        }
    })
    .await;
}
