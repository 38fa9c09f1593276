//! A loop that comes late loses nobody whose bytes are in the transport, and no message.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep, timeout};
use websocket_proto::{Cause, CloseCode, Config, Deadline, Event};
use websocket_proto_tokio::{Error, HIGH_WATER, Message, WebSocket};

use crate::support::{Late, Result, client, pair, server};

const SECOND: Duration = Duration::from_secs(1);

/// A Pong frame without a payload, a text message, and a Close frame with 1000, as a client sends them.
const PONG: &[u8] = b"\x8a\x80\0\0\0\0";
const HELLO: &[u8] = b"\x81\x85\0\0\0\0hello";
const CLOSE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe8";

fn keepalive() -> Config {
    Config::new().keepalive(30 * SECOND, 10 * SECOND)
}

fn is_timeout(error: &Error, deadline: Deadline) -> bool {
    matches!(error, Error::Closed(closed) if closed.cause == Cause::Timeout(deadline))
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_learns_late_of_a_pong_is_asked_twice() -> Result {
    let (inner, mut peer) = duplex(1000);
    let (transport, until) = Late::new(inner);
    let mut server = server(transport, keepalive());
    assert!(timeout(31 * SECOND, server.recv()).await.is_err());
    peer.write_all(PONG).await?;
    sleep(60 * SECOND).await;
    *until.lock().unwrap() = Instant::now() + Duration::from_millis(20);
    assert!(timeout(20 * SECOND, server.recv()).await.is_err());
    Ok(())
}

async fn send_all_of(ws: &mut WebSocket<DuplexStream>, text: &'static str) -> Result {
    ws.send(text).await?;
    ws.flush().await
}

#[tokio::test(start_paused = true)]
async fn a_pong_that_waits_in_the_transport_has_come() -> Result {
    for late in [1, 11, 22, 3600] {
        let (transport, mut peer) = duplex(1000);
        let mut server = server(transport, keepalive());
        // The ping is sent, and nobody looks at the connection any more.
        assert!(timeout(31 * SECOND, server.recv()).await.is_err());
        let mut ping = [0; 6];
        peer.read_exact(&mut ping).await?;
        assert_eq!(ping[0], 0x89);
        peer.write_all(PONG).await?;
        sleep(late * SECOND).await;
        assert!(timeout(SECOND, server.recv()).await.is_err(), "{late} s late");
        peer.write_all(HELLO).await?;
        assert_eq!(server.recv().await?, Some(Message::from("hello")), "{late} s late");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_waits_in_the_transport_has_come_also_for_one_that_sends() -> Result {
    let (transport, mut peer) = duplex(1000);
    let mut server = server(transport, keepalive());
    server.send(vec![0; 2 * HIGH_WATER]).await?;
    // The peer reads nothing for a while, and the ping is queued after the pending output.
    assert!(timeout(31 * SECOND, server.send("more")).await.is_err());
    peer.write_all(HELLO).await?;
    sleep(60 * SECOND).await;
    assert!(timeout(20 * SECOND, server.send("more")).await.is_err());
    let mut taken = vec![0; 2 * HIGH_WATER];
    let (sent, read) = tokio::join!(send_all_of(&mut server, "more"), peer.read_exact(&mut taken));
    read?;
    sent?;
    assert_eq!(server.recv().await?, Some(Message::from("hello")));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_that_waits_is_the_answer() -> Result {
    let (transport, mut peer) = duplex(1000);
    let mut server = server(transport, Config::new());
    server.connection_mut().close(CloseCode::NORMAL, "")?;
    server.flush().await?;
    peer.write_all(HELLO).await?;
    peer.write_all(CLOSE).await?;
    sleep(3600 * SECOND).await;
    assert_eq!(server.recv().await?, Some(Message::from("hello")));
    assert_eq!(server.recv().await?, None);
    assert!(server.closed().unwrap().clean);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_came_before_a_peer_was_lost_is_received() -> Result {
    let (transport, mut peer) = duplex(1000);
    let mut server = server(transport, keepalive());
    for _ in 0..3 {
        peer.write_all(HELLO).await?;
    }
    assert_eq!(server.recv().await?, Some(Message::from("hello")));
    server.send(vec![0; 2 * HIGH_WATER]).await?;
    let begun = Instant::now();
    assert!(matches!(server.send("more").await, Err(Error::Closed(_))));
    // What was left of the input counts as having come when it was looked at.
    assert!((40..80).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    for _ in 0..2 {
        assert_eq!(server.recv().await?, Some(Message::from("hello")));
    }
    assert!(is_timeout(&server.recv().await.unwrap_err(), Deadline::Keepalive));
    assert_eq!(server.recv().await?, None);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_while_one_sends_stay_in_order() -> Result {
    let (one, other) = duplex(100_000);
    let (mut server, mut client) = (server(one, keepalive()), client(other, Config::new()));
    let mut expected = 0;
    for turn in 0..20_u32 {
        for number in 0..5 {
            client.feed((5 * turn + number).to_string()).await?;
        }
        client.flush().await?;
        server.send(vec![0; 2 * HIGH_WATER]).await?;
        // Several deadlines pass in vain: the client reads a little from time to time.
        let (sent, received) = tokio::join!(send_all_of(&mut server, "next"), async {
            sleep(35 * SECOND).await;
            client.recv().await
        });
        sent?;
        received?;
        for _ in 0..3 {
            assert_eq!(server.recv().await?, Some(Message::from(expected.to_string())));
            expected += 1;
        }
        assert_eq!(client.recv().await?, Some(Message::from("next")));
    }
    while expected < 100 {
        assert_eq!(server.recv().await?, Some(Message::from(expected.to_string())));
        expected += 1;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_close_after_a_quiet_hour_has_its_full_time() -> Result {
    for by_itself in [true, false] {
        let (mut server, _silent) = pair(100);
        sleep(3600 * SECOND).await;
        let begun = Instant::now();
        let ended = if by_itself {
            server.close(CloseCode::NORMAL, "").await.unwrap_err()
        } else {
            server.connection_mut().close(CloseCode::NORMAL, "")?;
            server.recv().await.unwrap_err()
        };
        assert!(is_timeout(&ended, Deadline::Closing));
        assert!((5..7).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_round_trip_is_measured_after_a_quiet_hour() -> Result {
    let (transport, mut peer) = duplex(1000);
    let (mut sender, mut receiver) = server(transport, Config::new()).into_split();
    // A message is left of the input, which is of no importance to the clock.
    peer.write_all(&[HELLO, HELLO].concat()).await?;
    receiver.recv().await?;
    sleep(3600 * SECOND).await;
    sender.with_connection(|conn| conn.ping(b""))?;
    receiver.recv().await?;
    let answer = async {
        sleep(3 * SECOND).await;
        peer.write_all(PONG).await
    };
    let (_, event) = tokio::join!(answer, receiver.event());
    assert!(matches!(event?, Some(Event::Pong(_))));
    is_3_seconds(receiver.round_trip());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_of_a_keepalive_is_measured() -> Result {
    let (transport, mut peer) = duplex(1000);
    let mut server = server(transport, keepalive());
    let answer = async {
        let mut ping = [0; 6];
        peer.read_exact(&mut ping).await?;
        sleep(3 * SECOND).await;
        peer.write_all(&[b"\x8a\x84\0\0\0\0", &ping[2..]].concat()).await?;
        sleep(3 * SECOND).await;
        Result::Ok(())
    };
    tokio::select! {
        answered = answer => answered?,
        received = server.recv() => panic!("{received:?}"),
    }
    is_3_seconds(server.connection_mut().round_trip());
    Ok(())
}

fn is_3_seconds(round_trip: Option<Duration>) {
    let is = round_trip.is_some_and(|round_trip| (2950..3050).contains(&round_trip.as_millis()));
    assert!(is, "{round_trip:?}");
}
