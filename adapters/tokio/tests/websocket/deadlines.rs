//! Deadlines, in simulated time: each passes when it should and wakes the tasks that wait.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream, duplex};
use tokio::time::{Instant, sleep, timeout};
use websocket_proto::{Cause, CloseCode, Config, Connection, Deadline, client};
use websocket_proto_tokio::{AcceptError, ConnectError, ConnectStage, Connector, Error, HIGH_WATER, WebSocket, accept};

use crate::support::{Result, client, config, pair, seed, server};

fn cause(error: &Error) -> Cause {
    match error {
        Error::Closed(closed) => closed.cause,
        other => panic!("{other:?}"),
    }
}

fn keepalive() -> Config {
    Config::new().keepalive(Duration::from_secs(30), Duration::from_secs(20))
}

#[tokio::test(start_paused = true)]
async fn opening() {
    let begun = Instant::now();
    let (silent, other) = duplex(1000);
    assert!(matches!(accept(silent).await, Err(AcceptError::Timeout)));
    assert_eq!(begun.elapsed().as_secs(), 10);
    drop(other);
    // The deadline of the engine, and that of the connector.
    for (timeout, seconds) in [(None, 10), (Some(Duration::from_secs(3)), 3), (Some(Duration::from_secs(30)), 10)] {
        let begun = Instant::now();
        let (_other, silent) = duplex(1000);
        let connected = Connector::new().timeout(timeout).handshake("ws://a/", silent).await;
        assert!(matches!(connected, Err(ConnectError::Timeout(ConnectStage::Handshake))), "{connected:?}");
        assert_eq!(begun.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_counts_from_the_connection_on() {
    let (transport, _silent) = duplex(1000);
    let mut server = WebSocket::new(transport, Connection::server(config()));
    sleep(Duration::from_secs(4)).await;
    let begun = Instant::now();
    assert_eq!(cause(&server.recv().await.unwrap_err()), Cause::Timeout(Deadline::Opening));
    assert_eq!(begun.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn opening_is_not_put_off_by_a_peer_that_says_little() {
    for bytes_a_second in [0, 1] {
        let (transport, mut peer) = duplex(1000);
        peer.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let begun = Instant::now();
        let writes = tokio::spawn(async move {
            loop {
                sleep(Duration::from_secs(1)).await;
                peer.write_all(&b"X"[..bytes_a_second]).await.unwrap();
            }
        });
        assert!(matches!(accept(transport).await, Err(AcceptError::Timeout)));
        // Ten seconds, and two in which it may read the answer.
        assert!((10..14).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        writes.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn closing_counts_from_the_close() {
    for (mut ws, _silent) in [pair(100), {
        let (server, client) = pair(100);
        (client, server)
    }] {
        // Nobody looks at the connection for a while.
        sleep(Duration::from_secs(100)).await;
        let begun = Instant::now();
        let closed = ws.close(CloseCode::NORMAL, "").await;
        assert_eq!(cause(&closed.unwrap_err()), Cause::Timeout(Deadline::Closing));
        assert_eq!(begun.elapsed().as_secs(), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_is_earlier_than_the_one_before_is_kept() {
    let (transport, _silent) = duplex(100);
    let mut server = server(transport, keepalive());
    // The timer is set for the keepalive.
    assert!(timeout(Duration::from_secs(1), server.recv()).await.is_err());
    let begun = Instant::now();
    assert_eq!(cause(&server.close(None, "").await.unwrap_err()), Cause::Timeout(Deadline::Closing));
    assert_eq!(begun.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_asked_and_then_given_up() {
    let (transport, mut silent) = duplex(100);
    let mut server = server(transport, keepalive());
    let begun = Instant::now();
    let ended = tokio::spawn(async move { server.recv().await });
    let mut ping = [0; 6];
    silent.read_exact(&mut ping).await.unwrap();
    assert_eq!((ping[0], begun.elapsed().as_secs()), (0x89, 30));
    assert_eq!(cause(&ended.await.unwrap().unwrap_err()), Cause::Timeout(Deadline::Keepalive));
    assert_eq!(begun.elapsed().as_secs(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_stays() -> Result {
    let (one, other) = duplex(100);
    let (mut server, mut client) = (server(one, keepalive()), client(other, Config::new()));
    let (_, _) = (
        tokio::spawn(async move { client.recv().await }),
        tokio::spawn(async move { assert!(server.recv().await.is_err(), "the test ends first") }),
    );
    sleep(Duration::from_secs(10_000)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn messages_put_the_ping_off() -> Result {
    let (transport, mut peer) = duplex(100);
    let mut server = server(transport, keepalive());
    let begun = Instant::now();
    let ended = tokio::spawn(async move { while server.recv().await.is_ok_and(|message| message.is_some()) {} });
    for _ in 0..20 {
        sleep(Duration::from_secs(20)).await;
        peer.write_all(b"\x81\x80\0\0\0\0").await?;
    }
    let mut ping = [0; 6];
    peer.read_exact(&mut ping).await?;
    assert_eq!((ping[0], begun.elapsed().as_secs()), (0x89, 20 * 20 + 30));
    ended.await.unwrap();
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn sending_gives_up_a_peer_that_takes_nothing() -> Result {
    let (transport, _silent) = duplex(100);
    let mut server = server(transport, keepalive());
    server.send(vec![0; 2 * HIGH_WATER]).await?;
    let begun = Instant::now();
    // What was pending was dropped.
    for error in [server.send("more").await, server.flush().await].map(Result::unwrap_err) {
        assert_eq!(cause(&error), Cause::Timeout(Deadline::Keepalive));
    }
    assert!((50..=70).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!(cause(&server.recv().await.unwrap_err()), Cause::Timeout(Deadline::Keepalive));
    Ok(())
}

/// What was written is in a buffer of the transport, which cannot take it back when the connection is dropped.
#[tokio::test(start_paused = true)]
async fn flushing_gives_up_a_peer_that_takes_nothing() -> Result {
    let (transport, _silent) = duplex(100);
    let mut server = server(BufStream::new(transport), keepalive());
    server.send(vec![0; 1000]).await?;
    let flushed = timeout(Duration::from_secs(300), server.flush()).await.expect("it ends");
    assert_eq!(cause(&flushed.unwrap_err()), Cause::Timeout(Deadline::Keepalive));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn whoever_was_held_up_loses_nothing_that_has_arrived() -> Result {
    let (one, other) = duplex(100_000);
    let (mut server, mut client) = (server(one, keepalive()), client(other, Config::new()));
    for number in 0..100 {
        client.feed(number.to_string()).await?;
    }
    client.flush().await?;
    for _ in 0..100 {
        assert!(server.recv().await?.is_some());
        sleep(Duration::from_secs(100)).await;
        server.send("seen").await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_deadline_takes_nothing_out_of_ones_hands() -> Result {
    let (mut server, mut client) = pair(100_000);
    for number in 0..10 {
        client.feed(number.to_string()).await?;
    }
    client.flush().await?;
    assert!(server.recv().await?.is_some());
    server.connection_mut().close(CloseCode::NORMAL, "")?;
    for _ in 1..10 {
        sleep(Duration::from_secs(100)).await;
        assert!(server.recv().await?.is_some());
    }
    assert_eq!(cause(&server.recv().await.unwrap_err()), Cause::Timeout(Deadline::Closing));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_first_bytes_are_waited_for_no_longer() -> Result {
    let (transport, _silent) = duplex(10);
    let request = client::Request::new("ws://a/".parse().unwrap());
    let mut client = WebSocket::new(transport, Connection::client(request, config(), seed()).unwrap());
    let begun = Instant::now();
    assert_eq!(cause(&client.flush().await.unwrap_err()), Cause::Timeout(Deadline::Opening));
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(cause(&client.recv().await.unwrap_err()), Cause::Timeout(Deadline::Opening));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_defaults_have_a_keepalive() -> Result {
    for silent_client in [true, false] {
        let (one, other) = duplex(1000);
        let connector = Connector::new();
        let (server, client) = tokio::join!(accept(one), connector.handshake("ws://a/", other));
        let (server, client) = (server.unwrap(), client.unwrap());
        let (mut ws, _silent) = if silent_client { (server, client) } else { (client, server) };
        let begun = Instant::now();
        let ended = timeout(Duration::from_secs(100), ws.recv()).await.expect("the silence is noticed");
        assert_eq!(cause(&ended.unwrap_err()), Cause::Timeout(Deadline::Keepalive));
        assert_eq!(begun.elapsed().as_secs(), 50);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_rejection_without_an_end_is_a_rejection() {
    for timeout in [None, Some(Duration::from_secs(3))] {
        let (transport, mut peer) = duplex(1000);
        peer.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\nnot you").await.unwrap();
        let begun = Instant::now();
        let connected = Connector::new().timeout(timeout).handshake("ws://a/", transport).await;
        let Err(ConnectError::Rejected(response)) = connected else { panic!("{connected:?}") };
        assert_eq!((response.status(), response.body()), (403, &b"not you"[..]));
        assert_eq!(begun.elapsed().as_secs(), timeout.map_or(10, |timeout| timeout.as_secs()));
    }
}
