//! A peer that doesn't read, or doesn't stop sending, costs a bounded amount of memory.

use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{sleep, timeout};
use websocket_proto::{Config, Event};
use websocket_proto_tokio::{HIGH_WATER, Message};

use crate::support::{Result, pair, server};

/// What is pending is at most the high-water mark and what one input makes of it.
const MOST: usize = HIGH_WATER + (64 << 10);

#[tokio::test(start_paused = true)]
async fn sending_waits_for_a_peer_that_does_not_read() -> Result {
    let (mut server, mut client) = pair(1000);
    let mut sent = 0;
    while timeout(Duration::from_secs(1), server.send(vec![1; 10_000])).await.is_ok() {
        sent += 1;
        assert!(server.pending_output() < MOST);
    }
    assert!(sent >= HIGH_WATER / 10_000);
    for _ in 0..sent {
        // The rest is written by whatever waits: also by `recv`.
        tokio::select! {
            message = client.recv() => assert_eq!(message?, Some(Message::from(vec![1; 10_000]))),
            message = server.recv() => panic!("{message:?}"),
        }
    }
    assert_eq!(server.pending_output(), 0);
    Ok(())
}

/// What is fed waits for more only while it is little: neither caches nor memory have space for much.
#[tokio::test(start_paused = true)]
async fn answers_that_are_fed_are_written_before_more_is_read() -> Result {
    const MESSAGE: usize = 16 << 10;
    let (mut server, mut client) = pair(1 << 20);
    for _ in 0..32 {
        client.feed(vec![1; MESSAGE]).await?;
    }
    client.flush().await?;
    for _ in 0..32 {
        let message = server.recv().await?.expect("a message was sent");
        server.feed(message).await?;
        // 64 KiB before the last read, the answers to what it has brought, and the one that is complete with them.
        assert!(server.pending_output() <= 2 * (64 << 10) + MESSAGE, "{} bytes", server.pending_output());
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_not_read_from() -> Result {
    let (mut server, mut client) = pair(1000);
    let echo = server.run(|conn, event| {
        if let Event::Binary(data) = event {
            conn.send_binary(&data).unwrap();
        }
        assert!(conn.pending_output() < MOST);
        ControlFlow::<()>::Continue(())
    });
    let flood = async {
        for sent in 0.. {
            if timeout(Duration::from_secs(1), client.send(vec![1; 10_000])).await.is_err() {
                return sent;
            }
        }
        unreachable!()
    };
    tokio::select! {
        ended = echo => panic!("{ended:?}"),
        sent = flood => {
            let most = (MOST + HIGH_WATER + 20_000) / 10_000;
            assert!((HIGH_WATER / 10_000..most).contains(&sent), "{sent}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_received_is_not_read() -> Result {
    let (mut server, mut client) = pair(1000);
    for message in ["one", "two"] {
        client.send(message).await?;
    }
    assert_eq!(server.recv().await?, Some(Message::from("one")));
    // As much as a pipe, an input and the high-water mark hold.
    let mut sent = 0_usize;
    while client.send(vec![0; 1000]).now_or_never().is_some() {
        sent += 1000;
    }
    assert!(sent.abs_diff(HIGH_WATER) < 20_000, "{sent}");
    assert_eq!(server.recv().await?, Some(Message::from("two")));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn one_that_sends_does_not_read() -> Result {
    let (transport, mut peer) = duplex(1000);
    let mut server = server(transport, Config::new());
    server.send(vec![0; 2 * HIGH_WATER]).await?;
    let messages = b"\x81\x80\0\0\0\0".repeat(250);
    tokio::select! {
        sent = server.send("more") => panic!("{sent:?}"),
        written = timeout(Duration::from_secs(10), peer.write_all(&messages)) => {
            assert!(written.is_err());
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn reading_goes_on_when_the_peer_has_taken_enough() -> Result {
    const SIZE: usize = 600_000;
    let (transport, peer) = duplex(1 << 20);
    let mut server = server(transport, Config::new());
    tokio::spawn(async move {
        let echo = server.run(|conn, event| {
            if let Event::Binary(data) = event {
                conn.send_binary(&data).unwrap();
            }
            ControlFlow::<()>::Continue(())
        });
        echo.await.map(drop)
    });
    let (mut reads, mut writes) = tokio::io::split(peer);
    tokio::spawn(async move {
        let mut message = b"\x82\xff\0\0\0\0".to_vec();
        message.extend((SIZE as u32).to_be_bytes());
        message.resize(message.len() + 4 + SIZE, 0);
        writes.write_all(&message.repeat(4)).await
    });
    sleep(Duration::from_secs(1)).await;
    // Much is taken at once, so that all that is pending goes out in one turn.
    let mut echoes = vec![0; 4 * (10 + SIZE)];
    let read = timeout(Duration::from_secs(1), reads.read_exact(&mut echoes)).await;
    read.expect("the server reads on")?;
    Ok(())
}
