//! A peer that doesn't read, or doesn't stop sending, costs a bounded amount of memory.

use std::ops::ControlFlow;
use std::time::Duration;

use example_tokio::{HIGH_WATER, Message};
use futures_util::FutureExt;
use tokio::time::timeout;
use websocket_proto::Event;

use crate::support::{Result, pair};

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
            message = client.recv() => assert_eq!(message?, Some(Message::Binary(vec![1; 10_000].into()))),
            message = server.recv() => panic!("{message:?}"),
        }
    }
    assert_eq!(server.pending_output(), 0);
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
    assert_eq!(server.recv().await?, Some(Message::Text("one".into())));
    // As much as a pipe, an input and the high-water mark hold.
    let mut sent = 0_usize;
    while client.send(vec![0; 1000]).now_or_never().is_some() {
        sent += 1000;
    }
    assert!(sent.abs_diff(HIGH_WATER) < 20_000, "{sent}");
    assert_eq!(server.recv().await?, Some(Message::Text("two".into())));
    Ok(())
}
