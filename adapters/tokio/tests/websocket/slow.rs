//! A peer that reads slowly gets all of it; one that reads nothing is dropped.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, interval, timeout};
use websocket_proto::{Cause, Config, Connection, Deadline, Event};
use websocket_proto_tokio::{Error, Message, WebSocket};

use crate::support::{Result, client, server};

/// The buffer between the server and the network: a kernel's send buffer of some MiB.
const SEND_BUFFER: usize = 3 << 20;

/// Messages may be as large as here.
fn roomy() -> Config {
    Config::new().max_message_size(32 << 20).max_frame_size(32 << 20)
}

fn config() -> Config {
    roomy().keepalive(Duration::from_secs(30), Duration::from_secs(20))
}

/// A server, and a client that so many of its bytes reach in a second.
fn slow_pair(rate: usize) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (one, to_client) = duplex(SEND_BUFFER);
    let (to_server, other) = duplex(1 << 20);
    let (mut from_server, mut into_server) = tokio::io::split(to_client);
    let (mut from_client, mut into_client) = tokio::io::split(to_server);
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut into_server).await });
    tokio::spawn(async move {
        let (mut ticks, mut buffer) = (interval(Duration::from_millis(100)), vec![0; rate / 10]);
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            ticks.tick().await;
            into_client.write_all(&buffer[..count]).await?;
        }
        std::io::Result::Ok(())
    });
    (server(one, config()), client(other, roomy()))
}

fn echo(conn: &mut Connection, event: Event<'_>) -> ControlFlow<()> {
    if let Event::Binary(data) = event {
        conn.send_binary(&data).unwrap();
    }
    ControlFlow::Continue(())
}

#[tokio::test(start_paused = true)]
async fn a_large_echo_is_delivered_whole() -> Result {
    // The send buffer alone holds what the slower peer reads in 42 seconds.
    for (size, rate) in [(30 << 20, 150_000), (15 << 20, 75_000)] {
        let (mut server, mut client) = slow_pair(rate);
        let serve = tokio::spawn(async move { server.run(echo).await });
        client.send(vec![7; size]).await?;
        let begun = Instant::now();
        let data = client.recv().await?.expect("the echo").into_bytes();
        assert!(data.len() == size && begun.elapsed() > Duration::from_secs(180));
        assert!(!serve.is_finished());
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_by_a_task_that_never_receives_is_delivered_whole() -> Result {
    let (mut server, mut client) = slow_pair(75_000);
    tokio::spawn(async move {
        for _ in 0..30 {
            server.send(vec![7; 1 << 20]).await?;
        }
        server.flush().await?;
        std::future::pending::<Result>().await
    });
    for _ in 0..30 {
        assert_eq!(client.recv().await?, Some(Message::from(vec![7; 1 << 20])));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_of_its_echo_is_dropped() -> Result {
    let (transport, other) = duplex(100_000);
    let (mut server, mut client) = (server(transport, config()), client(other, Config::new()));
    let serve = tokio::spawn(async move { server.run(echo).await });
    let begun = Instant::now();
    // It keeps sending, which doesn't help it: nobody reads its messages.
    while client.send(vec![7; 1 << 20]).await.is_ok() && client.flush().await.is_ok() {}
    let Err(Error::Closed(closed)) = serve.await.unwrap() else { panic!() };
    assert_eq!(closed.cause, Cause::Timeout(Deadline::Keepalive));
    assert!((40..75).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_dropped_although_it_sends() -> Result {
    let (transport, mut peer) = duplex(1000);
    let mut server = server(transport, config());
    tokio::spawn(async move { while peer.write_all(b"\x81\x85\0\0\0\0hello").await.is_ok() {} });
    server.send(vec![7; 1 << 20]).await?;
    let sent = timeout(Duration::from_secs(300), server.send("more")).await;
    let Ok(Err(Error::Closed(closed))) = sent else { panic!("{sent:?}") };
    assert_eq!(closed.cause, Cause::Timeout(Deadline::Keepalive));
    assert_eq!(server.recv().await?, Some(Message::from("hello")));
    Ok(())
}
