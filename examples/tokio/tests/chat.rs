//! The chat server, with clients over pipes.

use std::sync::Arc;
use std::time::Duration;

use example_tokio::chat::Chat;
use tokio::io::{DuplexStream, duplex};
use tokio::time::timeout;
use websocket_proto_tokio::{CloseCode, Connector, WebSocket};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

async fn join(chat: &Arc<Chat>, path: &str) -> Result<WebSocket<DuplexStream>> {
    let (one, other) = duplex(1000);
    let chat = Arc::clone(chat);
    tokio::spawn(async move { chat.serve(one).await });
    Ok(Connector::new().handshake(format!("ws://a{path}"), other).await?)
}

async fn hears(ws: &mut WebSocket<DuplexStream>, text: &str) -> Result {
    assert_eq!(ws.recv().await?, Some(text.into()));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_one_says_all_hear() -> Result {
    let chat = Arc::new(Chat::new());
    let mut one = join(&chat, "/chat").await?;
    hears(&mut one, "* guest-1 joined, 1 here").await?;
    let mut other = join(&chat, "/chat").await?;
    hears(&mut one, "* guest-2 joined, 2 here").await?;
    hears(&mut other, "* guest-2 joined, 2 here").await?;
    other.send("你好").await?;
    hears(&mut one, "guest-2: 你好").await?;
    hears(&mut other, "guest-2: 你好").await?;
    other.close(CloseCode::NORMAL, "").await?;
    hears(&mut one, "* guest-2 left, 1 here").await
}

#[tokio::test(start_paused = true)]
async fn who_does_not_keep_up_is_let_go() -> Result {
    let chat = Arc::new(Chat::new());
    let (mut talks, mut sleeps) = (join(&chat, "/chat").await?, join(&chat, "/chat").await?);
    for _ in 0..40 {
        talks.send(vec![0; 60_000]).await?;
        while talks.recv().await?.is_some_and(|message| message.as_text().is_some()) {}
    }
    // It isn't gone yet, but hears no more, and nothing is kept for it.
    let _third = join(&chat, "/chat").await?;
    hears(&mut talks, "* guest-3 joined, 2 here").await?;
    while sleeps.recv().await?.is_some() {}
    assert_eq!(sleeps.closed().unwrap().code, CloseCode::TRY_AGAIN_LATER);
    hears(&mut talks, "* guest-2 left, 2 here").await
}

#[tokio::test(start_paused = true)]
async fn a_speech_is_too_long() -> Result {
    let chat = Arc::new(Chat::new());
    let mut one = join(&chat, "/chat").await?;
    one.send(vec![0; 70_000]).await?;
    while one.recv().await?.is_some() {}
    assert_eq!(one.closed().unwrap().code, CloseCode::TOO_LARGE);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn all_are_told_when_it_stops() -> Result {
    let chat = Arc::new(Chat::new());
    let clients = [join(&chat, "/chat").await?, join(&chat, "/echo").await?, join(&chat, "/echo").await?];
    let clients = clients.map(|mut ws| {
        tokio::spawn(async move {
            while ws.recv().await?.is_some() {}
            Result::Ok(ws.closed().unwrap().code)
        })
    });
    // One that hasn't asked for anything yet is no obstacle.
    let (silent, _other) = duplex(1000);
    let undecided = tokio::spawn({
        let chat = Arc::clone(&chat);
        async move { chat.serve(silent).await }
    });
    tokio::task::yield_now().await;
    timeout(Duration::from_millis(1), chat.stop()).await.expect("all answer at once");
    for client in clients {
        assert_eq!(client.await.unwrap()?, CloseCode::GOING_AWAY);
    }
    undecided.await.unwrap()
}
