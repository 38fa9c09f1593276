//! Ends: in order, by the peer's fault, by the transport's.

use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use tokio::time::{Instant, sleep};
use websocket_proto::{Cause, CloseCode, Config, Event, ProtocolError};
use websocket_proto_tokio::{Error, Message};

use crate::support::{Result, pair, server};

#[tokio::test(start_paused = true)]
async fn either_side_closes() -> Result {
    for server_closes in [true, false] {
        let (server, client) = pair(10);
        let (mut closes, mut answers) = if server_closes { (server, client) } else { (client, server) };
        let begun = Instant::now();
        answers.send("one").await?;
        answers.send("two").await?;
        let (closing, answered) = tokio::join!(closes.close(CloseCode::new(3001).unwrap(), "bye"), answers.recv());
        closing?;
        assert_eq!(answered?, None);
        assert_eq!(begun.elapsed(), Duration::ZERO, "nothing was waited for in vain");
        let (one, other) = (closes.closed().unwrap(), answers.closed().unwrap());
        assert!(one.clean && other.clean);
        assert_eq!((other.code.get(), &*other.reason, other.cause), (3001, "bye", Cause::Peer));
        assert_eq!(one.cause, Cause::Local(other.code));
        // Closing again is nothing new.
        closes.close(CloseCode::NORMAL, "").await?;
        assert_eq!(answers.recv().await?, None);
    }
    Ok(())
}

#[tokio::test]
async fn messages_come_until_the_peer_has_closed_too() -> Result {
    let (mut server, mut client) = pair(100_000);
    client.connection_mut().close(CloseCode::NORMAL, "")?;
    for number in 0..100 {
        server.feed(number.to_string()).await?;
    }
    let peer = tokio::spawn(async move { server.close(CloseCode::NORMAL, "").await });
    for number in 0..100 {
        assert_eq!(client.recv().await?, Some(Message::from(number.to_string())));
    }
    assert_eq!(client.recv().await?, None);
    peer.await.unwrap()
}

#[tokio::test]
async fn a_lost_peer_is_an_error_told_once() -> Result {
    let (mut server, client) = pair(100);
    drop(client);
    let error = server.recv().await.unwrap_err();
    assert!(matches!(&error, Error::Closed(closed) if closed.cause == Cause::Eof), "{error:?}");
    assert_eq!(server.recv().await?, None);
    assert!(server.next().await.is_none());
    assert!(server.send("anybody?").await.is_err());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_end_that_comes_with_data_is_noticed_at_once() -> Result {
    for last in [&b"\x8a\x80\0\0\0\0"[..], b"\x81\x82\0\0\0\0hi", b"\x82\xfe\x04\x00\0\0\0\0half"] {
        let (transport, mut peer) = duplex(100);
        let mut server = server(transport, Config::new());
        peer.write_all(last).await?;
        peer.shutdown().await?;
        let begun = Instant::now();
        if last[0] == 0x81 {
            assert_eq!(server.recv().await?, Some(Message::from("hi")));
        }
        let Err(Error::Closed(closed)) = server.recv().await else { panic!() };
        assert_eq!((closed.cause, begun.elapsed()), (Cause::Eof, Duration::ZERO));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_violation_is_answered_before_the_end() {
    let (transport, mut peer) = duplex(100);
    let mut server = server(transport, Config::new());
    peer.write_all(b"\xff\x80\0\0\0\0").await.unwrap();
    let ended = tokio::spawn(async move { server.recv().await });
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"\x88\x02\x03\xea");
    // The peer keeps its side open for longer than it has time.
    let Err(Error::Closed(closed)) = ended.await.unwrap() else { panic!() };
    assert_eq!(closed.cause, Cause::Protocol(ProtocolError::ReservedBits));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stays_has_two_seconds() -> Result {
    for goes_on_sending in [false, true] {
        let (transport, mut peer) = duplex(100);
        let mut server = server(transport, Config::new());
        peer.write_all(b"\x88\x80\0\0\0\0").await?;
        let sends = tokio::spawn(async move {
            while goes_on_sending && peer.write_all(&[0; 1000]).await.is_ok() {
                sleep(Duration::from_millis(1)).await;
            }
            sleep(Duration::from_secs(100)).await;
        });
        let begun = Instant::now();
        assert_eq!(server.recv().await?, None);
        assert_eq!(begun.elapsed().as_secs(), 2);
        sends.abort();
    }
    Ok(())
}

#[tokio::test]
async fn closed_is_an_event_before_it_is_the_end() -> Result {
    let (mut server, mut client) = pair(100);
    let peer = tokio::spawn(async move { client.close(CloseCode::NORMAL, "").await });
    let code = server.run(|_, event| match event {
        Event::Closed(closed) => ControlFlow::Break(closed.code),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(code.await?, Some(CloseCode::NORMAL));
    assert_eq!(server.recv().await?, None);
    peer.await.unwrap()
}

/// A transport that takes nothing, whose peer has sent something before.
struct Broken(&'static [u8]);

impl AsyncRead for Broken {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let arrived = std::mem::take(&mut self.0);
        if arrived.is_empty() {
            return Poll::Pending;
        }
        buf.put_slice(arrived);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
}

#[tokio::test]
async fn what_was_said_before_the_transport_broke_is_heard() -> Result {
    let mut server = server(Broken(b"\x81\x82\0\0\0\0hi\x88\x85\0\0\0\0\x03\xf0out"), Config::new());
    server.send("to nobody").await?;
    assert!(server.send("any more").await.is_err());
    assert_eq!(server.recv().await?, Some(Message::from("hi")));
    assert_eq!(server.recv().await?, None);
    assert_eq!(server.closed().unwrap().reason, "out");
    Ok(())
}

#[tokio::test]
async fn a_broken_transport_is_the_reason_where_the_peer_gave_none() -> Result {
    let mut server = server(Broken(b"\x81\x82\0\0\0\0hi"), Config::new());
    server.send("to nobody").await?;
    assert!(server.flush().await.is_err());
    assert_eq!(server.recv().await?, Some(Message::from("hi")));
    assert!(matches!(server.recv().await, Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe));
    assert_eq!(server.closed().unwrap().cause, Cause::Eof);
    assert_eq!(server.recv().await?, None);
    Ok(())
}
