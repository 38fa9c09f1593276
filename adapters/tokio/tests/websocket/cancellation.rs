//! Nothing is lost and nothing comes twice, whatever future is dropped where.

use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, BufStream, duplex};
use tokio::task::{LocalSet, yield_now};
use tokio::time::timeout;
use websocket_proto::{CloseCode, Config, Connection, Event};
use websocket_proto_tokio::{Message, WebSocket};

use crate::support::{Buffered, Random, Result, client, insist, messages, pair, server};

const COUNT: usize = 300;

/// Sends all, and closes; every future is dropped wherever it waits.
async fn send_all<T: AsyncRead + AsyncWrite + Unpin>(mut ws: WebSocket<T>, count: usize) -> Result {
    for message in messages(count) {
        insist(async || ws.send(message.clone()).await).await?;
    }
    insist(async || ws.flush().await).await?;
    insist(async || ws.close(CloseCode::NORMAL, "all").await).await
}

async fn receive_all<T: AsyncRead + AsyncWrite + Unpin>(mut ws: WebSocket<T>, count: usize) -> Result {
    for message in messages(count) {
        assert_eq!(insist(async || ws.recv().await).await?, Some(message));
    }
    assert_eq!(insist(async || ws.recv().await).await?, None);
    assert_eq!(ws.closed().unwrap().reason, "all");
    Ok(())
}

/// A task for each, so that nobody is woken for what the other waits for.
async fn in_two_tasks(
    one: impl Future<Output = Result> + 'static,
    other: impl Future<Output = Result> + 'static,
) -> Result {
    let tasks = LocalSet::new();
    let (one, other) = (tasks.spawn_local(one), tasks.spawn_local(other));
    tasks.await;
    one.await.unwrap()?;
    other.await.unwrap()
}

#[tokio::test]
async fn futures_are_dropped_wherever_they_wait() -> Result {
    for (pipe, count) in [(1, 10), (7, 50), (100, COUNT), (1000, COUNT), (100_000, COUNT)] {
        let (server, client) = pair(pipe);
        in_two_tasks(send_all(client, count), receive_all(server, count)).await?;
        let (server, client) = pair(pipe);
        in_two_tasks(send_all(server, count), receive_all(client, count)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_transport_may_keep_what_it_was_given_until_it_is_flushed() -> Result {
    let (one, other) = duplex(5000);
    let (server, client) = (server(Buffered::new(one), Config::new()), client(Buffered::new(other), Config::new()));
    in_two_tasks(send_all(server, COUNT), receive_all(client, COUNT)).await
}

#[tokio::test(start_paused = true)]
async fn nothing_stays_behind_in_a_buffer_of_the_transport() -> Result {
    let (one, other) = duplex(5000);
    let (mut server, mut client) =
        (server(BufStream::new(one), Config::new()), client(BufStream::new(other), Config::new()));
    for size in [0, 10, 1000, 100_000] {
        let echo = async { server.run(|conn, event| echo(conn, &event)).await };
        let ask = async {
            client.send(vec![1; size]).await?;
            assert_eq!(client.recv().await?, Some(Message::from(vec![1; size])));
            Result::Ok(())
        };
        tokio::select! {
            ended = echo => panic!("{ended:?}"),
            asked = timeout(Duration::from_secs(1), ask) => asked.expect("it is flushed")?,
        }
    }
    let peer = tokio::spawn(async move { server.recv().await });
    client.close(CloseCode::NORMAL, "").await?;
    assert_eq!(peer.await.unwrap()?, None);
    Ok(())
}

fn echo(conn: &mut Connection, event: &Event<'_>) -> ControlFlow<()> {
    if let Event::Binary(data) = event {
        conn.send_binary(data).unwrap();
    }
    ControlFlow::Continue(())
}

/// Echoes with `recv` in a `select!` next to something that is always about to be ready.
#[tokio::test]
async fn a_loop_selects() -> Result {
    let (mut server, client) = pair(4096);
    let (mut sender, mut receiver) = client.into_split();
    let echo = tokio::spawn(async move {
        let mut interrupted = 0;
        loop {
            tokio::select! {
                message = server.recv() => match message? {
                    Some(message) => server.feed(message).await?,
                    None => return Result::Ok(interrupted),
                },
                () = yield_now() => interrupted += 1,
            }
        }
    });
    let send = tokio::spawn(async move {
        for message in messages(COUNT) {
            sender.send(message).await?;
        }
        Result::Ok(sender)
    });
    for message in messages(COUNT) {
        assert_eq!(receiver.recv().await?, Some(message));
    }
    send.await.unwrap()?.close(CloseCode::NORMAL, "")?;
    assert_eq!(receiver.recv().await?, None);
    assert!(echo.await.unwrap()? > COUNT);
    Ok(())
}

/// Both sides send and receive; each call has as much time as chance gives it.
#[tokio::test(start_paused = true)]
async fn futures_are_dropped_at_random() -> Result {
    for seed in 1..50 {
        let mut random = Random(seed);
        let most = 1 << random.below(16);
        let (server, client) = pair(100 + random.below(most));
        let one = tokio::spawn(converse(server, random.clone()));
        let other = tokio::spawn(converse(client, random));
        one.await.unwrap()?;
        other.await.unwrap()?;
    }
    Ok(())
}

async fn converse<T: AsyncRead + AsyncWrite + Unpin>(mut ws: WebSocket<T>, mut random: Random) -> Result {
    let (mut to_send, mut to_come) = (messages(40).peekable(), messages(40).peekable());
    while to_send.peek().is_some() || to_come.peek().is_some() {
        let patience = Duration::from_micros(random.below(3000) as u64);
        if random.below(2) == 0
            && let Some(message) = to_send.peek()
        {
            if let Ok(sent) = tokio::time::timeout(patience, ws.send(message.clone())).await {
                sent?;
                to_send.next();
            }
        } else if random.below(4) == 0 {
            if let Some(received) = ws.recv().now_or_never() {
                assert_eq!(received?, to_come.next());
            }
        } else if let Ok(received) = tokio::time::timeout(patience, ws.recv()).await {
            assert_eq!(received?, to_come.next());
        }
    }
    ws.flush().await?;
    ws.close(CloseCode::NORMAL, "").await
}

#[tokio::test]
async fn what_is_left_of_the_input_stays() -> Result {
    let (mut server, mut client) = pair(4096);
    for number in 0..10 {
        client.feed(number.to_string()).await?;
    }
    client.flush().await?;
    // All ten lie in one input.
    for number in 0..10 {
        assert_eq!(server.recv().now_or_never().unwrap()?, Some(Message::from(number.to_string())));
    }
    assert!(server.recv().now_or_never().is_none());
    Ok(())
}
