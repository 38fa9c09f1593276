//! Stream and Sink, and halves in tasks of their own: each wakes the other when it has to.

use std::io::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use websocket_proto::{CloseCode, Event, PreparedMessage, SendError};
use websocket_proto_tokio::Message;

use crate::support::{Result, messages, pair};

const COUNT: usize = 300;

#[tokio::test]
async fn a_stream_is_forwarded_to_a_sink() -> Result {
    let (server, client) = pair(1000);
    let (sink, stream) = server.split();
    let echo = tokio::spawn(stream.forward(sink));
    let (mut sink, mut stream) = client.split();
    let send = tokio::spawn(async move {
        let mut messages = futures_util::stream::iter(messages(COUNT).map(Ok));
        sink.send_all(&mut messages).await?;
        Result::Ok(sink)
    });
    let receive = async {
        for message in messages(COUNT) {
            assert_eq!(stream.next().await.unwrap().unwrap(), message);
        }
    };
    timeout(Duration::from_secs(60), receive).await.expect("nobody is stuck");
    send.await.unwrap()?.close().await?;
    assert!(stream.next().await.is_none());
    echo.await.unwrap()
}

#[tokio::test]
async fn both_sides_send_all_they_can_at_the_same_time() -> Result {
    for pipe in [100, 1000, 1 << 20] {
        let (server, client) = pair(pipe);
        let tasks = [server, client].map(|ws| {
            let (mut sender, mut receiver) = ws.into_split();
            let send = tokio::spawn(async move {
                for message in messages(COUNT) {
                    sender.send(message).await?;
                }
                sender.flush().await?;
                Result::Ok(sender)
            });
            let receive = tokio::spawn(async move {
                for message in messages(COUNT) {
                    assert_eq!(receiver.recv().await?, Some(message));
                }
                Result::Ok(receiver)
            });
            (send, receive)
        });
        let [one, other] = tasks;
        let all = async { (one.0.await, one.1.await, other.0.await, other.1.await) };
        let (sender, receiver, _, other) = timeout(Duration::from_secs(60), all).await.expect("nobody is stuck");
        let (mut sender, mut receiver, mut other) = (sender.unwrap()?, receiver.unwrap()?, other.unwrap()?);
        sender.close(CloseCode::NORMAL, "")?;
        let (one, other) = tokio::join!(receiver.recv(), other.recv());
        assert_eq!((one?, other?), (None, None));
        assert!(receiver.closed().unwrap().clean);
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_room_learns_of_the_end() -> Result {
    let (server, mut client) = pair(100);
    let (mut sender, mut receiver) = server.into_split();
    sender.send(vec![0; 1 << 20]).await?;
    let waiting = tokio::spawn(async move { sender.send("never").await });
    tokio::task::yield_now().await;
    // The client closes, and never takes what is pending.
    client.connection_mut().close(CloseCode::GOING_AWAY, "").unwrap();
    client.flush().await?;
    tokio::spawn(async move { receiver.recv().await });
    let ended = timeout(Duration::from_secs(1), waiting).await.expect("it is woken").unwrap();
    assert!(matches!(ended, Err(websocket_proto_tokio::Error::Send(SendError::Closed))), "{ended:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_close_by_one_half_is_timed_by_the_other() -> Result {
    let (server, _silent) = pair(100);
    let (mut sender, mut receiver) = server.into_split();
    let receive = tokio::spawn(async move { receiver.recv().await });
    tokio::time::sleep(Duration::from_secs(60)).await;
    sender.close(CloseCode::NORMAL, "")?;
    let ended = timeout(Duration::from_secs(6), receive).await.expect("it is woken").unwrap();
    assert_eq!(
        ended.unwrap_err().to_string(),
        "closed with 1006 (abnormal closure): the closing handshake took too long"
    );
    Ok(())
}

#[tokio::test]
async fn a_half_does_other_things() -> Result {
    let (server, mut client) = pair(1000);
    let (mut sender, mut receiver) = server.into_split();
    let receive = tokio::spawn(async move { receiver.event().await.map(|event| format!("{event:?}")) });
    tokio::task::yield_now().await;
    sender.with_connection(|conn| conn.ping(b"there?").unwrap());
    let answer = tokio::spawn(async move { client.recv().await });
    assert!(receive.await.unwrap()?.contains("Pong"));
    answer.abort();
    Ok(())
}

#[tokio::test]
async fn a_closed_sink_leaves_the_stream_to_its_end() -> Result {
    let (mut server, mut client) = pair(1000);
    server.send("last words").await?;
    SinkExt::<Message>::close(&mut client).await?;
    assert_eq!(client.pending_output(), 0);
    assert!(client.send("more").await.is_err());
    let peer = tokio::spawn(async move { server.recv().await });
    assert_eq!(client.next().await.unwrap()?, Message::from("last words"));
    assert!(client.next().await.is_none());
    assert_eq!(peer.await.unwrap()?, None);
    Ok(())
}

#[tokio::test]
async fn the_halves_are_a_stream_and_a_sink() -> Result {
    let (server, client) = pair(1000);
    let (mut sender, receiver) = server.into_split();
    let echo = tokio::spawn(async move {
        // Forwarding closes the sink at the end of the stream; the closing handshake is over by then.
        receiver.forward(&mut sender).await?;
        Result::Ok(())
    });
    let (mut sink, mut stream) = client.into_split();
    let send = tokio::spawn(async move {
        sink.send_all(&mut futures_util::stream::iter(messages(COUNT).map(Ok))).await?;
        SinkExt::close(&mut sink).await
    });
    for message in messages(COUNT) {
        assert_eq!(stream.next().await.unwrap()?, message);
    }
    assert!(stream.next().await.is_none());
    send.await.unwrap()?;
    echo.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_prepared_message_and_a_measured_ping_go_out_by_a_half() -> Result {
    let (server, mut client) = pair(1000);
    let (mut sender, mut receiver) = server.into_split();
    let receive = tokio::spawn(async move {
        let event = receiver.event().await?;
        Result::Ok((event, receiver.round_trip(), receiver))
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    sender.send_prepared(&PreparedMessage::new("to all")).await?;
    sender.ping(b"there?").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(client.recv().await?, Some("to all".into()));
    tokio::spawn(async move { client.recv().await });
    let (event, round_trip, _receiver) = receive.await.unwrap()?;
    assert!(matches!(event, Some(Event::Pong(payload)) if *payload == *b"there?"));
    assert_eq!(round_trip.unwrap().as_secs(), 3);
    Ok(())
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_task_that_has_sent_is_not_woken_by_what_comes() -> Result {
    let (server, mut client) = pair(1 << 20);
    let (mut sender, mut receiver) = server.into_split();
    let (wakes, others) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    let (sending, receiving) = (Waker::from(wakes.clone()), Waker::from(others.clone()));
    for _ in 0..10 {
        let mut send = pin!(sender.send("first"));
        assert!(send.as_mut().poll(&mut Context::from_waker(&sending)).is_ready());
        let mut recv = pin!(receiver.recv());
        assert!(recv.as_mut().poll(&mut Context::from_waker(&receiving)).is_pending());
        client.send("hello").await?;
        assert!(recv.as_mut().poll(&mut Context::from_waker(&receiving)).is_ready());
    }
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    assert_eq!(others.0.load(Ordering::Relaxed), 10);
    Ok(())
}

#[tokio::test]
async fn messages_are_written_into_the_output() -> Result {
    let (mut server, client) = pair(1000);
    let (mut sender, mut receiver) = client.into_split();
    server.send_text_with(|writer| writer.write_all(b"1")).await?.unwrap();
    server.send_binary_with(|writer| writer.write_all(&[2])).await?.unwrap();
    // An error of the caller's sends nothing and leaves the connection open.
    assert_eq!(server.send_text_with(|_| Err::<(), _>("oh")).await?, Err("oh"));
    assert_eq!(sender.send_binary_with(|_| Err::<(), _>("oh")).await?, Err("oh"));
    sender.send_text_with(|writer| writer.write_all(b"3")).await?.unwrap();
    sender.send_binary_with(|writer| writer.write_all(&[4])).await?.unwrap();
    assert_eq!(receiver.recv().await?, Some("1".into()));
    assert_eq!(receiver.recv().await?, Some([2].into()));
    assert_eq!(server.recv().await?, Some("3".into()));
    assert_eq!(server.recv().await?, Some([4].into()));
    Ok(())
}
